"""The tile op of reductions."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.numerics.reduction import INTEGER_KINDS
from ...backends.numerics.reduction import KINDS as REDUCTION_KINDS
from ...backends.numerics.storage import is_float
from ..ir.attribute import Ints, check_one_of, ints, text
from ..ir.field import buffer, prop
from .checks import (
    check_at_least_one_axis,
    check_local_pair,
    check_pitch,
    check_storage,
    columns_of,
    fail_unless,
    list_of_at_least,
    pitch_of,
    rows_of,
    storage_of,
)
from .core_op import Translation
from .instruction_fields import named
from .requantized_op import RequantizedOp


@irdl_op_definition
class ReduceOp(RequantizedOp):
    """The reduction `kind` (see top.reduce) of x over the middle one of three axes. `sizes` are (outer, length, inner),
    `strides` (outer, length), in elements; of rows with gaps between them, gaps count.

    out[o,i] = reduction over l of x[o · outer stride + l · length stride + i].

    tile.reduce core 2 %x -> %mean kind = "mean" sizes = [2, 3, 12] strides = [48, 16] :
        memref<2x3x16xf32, "local"> -> memref<2x16xf32, "local">
    """

    name = "tile.reduce"
    kind: StringAttr = prop(converter=text)
    sizes: Ints = prop(converter=ints)
    strides: Ints = prop(converter=ints)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"x"})

    def verify_fields(self) -> None:
        check_local_pair(self)
        storage, kind = storage_of(self.x), self.kind.data
        check_one_of("kind", kind, REDUCTION_KINDS)
        fail_unless(
            is_float(storage) or kind in INTEGER_KINDS, f"{kind} is for floats, x is {storage}"
        )
        check_storage("out", self.out, storage)
        outer, length, inner = list_of_at_least("sizes", self.sizes, 3, 1)
        outer_stride, length_stride = list_of_at_least("strides", self.strides, 2, 0)
        last = (outer - 1) * outer_stride + (length - 1) * length_stride + inner - 1
        total = (rows_of(self.x) - 1) * pitch_of(self.x) + columns_of(self.x)
        fail_unless(last < total, f"sizes and strides reach element {last} of x, which has {total}")
        check_at_least_one_axis("out", self.out)
        fail_unless(
            rows_of(self.out) == outer, f"out has {rows_of(self.out)} rows, expected {outer}"
        )
        check_pitch("inner size", inner, "out", self.out)
        self.verify_requantization(storage, storage)

    def instruction(self) -> Translation:
        fields = {
            "kind": self.kind.data,
            "type": storage_of(self.x),
            **named(("outer", "length", "inner"), self.sizes),
            **named(("outer_stride", "length_stride"), self.strides),
            "out_pitch": pitch_of(self.out),
            **self.requantization_fields(),
        }
        return "reduce", fields, {"x": self.x, "out": self.out}
