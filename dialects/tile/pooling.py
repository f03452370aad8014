"""The tile op of pooling."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.numerics.windows.pooling import POOL_KINDS
from ..ir.attribute import Integer, Ints, check_one_of, flag, ints, optional_integer, text
from ..ir.field import buffer, prop
from ..quant.element_type import shape_of
from .checks import (
    check_local_pair,
    check_pitch,
    check_rank,
    check_storage,
    fail_unless,
    list_of_at_least,
    pitch_of,
    storage_of,
)
from .core_op import Translation
from .instruction_fields import columns_written, named, window_fields
from .requantized_op import RequantizedOp

_SIDES = ("pad_top", "pad_left", "pad_bottom", "pad_right")


@irdl_op_definition
class PoolOp(RequantizedOp):
    """A tile of pooling; x [n,h,w,pitch]; `pads` are (top, left, bottom, right); `kind` is max or average.

    out[n,y,x,c] = max or mean over i,j of x[n, y·sh + i·dh − top, x·sw + j·dw − left, c]. Elements outside the image
    are left out, or count as zeros with `count_include_pad`. Of each pixel the first `columns` elements are pooled,
    all unless that is said; what follows them in a pixel of out is filled with the zero point.

    tile.pool core 0 %lx -> %out kind = "average" kernel = [3, 3] pads = [1, 1, 1, 1]
        count_include_pad multiplier = 1073741824 shift = 30 zero_points = [-3, 4] :
        memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
    """

    name = "tile.pool"
    kind: StringAttr = prop(converter=text)
    kernel: Ints = prop(converter=ints)
    strides: Ints = prop(converter=ints, default=(1, 1))
    dilations: Ints = prop(converter=ints, default=(1, 1))
    pads: Ints = prop(converter=ints, default=(0, 0, 0, 0))
    count_include_pad: UnitAttr | None = prop(converter=flag, default=False)
    columns: Integer | None = prop(converter=optional_integer, default=None)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"x", "out"})
    FILLS_ROWS: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_local_pair(self)
        check_one_of("kind", self.kind.data, POOL_KINDS)
        storage = storage_of(self.x)
        check_storage("out", self.out, storage)
        source, result = check_rank("x", self.x, 4), check_rank("out", self.out, 4)
        agree = source[0] == result[0] and (self.columns is not None or source[3] == result[3])
        fail_unless(
            agree,
            f"x {list(source)} and out {list(result)} must agree in images and, without 'columns', in pitch",
        )
        if self.columns is not None:
            check_pitch("columns", self.columns.value.data, "x", self.x)
            check_pitch("columns", self.columns.value.data, "out", self.out)
        list_of_at_least("kernel", self.kernel, 2, 1)
        list_of_at_least("strides", self.strides, 2, 1)
        list_of_at_least("dilations", self.dilations, 2, 1)
        list_of_at_least("pads", self.pads, 4, 0)
        self.verify_requantization(storage, storage)

    def instruction(self) -> Translation:
        batch, in_height, in_width, width = shape_of(self.x)
        _, out_height, out_width, _ = shape_of(self.out)
        columns = width if self.columns is None else self.columns.value.data
        pitch, out_pitch = pitch_of(self.x), pitch_of(self.out)
        fields = {
            "kind": self.kind.data,
            "type": storage_of(self.x),
            "count_include_pad": int(self.count_include_pad is not None),
            "batch": batch,
            "in_height": in_height,
            "in_width": in_width,
            "out_height": out_height,
            "out_width": out_width,
            "pitch": pitch,
            "columns": 0 if columns == pitch else columns,
            "out_pitch": 0 if out_pitch == pitch else out_pitch,
            "out_columns": columns_written(self.out),
            **window_fields(self.kernel, self.strides, self.dilations),
            **named(_SIDES, self.pads),
            **self.requantization_fields(),
        }
        return "pool", fields, {"x": self.x, "out": self.out}
