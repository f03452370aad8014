"""Means over axes: exact with one rounding for integers, in f32 for floats.

A float mean first brings the reduced axes together at the end of a contiguous array, so that each
result depends on its own elements alone and not on what is beside them.
"""

from __future__ import annotations

import numpy as np

from .fixed_point import rescale_quotient
from .quantization import ClampRange, storage_limits
from .storage import dtype_of


def _check_axes(x: np.ndarray, axes: tuple[int, ...]) -> None:
    if any(not -x.ndim <= axis < 0 for axis in axes) or len(set(axes)) != len(axes):
        raise ValueError(f"axes {axes} must be distinct, negative and within rank {x.ndim}")


def mean_f32(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The mean of floats `x` over the negative `axes`, which are dropped: summed in f64, divided and
    rounded to f32 once.

    Sums of f32 values in f64 are exact unless their exponents lie far apart, so that the mean does
    not depend on the order in which a layout puts the elements. An empty reduction gives NaN.
    ValueError for axes out of range.
    """
    _check_axes(x, axes)
    kept = [axis for axis in range(-x.ndim, 0) if axis not in axes]
    ordered = sorted(axes)
    length = int(np.prod([x.shape[axis] for axis in ordered], dtype=np.int64))
    shape = tuple(x.shape[axis] for axis in kept)
    rows = np.ascontiguousarray(np.transpose(x, [*kept, *ordered]), dtype=np.float32)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        total = rows.reshape(*shape, length).sum(axis=-1, dtype=np.float64)
        return np.asarray(total / length, dtype=np.float32)


def mean_int(
    x: np.ndarray,
    axes: tuple[int, ...],
    *,
    zero_point_in: int,
    multiplier: int,
    shift: int,
    zero_point_out: int,
    storage: str,
    clamp: ClampRange = None,
) -> np.ndarray:
    """clamp(saturate(round_half_even(Σ(x − zero_point_in) · multiplier / (count · 2^shift)) +
    zero_point_out)), exact.

    `x` is an integer array; the negative `axes` are dropped; `count` is the number of elements per
    result. ValueError for axes out of range and an empty reduction.
    """
    _check_axes(x, axes)
    count = int(np.prod([x.shape[axis] for axis in axes], dtype=np.int64))
    total = x.sum(axis=axes, dtype=np.int64) - count * zero_point_in
    limits = storage_limits(storage, clamp)
    return rescale_quotient(
        total, count, multiplier, shift, zero_point_out, limits, dtype_of(storage)
    )
