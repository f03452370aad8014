"""Reads and writes whole files: none is left half written, and failures are diagnostics."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from .destination import check_writable, descriptor_of, is_device, resolved
from .diagnostic import DiagnosticError, Place
from .system_errors import telling_path
from .temporary import temporary_file

TEXT_LIMIT_BYTES = 1 << 30
"""The most bytes that a text, such as IR, may have: 1 GiB."""
_STEP_BYTES = 1 << 16


def write_atomically(path: str | Path, write: Callable[[BinaryIO], None]) -> None:
    """Call `write` with a temporary file in the folder of `path` that becomes `path` only when it is complete.

    A link stays a link: the file that it leads to is replaced. Devices, pipes and open descriptors (/dev/null,
    /dev/stdout) are written into. Raises DiagnosticError, with `path` as it was given, if it cannot be written.
    """
    with telling_path(path):
        if is_device(path):
            with open_directly(path, "w") as file:
                write(file)
            return
        check_writable(path)
        target = resolved(path)
        with temporary_file(target) as (file, temporary):
            write(file)
            # That a disk is full may show only here.
            file.flush()
            put_in_place(temporary, target)


def put_in_place(temporary: Path, target: Path) -> None:
    """Rename a complete file to `target`, on the same disk, with the mode that `target` has, or that open() would give
    it.
    """
    if target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    os.chmod(temporary, mode)
    os.replace(temporary, target)


def open_directly(path: str | Path, mode: Literal["w", "a"]) -> BinaryIO:
    """Open a file, device, pipe or open descriptor for writing piece by piece. Raises OSError if that fails."""
    descriptor = descriptor_of(path)
    if descriptor is None:
        return open(path, "wb" if mode == "w" else "ab")
    # What was printed earlier must come out first.
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fdopen(os.dup(descriptor), "wb")


def write_bytes_atomically(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, all or nothing. Raises DiagnosticError if that is not possible."""
    write_atomically(path, lambda file: _write_all(file, data))


def _write_all(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` in UTF-8 to `path`, all or nothing. Raises DiagnosticError if that is not possible."""
    write_bytes_atomically(path, text.encode("utf-8"))


def open_regular(path: str | Path, what: str, limit_bytes: int, hint: str) -> BinaryIO:
    """Open a regular file of at most `limit_bytes` for reading.

    `what` ("the program", or "") and `hint` appear in messages.

    Raises DiagnosticError if the file cannot be read or is larger, or if it is a folder, or a device or pipe, which may
    never end.
    """
    place = Place(file=str(path))
    reading = f"cannot read {what}".rstrip()
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait.
        # Each system has some of these flags only.
        wanted = ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
        flags = sum(getattr(os, name, 0) for name in wanted)
        handle = os.open(path, os.O_RDONLY | flags)
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
    """Return the bytes of a regular file. Raises DiagnosticError as `open_regular` does."""
    parts: list[bytes] = []
    with open_regular(path, what, limit_bytes, hint) as file:
        # Python takes memory for all that is asked for, at once: ask for what the file has, not for the limit.
        step = max(os.fstat(file.fileno()).st_size, _STEP_BYTES)
        # If the file has grown meanwhile, read no more than the limit all the same.
        left = limit_bytes
        while left and (part := file.read(min(step, left))):
            parts.append(part)
            left -= len(part)
            step = _STEP_BYTES
    return b"".join(parts)


def why_no_file(path: Path) -> str | None:
    """Return why a path cannot be read as a regular file, None if it is one."""
    if path.is_file():
        return None
    return "not a regular file" if path.exists() else "no such file"


def read_text(path: str | Path) -> str:
    """Return the text of a UTF-8 file of at most `TEXT_LIMIT_BYTES`.

    Raises DiagnosticError if the file does not exist, is not a regular file, is larger, or is not UTF-8.
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
