"""Reductions over axes: exact with one rounding for integers; in f64, rounded once, for floats.

A float reduction first brings the reduced axes together at the end of a contiguous array, so that
each result depends on its own elements alone and not on what is beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .elementwise import clamp as clamp_values
from .fixed_point import rescale_quotient
from .quantization import ClampRange, storage_limits
from .storage import dtype_of

SELECTING_KINDS = ("max", "min")
"""The reductions whose result is one of the elements: integers keep their quantization."""
INTEGER_KINDS = ("mean", "sum", *SELECTING_KINDS)
"""The reductions that integers have; the others are for floats only."""
IDENTITY_KINDS = (*INTEGER_KINDS, "prod")
"""The reductions that leave a single element as it is."""

POLES = {"log_sum": (0.0,)}
"""The reductions that are infinite or NaN at certain numbers, or beyond them."""


def _check_axes(x: np.ndarray, axes: tuple[int, ...]) -> None:
    if any(not -x.ndim <= axis < 0 for axis in axes) or len(set(axes)) != len(axes):
        raise ValueError(f"axes {axes} must be distinct, negative and within rank {x.ndim}")


def _total(rows: np.ndarray) -> np.ndarray:
    return rows.sum(axis=-1, dtype=np.float64)


def _sum_square(rows: np.ndarray) -> np.ndarray:
    wide = rows.astype(np.float64)
    return np.square(wide, out=wide).sum(axis=-1)


def _log_sum_exp(rows: np.ndarray) -> np.ndarray:
    """Compute max + log Σ exp(x − max), which cannot overflow; if the maximum is infinite, it is the result."""
    wide = rows.astype(np.float64)
    greatest = wide.max(axis=-1, initial=-np.inf, keepdims=True)
    shift = np.where(np.isfinite(greatest), greatest, 0.0)
    return np.log(np.exp(wide - shift).sum(axis=-1)) + shift[..., 0]


_FLOAT_REDUCTIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda rows: _total(rows) / max(rows.shape[-1], 1),
    "sum": _total,
    "max": lambda rows: rows.max(axis=-1, initial=-np.inf),
    "min": lambda rows: rows.min(axis=-1, initial=np.inf),
    "prod": lambda rows: rows.prod(axis=-1, dtype=np.float64),
    "l1": lambda rows: _total(np.abs(rows)),
    "l2": lambda rows: np.sqrt(_sum_square(rows)),
    "sum_square": _sum_square,
    "log_sum": lambda rows: np.log(_total(rows)),
    "log_sum_exp": _log_sum_exp,
}
KINDS = tuple(_FLOAT_REDUCTIONS)
"""The reductions, named after ONNX's Reduce ops; instructions have their positions as codes."""


def reduced_rows(kind: str, rows: np.ndarray) -> np.ndarray:
    """Reduce f64 `rows` over their last axis by one of `KINDS`, in f64; of no elements to the neutral element."""
    return np.asarray(_FLOAT_REDUCTIONS[kind](rows))


def reduce_f32(kind: str, x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Reduce floats `x` by `kind` over the negative `axes`, which are dropped; in f64, rounded to f32 once.

    Sums of f32 values in f64 are exact unless their exponents lie far apart, so they do not depend on the order in
    which a layout puts the elements. A reduction of no elements gives its neutral element, a mean gives 0, as ONNX
    Runtime does. Raises ValueError if axes are out of range or the kind is unknown.
    """
    _check_axes(x, axes)
    if kind not in _FLOAT_REDUCTIONS:
        raise ValueError(f"unknown reduction '{kind}' (known: {', '.join(KINDS)})")
    kept = [axis for axis in range(-x.ndim, 0) if axis not in axes]
    ordered = sorted(axes)
    length = int(np.prod([x.shape[axis] for axis in ordered], dtype=np.int64))
    shape = tuple(x.shape[axis] for axis in kept)
    rows = np.ascontiguousarray(np.transpose(x, [*kept, *ordered]), dtype=np.float32)
    with np.errstate(all="ignore"):
        reduced = _FLOAT_REDUCTIONS[kind](rows.reshape(*shape, length))
        return np.asarray(reduced, dtype=np.float32)


def reduce_int(
    kind: str,
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
    """Reduce integers `x` by `kind` (one of `INTEGER_KINDS`) over the negative `axes`, which are dropped; exact.

    Sums and means are clamp(saturate(round_half_even(Σ(x − zero_point_in) · multiplier / (count ·
    2^shift)) + zero_point_out)), where `count` is 1 for a sum and the number of elements per result
    for a mean. max and min keep the quantization. Raises ValueError if axes are
    out of range, the kind is another, or there are no elements to reduce.
    """
    _check_axes(x, axes)
    if kind in SELECTING_KINDS:
        chosen = x.max(axis=axes) if kind == "max" else x.min(axis=axes)
        return chosen if clamp is None else clamp_values(chosen, *clamp)
    if kind not in INTEGER_KINDS:
        raise ValueError(f"integers are reduced by {', '.join(INTEGER_KINDS)}, not '{kind}'")
    length = int(np.prod([x.shape[axis] for axis in axes], dtype=np.int64))
    total = x.sum(axis=axes, dtype=np.int64) - length * zero_point_in
    count = length if kind == "mean" else 1
    limits = storage_limits(storage, clamp)
    return rescale_quotient(
        total, count, multiplier, shift, zero_point_out, limits, dtype_of(storage)
    )
