"""Functions that put updates into a tensor where indices, computed at run time, say.

Negative indices count from the end; an index that names nothing is an error. Updates of one element are put there one
after the other, or combined with it by the `reduction`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...storage import is_float, name_of
from ..function import (
    INDICES,
    NUMBERS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    axis_of,
    check_alike,
    check_storage,
    taken,
)
from .gathering import (
    along_axes,
    along_axis,
    check_within,
    element_positions,
    tuple_length,
    tuple_positions,
)

_COMBINE: dict[str, Any] = {
    "add": np.add,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}
_REDUCTION = Parameter(str, "none", ("none", *_COMBINE))
_DATA = TensorKind((8, 4), "f32")


def _checked(operands: Kinds, attributes: Attributes) -> tuple[TensorKind, TensorKind, TensorKind]:
    data, indices, updates = taken(operands, "data", "indices", "updates")
    check_storage("indices", indices, INDICES)
    check_alike((data, updates), "data", "updates")
    if attributes["reduction"] != "none":
        check_storage("data", data, NUMBERS)
    return data, indices, updates


def _check_updates(updates: TensorKind, expected: tuple[int, ...]) -> None:
    if updates.shape != expected:
        raise FunctionError(f"updates have shape {list(updates.shape)}, expected {list(expected)}")


def _infer_elements(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    data, indices, updates = _checked(operands, attributes)
    check_within(data, indices, axis_of(attributes, len(data.shape)))
    _check_updates(updates, indices.shape)
    return [data]


def _infer_nd(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    data, indices, updates = _checked(operands, attributes)
    depth = tuple_length(data, indices)
    if depth > len(data.shape):
        raise FunctionError(
            f"indices of {depth} numbers are too long for {len(data.shape)} axes of data"
        )
    _check_updates(updates, (*indices.shape[:-1], *data.shape[depth:]))
    return [data]


def _put(
    data: np.ndarray, places: tuple[np.ndarray, ...], updates: np.ndarray, reduction: str
) -> np.ndarray:
    """Return the data with the updates at their places; sums and products of narrow floats are rounded once."""
    if reduction == "none":
        result = data.copy()
        result[places] = updates
        return result
    narrow = is_float(name_of(data.dtype)) and data.dtype.itemsize < 4
    result = data.astype(np.float32) if narrow else data.copy()
    _COMBINE[reduction].at(result, places, updates.astype(result.dtype))
    return result.astype(data.dtype)


def _scatter_elements(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    data, indices, updates = arrays
    places = element_positions(indices, data.shape, attributes["axis"] % data.ndim)
    return [_put(data, np.broadcast_arrays(*places), updates, attributes["reduction"])]  # pyright: ignore[reportArgumentType]


def _scatter_nd(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    data, indices, updates = arrays
    places = tuple_positions(indices, data.shape[: indices.shape[-1]], 0)
    return [_put(data, places, updates, attributes["reduction"])]


FUNCTIONS = (
    Function(
        "scatter_elements",
        "data with each update at its index along `axis`, at its own position along the other axes.",
        _infer_elements,
        _scatter_elements,
        {"axis": Parameter(int, 0), "reduction": _REDUCTION},
        example=((_DATA, TensorKind((3, 4), "i64"), TensorKind((3, 4), "f32")), {}),
        indices=along_axis,
    ),
    Function(
        "scatter_nd",
        "data with slices where tuples of indices say.",
        _infer_nd,
        _scatter_nd,
        {"reduction": _REDUCTION},
        example=((_DATA, TensorKind((3, 1), "i64"), TensorKind((3, 4), "f32")), {}),
        indices=along_axes,
    ),
)
"""The functions of this family."""
