"""Comparisons, which give bools; operations on bools; and the choice between two values by a bool.

Operands broadcast as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

COMPARISONS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "less": np.less,
    "less_or_equal": np.less_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
}
"""Comparisons by name; if an operand is NaN, all but not_equal are false (IEEE 754)."""

LOGIC: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
}
"""Operations on two bools by name."""


def compare(kind: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compare operands of one type, a (kind) b, giving bools. Raises ValueError if the kind is unknown or types
    differ.
    """
    if a.dtype != b.dtype:
        raise ValueError(f"operands of {a.dtype} and {b.dtype} differ in type")
    if kind not in COMPARISONS:
        raise ValueError(f"unknown comparison '{kind}' (known: {', '.join(COMPARISONS)})")
    return COMPARISONS[kind](a, b)


def combine(kind: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute a (kind) b for bools. Raises ValueError if the kind is unknown or an operand holds no bools."""
    if a.dtype != np.bool_ or b.dtype != np.bool_:
        raise ValueError(f"expected bools, got {a.dtype} and {b.dtype}")
    if kind not in LOGIC:
        raise ValueError(f"unknown operation '{kind}' on bools (known: {', '.join(LOGIC)})")
    return LOGIC[kind](a, b)


def select(condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Choose a where `condition` (bools) holds and b elsewhere. Raises ValueError unless a and b have one type."""
    if condition.dtype != np.bool_ or a.dtype != b.dtype:
        raise ValueError(
            f"expected bools and two operands of one type, got {condition.dtype}, {a.dtype} and "
            f"{b.dtype}"
        )
    return np.where(condition, a, b)
