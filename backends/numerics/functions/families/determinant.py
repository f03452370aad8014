"""Determinants of matrices."""

from __future__ import annotations

import numpy as np

from ...storage import name_of
from ..function import (
    FLOATS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    TensorKind,
    check_storage,
    stored,
    taken,
)


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, FLOATS)
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise FunctionError(f"x must be square matrices, got shape {list(x.shape)}")
    return [TensorKind(x.shape[:-2], x.storage)]


def _det(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Compute determinants in f64, and round once."""
    (x,) = arrays
    return [stored(np.asarray(np.linalg.det(x.astype(np.float64))), name_of(x.dtype))]


FUNCTIONS = (
    Function(
        "det",
        "The determinants of the square matrices of the last two axes.",
        _infer,
        _det,
        example=((TensorKind((2, 3, 3), "f32"),), {}),
    ),
)
"""The functions of this family."""
