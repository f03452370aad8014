"""Running sums along an axis."""

from __future__ import annotations

import numpy as np

from ...storage import is_float, name_of, round_to
from ..function import (
    NUMBERS,
    Arrays,
    Attributes,
    Function,
    Kinds,
    Parameter,
    TensorKind,
    axis_of,
    check_storage,
    taken,
)


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    check_storage("x", x, NUMBERS)
    axis_of(attributes, len(x.shape))
    return [x]


def _cumsum(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Compute running sums: of floats in f64 and rounded once, of integers modulo their range."""
    (x,), axis = arrays, attributes["axis"]
    storage = name_of(x.dtype)
    wide = np.float64 if is_float(storage) else x.dtype
    sums = np.cumsum(np.flip(x, axis) if attributes["reverse"] else x, axis=axis, dtype=wide)
    if attributes["exclusive"]:
        sums = np.roll(sums, 1, axis)
        first = [slice(None)] * x.ndim
        first[axis] = slice(0, 1)
        sums[tuple(first)] = 0
    sums = np.flip(sums, axis) if attributes["reverse"] else sums
    return [round_to(sums, storage) if is_float(storage) else sums]


FUNCTIONS = (
    Function(
        "cumsum",
        "The sums along `axis` up to each element, with `exclusive` without itself, with `reverse` from the end on.",
        _infer,
        _cumsum,
        {
            "axis": Parameter(int),
            "exclusive": Parameter(bool, False),
            "reverse": Parameter(bool, False),
        },
        example=((TensorKind((1, 10), "f32"),), {"axis": 1}),
    ),
)
"""The functions of this family."""
