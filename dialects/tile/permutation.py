"""The tile op that exchanges two axes of a tile in local memory."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.numerics.storage import PERMUTED_NAMES
from ..ir.attribute import Integer, Ints, integer, ints, values_of
from ..ir.field import buffer, prop
from ..quant.element_type import shape_of
from .checks import (
    check_local_pair,
    check_storage,
    check_storage_value,
    fail_unless,
    list_of_at_least,
    storage_of,
)
from .core_op import CoreOp, Translation
from .instruction_fields import named


@irdl_op_definition
class PermuteOp(CoreOp):
    """Transposes the last two of three axes. `sizes` are (tiles, rows, columns); the elements of x are divided evenly
    among tiles · rows rows, those of out among tiles · columns rows.

    out[t,c,r] = x[t,r,c]. Each row of out is filled with `zero_point` from `rows` up to its end.

    tile.permute core 0 %x -> %y sizes = [2, 3, 10] zero_point = -5 :
        memref<2x3x16xi8, "local"> -> memref<2x10x16xi8, "local">
    """

    name = "tile.permute"
    sizes: Ints = prop(converter=ints)
    zero_point: Integer = prop(converter=integer, default=0)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    MOVES_ONLY: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_local_pair(self)
        storage = storage_of(self.x)
        check_storage("x", self.x, *PERMUTED_NAMES)
        check_storage("out", self.out, storage)
        check_storage_value("zero point", self.zero_point.value.data, storage)
        tiles, rows, columns = list_of_at_least("sizes", self.sizes, 3, 1)
        _check_pitch("x", self.x, tiles * rows, columns)
        _check_pitch("out", self.out, tiles * columns, rows)

    def instruction(self) -> Translation:
        tiles, rows, columns = values_of(self.sizes)
        fields = {
            "type": storage_of(self.x),
            **named(("tiles", "rows", "columns"), self.sizes),
            "in_pitch": _elements(self.x) // (tiles * rows),
            "out_pitch": _elements(self.out) // (tiles * columns),
            "zero_point": self.zero_point.value.data,
        }
        return "permute", fields, {"x": self.x, "out": self.out}


def _elements(value: SSAValue) -> int:
    return prod(shape_of(value))


def _check_pitch(name: str, value: SSAValue, rows: int, length: int) -> None:
    """Raise VerifyException unless the elements of a buffer make up that many rows of at least `length` elements."""
    elements = _elements(value)
    fail_unless(
        elements % rows == 0 and elements >= rows * length,
        f"{name} has {elements} elements, expected {rows} equal rows of at least {length}",
    )
