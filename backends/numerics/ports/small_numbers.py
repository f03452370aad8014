"""Arrays of small elements in other types: files and most libraries know no floats of 8 bits and no integers of 4."""

from __future__ import annotations

import numpy as np

from ..storage import name_of, storage_type


def as_small(array: np.ndarray, name: str) -> np.ndarray | None:
    """Return an array [any shape] in the small storage type `name`; None if it is not one of its numbers.

    It has that type, or a wider one that holds the same numbers, or bytes without a type: so NumPy's own files have it.
    """
    dtype = storage_type(name).dtype
    if array.dtype == dtype:
        return array
    if array.dtype == np.dtype("V1"):
        mask = np.uint8((1 << storage_type(name).file_bits) - 1)
        return (np.ascontiguousarray(array).view(np.uint8) & mask).view(dtype).reshape(array.shape)
    if array.dtype.kind not in "iuf":
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        small = array.astype(np.float64).astype(dtype)
        same = np.array_equal(small.astype(np.float64), array.astype(np.float64), equal_nan=True)
    return small if same else None


def as_plain(array: np.ndarray) -> np.ndarray:
    """Return an array of small elements in a type that every library knows and that holds the same numbers: f32, i8 or
    u8; others as they are.
    """
    try:
        row = storage_type(name_of(array.dtype))
    except ValueError:
        return array
    if row.small == "float" or row.name == "bf16":
        return array.astype(np.float32)
    if row.small == "integer":
        return array.astype(np.int8 if row.name[0] == "i" else np.uint8)
    return array


def no_small_number(name: str, array: np.ndarray, storage: str) -> str:
    """Return what is wrong with an array for the input `name` if `as_small` gives None."""
    return (
        f"input '{name}' has elements of type {array.dtype}, and not all are numbers of {storage}"
    )


ROUND_BEFORE = "round the numbers before: array.astype(ml_dtypes type)"
"""What to do then."""
