"""Diagnostics tell a user what is wrong, where, and what to do; they are printed as MLIR prints its own."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "remark", "note"]
_SHOWN_COLUMNS = 160


@dataclass(frozen=True)
class Place:
    """Where a diagnostic points: a file with an optional 1-based line and column, or a name such as
    a node's.

    `source` is the text of that line, if it is known; `op` is the op that stands there.
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None
    name: str | None = None
    source: str | None = field(default=None, compare=False, repr=False)
    op: object | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        parts = [str(part) for part in (self.file, self.line, self.column) if part is not None]
        text = ":".join(parts)
        if self.name and self.line is None:
            text = f"{text}: {self.name}" if text else self.name
        return text

    def excerpt(self) -> list[str]:
        """Return two lines, the source and a caret under the column; no lines if either is unknown."""
        if self.source is None or self.column is None:
            return []
        at = self.column - 1
        # Types make lines long: show only what stands around the place.
        start = max(0, at - _SHOWN_COLUMNS // 2) if len(self.source) > _SHOWN_COLUMNS else 0
        end = start + _SHOWN_COLUMNS
        head, tail = "…" if start else "", "…" if end < len(self.source) else ""
        before = head + self.source[start:at]
        blank = "".join("\t" if character == "\t" else " " for character in before)
        return [f"{head}{self.source[start:end]}{tail}".rstrip(), f"{blank}^"]


@dataclass(frozen=True)
class Note:
    """A detail of a diagnostic that has a place of its own."""

    message: str
    place: Place | None = None


@dataclass
class Diagnostic:
    """A warning or a remark: something to tell a user that does not end the work.

    `message` says what, `place` where, `notes` give details, `hint` says what to do.
    """

    severity: Severity
    message: str
    place: Place | None = None
    notes: Sequence[str | Note] = ()
    hint: str | None = None

    def __str__(self) -> str:
        return "\n".join(_lines(self.severity, self.message, self.place, self.notes, self.hint))


@dataclass
class DiagnosticError(Exception):
    """A mistake of the user or of the input, never of Smalti itself; tools print it and exit with
    1.

    `message` says what is wrong, `place` where, `notes` give details (one line each, or several lines
    of IR), `hint` says what to do.
    """

    message: str
    place: Place | None = None
    notes: Sequence[str | Note] = ()
    hint: str | None = None

    def __str__(self) -> str:
        return "\n".join(_lines("error", self.message, self.place, self.notes, self.hint))


def as_diagnostic(error: Exception) -> DiagnosticError:
    """Return an error as a diagnostic.

    A DiagnosticError is returned as it is. Any other exception (a mistake in Smalti or in a plugin) becomes a
    diagnostic that says what it is and where it was raised.
    """
    if isinstance(error, DiagnosticError):
        return error
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    notes: list[str] = list(getattr(error, "__notes__", ()))
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        notes.append(f"raised in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}")
    return DiagnosticError(
        f"internal error: {words.splitlines()[0]}",
        notes=notes,
        hint="a mistake in the program, not in the input: --debug shows the traceback",
    )


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known names nearest to a word, or None if none is near."""
    near = difflib.get_close_matches(word, list(known), n=2)
    return f"did you mean {' or '.join(near)}?" if near else None


def _lines(
    severity: Severity,
    message: str,
    place: Place | None,
    notes: Sequence[str | Note],
    hint: str | None,
) -> list[str]:
    head = f"{place}: " if place else ""
    lines = [f"{head}{severity}: {message}"]
    if place is not None:
        lines += place.excerpt()
        if place.name and place.line is not None:
            lines.append(f"  note: from ONNX node {place.name}")
    for note in notes:
        if isinstance(note, str):
            lines.append(f"  note: {note}")
        else:
            head = f"{note.place}: " if note.place else "  "
            lines.append(f"{head}note: {note.message}")
            lines += note.place.excerpt() if note.place else []
    if hint:
        lines.append(f"  hint: {hint}")
    return lines
