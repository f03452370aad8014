"""The weight store: tensors that IR names by key, kept beside it in a safetensors file,
memory-mapped and append-only.

The file format is that of safetensors (https://github.com/huggingface/safetensors#format): eight
bytes with the length of a JSON header, the header (name → dtype, shape, byte range), then the bytes
of all tensors without holes.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import open_regular, write_atomically
from ...backends.numerics.quantization import SYMMETRIC_LIMIT
from ...backends.numerics.storage import STORAGE_TYPES, bytes_of, dtype_of, name_of
from .array_bytes import pieces_of

_STORAGE_OF_CODE = {row.safetensors_code: name for name, row in STORAGE_TYPES.items()}
_MAX_HEADER_BYTES = 100_000_000
"""The longest header that the format allows."""
FILE_LIMIT_BYTES = 1 << 36
"""The greatest size of a weight file: 64 GiB."""
_BESIDE = "keep the weight file beside the IR that names it"
ALIGNMENT = 64
"""In a weight file the data begin at a multiple of this."""
_METADATA = "__metadata__"
"""The entry of the header that is no tensor, but a table of strings."""
_HASH = "smalti.hash"
"""The string there that says which tensors the file holds."""
_SEEDED_FLOAT_SPREAD = 0.1


@dataclass(frozen=True)
class _Entry:
    """Where one tensor of a mapped file is: storage type, shape, first byte in the mapping."""

    storage: str
    shape: tuple[int, ...]
    data: mmap.mmap | bytes
    offset: int

    def array(self) -> np.ndarray:
        flat = np.frombuffer(self.data, dtype_of(self.storage), prod(self.shape), self.offset)
        return flat.reshape(self.shape)


class WeightStore:
    """Tensors by key. The tensors of an opened file stay in the file (memory-mapped); added ones are held in memory
    until they are saved.
    """

    def __init__(self) -> None:
        self._mapped: dict[str, _Entry] = {}
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
        entries, digest = _read_entries(path)
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
        entries, _ = _entries_of(data, len(data), place)
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
        table: dict[str, Any] = {_METADATA: {_HASH: digest}}
        position = 0
        for key in keys:
            storage, shape = self.info(key)
            size = bytes_of(prod(shape), storage)
            table[key] = {
                "dtype": STORAGE_TYPES[storage].safetensors_code,
                "shape": list(shape),
                "data_offsets": [position, position + size],
            }
            position += size
        text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        return text + b" " * (-(len(text) + 8) % ALIGNMENT)

    def _write(self, file: BinaryIO, header: bytes, keys: list[str]) -> None:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for key in keys:
            for piece in pieces_of(self.get(key)):
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


def _read_entries(path: Path) -> tuple[dict[str, _Entry], str | None]:
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
    return _entries_of(data, size, place)


def _entries_of(
    data: mmap.mmap | bytes, size: int, place: Place
) -> tuple[dict[str, _Entry], str | None]:
    """Return the tensors in the bytes of a file, and the hash of them that it carries."""
    start, table = _read_header(data, size, place)
    entries: dict[str, _Entry] = {}
    for key, fields in table.items():
        if key != _METADATA:
            entries[key] = _read_entry(data, start, size, key, fields, place)
    metadata = table.get(_METADATA)
    digest = metadata.get(_HASH) if isinstance(metadata, dict) else None
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
) -> _Entry:
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
    return _Entry(storage, tuple(shape), data, start + low)


def seeded(seed: int, shape: Iterable[int], storage: str) -> np.ndarray:
    """Return reproducible random values of a storage type, the same on every machine.

    Floats are normally distributed with standard deviation 0.1, as weights are. i8 lies in −127…127, symmetric as
    weights are; other integers lie in the range of 8 bits, so that sums stay small; bool is 0 or 1.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    size = tuple(shape)
    dtype = dtype_of(storage)
    if dtype.kind == "b":
        return generator.integers(0, 2, size).astype(np.bool_)
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
