"""The ops of `top` that move elements: they take tensors apart, put them together, and reorder them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.numerics import movement
from ..ir.attribute import Integer, Ints, integer, ints
from ..ir.field import operand, prop
from ..network import shape as shapes
from ..network.movement import ConcatBase, PadBase, ReshapeBase, SliceBase, TransposeBase
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..quant.element_type import shape_of
from .top_op import TopOp


@irdl_op_definition
class ReshapeOp(ReshapeBase, TopOp):
    """The same elements in row-major order under another shape, that of the result type.

    %flat = top.reshape "flat" %mean : (tensor<1x8x1x1xf32>) -> tensor<1x8xf32>
    """

    name = "top.reshape"
    NEEDS_FLOATS: ClassVar[bool] = False


@irdl_op_definition
class TransposeOp(TransposeBase, TopOp):
    """Axis i of the result is axis permutation[i] of the input.

    %back = top.transpose "back" %swapped permutation = [1, 0] :
        (tensor<8x1xf32>) -> tensor<1x8xf32>
    """

    name = "top.transpose"
    NEEDS_FLOATS: ClassVar[bool] = False


@irdl_op_definition
class ConcatOp(ConcatBase, TopOp):
    """The inputs one after the other along `axis` (non-negative).

    %y = top.concat "y" %a, %b axis = 1 :
        (tensor<1x2x4xf32>, tensor<1x3x4xf32>) -> tensor<1x5x4xf32>
    """

    name = "top.concat"
    NEEDS_FLOATS: ClassVar[bool] = False


@irdl_op_definition
class SliceOp(SliceBase, TopOp):
    """Along axis d the elements starts[d] + i·steps[d], 0 <= i < sizes[d]; steps may be negative.

    %y = top.slice "y" %x starts = [0, 7] sizes = [1, 4] steps = [1, -2] :
        (tensor<1x8xf32>) -> tensor<1x4xf32>
    """

    name = "top.slice"
    NEEDS_FLOATS: ClassVar[bool] = False


@irdl_op_definition
class PadOp(PadBase, TopOp):
    """The input with low[d] elements of `value` before and high[d] after it along axis d.

    %y = top.pad "y" %x low = [0, 1] high = [0, 2] :
        (tensor<1x8xf32>) -> tensor<1x11xf32>
    """

    name = "top.pad"

    def evaluate(self, operands: Arrays) -> np.ndarray:
        low, high = self.low.get_values(), self.high.get_values()
        return movement.pad(operands[0], low, high, self.value.value.data)


@irdl_op_definition
class GatherOp(TopOp):
    """The elements of `axis` (non-negative) that `indices` name, in their order; any may repeat.

    %y = top.gather "y" %x axis = 1 indices = [2, 0, 0] :
        (tensor<1x8xf32>) -> tensor<1x3xf32>
    """

    name = "top.gather"
    axis: Integer = prop(converter=integer)
    indices: Ints = prop(converter=ints)
    input: SSAValue = operand()
    NEEDS_FLOATS: ClassVar[bool] = False

    def expected_shape(self) -> Shape:
        indices = self.indices.get_values()
        return shapes.gather_shape(shape_of(self.input), self.axis.value.data, indices)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        axis = self.axis.value.data - (x.ndim - 1)
        return movement.gather(x, axis, self.indices.get_values())
