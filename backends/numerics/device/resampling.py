"""Computes the instruction of interpolation and gathering; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from ..windows import resampling
from .tile_buffer import shaped


def resample(
    x: np.ndarray,
    index: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    type: str,
    outer: int,
    in_length: int,
    out_length: int,
    inner: int,
    taps: int = 1,
    gather: int = 0,
) -> np.ndarray:
    """Compute out[outer, out_length, inner] of x[outer, in_length, inner] by index (i32) and weight (f32) [out_length,
    taps].

    With `gather` there is one tap, of weight 1, and `weight` is not read.
    """
    values = shaped(x, (outer, in_length, inner), "x", type)
    if gather and taps != 1:
        raise ValueError(f"a gather has 1 tap, not {taps}")
    shape = (out_length, taps)
    indices = shaped(index, shape, "index", "i32")
    if gather or weight is None:
        if not gather:
            raise ValueError("a resampling that is no gather needs weights")
        factors = np.ones(shape, np.float32)
    else:
        factors = shaped(weight, shape, "weight", "f32")
    if indices.ndim == 2 and factors.ndim == 2:
        return resampling.resample(values, -2, indices, factors)
    lead = np.broadcast_shapes(values.shape[:-3], indices.shape[:-2], factors.shape[:-2])
    out = np.empty((*lead, outer, out_length, inner), values.dtype)
    values = np.broadcast_to(values, (*lead, *values.shape[-3:]))
    indices = np.broadcast_to(indices, (*lead, *shape))
    factors = np.broadcast_to(factors, (*lead, *shape))
    for at in np.ndindex(lead):
        out[at] = resampling.resample(values[at], -2, indices[at], factors[at])
    return out
