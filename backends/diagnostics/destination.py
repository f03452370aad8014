"""Finds where a path to be written leads: to a file, through links, or to a device, pipe or open descriptor."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_MOST_LINKS = 40
"""How many links are followed, as many as Linux follows."""


def descriptor_of(path: str | Path) -> int | None:
    """Return the open descriptor that a path names, as /dev/stdout and /dev/fd/3 do, also through links.

    If /dev/stdout were opened as a file, writing would start at the first byte of the file that it is redirected to.
    """
    name = os.path.abspath(path)
    for _ in range(_MOST_LINKS):
        if name in _STREAMS:
            return _STREAMS[name]
        match = _DESCRIPTOR.fullmatch(name)
        if match is not None:
            return int(match[1])
        try:
            name = os.path.normpath(os.path.join(os.path.dirname(name), os.readlink(name)))
        except (OSError, ValueError):
            return None
    return None


def is_device(path: str | Path) -> bool:
    """Return whether a path names no file, but something else that takes bytes: a device, a pipe, an open
    descriptor.
    """
    if descriptor_of(path) is not None:
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def resolved(path: str | Path) -> Path:
    """Return the path of the file that a path leads to, without links, `.` and `..`; the file need not exist.

    Raises OSError if links lead in a circle, and ValueError if no file can have such a path.
    """
    real = os.path.realpath(path)
    if os.path.islink(real):
        os.stat(real)  # raises the OSError for a circle of links
    return Path(real)


def check_writable(path: str | Path) -> None:
    """Raise OSError, as opening it for writing would, if a file cannot be written or made."""
    if descriptor_of(path) is not None:
        return
    target = resolved(path)
    if target.is_dir():
        raise IsADirectoryError(21, "Is a directory")
    if target.exists():
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")
        if is_device(target):
            return
    if not target.parent.is_dir():
        raise FileNotFoundError(2, "No such file or directory")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied")
    if len(os.fsencode(target.name)) > 255:
        raise OSError(36, "File name too long")
