"""Small elements in files: several share a byte, the first in its lowest bits, as ONNX and ONNX Runtime store them.

In memory every element takes a byte, its code in the lowest bits and zeros above.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod

import numpy as np

from .rounding_up import ceil_div
from .storage import storage_type


def packed_bytes(elements: int, name: str) -> int:
    """Return how many bytes `elements` of storage type `name` take in a file."""
    return ceil_div(elements * storage_type(name).file_bits, 8)


def pack(array: np.ndarray, name: str) -> np.ndarray:
    """Return the elements [any shape] of storage type `name` as bytes u8 [n], several elements to a byte."""
    codes = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    bits = storage_type(name).file_bits
    per_group, group_bytes = _group(bits)
    groups = np.zeros((ceil_div(codes.size, per_group), per_group), np.uint8)
    groups.reshape(-1)[: codes.size] = codes & ((1 << bits) - 1)
    words = np.zeros(len(groups), np.uint32)
    for number in range(per_group):
        words |= groups[:, number].astype(np.uint32) << np.uint32(number * bits)
    data = words.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :group_bytes]
    return np.ascontiguousarray(data).reshape(-1)[: packed_bytes(codes.size, name)]


def unpack(data: np.ndarray, shape: Sequence[int], name: str) -> np.ndarray:
    """Return bytes u8 [n], several elements to a byte, as an array of this shape of storage type `name`.

    Raises ValueError if there are not exactly the bytes that the shape needs.
    """
    count = prod(shape)
    if data.size != packed_bytes(count, name):
        raise ValueError(
            f"{data.size} bytes, {packed_bytes(count, name)} are needed for {list(shape)}"
        )
    bits = storage_type(name).file_bits
    per_group, group_bytes = _group(bits)
    groups = np.zeros((ceil_div(count, per_group), group_bytes), np.uint8)
    groups.reshape(-1)[: data.size] = data
    words = np.zeros(len(groups), np.uint32)
    for number in range(group_bytes):
        words |= groups[:, number].astype(np.uint32) << np.uint32(8 * number)
    codes = np.empty((len(groups), per_group), np.uint8)
    for number in range(per_group):
        codes[:, number] = (words >> np.uint32(number * bits)) & ((1 << bits) - 1)
    flat = np.ascontiguousarray(codes.reshape(-1)[:count])
    return flat.view(storage_type(name).dtype).reshape(tuple(shape))


def _group(bits: int) -> tuple[int, int]:
    """Return how many elements fill whole bytes, and how many bytes: 4 of 6 bits fill 3."""
    filled = bits * 8 // gcd(bits, 8)
    return filled // bits, filled // 8
