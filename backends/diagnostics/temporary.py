"""Makes temporary files and folders beside the files that they become, and removes those that a killed run left.

Each is locked (flock) while the process that made it lives, however that process ends. So one that nobody has locked
is a leftover, and the next run removes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except (
    ImportError
):  # Windows has no flock: a leftover there cannot be told from a file in use, and stays.
    fcntl = None

_MARK = ".smalti-part-"


@contextmanager
def temporary_file(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield an open file and its path in the folder of `path`; remove the file at the end if it is still there.

    Remove the leftovers of earlier runs for the same `path`. Raises OSError if none can be made.
    """
    prefix = _prefix(path)
    _remove_leftovers(path.parent, prefix)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _lock(file.fileno())
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path`, and remove it at the end with its contents.

    Remove the leftovers of earlier runs for the same `path`. Raises OSError if none can be made.
    """
    prefix = _prefix(path)
    _remove_leftovers(path.parent, prefix)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=prefix))
    with _held(temporary):
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep a folder locked; do nothing where there are no locks, because folders cannot be opened there either."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)


def _prefix(path: Path) -> str:
    # Names may have 255 bytes, and the mark and mkstemp's letters are added.
    stem = path.name.encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    return f".{stem}{_MARK}"


def _lock(handle: int) -> None:
    if fcntl is None:
        return
    # Some network file systems have no locks; nothing is cleaned up there.
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove the files and folders whose names start with `prefix` and that nobody has locked."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        for name in [name for name in os.listdir(folder) if name.startswith(prefix)]:
            _remove_unlocked(folder / name)


def _remove_unlocked(path: Path) -> None:
    assert fcntl is not None
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        finally:
            os.close(handle)
