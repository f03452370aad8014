"""Reads and writes whole files: no half-written ones, and mistakes told as diagnostics."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .diagnostic import DiagnosticError, Place


def write_atomically(path: str | Path, write: Callable[[BinaryIO], None]) -> None:
    """Calls `write` with a temporary file in the folder of `path` that becomes `path` only when it
    is complete.

    DiagnosticError where the folder is missing or not writable.
    """
    # A link stays a link, its target is replaced.
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        _write_into(path, write)
        return
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _cannot_write(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        # mkstemp makes files that only their owner reads; give what open() would have given.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _cannot_write(path, error) from None
        raise


def _write_into(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Writes to a device or pipe, which must not be replaced by a file; a folder is an error."""
    try:
        with path.open("wb") as file:
            write(file)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: Path, error: OSError) -> DiagnosticError:
    return DiagnosticError(
        f"cannot write: {error.strerror or error}",
        Place(file=str(path)),
        hint="name a file in a folder that exists and can be written",
    )


def write_bytes_atomically(path: str | Path, data: bytes) -> None:
    """Writes `data` to `path`, all or nothing; DiagnosticError where that is not possible."""
    write_atomically(path, lambda file: _write_all(file, data))


def _write_all(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def write_text(path: str | Path, text: str) -> None:
    """Writes `text` in UTF-8 to `path`, all or nothing; DiagnosticError where that is not
    possible.
    """
    write_bytes_atomically(path, text.encode("utf-8"))


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file; DiagnosticError where there is none, or it is not text."""
    place = Place(file=str(path))
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise DiagnosticError(
            f"cannot read: {error.strerror or error}", place, hint="check the path"
        ) from None
    except UnicodeDecodeError as error:
        raise DiagnosticError(
            f"not a text file: byte {error.start} is not UTF-8", place, hint="give an .mlir file"
        ) from None
