"""Reads from tile ops the fields that several instructions have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import SSAValue

from ..ir.attribute import Ints, values_of
from .checks import columns_of, is_dense, pitch_of, rows_of
from .core_op import Fields


def clamp_fields(op: Any) -> Fields:
    """Return the bounds of the op's `clamp`."""
    low, high = values_of(op.clamp)
    return {"clamp_low": low, "clamp_high": high}


def window_fields(kernel: Ints, strides: Ints, dilations: Ints) -> Fields:
    """Return the fields `kernel_height` to `dilation_width` for a window that slides over an image."""
    fields: Fields = {}
    for name, sizes in (("kernel", kernel), ("stride", strides), ("dilation", dilations)):
        fields[f"{name}_height"], fields[f"{name}_width"] = values_of(sizes)
    return fields


def columns_written(out: SSAValue) -> int:
    """Return the field `out_columns` of an instruction that writes a buffer: 0 if it writes whole rows."""
    return 0 if is_dense(out) else columns_of(out)


def row_fields(op: Any) -> Fields:
    """Return the number of rows and columns that the op takes from x to out, and the pitches of both."""
    return {
        "rows": rows_of(op.x),
        "columns": op.columns.value.data,
        "in_pitch": pitch_of(op.x),
        "out_pitch": pitch_of(op.out),
    }


def named(names: Sequence[str], values: Ints) -> Fields:
    """Return the numbers of a list as fields with these names."""
    return dict(zip(names, values_of(values), strict=True))
