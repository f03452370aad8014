"""Turns errors of the operating system into diagnostics with the path that the user gave, and with advice."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .diagnostic import DiagnosticError, Place

_NO_SPACE = "free space on its disk, or name a file on another one"
_ADVICE = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EFBIG: "name a file on a disk that takes files of this size",
    errno.EROFS: "its disk is read-only: name a file on another one",
    errno.EACCES: "name a file that you may write, in a folder that you may write",
    errno.EPERM: "name a file that you may write, in a folder that you may write",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ELOOP: "its links lead in a circle: name a file without them",
    errno.EIO: "check its disk, or name a file on another one",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
}
_ANYWHERE = "name a file in a folder that exists and can be written"


def advice_for(error: OSError, otherwise: str = _ANYWHERE) -> str:
    """Return advice on an error of the operating system: what the user can do."""
    return _ADVICE.get(error.errno or 0, otherwise)


def cannot_write(path: str | Path, error: OSError) -> DiagnosticError:
    """Return the diagnostic for a file that could not be written; `path` is as the user gave it."""
    return DiagnosticError(
        f"cannot write: {error.strerror or error}", Place(file=str(path)), hint=advice_for(error)
    )


@contextmanager
def telling_path(path: str | Path) -> Iterator[None]:
    """Turn errors of the operating system, while `path` is written, into the diagnostic that it cannot be.

    A pipe that nobody reads any more (BrokenPipeError) passes.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_write(path, error) from None
    except ValueError as error:
        if "null" not in str(error):
            raise
        raise cannot_write(repr(str(path)), OSError(errno.EINVAL, str(error))) from None
