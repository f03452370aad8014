"""One-hot vectors."""

from __future__ import annotations

import numpy as np

from ..function import (
    NUMBERS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    axis_of,
    check_storage,
    taken,
)


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    indices, values = taken(operands, "indices", "values")
    check_storage("indices", indices, NUMBERS)
    depth = attributes["depth"]
    if values.shape != (2,):
        raise FunctionError(f"values must be two, off and on, got shape {list(values.shape)}")
    if depth < 1:
        raise FunctionError(f"depth must be at least 1, got {depth}")
    axis = axis_of(attributes, len(indices.shape) + 1)
    return [TensorKind((*indices.shape[:axis], depth, *indices.shape[axis:]), values.storage)]


def _one_hot(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    indices, (off, on) = arrays
    depth, axis = attributes["depth"], attributes["axis"] % (indices.ndim + 1)
    hot = indices.astype(np.int64)
    hot = np.expand_dims(np.where(hot < 0, hot + depth, hot), axis)
    shape = [1] * (indices.ndim + 1)
    shape[axis] = depth
    return [np.where(hot == np.arange(depth).reshape(shape), on, off)]


FUNCTIONS = (
    Function(
        "one_hot",
        "Along a new `axis` of `depth` elements the second of two values where an index says, the first elsewhere.",
        _infer,
        _one_hot,
        {"depth": Parameter(int), "axis": Parameter(int, -1)},
        example=((TensorKind((4,), "i64"), TensorKind((2,), "f32")), {"depth": 5}),
        indices=lambda operands, attributes: {0: attributes["depth"]},
        advice="make the indices constant: the result is then a constant, too",
    ),
)
"""The functions of this family."""
