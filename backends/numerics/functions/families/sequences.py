"""Sequences of different lengths side by side: their reversal, and the update of a cache of them."""

from __future__ import annotations

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
    check_alike,
    check_shape,
    check_storage,
    taken,
)


def _infer_reverse(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    x, lengths = taken(operands, "x", "lengths")
    batch = axis_of(attributes, len(x.shape), "batch_axis")
    if batch == axis_of(attributes, len(x.shape), "time_axis"):
        raise FunctionError(f"batch_axis and time_axis are both axis {batch}")
    check_storage("lengths", lengths, INDICES)
    check_shape("lengths", lengths, (x.shape[batch],))
    return [x]


def _reverse_sequence(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Reverse the first elements of each sequence, as many as its length says."""
    x, lengths = arrays
    batch, time = (axis_of(attributes, x.ndim, name) for name in ("batch_axis", "time_axis"))
    size = x.shape[time]
    if lengths.size and not (lengths.min() >= 0 and lengths.max() <= size):
        raise FunctionError(f"a length is not from 0 to {size}: {lengths.tolist()}")
    steps = np.arange(size)
    places = np.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    ordered = places if batch < time else places.T
    shape = [1] * x.ndim
    shape[batch], shape[time] = x.shape[batch], size
    return [np.take_along_axis(x, ordered.reshape(shape), time)]


def _infer_scatter(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    names = ("cache", "update", "starts")
    given = taken(operands, *names[: 3 if len(operands) == 3 else 2])
    cache, update = given[:2]
    check_alike(given[:2], *names[:2])
    axis = axis_of(attributes, len(cache.shape))
    if axis == 0:
        raise FunctionError("axis 0 is that of the samples")
    check_shape(
        "update",
        update,
        [*cache.shape[:axis], *update.shape[axis : axis + 1], *cache.shape[axis + 1 :]],
    )
    if update.shape[axis] > cache.shape[axis]:
        raise FunctionError(
            f"update has {update.shape[axis]} elements along axis {axis}, cache has {cache.shape[axis]}"
        )
    for starts in given[2:]:
        check_storage("starts", starts, INDICES)
        check_shape("starts", starts, cache.shape[:1])
    return [cache]


def _tensor_scatter(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Write each sample's update into the cache, from the sample's start on."""
    cache, update = arrays[:2]
    axis = axis_of(attributes, cache.ndim)
    size, count = cache.shape[axis], update.shape[axis]
    starts = arrays[2] if len(arrays) == 3 else np.zeros(len(cache), np.int64)
    places = starts[:, None].astype(np.int64) + np.arange(count)
    if attributes["circular"]:
        places %= max(size, 1)
    elif places.size and not (places.min() >= 0 and places.max() < size):
        raise FunctionError(
            f"{count} elements from {starts.tolist()} on do not fit the {size} of axis {axis}"
        )
    shape = [1] * cache.ndim
    shape[0], shape[axis] = len(cache), count
    result = cache.copy()
    np.put_along_axis(result, places.reshape(shape), update, axis)
    return [result]


FUNCTIONS = (
    Function(
        "reverse_sequence",
        "x with the first elements along `time_axis` in reverse order, as many as `lengths` says for each element of "
        "`batch_axis`.",
        _infer_reverse,
        _reverse_sequence,
        {"batch_axis": Parameter(int, 1), "time_axis": Parameter(int, 0)},
        example=((TensorKind((5, 2), "f32"), TensorKind((2,), "i64")), {}),
    ),
    Function(
        "tensor_scatter",
        "cache with update along `axis`, from the start on that `starts` has for each sample (0 without them); with "
        "`circular` what passes the end goes to the beginning.",
        _infer_scatter,
        _tensor_scatter,
        {"axis": Parameter(int, -2), "circular": Parameter(bool, False)},
        example=(
            (TensorKind((2, 8, 4), "f32"), TensorKind((2, 3, 4), "f32"), TensorKind((2,), "i64")),
            {},
        ),
    ),
)
"""The functions of this family."""
