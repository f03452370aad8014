"""Functions that take the elements of a tensor which indices, computed at run time, name.

Negative indices count from the end; an index that names nothing is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..function import (
    INDICES,
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

_DATA = TensorKind((8, 4), "f32")


def positions(indices: np.ndarray, length: int, what: str, parts: str = "elements") -> np.ndarray:
    """Return indices of `length` elements as non-negative ones. Raises FunctionError if one names none of them; the
    message calls what they are parts of `what`, and them `parts`.
    """
    wrong = (indices < -length) | (indices >= length)
    if wrong.any():
        raise FunctionError(
            f"index {indices[wrong].flat[0]} is out of range: {what} has {length} {parts}"
        )
    return np.where(indices < 0, indices + length, indices)


def tuple_positions(
    indices: np.ndarray, shape: Sequence[int], first: int
) -> tuple[np.ndarray, ...]:
    """Return the index tuples along the last axis of `indices` as one array of positions for each axis of `shape`; the
    first of them is axis `first` of the tensor.
    """
    return tuple(
        positions(indices[..., number], length, f"axis {first + number}")
        for number, length in enumerate(shape)
    )


def _infer_gather(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    data, indices = taken(operands, "data", "indices")
    check_storage("indices", indices, INDICES)
    axis = axis_of(attributes, len(data.shape))
    return [TensorKind((*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :]), data.storage)]


def _gather(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    data, indices = arrays
    axis = attributes["axis"] % data.ndim
    return [np.take(data, positions(indices, data.shape[axis], f"axis {axis}"), axis)]


def along_axis(operands: Kinds, attributes: Attributes) -> Mapping[int, int]:
    """Tell that operand 1 is indices along an axis of operand 0."""
    return {1: operands[0].shape[attributes["axis"]]}


def _infer_elements(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    data, indices = taken(operands, "data", "indices")
    check_storage("indices", indices, INDICES)
    check_within(data, indices, axis_of(attributes, len(data.shape)))
    return [TensorKind(indices.shape, data.storage)]


def check_within(data: TensorKind, indices: TensorKind, axis: int) -> None:
    """Raise FunctionError unless indices of elements have as many axes as the data, and at most their sizes but along
    `axis`.
    """
    if len(indices.shape) != len(data.shape) or any(
        given > size
        for number, (given, size) in enumerate(zip(indices.shape, data.shape, strict=True))
        if number != axis
    ):
        raise FunctionError(
            f"indices {list(indices.shape)} do not fit into data {list(data.shape)} besides axis {axis}"
        )


def element_positions(
    indices: np.ndarray, shape: Sequence[int], axis: int
) -> tuple[np.ndarray, ...]:
    """Return for each index of an element the position in a tensor of `shape`: its own but along `axis`."""
    grid = _grid(indices.shape)
    grid[axis] = positions(indices, shape[axis], f"axis {axis}")
    return tuple(grid)


def _grid(shape: Sequence[int]) -> list[np.ndarray]:
    """Return the positions along each axis of a tensor, one array that broadcasts to `shape` for each axis."""
    rank = len(shape)
    return [
        np.arange(size).reshape([size if other == axis else 1 for other in range(rank)])
        for axis, size in enumerate(shape)
    ]


def _gather_elements(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    data, indices = arrays
    return [data[element_positions(indices, data.shape, attributes["axis"] % data.ndim)]]


def _infer_nd(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    data, indices = taken(operands, "data", "indices")
    check_storage("indices", indices, INDICES)
    batch, depth = attributes["batch_dims"], tuple_length(data, indices)
    if not 0 <= batch < min(len(data.shape), len(indices.shape)):
        raise FunctionError(
            f"batch_dims {batch} is less than 0 or not less than the axes of an operand"
        )
    if data.shape[:batch] != indices.shape[:batch]:
        raise FunctionError(
            f"data {list(data.shape)} and indices {list(indices.shape)} differ in the first {batch} axes"
        )
    if batch + depth > len(data.shape):
        raise FunctionError(
            f"indices of {depth} numbers are too long for {len(data.shape) - batch} axes of data"
        )
    return [TensorKind((*indices.shape[:-1], *data.shape[batch + depth :]), data.storage)]


def along_axes(operands: Kinds, attributes: Attributes) -> Mapping[int, int]:
    """Tell that operand 1 is tuples of indices along several axes of operand 0: each is one of the shortest axis."""
    data, indices = operands[:2]
    batch = attributes.get("batch_dims", 0)
    return {1: min(data.shape[batch : batch + indices.shape[-1]], default=1)}


def tuple_length(data: TensorKind, indices: TensorKind) -> int:
    """Return how many numbers each index tuple has. Raises FunctionError if there are no tuples."""
    if not indices.shape or not data.shape:
        raise FunctionError("data and indices must have an axis at least")
    return indices.shape[-1]


def _gather_nd(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    data, indices = arrays
    batch, depth = attributes["batch_dims"], indices.shape[-1]
    places = tuple_positions(indices, data.shape[batch : batch + depth], batch)
    lead = _grid(indices.shape[:batch])
    rest = (1,) * (indices.ndim - 1 - batch)
    if batch + depth == 0:
        return [np.broadcast_to(data, (*indices.shape[:-1], *data.shape)).copy()]
    return [data[(*(each.reshape(*each.shape, *rest) for each in lead), *places)]]


_ADVICE = "make the indices constant: copies then take the elements"
FUNCTIONS = (
    Function(
        "gather",
        "The slices of `axis` of data that indices name.",
        _infer_gather,
        _gather,
        {"axis": Parameter(int, 0)},
        example=((_DATA, TensorKind((3,), "i64")), {}),
        indices=along_axis,
        advice=_ADVICE,
    ),
    Function(
        "gather_elements",
        "For each index the element there along `axis`, at its own position along the other axes.",
        _infer_elements,
        _gather_elements,
        {"axis": Parameter(int, 0)},
        example=((_DATA, TensorKind((3, 4), "i64")), {}),
        indices=along_axis,
    ),
    Function(
        "gather_nd",
        "The slices of data that tuples of indices name; the first `batch_dims` axes are those of both.",
        _infer_nd,
        _gather_nd,
        {"batch_dims": Parameter(int, 0)},
        example=((_DATA, TensorKind((3, 1), "i64")), {}),
        indices=along_axes,
    ),
)
"""The functions of this family."""
