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
    check_one_index,
    taken,
)


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    if len(operands) == 2:
        x, k = operands
        check_one_index("k", k)
    else:
        (x,) = taken(operands, "x")
    if len(x.shape) < 2:
        raise FunctionError(f"x must have two axes at least, got shape {list(x.shape)}")
    return [x]


def _trilu(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Keep the upper or the lower triangle, and write 0 elsewhere."""
    x = arrays[0]
    k = attributes["k"] if len(arrays) == 1 else int(arrays[1].reshape(()))
    rows, columns = x.shape[-2:]
    distance = np.arange(columns)[None, :] - np.arange(rows)[:, None]
    kept = distance >= k if attributes["upper"] else distance <= k
    return [np.where(kept, x, np.zeros((), x.dtype))]


FUNCTIONS = (
    Function(
        "trilu",
        "The matrices of the last two axes with 0 below diagonal `k` or, without `upper`, above it; `k` may be a "
        "second operand.",
        _infer,
        _trilu,
        {"upper": Parameter(bool, True), "k": Parameter(int, 0)},
        example=((TensorKind((4, 4), "f32"),), {}),
        advice="multiply by a constant mask, or select by one: engines do that",
    ),
)
"""The functions of this family."""
