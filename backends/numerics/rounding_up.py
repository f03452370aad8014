"""Rounds up quotients and multiples, of whole numbers and of columns of them."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

Whole = TypeVar("Whole", int, np.ndarray)
"""A whole number, or a column of them (int64, or f64 below 2^53)."""


def ceil_div(a: Whole, b: int) -> Whole:
    """Divide `a` by `b` and round up."""
    return -(-a // b)


def round_up(value: Whole, multiple: int) -> Whole:
    """Round `value` up to a multiple of `multiple`."""
    return ceil_div(value, multiple) * multiple


def larger(a: Any, b: Any) -> Any:
    """Return the larger of two numbers, or of two columns at each place."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return max(a, b)
    return np.maximum(a, b)
