"""Reads and writes whole files: no half-written ones, and mistakes told as diagnostics."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from .destination import check_writable, descriptor_of, is_device, resolved
from .diagnostic import DiagnosticError, Place
from .system_errors import cannot_write
from .temporary import temporary_file

TEXT_LIMIT_BYTES = 1 << 30
"""No text, such as IR, may have more: 1 GiB."""


def write_atomically(path: str | Path, write: Callable[[BinaryIO], None]) -> None:
    """Calls `write` with a temporary file in the folder of `path` that becomes `path` only when it
    is complete.

    A link stays a link: the file that it leads to is replaced. Devices, pipes and open descriptors
    (/dev/null, /dev/stdout) are written into. DiagnosticError, with `path` as it is given, where it cannot be written.
    """
    try:
        if is_device(path):
            with open_directly(path, "w") as file:
                write(file)
            return
        check_writable(path)
        target = resolved(path)
        with temporary_file(target) as (file, temporary):
            write(file)
            # Errors of a full disk may come no earlier than here.
            file.flush()
            _put_in_place(temporary, target)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_write(path, error) from None
    except ValueError as error:
        if "null" not in str(error):
            raise
        raise cannot_write(repr(str(path)), OSError(errno.EINVAL, str(error))) from None


def move_into_place(temporary: Path, path: Path) -> None:
    """Makes a complete file, which lies beside `path`, become `path`, through links.

    DiagnosticError where that is not possible.
    """
    try:
        target = resolved(path)
        check_writable(target)
        _put_in_place(temporary, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise cannot_write(path, error) from None
        # The link leads to another disk.
        with temporary.open("rb") as source:
            write_atomically(path, lambda file: shutil.copyfileobj(source, file))


def _put_in_place(temporary: Path, target: Path) -> None:
    """Gives a file the mode that `target` has, or that open() would give it, and its name."""
    if target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    os.chmod(temporary, mode)
    os.replace(temporary, target)


def open_directly(path: str | Path, mode: Literal["w", "a"]) -> BinaryIO:
    """Opens a file, device, pipe or open descriptor to write it bit by bit; raises OSError if it cannot."""
    descriptor = descriptor_of(path)
    if descriptor is None:
        return open(path, "wb" if mode == "w" else "ab")
    # What was printed before comes before.
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fdopen(os.dup(descriptor), "wb")


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


def open_regular(path: str | Path, what: str, limit_bytes: int, hint: str) -> BinaryIO:
    """Opens a regular file of at most `limit_bytes` for reading.

    `what` ("the program", or "") and `hint` are for messages.

    Raises DiagnosticError if it cannot be read, is larger, or is a folder, device or pipe: those may have no end.
    """
    place = Place(file=str(path))
    reading = f"cannot read {what}".rstrip()
    try:
        # Opening a pipe that nobody writes to would wait.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise DiagnosticError(f"{reading}: {error.strerror or error}", place, hint=hint) from None
    except ValueError as error:
        place = Place(file=repr(str(path)))
        raise DiagnosticError(f"{reading}: {error}", place, hint=hint) from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        kind = "Is a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise DiagnosticError(f"{reading}: {kind}", place, hint=hint)
    if status.st_size > limit_bytes:
        os.close(handle)
        raise DiagnosticError(
            f"{reading}: the file has {status.st_size:,} bytes, the limit is {limit_bytes:,}",
            place,
            hint=hint,
        )
    return os.fdopen(handle, "rb")


def read_bytes(path: str | Path, what: str, limit_bytes: int, hint: str) -> bytes:
    """Returns the bytes of a regular file; raises DiagnosticError as `open_regular` does."""
    with open_regular(path, what, limit_bytes, hint) as file:
        # A file that grows meanwhile is no reason to read more.
        return file.read(limit_bytes)


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file of at most `TEXT_LIMIT_BYTES`; DiagnosticError where there is none,
    where it is no regular file, or no text.
    """
    try:
        hint = "check the path: it has to be a regular file"
        return read_bytes(path, "", TEXT_LIMIT_BYTES, hint).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DiagnosticError(
            f"not a text file: byte {error.start} is not UTF-8",
            Place(file=str(path)),
            hint="give an .mlir file",
        ) from None
