"""Reads tensors from .npz files, checking every size first, and writes them atomically."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import why_no_file, write_bytes_atomically
from ...backends.numerics.ports.small_numbers import as_plain

MAX_BYTES = 1 << 33
"""The most bytes that the arrays of one file may have together (8 GiB).

A few kilobytes of a zip file can expand to any size.
"""


UNNAMED = "arr_0"
"""The name that numpy.savez gives to an array that gets none."""
_LONGEST_NAME_BYTES = 65_535
"""The longest name that the header of a zip file's member can say."""


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file, by name; only numbers, no pickled objects.

    Raises:
        DiagnosticError: if the file does not exist, is not an .npz or is damaged, or if an array holds objects or
            claims more bytes than it has.
    """
    path = Path(path)
    place = Place(file=str(path))
    if (reason := why_no_file(path)) is not None:
        raise DiagnosticError(reason, place, hint="give an .npz file as numpy.savez writes it")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
            total = sum(member.file_size for member in members)
            if total > MAX_BYTES:
                raise ValueError(f"its arrays have {total} bytes, more than {MAX_BYTES} at once")
            return {m.filename.removesuffix(".npy"): _read_member(archive, m) for m in members}
    except MemoryError:
        raise
    except Exception as error:
        # zipfile, zlib and NumPy's reader of headers (a Python tokenizer) fail in a dozen ways on damaged files.
        raise DiagnosticError(
            f"not a readable .npz file: {_reason(error)}",
            place,
            hint="write it again with numpy.savez",
        ) from None


def read_npy(path: str | Path) -> dict[str, np.ndarray]:
    """Map the array of an .npy file into memory, under the name that numpy.savez gives to an array without one.

    Raises:
        DiagnosticError: if the file does not exist, is not an .npy or is damaged, or if the array holds objects.
    """
    path = Path(path)
    place = Place(file=str(path))
    if (reason := why_no_file(path)) is not None:
        raise DiagnosticError(reason, place, hint="give an .npy file as numpy.save writes it")
    try:
        return {UNNAMED: np.load(path, mmap_mode="r", allow_pickle=False)}
    except MemoryError:
        raise
    except Exception as error:
        raise DiagnosticError(
            f"not a readable .npy file: {_reason(error)}",
            place,
            hint="write it again with numpy.save",
        ) from None


def _reason(error: Exception) -> str:
    """Return the first line of what went wrong."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """Read one array; its header must agree with the member's size before anything is allocated."""
    with archive.open(member) as stream:
        version = npy_format.read_magic(stream)
        if version == (1, 0):
            shape, fortran_order, dtype = npy_format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran_order, dtype = npy_format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"array {member.filename} has version {version} of the .npy format")
        if dtype.hasobject:
            raise ValueError(f"array {member.filename} holds Python objects, not numbers")
        if dtype.itemsize == 0 or any(isinstance(size, bool) or size < 0 for size in shape):
            raise ValueError(
                f"array {member.filename} has no proper shape and type: {shape}, {dtype}"
            )
        expected = dtype.itemsize * math.prod(shape)
        if expected > member.file_size:
            raise ValueError(f"array {member.filename} is truncated")
        data = stream.read(expected)
    if len(data) != expected:
        raise ValueError(f"array {member.filename} is truncated")
    order = "F" if fortran_order else "C"
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name to an .npz file, whole or not at all.

    The format knows no bf16 and no small elements: such arrays are written as f32, i8 or u8, which hold the same
    numbers.
    """
    for name in arrays:
        if len(f"{name}.npy".encode()) > _LONGEST_NAME_BYTES:
            raise DiagnosticError(
                f"the name of array '{name[:40]}…' has {len(name):,} characters, too many for an .npz file",
                Place(file=str(path)),
                hint="give the model's output a shorter name",
            )
    buffer = io.BytesIO()
    np.savez(buffer, **{name: as_plain(np.asarray(value)) for name, value in arrays.items()})  # pyright: ignore[reportArgumentType]
    write_bytes_atomically(Path(path), buffer.getvalue())
