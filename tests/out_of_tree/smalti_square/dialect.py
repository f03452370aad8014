"""The dialect: the square at level top, at level tpu, and of a tile."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

import numpy as np
from smalti.dialects import tile, tpu
from smalti.dialects.ir.field import buffer, operand
from smalti.dialects.network.shape import Shape
from smalti.dialects.network.tensor_op import Arrays
from smalti.dialects.quant.element_type import element_storage, shape_of
from smalti.dialects.top.top_op import TopOp
from xdsl.ir import Dialect, SSAValue
from xdsl.irdl import irdl_op_definition


def squares(x: np.ndarray) -> np.ndarray:
    """Square floats in f32, and round once."""
    wide = x.astype(np.float32)
    return (wide * wide).astype(x.dtype)


@irdl_op_definition
class SquareOp(TopOp):
    """input².

    %y = square.square "y" %x : (tensor<4xf32>) -> tensor<4xf32>
    """

    name = "square.square"
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return squares(operands[0])


@irdl_op_definition
class TpuSquareOp(tpu.TpuOp):
    """input², in floats.

    %y = square.of_floats "y" %x : (tensor<4xf32>) -> tensor<4xf32>
    """

    name = "square.of_floats"
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return squares(operands[0])


@irdl_op_definition
class TileSquareOp(tile.CoreOp):
    """The squares of all elements of a tile.

    square.of_tile core 0 %x -> %y : memref<16xf32, "local"> -> memref<16xf32, "local">
    """

    name = "square.of_tile"
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"

    def instruction(self) -> tuple[str, dict[str, Any], dict[str, SSAValue]]:
        fields = {"type": element_storage(self.x.type), "count": prod(shape_of(self.x))}
        return "square", fields, {"x": self.x, "out": self.out}


SQUARE = Dialect("square", [SquareOp, TpuSquareOp, TileSquareOp], [])
