"""The record of a search: a file of JSON lines that is only appended to, so that a killed search goes on.

    {"smalti_search": 1, "made_of": {"model": "…", "target": "…"}}
    {"point": {"layer": "conv1", "scheme": "int8"}, "measured": {"loss": 0.01}}

The first line says what the search was made of. A last line that is cut off, since the search was killed while it
wrote, is dropped. Records of the same search may be joined with `cat`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import why_no_file
from .evaluator import Measurement
from .space import Point, key_of

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None

_VERSION_KEY = "smalti_search"
VERSION = 1
"""The version of the form of the lines."""


class RecordFile:
    """The measurements of a search in a file, by `key_of` their points; `append` adds to it.

    `made_of` is what the measurements depend on besides their points: the model, the target, versions. A context
    manager, which closes the file.

    Raises DiagnosticError if the file cannot be read or written, if it was made of something else, if it holds lines
    that are no records or contradict each other, or if another search writes it.
    """

    def __init__(self, path: str | Path, made_of: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.measured: dict[str, Measurement] = {}
        self._made_of = json.loads(json.dumps(made_of))
        self._lines: dict[str, int] = {}
        try:
            self._file: BinaryIO = self.path.open("a+b")
        except OSError as error:
            message = f"cannot write the record: {error.strerror}"
            hint = why_no_file(self.path) or "check the path"
            raise DiagnosticError(message, self._place(), hint=hint) from None
        try:
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> RecordFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def append(self, point: Point, measured: Measurement) -> None:
        """Add a measurement; it is on disk when this returns. Raises DiagnosticError if it cannot be written."""
        self.measured[key_of(point)] = measured
        self._write({"point": point, "measured": measured})

    def _write(self, content: Mapping[str, Any]) -> None:
        try:
            self._file.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            message = f"cannot write the record: {error.strerror}"
            raise DiagnosticError(message, self._place(), hint="check the disk") from None

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DiagnosticError(
                "another search writes this record", self._place(), hint="wait, or name another"
            ) from None
        except OSError:
            return  # some network file systems have no locks

    def _read(self) -> None:
        """Read all complete lines, cut off the rest, and write the header of a new file."""
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:whole].split(b"\n")[:-1], 1):
            self._take(line, number)
        if whole < len(content):
            self._file.truncate(whole)
        if not whole:
            self._write({_VERSION_KEY: VERSION, "made_of": self._made_of})

    def _take(self, line: bytes, number: int) -> None:
        try:
            content = json.loads(line)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise self._error(number, "this is no line of a record", "name another file")
        if _VERSION_KEY in content or number == 1:
            self._check_header(content, number)
            return
        point, measured = content.get("point"), content.get("measured")
        if not isinstance(point, dict) or not isinstance(measured, dict):
            message = "a line of a record has a point and what was measured"
            raise self._error(number, message, "delete the line")
        key = key_of(point)
        known = self.measured.setdefault(key, measured)
        if key_of(known) != key_of(measured):
            message = f"this contradicts line {self._lines[key]}, which measured the same point"
            raise self._error(number, message, "delete the line that is wrong")
        self._lines.setdefault(key, number)

    def _check_header(self, content: Mapping[str, Any], number: int) -> None:
        hint = "name another file, or delete this one to begin anew"
        if content.get(_VERSION_KEY) != VERSION or not isinstance(content.get("made_of"), dict):
            message = f"this is no record of a search of version {VERSION}"
            raise self._error(number, message, hint)
        other = content["made_of"]
        for name in {**self._made_of, **other}:
            ours, theirs = self._made_of.get(name), other.get(name)
            if ours != theirs:
                message = f"the record is of another search: {name} is {_shown(theirs)}, not {_shown(ours)}"
                raise self._error(number, message, hint)

    def _error(self, number: int, message: str, hint: str) -> DiagnosticError:
        return DiagnosticError(message, Place(file=str(self.path), line=number), hint=hint)

    def _place(self) -> Place:
        return Place(file=str(self.path))


def _shown(value: object) -> str:
    """Return a value of a header as a message shows it."""
    if value is None:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
