"""Conversion of elements to another storage type: of their values, or of their bits."""

from __future__ import annotations

import numpy as np

from ...storage import STORAGE_NAMES, STORAGE_TYPES, dtype_of, is_float, round_to
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
    return [TensorKind(x.shape, attributes["to"])]


def _cast(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Convert as NumPy does: floats to integers toward zero, to floats rounded once, integers to narrower ones by their
    low bits; what is not 0 is true.
    """
    (x,), storage = arrays, attributes["to"]
    if storage == "bool":
        return [x != 0]
    if is_float(storage):
        # Integers of 64 bits have more digits than f64: NumPy rounds them to f32 at once.
        exact = x if x.dtype.kind == "f" or storage in ("f32", "f64") else x.astype(np.float64)
        return [
            round_to(exact, storage) if exact.dtype.kind == "f" else exact.astype(dtype_of(storage))
        ]
    return [x.astype(dtype_of(storage))]


def _infer_bits(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    given, wanted = (STORAGE_TYPES[name].bits for name in (x.storage, attributes["to"]))
    if given != wanted:
        raise FunctionError(f"elements of {given} bits are none of {wanted} bits")
    return [TensorKind(x.shape, attributes["to"])]


def _bit_cast(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Read the bits of elements as another type; a byte that is not 0 is true."""
    (x,), storage = arrays, attributes["to"]
    if storage == "bool":
        return [x.view(np.uint8) != 0]
    return [x.view(dtype_of(storage))]


FUNCTIONS = (
    Function(
        "bit_cast",
        "The bits of x as elements of the storage type `to`, which has as many bits.",
        _infer_bits,
        _bit_cast,
        {"to": Parameter(str, None, STORAGE_NAMES)},
        example=((TensorKind((4,), "f32"),), {"to": "i32"}),
    ),
    Function(
        "cast",
        "x in the storage type `to`: floats toward zero to integers, integers by their low bits; to floats rounded.",
        _infer,
        _cast,
        {"to": Parameter(str, None, STORAGE_NAMES)},
        example=((TensorKind((4,), "i64"),), {"to": "f32"}),
    ),
)
"""The functions of this family."""
