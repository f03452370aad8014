"""What the ops compute: one function each, for stored integers and floats; interpreters and the simulator call them."""

from __future__ import annotations

import numpy as np
from smalti.backends.numerics.device.tile_buffer import padded, shaped
from smalti.backends.numerics.storage import round_to

EPSILON = 2.0**-10
"""The least number by which row_scale divides: one that every float type holds exactly."""


def leaky_clamp(x: np.ndarray, low: np.ndarray, high: np.ndarray, shift: int) -> np.ndarray:
    """Let x go on at a slope of 2^-shift beyond `low` and `high`, which broadcast with it.

    Integers are stored values of one scale and zero point, which cancel out: what lies beyond a bound is divided by
    2^shift, and rounded half up. Floats are computed in f32 and rounded once.
    """
    if x.dtype.kind in "iu":
        wide, low, high = (each.astype(np.int32) for each in (x, low, high))
        half = (1 << shift) >> 1
        above, below = (wide - high + half) >> shift, (low - wide + half) >> shift
    else:
        wide, low, high = (each.astype(np.float32) for each in (x, low, high))
        slope = np.float32(2.0**-shift)
        above, below = (wide - high) * slope, (low - wide) * slope
    inside = np.where(wide < low, low - below, wide)
    return np.where(wide > high, high + above, inside).astype(x.dtype)


def leaky_clamp_of_tile(
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    shift: int,
    zero_point: int = 0,
) -> np.ndarray:
    """Compute out[rows, out_pitch] from x[rows, in_pitch], whose columns are channels, and the bounds [in_pitch]."""
    values = shaped(x, (rows, in_pitch), "x", type)[..., :columns]
    lower = shaped(low, (in_pitch,), "low", type)[..., None, :columns]
    upper = shaped(high, (in_pitch,), "high", type)[..., None, :columns]
    return padded(leaky_clamp(values, lower, upper, shift), out_pitch, zero_point)


def row_scale(x: np.ndarray, storage: str) -> np.ndarray:
    """x / max(|x|) of each row of floats (last axis), or x / EPSILON where that is greater; rounded to `storage`."""
    wide = x.astype(np.float32)
    greatest = np.maximum(np.abs(wide), np.float32(EPSILON)).max(axis=-1, keepdims=True)
    return round_to(wide / greatest, storage)
