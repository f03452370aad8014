"""Weights of few bits that come with a scale for each group of input channels, by which a unit multiplies them on their
way from the local memory, after it has unpacked them.

The rows of a group follow a few rows of its own that hold the scale of each column: beside integer inputs whole numbers
in u8, which make i8 of the weights; beside floats numbers of the inputs' type, which make floats of that type of them.
"""

from __future__ import annotations

import numpy as np

from ..packing import packed_bytes, unpack_rows
from ..rounding_up import Whole, ceil_div, larger
from ..storage import (
    PACKED_NAMES,
    dtype_of,
    integer_range,
    is_float,
    round_to,
    size_bytes,
    storage_type,
)

_MULTIPLIED = "i8"
"""The storage type of weights that a unit has multiplied by whole scales."""


def most_factor(weights: str) -> int:
    """Return the greatest whole scale by which weights of a packed storage type stay numbers of i8: 16 of i4."""
    return integer_range(_MULTIPLIED)[0] // integer_range(weights)[0]


def scale_type(input: str) -> str:
    """Return the storage type of the scales of weights that are multiplied with inputs of a storage type."""
    return input if is_float(input) else "u8"


def scale_rows(input: str, weights: str) -> int:
    """Return how many rows of weights the scales of one group take."""
    return 8 * size_bytes(scale_type(input)) // storage_type(weights).file_bits


def stored_rows(depth: Whole, group: Whole, input: str, weights: str) -> Whole:
    """Return how many rows `depth` rows of weights take with the scales of their groups, of `group` rows each but for
    the last one; `depth` if `group` is 0, or if the weights are not packed: there are none.
    """
    if weights not in PACKED_NAMES:
        return depth
    return depth + (group > 0) * ceil_div(depth, larger(group, 1)) * scale_rows(input, weights)


def with_scales(
    packed: np.ndarray, scales: np.ndarray, group: int, input: str, weights: str
) -> np.ndarray:
    """Return packed rows of weights u8 [..., depth, n] with their scales [..., groups, columns], of `scale_type`,
    before each group: u8 [..., stored rows, n].
    """
    depth, width = packed.shape[-2:]
    columns, size = scales.shape[-1], scales.dtype.itemsize
    rows = scale_rows(input, weights)
    data = np.zeros((*scales.shape[:-1], rows * width), np.uint8)
    data[..., : columns * size] = np.ascontiguousarray(scales).view(np.uint8)
    parts: list[np.ndarray] = []
    for index, first in enumerate(range(0, depth, group)):
        own = data[..., index, :].reshape(*data.shape[:-2], rows, width)
        parts += [own, packed[..., first : first + group, :]]
    lead = packed.shape[:-2]
    return np.concatenate([np.broadcast_to(each, (*lead, *each.shape[-2:])) for each in parts], -2)


def multiplied(weights: np.ndarray, scales: np.ndarray, input: str) -> np.ndarray:
    """Return weights times scales, arrays that broadcast, as numbers that inputs of a storage type are multiplied with:
    i8 beside integers, else floats of the inputs' type, rounded once.
    """
    if not is_float(input):
        return (weights.astype(np.int16) * scales.astype(np.int16)).astype(dtype_of(_MULTIPLIED))
    exact = weights.astype(np.float32) * scales.astype(np.float32)
    return round_to(exact, input)


def unpacked_groups(
    stored: np.ndarray, columns: int, depth: int, group: int, input: str, weights: str
) -> np.ndarray:
    """Undo `with_scales`: return the weights [..., depth, columns] of stored rows u8 [..., rows, n], each multiplied by
    the scale of its group.
    """
    kind, rows = dtype_of(scale_type(input)), scale_rows(input, weights)
    if stored.shape[-1] != packed_bytes(columns, weights):
        raise ValueError(f"rows of {stored.shape[-1]} bytes do not hold {columns} of {weights}")
    result = np.empty((*stored.shape[:-2], depth, columns), dtype_of(_numbers(input)))
    at = 0
    for first in range(0, depth, group):
        own = stored[..., at : at + rows, :].reshape(*stored.shape[:-2], -1)
        own = np.ascontiguousarray(own[..., : columns * kind.itemsize]).view(kind)
        count = min(group, depth - first)
        part = unpack_rows(stored[..., at + rows : at + rows + count, :], columns, weights)
        result[..., first : first + count, :] = multiplied(part, own[..., np.newaxis, :], input)
        at += rows + count
    return result


def _numbers(input: str) -> str:
    """Return the storage type of weights that have been multiplied by their scales."""
    return input if is_float(input) else _MULTIPLIED
