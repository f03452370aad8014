"""Where what is written to a path goes: to a file, through links, or into a device, pipe or open descriptor."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_MOST_LINKS = 40
"""As many as Linux follows."""


def descriptor_of(path: str | Path) -> int | None:
    """Returns the open descriptor that a path names, as /dev/stdout and /dev/fd/3 do, also through links.

    Opened as a file, /dev/stdout would start again at the first byte of the file it is redirected to.
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
    """Whether a path names something that takes bytes and keeps no file: a device, a pipe, an open descriptor."""
    if descriptor_of(path) is not None:
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def resolved(path: str | Path) -> Path:
    """Returns the file that a path leads to, without links, `.` and `..`; it need not be there.

    Raises OSError if links lead in a circle, ValueError for a path that no file can have.
    """
    real = os.path.realpath(path)
    if os.path.islink(real):
        os.stat(real)  # tells the circle
    return Path(real)


def check_writable(path: str | Path) -> None:
    """Raises OSError, as opening it for writing would, if a file cannot be written or made."""
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
