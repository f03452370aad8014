"""Triangles of matrices."""

from __future__ import annotations

import numpy as np

from ..function import (
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    taken,
)


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    if len(x.shape) < 2:
        raise FunctionError(f"x must have two axes at least, got shape {list(x.shape)}")
    return [x]


def _trilu(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Keep the upper or the lower triangle, and write 0 elsewhere."""
    (x,) = arrays
    rows, columns = x.shape[-2:]
    distance = np.arange(columns)[None, :] - np.arange(rows)[:, None]
    kept = distance >= attributes["k"] if attributes["upper"] else distance <= attributes["k"]
    return [np.where(kept, x, np.zeros((), x.dtype))]


FUNCTIONS = (
    Function(
        "trilu",
        "The matrices of the last two axes with 0 below diagonal `k` or, without `upper`, above it.",
        _infer,
        _trilu,
        {"upper": Parameter(bool, True), "k": Parameter(int, 0)},
        example=((TensorKind((4, 4), "f32"),), {}),
        advice="multiply by a constant mask, or select by one: engines do that",
    ),
)
"""The functions of this family."""
