"""The weight store: tensors that IR names by key, kept beside it in a safetensors file,
memory-mapped and append-only. The file's format is described where it is read (`weight_file.py`).
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import write_atomically
from ...backends.numerics.packing import pack, packed_bytes
from ...backends.numerics.quantization import SYMMETRIC_LIMIT
from ...backends.numerics.storage import (
    EXPONENTS,
    FILE_PACKED_NAMES,
    STORAGE_TYPES,
    bytes_of,
    dtype_of,
    integer_range,
    name_of,
)
from .array_bytes import pieces_of
from .weight_file import HASH, METADATA, PACKED, Entry, entries_of, read_entries

ALIGNMENT = 64
"""In a weight file the data begin at a multiple of this."""
_SEEDED_FLOAT_SPREAD = 0.1


class WeightStore:
    """Tensors by key. The tensors of an opened file stay in the file (memory-mapped); added ones are held in memory
    until they are saved.
    """

    def __init__(self) -> None:
        self._mapped: dict[str, Entry] = {}
        self._added: dict[str, np.ndarray] = {}
        self._files: dict[Path, set[str]] = {}
        self._hashes: dict[Path, str | None] = {}
        self.changed = False
        """Whether tensors were added since the last `open` or `save`."""

    def fork(self) -> WeightStore:
        """Return a store with the same tensors, without copying them. A tensor that is added to one of the two stores
        is not in the other.
        """
        copy = WeightStore()
        copy._mapped, copy._added = self._mapped.copy(), self._added.copy()
        copy._files, copy.changed = self._files.copy(), self.changed
        copy._hashes = self._hashes.copy()
        return copy

    def open(self, path: str | Path) -> None:
        """Map a safetensors file and add its tensors to those in the store.

        Raises DiagnosticError if the file cannot be read, if its header does not fit the file, or if the store holds
        one of its keys with other contents. The header is checked against the file's size before anything is allocated.
        """
        path = Path(path)
        entries, digest = read_entries(path)
        for key, entry in entries.items():
            if key in self and not _same_bytes(self.get(key), entry.array()):
                raise _other_value(key, Place(file=str(path)))
        self._mapped.update(entries)
        self._files[path.resolve()] = set(entries)
        self._hashes[path.resolve()] = digest

    def add_file(self, data: bytes, place: Place) -> None:
        """Add the tensors of a safetensors file that is not on disk; like all added ones they are in no opened file.

        Raises DiagnosticError, with `place`, if the data are damaged or hold another value under a key of the store.
        """
        entries, _ = entries_of(data, len(data), place)
        for key, entry in entries.items():
            if key in self and not _same_bytes(self.get(key), entry.array()):
                raise _other_value(key, place)
        self._added.update({key: entry.array() for key, entry in entries.items()})
        self.changed = True

    def get(self, key: str) -> np.ndarray:
        """Return the tensor `key`, read-only. Raises DiagnosticError if there is none."""
        added = self._added.get(key)
        if added is not None:
            return added
        entry = self._mapped.get(key)
        if entry is None:
            raise DiagnosticError(
                f"no weight '{key}' in the weight store",
                hint="keep the .safetensors file that the IR names in 'smalti.weights' beside it",
            )
        return entry.array()

    def add(self, key: str, array: np.ndarray) -> str:
        """Keep `array` under `key`, and return the key that it is kept under.

        The store keeps a copy, unless nobody can write to the array's memory: then it keeps the array itself. If `key`
        already holds the same type, shape and bytes, nothing is added; if it holds anything else, the key gets a
        suffix: "_1", "_2" … Raises ValueError if the array's elements are not of a storage type.
        """
        name_of(array.dtype)
        unique, number = key, 0
        while unique in self:
            if _same_bytes(self.get(unique), array):
                return unique
            number += 1
            unique = f"{key}_{number}"
        kept = array
        if not (array.flags.c_contiguous and _is_constant(array)):
            kept = np.array(array, order="C")
            kept.flags.writeable = False
        self._added[unique] = kept
        self.changed = True
        return unique

    def keys(self) -> list[str]:
        """Return all keys: those of files first, then those of added tensors."""
        return [*self._mapped, *self._added]

    def info(self, key: str) -> tuple[str, tuple[int, ...]]:
        """Return the storage type and shape of a tensor, without reading its bytes. Raises DiagnosticError if there is
        none.
        """
        entry = self._mapped.get(key)
        if entry is not None:
            return entry.storage, entry.shape
        array = self.get(key)
        return name_of(array.dtype), array.shape

    def __contains__(self, key: str) -> bool:
        return key in self._mapped or key in self._added

    def save(self, path: str | Path, keys: Iterable[str] | None = None) -> None:
        """Write `keys` (all if None) to a safetensors file, one tensor at a time. If writing fails, the file stays as
        it was.

        The tensors are laid out by key, so the same tensors always give the same bytes. Raises DiagnosticError if a key
        is unknown or the file cannot be written.
        """
        held = self.keys() if keys is None else list(keys)
        self.note_file(path, held, self.write(path, held))

    def write(self, path: str | Path, keys: Iterable[str]) -> str:
        """Write the file that `save` writes, and return the hash that it carries, without noting that it is there.

        Raises DiagnosticError as `save` does.
        """
        ordered = sorted(set(keys))
        digest = self._digest(ordered)
        header = self._header(ordered, digest)
        write_atomically(path, lambda file: self._write(file, header, ordered))
        return digest

    def note_file(self, path: str | Path, keys: Iterable[str], digest: str) -> None:
        """Note that the file `path` was written, which holds `keys` and carries the hash `digest`."""
        held = set(keys)
        self._files[Path(path).resolve()] = held
        self._hashes[Path(path).resolve()] = digest
        if set(self._added) <= held:
            self.changed = False

    def write_to(self, file: BinaryIO, keys: Iterable[str]) -> None:
        """Write `keys` as a safetensors file to a stream: the same bytes that `save` writes.

        Raises DiagnosticError if a key is unknown.
        """
        ordered = sorted(set(keys))
        self._write(file, self._header(ordered, self._digest(ordered)), ordered)

    def size_bytes(self, keys: Iterable[str]) -> int:
        """Return how many bytes the tensors `keys` have together."""
        infos = [self.info(key) for key in keys]
        return sum(bytes_of(prod(shape), storage) for storage, shape in infos)

    def file_of(self, keys: Iterable[str]) -> Path | None:
        """Return an opened or saved file that has all of `keys`, with links resolved; None if there is none."""
        wanted = set(keys)
        return next((path for path, held in self._files.items() if wanted <= held), None)

    def added(self, keys: Iterable[str]) -> list[str]:
        """Return those of `keys` that are in no opened file."""
        return [key for key in keys if key in self._added]

    def holds(self, path: str | Path, keys: Iterable[str]) -> bool:
        """Tell whether the file `path` was opened or saved with this store and has all of `keys`."""
        return set(keys) <= self._files.get(Path(path).resolve(), set())

    def hash_of(self, path: str | Path) -> str | None:
        """Return the hash of its tensors that an opened or saved file carries, None if it carries none."""
        return self._hashes.get(Path(path).resolve())

    def _digest(self, keys: list[str]) -> str:
        """Return the hash of tensors: of their keys, types, shapes and bytes."""
        digest = hashlib.sha256()
        for key in keys:
            digest.update(json.dumps([key, *self.info(key)]).encode())
            for piece in pieces_of(self.get(key)):
                digest.update(piece)
        return f"sha256:{digest.hexdigest()[:16]}"

    def _header(self, keys: list[str], digest: str) -> bytes:
        """Return the JSON header, padded with spaces so that the data start on an aligned byte."""
        metadata = {HASH: digest}
        table: dict[str, Any] = {METADATA: metadata}
        packed: dict[str, tuple[str, list[int]]] = {}
        position = 0
        for key in keys:
            storage, shape = self.info(key)
            size = packed_bytes(prod(shape), storage)
            listed = list(shape)
            if storage in FILE_PACKED_NAMES:
                packed[key] = storage, listed
                listed = [size]
            table[key] = {
                "dtype": STORAGE_TYPES[storage].safetensors_code,
                "shape": listed,
                "data_offsets": [position, position + size],
            }
            position += size
        if packed:
            metadata[PACKED] = json.dumps(packed, separators=(",", ":"), ensure_ascii=False)
        text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        return text + b" " * (-(len(text) + 8) % ALIGNMENT)

    def _write(self, file: BinaryIO, header: bytes, keys: list[str]) -> None:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for key in keys:
            array = self.get(key)
            storage = name_of(array.dtype)
            for piece in pieces_of(pack(array, storage) if storage in FILE_PACKED_NAMES else array):
                file.write(piece)


def _is_constant(array: np.ndarray) -> bool:
    """Tell whether nobody can write to the array's memory: the array is read-only, and so is each array that it is a
    view of, down to one that owns its memory, to bytes, or to a file that is mapped for reading.
    """
    memory: object = array
    while isinstance(memory, (np.ndarray, memoryview)):
        if isinstance(memory, np.ndarray):
            if memory.flags.writeable:
                return False
            memory = memory.base
        else:
            memory = memory.obj
    is_mapped = isinstance(memory, mmap.mmap) and memoryview(memory).readonly
    return memory is None or isinstance(memory, bytes) or is_mapped


def _other_value(key: str, place: Place) -> DiagnosticError:
    return DiagnosticError(
        f"weight '{key}' is in the store already, with another value",
        place,
        hint="open one weight file per module",
    )


def _same_bytes(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether two arrays have the same type, shape and bytes (which tells NaNs and signed zeros apart)."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    left, right = np.ascontiguousarray(a).reshape(-1), np.ascontiguousarray(b).reshape(-1)
    return bool(np.array_equal(left.view(np.uint8), right.view(np.uint8)))


def seeded(seed: int, shape: Iterable[int], storage: str) -> np.ndarray:
    """Return reproducible random values of a storage type, the same on every machine.

    Floats are normally distributed with standard deviation 0.1, as weights are. i8 lies in −127…127, symmetric as
    weights are; other integers lie in the range of 8 bits, or of their own if it is less, so that sums stay small;
    bool is 0 or 1. Elements that are powers of 2 lie from 2^-8 to 2^8.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    size = tuple(shape)
    dtype = dtype_of(storage)
    if dtype.kind == "b":
        return generator.integers(0, 2, size).astype(np.bool_)
    if STORAGE_TYPES[storage].small == "integer":
        low, high = integer_range(storage)
        return generator.integers(low, high + 1, size).astype(np.int8).astype(dtype)
    if storage == EXPONENTS:
        return (2.0 ** generator.integers(-8, 9, size)).astype(np.float32).astype(dtype)
    if dtype.kind == "u":
        return generator.integers(0, 256, size).astype(dtype)
    if dtype.kind == "i":
        return generator.integers(-SYMMETRIC_LIMIT, SYMMETRIC_LIMIT + 1, size).astype(dtype)
    return (generator.standard_normal(size) * _SEEDED_FLOAT_SPREAD).astype(np.float32).astype(dtype)


def keys_used(ops: Iterator[Any]) -> list[str]:
    """Return the keys of the store that ops refer to (property `key`), each once, in order."""
    from xdsl.dialects.builtin import StringAttr

    keys: dict[str, None] = {}
    for op in ops:
        key = op.properties.get("key")
        if isinstance(key, StringAttr):
            keys[key.data] = None
    return list(keys)
