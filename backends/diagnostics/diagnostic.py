"""Diagnostics tell a user what is wrong, where, and what to do; they are printed as MLIR prints its own."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from .plugin_fault import plugin_frame

Severity = Literal["error", "warning", "remark", "note"]
_SHOWN_COLUMNS = 160
_DEBUG = "--debug shows the traceback"


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


def as_diagnostic(error: BaseException) -> DiagnosticError:
    """Return an error as a diagnostic.

    A DiagnosticError is returned as it is. Any other exception is a mistake in a plugin, if one was running, or in
    Smalti, and becomes a diagnostic that says what it is and where it was raised. Only memory and the depth of the
    input are limits that a user meets without a plugin.
    """
    if isinstance(error, DiagnosticError) and _is_printable(error):
        return error
    words = words_of(error)
    notes = _notes_of(error)
    frame = plugin_frame(error.__traceback__)
    if frame is None and isinstance(error, MemoryError):
        return DiagnosticError("out of memory", None, notes, "use a smaller batch or fewer samples")
    if frame is None and isinstance(error, RecursionError):
        return DiagnosticError("the input is nested too deeply", notes=notes)
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        raised = f"{frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}"
        notes.append(f"raised in {raised}")
        if frame is not None and str(frame) != raised:
            notes.append(f"called in {frame}")
    if frame is None:
        hint = f"a mistake in the program, not in the input: {_DEBUG}"
        return DiagnosticError(f"internal error: {words}", notes=notes, hint=hint)
    return DiagnosticError(
        f"plugin '{frame.plugin}' ends with {words}",
        notes=notes,
        hint="raise DiagnosticError to refuse the input; a plugin does not end the program"
        if isinstance(error, SystemExit)
        else f"a mistake in the plugin, not in the input: {_DEBUG}",
    )


def words_of(error: BaseException) -> str:
    """Return the type of an error and the first line of its message, also of an error that cannot be printed."""
    kind = type(error).__name__
    try:
        lines = str(error).splitlines()
    except KeyboardInterrupt:
        raise
    except BaseException as failure:
        return f"{kind}, whose message cannot be printed ({type(failure).__name__})"
    return f"{kind}: {lines[0]}" if lines else kind


@contextmanager
def contained(note: str) -> Iterator[None]:
    """Let no code inside end the program: what is raised there and is no Exception, such as SystemExit, becomes a
    DiagnosticError. Add `note`, which says where that is, to any error but a DiagnosticError.

    An interruption by the user (KeyboardInterrupt) passes.
    """
    try:
        yield
    except (DiagnosticError, KeyboardInterrupt):
        raise
    except BaseException as error:
        with suppress(TypeError):  # an exception may have attributes of its own of this name
            BaseException.add_note(error, note)
        if isinstance(error, Exception):
            raise
        raise as_diagnostic(error) from error


def _is_printable(error: BaseException) -> bool:
    try:
        str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return False
    return True


def _notes_of(error: BaseException) -> list[str | Note]:
    notes = getattr(error, "__notes__", ())
    return [note for note in notes if isinstance(note, str)] if isinstance(notes, list) else []


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
    lines += note_lines(notes)
    if hint:
        lines.append(f"  hint: {hint}")
    return lines


def note_lines(notes: Sequence[str | Note]) -> list[str]:
    """Return the lines in which the notes of a diagnostic are printed."""
    lines: list[str] = []
    for note in notes:
        if isinstance(note, str):
            lines.append(f"  note: {note}")
        else:
            head = f"{note.place}: " if note.place else "  "
            lines.append(f"{head}note: {note.message}")
            lines += note.place.excerpt() if note.place else []
    return lines
