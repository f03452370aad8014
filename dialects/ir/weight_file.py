"""Reads safetensors files (https://github.com/huggingface/safetensors#format): eight bytes with the length of a JSON
header, the header (name → dtype, shape, byte range), then the bytes of all tensors without holes.

Elements of less than a byte share bytes in the file. The format has no code for them, so their entry is bytes (U8), and
the metadata say the type and the shape.
"""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import open_regular
from ...backends.numerics.packing import packed_bytes, unpack
from ...backends.numerics.storage import (
    FILE_PACKED_NAMES,
    STORAGE_TYPES,
    bytes_of,
    dtype_of,
)

_STORAGE_OF_CODE = {
    row.safetensors_code: name
    for name, row in STORAGE_TYPES.items()
    if name not in FILE_PACKED_NAMES
}
_MAX_HEADER_BYTES = 100_000_000
"""The longest header that the format allows."""
FILE_LIMIT_BYTES = 1 << 36
"""The greatest size of a weight file: 64 GiB."""
_BESIDE = "keep the weight file beside the IR that names it"
METADATA = "__metadata__"
"""The entry of the header that is no tensor, but a table of strings."""
HASH = "smalti.hash"
"""The string there that says which tensors the file holds."""
PACKED = "smalti.packed"
"""The string there with the storage types and shapes of tensors whose elements share bytes: a JSON table by key."""


@dataclass(frozen=True)
class Entry:
    """Where one tensor of a mapped file is: storage type, shape, first byte in the mapping."""

    storage: str
    shape: tuple[int, ...]
    data: mmap.mmap | bytes
    offset: int

    def array(self) -> np.ndarray:
        if self.storage in FILE_PACKED_NAMES:
            return self._unpacked
        flat = np.frombuffer(self.data, dtype_of(self.storage), prod(self.shape), self.offset)
        return flat.reshape(self.shape)

    @cached_property
    def _unpacked(self) -> np.ndarray:
        size = packed_bytes(prod(self.shape), self.storage)
        packed = np.frombuffer(self.data, np.uint8, size, self.offset)
        array = unpack(packed, self.shape, self.storage)
        array.flags.writeable = False
        return array


def read_entries(path: Path) -> tuple[dict[str, Entry], str | None]:
    """Return the tensors of a file, and the hash of them that it carries."""
    place = Place(file=str(path))
    try:
        with open_regular(path, "the weights", FILE_LIMIT_BYTES, _BESIDE) as file:
            size = file.seek(0, 2)
            # An empty file cannot be mapped.
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else None
    except OSError as error:
        raise DiagnosticError(
            f"cannot read the weights: {error.strerror or error}", place, hint=_BESIDE
        ) from None
    if data is None:
        raise _damaged(place, "it is empty")
    return entries_of(data, size, place)


def entries_of(
    data: mmap.mmap | bytes, size: int, place: Place
) -> tuple[dict[str, Entry], str | None]:
    """Return the tensors in the bytes of a file, and the hash of them that it carries."""
    start, table = _read_header(data, size, place)
    metadata = table.get(METADATA)
    metadata = metadata if isinstance(metadata, dict) else {}
    packed = _read_packed(metadata.get(PACKED), place)
    entries: dict[str, Entry] = {}
    for key, fields in table.items():
        if key != METADATA:
            entry = _read_entry(data, start, size, key, fields, place)
            entries[key] = _with_packed(entry, key, packed[key], place) if key in packed else entry
    digest = metadata.get(HASH)
    return entries, digest if isinstance(digest, str) else None


def _damaged(place: Place, why: str) -> DiagnosticError:
    return DiagnosticError(
        f"not a valid safetensors file: {why}", place, hint="write the weights again from the model"
    )


def _read_header(data: mmap.mmap | bytes, size: int, place: Place) -> tuple[int, dict[str, Any]]:
    """Return the offset at which the tensors' bytes start, and the table in the header."""
    if size < 8:
        raise _damaged(place, f"it has {size} bytes only")
    length = int.from_bytes(data[:8], "little")
    if length > min(size - 8, _MAX_HEADER_BYTES):
        raise _damaged(place, f"its header claims {length} bytes, the file has {size}")
    try:
        table = json.loads(data[8 : 8 + length].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(place, f"its header is no JSON ({type(error).__name__})") from None
    if not isinstance(table, dict):
        raise _damaged(place, "its header is no table of tensors")
    return 8 + length, table


def _read_entry(
    data: mmap.mmap | bytes, start: int, size: int, key: str, fields: Any, place: Place
) -> Entry:
    try:
        code, shape, (low, high) = fields["dtype"], fields["shape"], fields["data_offsets"]
        numbers = [*shape, low, high]
    except (TypeError, KeyError, ValueError):
        raise _damaged(place, f"the entry of '{key}' is not complete") from None
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers):
        raise _damaged(place, f"the entry of '{key}' has a size that is no count")
    if code not in _STORAGE_OF_CODE:
        known = ", ".join(_STORAGE_OF_CODE)
        raise _damaged(place, f"tensor '{key}' is of type {code!r} (known: {known})")
    storage = _STORAGE_OF_CODE[code]
    if high - low != bytes_of(prod(shape), storage):
        raise _damaged(
            place,
            f"tensor '{key}' has {high - low} bytes, its shape {shape} needs "
            f"{bytes_of(prod(shape), storage)}",
        )
    if start + high > size:
        raise _damaged(place, f"tensor '{key}' ends at byte {start + high}, the file has {size}")
    return Entry(storage, tuple(shape), data, start + low)


def _read_packed(text: object, place: Place) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the storage types and shapes of tensors whose elements share bytes, by key, from the metadata."""
    if text is None:
        return {}
    try:
        table = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        raise _damaged(place, f"'{PACKED}' in its metadata is no table of tensors")
    found: dict[str, tuple[str, tuple[int, ...]]] = {}
    for key, entry in table.items():
        storage, shape = entry if isinstance(entry, list) and len(entry) == 2 else (None, [-1])
        is_shape = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
        if storage not in FILE_PACKED_NAMES or not is_shape:
            known = ", ".join(FILE_PACKED_NAMES)
            raise _damaged(place, f"'{PACKED}' says of '{key}' no type ({known}) and shape")
        found[key] = str(storage), tuple(shape or ())
    return found


def _with_packed(
    entry: Entry, key: str, packed: tuple[str, tuple[int, ...]], place: Place
) -> Entry:
    """Return the entry of packed bytes as one of the elements in them."""
    storage, shape = packed
    needed = packed_bytes(prod(shape), storage)
    if (entry.storage, prod(entry.shape)) != ("u8", needed):
        raise _damaged(
            place,
            f"tensor '{key}' has {prod(entry.shape)} elements of {entry.storage}, "
            f"{needed} bytes are needed for {storage} {list(shape)}",
        )
    return Entry(storage, shape, entry.data, entry.offset)
