"""A folder of compiled programs, which several processes may use at once.

An entry is a program file that is named after its key, with a file of JSON beside it. It is written under another name
and then renamed, so that nobody reads half of one; program files carry hashes of their contents, so that a damaged one
is noticed. Who compiles holds a lock on a file beside the entry, which the system frees however the process ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.diagnostics.files import read_text, write_text
from ...backends.program import container
from ...backends.program.program import Program

try:
    import fcntl
except ImportError:  # Windows has none: there two processes may compile the same at once.
    fcntl = None

DEFAULT_LIMIT_BYTES = 10 * 2**30
"""How many bytes the entries of a folder may have together, unless another number is given."""

_MORE = ".json"
_ENTRY = re.compile(r"[0-9a-f]{64}\.smalti")

Tell = Callable[[Diagnostic], None]
"""Gets warnings and remarks."""


@dataclass(frozen=True)
class CachedProgram:
    """A program, the text of the calibration table that was measured for it, if one was, and what was said about its
    cycles, if it was timed.
    """

    program: Program
    calibration: str | None = None
    cycles: str = ""


@dataclass(frozen=True)
class Entry:
    """What there was for a key, None if there was nothing, and what keeps something for others."""

    found: CachedProgram | None
    put: Callable[[CachedProgram], None]


class ProgramCache:
    """Programs in `folder`, which is made if need be, with at most `limit_bytes` together.

    `tell` gets what goes wrong with the folder, which never hinders a compilation: damaged entries are compiled anew,
    and where nothing can be written nothing is kept.
    """

    def __init__(
        self, folder: str | Path, tell: Tell, limit_bytes: int = DEFAULT_LIMIT_BYTES
    ) -> None:
        self._folder, self._tell, self._limit_bytes = Path(folder), tell, limit_bytes

    @contextmanager
    def entry(self, key: str) -> Iterator[Entry]:
        """Yield the entry of a key. If it has no program, another process that wants it waits until the caller is
        through, who then has put one or has failed.
        """
        path = self._folder / f"{key}.smalti"
        found = self._read(path)
        if found is not None:
            yield Entry(found, keep_nowhere)
            return
        is_damaged = os.path.exists(path)
        with contextlib.ExitStack() as held:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(self._locked(path.with_suffix(".lock")))
            except (OSError, ValueError) as error:
                self._tell_of_folder(error)
                yield Entry(None, keep_nowhere)
                return
            # Another process may have written it meanwhile.
            found = self._read(path, is_told=is_damaged)
            yield Entry(found, lambda made: self._write(path, made))

    def _read(self, path: Path, *, is_told: bool = False) -> CachedProgram | None:
        """Return what an entry holds, which is then the last one used; None if there is none that is whole, which is
        told unless it was already.
        """
        if not os.path.exists(path):
            return None
        try:
            program = container.load(path)
        except DiagnosticError as error:
            # It may just have been removed.
            if os.path.exists(path) and not is_told:
                self._tell(
                    Diagnostic(
                        "warning",
                        f"this entry of the cache is damaged, the model is compiled anew: {error.message}",
                        Place(file=str(path)),
                    )
                )
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return CachedProgram(program, *_more_of(path.with_suffix(_MORE)))

    def _write(self, path: Path, made: CachedProgram) -> None:
        try:
            more = {"calibration": made.calibration, "cycles": made.cycles}
            write_text(path.with_suffix(_MORE), json.dumps(more))
            container.save(made.program, path)
            self._make_room(path)
        except (DiagnosticError, OSError) as error:
            self._tell_of_folder(error)

    def _make_room(self, newest: Path) -> None:
        """Remove the entries that nobody has used for longest, but not the newest one, until the others fit."""
        entries: list[tuple[int, int, Path]] = []
        for path in self._folder.iterdir():
            if _ENTRY.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    status = path.stat()
                    entries.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self._limit_bytes:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                path.with_suffix(_MORE).unlink(missing_ok=True)
                total -= size

    def _tell_of_folder(self, error: OSError | ValueError | DiagnosticError) -> None:
        reason = error.message if isinstance(error, DiagnosticError) else str(error)
        if isinstance(error, OSError):
            reason = error.strerror
        self._tell(
            Diagnostic(
                "warning",
                f"nothing is kept in the cache: {reason}",
                Place(file=str(self._folder)),
            )
        )

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Hold the lock of a file, which is made, and removed at the end. Raises OSError if it cannot be made."""
        if fcntl is None:
            yield
            return
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                self._wait_for(handle, path)
                # Who had the lock before has removed the file; those who come now make another one.
                if not _is_still(handle, path):
                    continue
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return
            finally:
                os.close(handle)

    def _wait_for(self, handle: int, path: Path) -> None:
        assert fcntl is not None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting = "another process compiles this model already; waiting for it"
            self._tell(Diagnostic("remark", waiting, Place(file=str(path))))
            fcntl.flock(handle, fcntl.LOCK_EX)


def _more_of(path: Path) -> tuple[str | None, str]:
    """Return the calibration table and the cycles that a file beside an entry holds, nothing if it is damaged: both can
    be had anew.
    """
    try:
        more = json.loads(read_text(path))
        table, cycles = more["calibration"], more["cycles"]
    except (DiagnosticError, ValueError, KeyError, TypeError):
        return None, ""
    return table if isinstance(table, str) else None, cycles if isinstance(cycles, str) else ""


def _is_still(handle: int, path: Path) -> bool:
    """Tell whether a path still leads to the file that was opened."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def keep_nowhere(made: CachedProgram) -> None:
    """Keep nothing."""
