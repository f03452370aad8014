"""Softmax, its logarithm, and the place of the greatest, for f64: engines compute those of f32 and less."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...storage import name_of
from ..function import (
    FLOATS,
    Arrays,
    Attributes,
    Function,
    Kinds,
    Parameter,
    TensorKind,
    axis_of,
    check_storage,
    stored,
    taken,
)


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, FLOATS)
    axis_of(attributes, len(x.shape))
    return [x]


def _softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _hardmax(x: np.ndarray) -> np.ndarray:
    return (np.arange(x.shape[-1]) == x.argmax(axis=-1)[..., None]).astype(np.float64)


def _function(name: str, summary: str, compute: Callable[[np.ndarray], np.ndarray]) -> Function:
    """Return the function that `compute` gives along the last axis in f64."""

    def along(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
        (x,), axis = arrays, axis_of(attributes, arrays[0].ndim)
        if not x.size:
            return [x]
        rows = np.ascontiguousarray(np.moveaxis(x, axis, -1), np.float64)
        return [stored(np.moveaxis(compute(rows), -1, axis), name_of(x.dtype))]

    return Function(
        name,
        summary,
        _infer,
        along,
        {"axis": Parameter(int, -1)},
        example=((TensorKind((2, 5), "f64"),), {}),
        advice="cast x to FLOAT before, where f32 holds its numbers: engines compute with f32",
    )


FUNCTIONS = (
    _function("softmax", "exp(x) over its sum along `axis`.", _softmax),
    _function("log_softmax", "The logarithm of softmax along `axis`.", _log_softmax),
    _function(
        "hardmax", "1 for the first of the greatest elements along `axis`, else 0.", _hardmax
    ),
)
"""The functions of this family."""
