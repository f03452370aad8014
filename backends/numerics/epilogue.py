"""The epilogue, which turns accumulators into outputs: bias, residual, requantization, clamp, one rounding."""

from __future__ import annotations

import numpy as np

from .elementwise import store_float
from .fixed_point import Integers, Residual, rescale
from .quantization import ClampRange, storage_limits
from .storage import dtype_of


def epilogue_int(
    acc: np.ndarray,
    bias: np.ndarray | None,
    multiplier: Integers,
    shift: Integers,
    zero_point: int,
    storage: str,
    clamp: ClampRange = None,
    residual: Residual | None = None,
) -> np.ndarray:
    """Compute clamp(saturate(round_half_even(v · multiplier · 2^−shift) + zero_point)), exact, where

    v = acc + bias + round_half_even((r − zero_point_r) · multiplier_r · 2^−shift_r), summed in 64
    bits.

    `acc` is i32 or i64 [..., c]; bias, multipliers and shifts [c] or scalars; `residual` is (r[...,
    c] of up to 16 bits, zero_point_r, multiplier_r, shift_r); the result [..., c] is in integer
    `storage`. Raises ValueError if shapes or types do not fit.
    """
    if residual is not None and residual[0].shape != acc.shape:
        raise ValueError(
            f"the residual's shape {residual[0].shape} is not the accumulator's {acc.shape}"
        )
    limits = storage_limits(storage, clamp)
    return rescale(acc, bias, multiplier, shift, residual, zero_point, limits, dtype_of(storage))


def epilogue_float(
    acc: np.ndarray,
    bias: np.ndarray | None,
    storage: str,
    clamp: tuple[float, float] | None = None,
    residual: np.ndarray | None = None,
    scales: np.ndarray | None = None,
) -> np.ndarray:
    """Compute clamp(acc · scales + bias + residual) in f32, rounded once to the float type `storage`.

    `acc` is f32 [..., c], `bias` [c], `residual` any float [..., c], `scales` [c], those of integer weights, or None
    for 1; clamp bounds may be infinite.
    """
    total = acc
    with np.errstate(over="ignore", invalid="ignore"):
        if scales is not None:
            total = total * scales.astype(np.float32, copy=False)
        if bias is not None:
            total = total + bias.astype(np.float32, copy=False)
        if residual is not None:
            total = total + residual.astype(np.float32, copy=False)
    stored = store_float(total, storage, clamp)
    return stored.copy() if stored is acc else stored
