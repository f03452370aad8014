"""Running sums and products along an axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...storage import name_of
from ..function import (
    NUMBERS,
    Arrays,
    Attributes,
    Function,
    Kinds,
    Parameter,
    TensorKind,
    axis_of,
    check_one_index,
    check_storage,
    stored,
    taken,
    wide,
)


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    if len(operands) == 2:
        x, axis = operands
        check_one_index("axis", axis)
    else:
        (x,) = taken(operands, "x")
        axis_of(attributes, len(x.shape))
    check_storage("x", x, NUMBERS)
    return [x]


def _running(
    accumulate: Callable[..., np.ndarray], neutral: int
) -> Callable[[Arrays, Attributes], list[np.ndarray]]:
    """Return what combines elements: floats in f64 and rounded once, integers modulo their range."""

    def compute(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
        x = arrays[0]
        axis = attributes["axis"] if len(arrays) == 1 else int(arrays[1].reshape(()))
        axis = axis_of({"axis": axis}, x.ndim)
        ordered = wide(np.flip(x, axis) if attributes["reverse"] else x)
        totals = accumulate(ordered, axis=axis, dtype=ordered.dtype)
        if attributes["exclusive"] and x.size:
            totals = np.roll(totals, 1, axis)
            first = [slice(None)] * x.ndim
            first[axis] = slice(0, 1)
            totals[tuple(first)] = neutral
        totals = np.flip(totals, axis) if attributes["reverse"] else totals
        return [stored(totals, name_of(x.dtype))]

    return compute


def _function(name: str, word: str, accumulate: Callable[..., np.ndarray], neutral: int):
    return Function(
        name,
        f"The {word} along `axis` (which may be a second operand instead) up to each element, with `exclusive` "
        "without itself, with `reverse` from the end on.",
        _infer,
        _running(accumulate, neutral),
        {
            "axis": Parameter(int, 0),
            "exclusive": Parameter(bool, False),
            "reverse": Parameter(bool, False),
        },
        example=((TensorKind((1, 10), "f32"),), {"axis": 1}),
    )


FUNCTIONS = (
    _function("cumsum", "sums", np.cumsum, 0),
    _function("cumprod", "products", np.cumprod, 1),
)
"""The functions of this family."""
