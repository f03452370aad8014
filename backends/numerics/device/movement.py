"""Computes what the instruction that fills memory writes; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from ..storage import dtype_of, integer_range, is_float, round_to


def fill(*, count: int, type: str, value: float) -> np.ndarray:
    """Return [count] elements of `value`, saturated (integers) or rounded (floats) to storage `type`."""
    dtype = dtype_of(type)
    if is_float(type):
        return np.full(count, round_to(np.asarray(value, np.float64), type), dtype)
    if type == "bool":
        return np.full(count, value != 0)
    low, high = integer_range(type)
    return np.full(count, min(max(round(value), low), high), dtype)
