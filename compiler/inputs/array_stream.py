"""Arrays in .npy and .npz files, whose numbers are read some rows at a time: memory does not grow with their length."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import why_no_file

UNNAMED = "arr_0"
"""The name that numpy.savez gives to an array that gets none."""


@dataclass(frozen=True)
class ArrayStream:
    """An array in a file, of which only the header is read: its shape, its type, and whether its first axis varies
    fastest in the file. `member` is its name in an .npz file, None in an .npy file.
    """

    path: Path
    member: str | None
    shape: tuple[int, ...]
    dtype: np.dtype
    is_fortran: bool

    def rows(self, count: int) -> Iterator[np.ndarray]:
        """Yield `count` rows of axis 0 at a time, the last ones perhaps fewer; an array without axes or rows as it is.

        One whose first axis varies fastest in the file has no rows there: it is read whole. Raises DiagnosticError if
        the file is damaged.
        """
        with _told(self.path), _stream(self.path, self.member) as stream:
            read_header(stream, self.member or self.path.name)
            if not self.shape or not self.shape[0]:
                yield self._read(stream, self.shape)
                return
            if self.is_fortran:
                whole = self._read(stream, self.shape)
                yield from (whole[at : at + count] for at in range(0, len(whole), count))
                return
            for start in range(0, self.shape[0], count):
                yield self._read(stream, (min(count, self.shape[0] - start), *self.shape[1:]))

    def whole(self) -> np.ndarray:
        """Return the array. Raises DiagnosticError if the file is damaged."""
        with _told(self.path), _stream(self.path, self.member) as stream:
            read_header(stream, self.member or self.path.name)
            return self._read(stream, self.shape)

    def _read(self, stream: IO[bytes], shape: tuple[int, ...]) -> np.ndarray:
        size = self.dtype.itemsize * math.prod(shape)
        data = stream.read(size)
        if len(data) != size:
            raise ValueError(f"array {self.member or self.path.name} is truncated")
        return np.frombuffer(data, self.dtype).reshape(shape, order="F" if self.is_fortran else "C")


def open_arrays(path: str | Path) -> dict[str, ArrayStream]:
    """Return the arrays of an .npz file by name, or that of an .npy file under the name that numpy.savez gives to one
    without a name; only numbers, no pickled objects.

    Raises:
        DiagnosticError: if the file does not exist, is neither or is damaged, or if an array holds objects or claims
            more bytes than it has.
    """
    path = Path(path)
    kind = _kind(path)
    if (reason := why_no_file(path)) is not None:
        hint = f"give an {kind} file as {_WRITERS[kind]} writes it"
        raise DiagnosticError(reason, Place(file=str(path)), hint=hint)
    with _told(path):
        if kind == ".npy":
            with path.open("rb") as stream:
                return {UNNAMED: _opened(path, None, stream, path.stat().st_size)}
        with zipfile.ZipFile(path) as archive:
            found: dict[str, ArrayStream] = {}
            for member in archive.infolist():
                if member.filename.endswith(".npy"):
                    with archive.open(member) as stream:
                        name = member.filename
                        array = _opened(path, name, stream, member.file_size)
                    found[name.removesuffix(".npy")] = array
            return found


def read_header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the header of an array in NumPy's format: shape, whether the first axis varies fastest, and type.

    Raises ValueError, or what NumPy's reader raises, if there is none, or if the array holds objects.
    """
    version = npy_format.read_magic(stream)
    if version == (1, 0):
        shape, is_fortran, dtype = npy_format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, is_fortran, dtype = npy_format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"array {name} has version {version} of the .npy format")
    if dtype.hasobject:
        raise ValueError(f"array {name} holds Python objects, not numbers")
    if dtype.itemsize == 0 or any(isinstance(size, bool) or size < 0 for size in shape):
        raise ValueError(f"array {name} has no proper shape and type: {shape}, {dtype}")
    return shape, is_fortran, dtype


_WRITERS = {".npz": "numpy.savez", ".npy": "numpy.save"}


def _kind(path: Path) -> str:
    return ".npy" if path.suffix.lower() == ".npy" else ".npz"


def _opened(path: Path, member: str | None, stream: IO[bytes], size: int) -> ArrayStream:
    """Return an array by its header, which must agree with the bytes that there are before anything is allocated."""
    name = member or path.name
    shape, is_fortran, dtype = read_header(stream, name)
    if dtype.itemsize * math.prod(shape) > size:
        raise ValueError(f"array {name} is truncated")
    return ArrayStream(path, member, shape, dtype, is_fortran and len(shape) > 1)


@contextmanager
def _stream(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    """Open the bytes of an array."""
    if member is None:
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
        yield stream


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what goes wrong in reading as a diagnostic."""
    try:
        yield
    except (MemoryError, DiagnosticError):
        raise
    except Exception as error:
        # zipfile, zlib and NumPy's reader of headers (a Python tokenizer) fail in a dozen ways on damaged files.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        kind = _kind(path)
        raise DiagnosticError(
            f"not a readable {kind} file: {reason}",
            Place(file=str(path)),
            hint=f"write it again with {_WRITERS[kind]}",
        ) from None
