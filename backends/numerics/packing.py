"""Small elements in files: several share a byte, the first in its lowest bits, as ONNX and ONNX Runtime store them.

In memory every element takes a byte, its code in the lowest bits and zeros above, but weights that the units of a
core unpack: their rows are packed as files are, each row from a byte of its own on.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod

import numpy as np

from .rounding_up import Whole, ceil_div
from .storage import PACKED_NAMES, bytes_of, integer_range, storage_type

_PACKED_DTYPES = tuple(storage_type(name).dtype for name in PACKED_NAMES)


def packed_bytes(elements: Whole, name: str) -> Whole:
    """Return how many bytes `elements` of storage type `name` take in a file."""
    return ceil_div(elements * storage_type(name).file_bits, 8)


def elements_of_bytes(size_bytes: int, name: str) -> int:
    """Return how many elements of storage type `name` fit into `size_bytes` of a file."""
    return size_bytes * 8 // storage_type(name).file_bits


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


def in_whole_bytes(weights: np.ndarray) -> np.ndarray:
    """Return weights [any shape] of a packed storage type as i8, with which NumPy computes; others as they are."""
    return weights.astype(np.int8) if weights.dtype in _PACKED_DTYPES else weights


def weight_row_bytes(columns: Whole, storage: str, packed: str) -> Whole:
    """Return how many bytes a row of `columns` weights of `storage` takes, or of the type `packed`, if that is not
    "none".
    """
    return bytes_of(columns, storage) if packed == "none" else packed_bytes(columns, packed)


def pack_rows(rows: np.ndarray, name: str) -> np.ndarray:
    """Return rows [..., n] of integers as bytes u8 [..., ceil(n · bits / 8)] of the packed storage type `name`; what is
    left of the last byte of a row is 0.

    Raises ValueError if an integer is out of the type's range, or if elements of the type do not share bytes evenly.
    """
    bits, per_byte = _packed(name)
    low, high = integer_range(name)
    wide = rows.astype(np.int8)
    if wide.size and (wide.min() < low or wide.max() > high):
        raise ValueError(
            f"weights of {name} lie in {low} to {high}, not {wide.min()} to {wide.max()}"
        )
    size = packed_bytes(rows.shape[-1], name)
    codes = np.zeros((*rows.shape[:-1], size * per_byte), np.uint8)
    codes[..., : rows.shape[-1]] = wide.view(np.uint8) & ((1 << bits) - 1)
    packed = np.zeros((*rows.shape[:-1], size), np.uint8)
    for number in range(per_byte):
        packed |= codes[..., number::per_byte] << np.uint8(number * bits)
    return packed


def unpack_rows(packed: np.ndarray, columns: int, name: str) -> np.ndarray:
    """Undo `pack_rows`: return rows i8 [..., columns] from bytes u8 [..., n].

    Raises ValueError if the rows do not have just the bytes of so many columns.
    """
    bits, per_byte = _packed(name)
    if packed.shape[-1] != packed_bytes(columns, name):
        raise ValueError(
            f"rows of {packed.shape[-1]} bytes do not hold {columns} elements of {name}"
        )
    values = np.empty((*packed.shape[:-1], packed.shape[-1] * per_byte), np.int8)
    for number in range(per_byte):
        # The code moves to the top of the byte, and back with its sign.
        raised = (packed << np.uint8(8 - bits - number * bits)).view(np.int8)
        values[..., number::per_byte] = raised >> np.int8(8 - bits)
    return values[..., :columns]


def _packed(name: str) -> tuple[int, int]:
    """Return the bits of a packed element, and how many fill a byte."""
    bits = storage_type(name).file_bits
    if name not in PACKED_NAMES:
        raise ValueError(f"elements of '{name}' do not share bytes in memory")
    return bits, 8 // bits


def _group(bits: int) -> tuple[int, int]:
    """Return how many elements fill whole bytes, and how many bytes: 4 of 6 bits fill 3."""
    filled = bits * 8 // gcd(bits, 8)
    return filled // bits, filled // 8
