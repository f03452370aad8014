"""Functions that order the elements along an axis: argmax, argmin, top_k."""

from __future__ import annotations

from collections.abc import Callable

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

_X = (TensorKind((1, 10), "f32"),)


def _one(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, NUMBERS)
    axis = axis_of(attributes, len(x.shape))
    if x.shape[axis] == 0:
        raise FunctionError("an axis without elements has no extreme")
    kept = (1,) if attributes["keepdims"] else ()
    return [TensorKind((*x.shape[:axis], *kept, *x.shape[axis + 1 :]), "i64")]


def _extreme(choose: Callable[..., np.ndarray]) -> Callable[[Arrays, Attributes], list[np.ndarray]]:
    def compute(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
        """Find the first position of the extreme, or the last one."""
        (x,), axis = arrays, attributes["axis"] % arrays[0].ndim
        if attributes["last"]:
            found = x.shape[axis] - 1 - choose(np.flip(x, axis), axis=axis, keepdims=True)
        else:
            found = choose(x, axis=axis, keepdims=True)
        found = found.astype(np.int64)
        return [found if attributes["keepdims"] else found.squeeze(axis)]

    return compute


def _several(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, NUMBERS)
    axis, count = axis_of(attributes, len(x.shape)), attributes["count"]
    if not 0 <= count <= x.shape[axis]:
        raise FunctionError(f"count {count} is not from 0 to {x.shape[axis]}, the axis's elements")
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return [TensorKind(shape, x.storage), TensorKind(shape, "i64")]


def _top_k(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Find the largest or smallest elements, sorted, and their positions; of equal elements the first comes first."""
    (x,), axis = arrays, attributes["axis"]
    if attributes["largest"]:
        # Sorted backwards and read from the end on, so that equal elements keep their order.
        order = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
        order = x.shape[axis] - 1 - np.flip(order, axis)
    else:
        order = np.argsort(x, axis=axis, kind="stable")
    order = np.take(order, np.arange(attributes["count"]), axis).astype(np.int64)
    return [np.take_along_axis(x, order, axis), order]


_EXTREME = {
    "axis": Parameter(int, 0),
    "keepdims": Parameter(bool, True),
    "last": Parameter(bool, False),
}
FUNCTIONS = (
    Function(
        "argmax",
        "The position of the greatest element along `axis`; of equal ones the first or, with `last`, the last.",
        _one,
        _extreme(np.argmax),
        _EXTREME,
        True,
        (_X, {"axis": 1}),
    ),
    Function(
        "argmin",
        "The position of the least element along `axis`; of equal ones the first or, with `last`, the last.",
        _one,
        _extreme(np.argmin),
        _EXTREME,
        True,
        (_X, {"axis": 1}),
    ),
    Function(
        "top_k",
        "The `count` largest elements along `axis` or, without `largest`, the smallest, in order; and their positions.",
        _several,
        _top_k,
        {
            "axis": Parameter(int, -1),
            "count": Parameter(int),
            "largest": Parameter(bool, True),
        },
        True,
        (_X, {"axis": 1, "count": 3}),
    ),
)
"""The functions of this family."""
