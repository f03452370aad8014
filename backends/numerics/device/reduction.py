"""Computes the instruction of reductions; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from .. import elementwise, reduction
from ..storage import is_float
from .tile_buffer import integer_clamp, padded, strided

_INFINITE = float("inf")


def reduce(
    x: np.ndarray,
    *,
    kind: str,
    type: str,
    outer: int,
    length: int,
    inner: int = 1,
    outer_stride: int,
    length_stride: int,
    out_pitch: int,
    multiplier: int = 0,
    shift: int = 0,
    zero_point_in: int = 0,
    zero_point_out: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
) -> np.ndarray:
    """Compute out[outer, out_pitch]: the reduction `kind` over `length` of x[outer, length, inner], x flat [...,
    elements] with element strides.
    """
    values = strided(x, (outer, length, inner), (outer_stride, length_stride, 1), "x", type)
    if is_float(type):
        reduced = elementwise.store_float(
            reduction.reduce_f32(kind, values, (-2,)), type, (clamp_low, clamp_high)
        )
        return padded(reduced, out_pitch, 0)
    reduced = reduction.reduce_int(
        kind,
        values,
        (-2,),
        zero_point_in=zero_point_in,
        multiplier=multiplier,
        shift=shift,
        zero_point_out=zero_point_out,
        storage=type,
        clamp=integer_clamp(type, clamp_low, clamp_high),
    )
    return padded(reduced, out_pitch, zero_point_out)
