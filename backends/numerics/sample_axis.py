"""Arrays [S, shape...]: the values that one tensor of a network has in S samples, side by side.

S is 1 for a value that all samples share, such as a weight; it broadcasts.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np


def aligned(value: np.ndarray, rank: int) -> np.ndarray:
    """Insert axes of size 1 after the sample axis of a value [S, shape...], so that it broadcasts with tensors of
    `rank` axes.
    """
    missing = rank - (value.ndim - 1)
    return value.reshape(len(value), *(1,) * missing, *value.shape[1:]) if missing > 0 else value


def broadcastable(*values: np.ndarray) -> list[np.ndarray]:
    """Give all values as many axes as the one that has most."""
    rank = max(value.ndim for value in values) - 1
    return [aligned(value, rank) for value in values]


def channel_last(value: np.ndarray) -> np.ndarray:
    """View [S, N, C, spatial...] as [S, N, spatial..., C]."""
    return np.moveaxis(value, 2, -1)


def channel_first(value: np.ndarray) -> np.ndarray:
    """View [S, N, spatial..., C] as [S, N, C, spatial...]."""
    return np.moveaxis(value, -1, 2)


def per_sample(
    compute: Callable[..., np.ndarray], shared: np.ndarray, *operands: np.ndarray
) -> np.ndarray:
    """Call compute(shared[0], *operands), or once for each sample if `shared` differs between samples.

    The numerics functions take one weight tensor for all samples, but weights that a network computes may differ.
    """
    if len(shared) == 1:
        return compute(shared[0], *operands)
    parts = [
        compute(one, *(x[i : i + 1] if len(x) > 1 else x for x in operands))
        for i, one in enumerate(shared)
    ]
    return np.concatenate(parts)


def as_matrices(lhs: np.ndarray, rhs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shape the operands of a matrix product as [S, ..., m, k] and [S, ..., k, n] of one rank, by NumPy's rules for
    vectors.
    """
    if lhs.ndim == 2:
        lhs = lhs[:, None, :]
    if rhs.ndim == 2:
        rhs = rhs[:, :, None]
    left, right = broadcastable(lhs, rhs)
    return left, right


def as_rows(lhs: np.ndarray, rhs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shape the operands of `as_matrices` as [rows, k] and [k, n] if one matrix serves all rows of `lhs`.

    Then one product takes the place of many; otherwise the operands stay as they are.
    """
    if all(size == 1 for size in rhs.shape[:-2]):
        return lhs.reshape(prod(lhs.shape[:-1]), lhs.shape[-1]), rhs.reshape(rhs.shape[-2:])
    return lhs, rhs
