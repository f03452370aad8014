"""What a user is told when something is wrong: what, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Where a diagnostic points: a file with an optional 1-based line and column, or a name such as
    a node's.
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None
    name: str | None = None

    def __str__(self) -> str:
        parts = [str(part) for part in (self.file, self.line, self.column) if part is not None]
        text = ":".join(parts)
        if self.name:
            text = f"{text}: {self.name}" if text else self.name
        return text


@dataclass
class DiagnosticError(Exception):
    """A mistake of the user or of the input, never of Smalti itself; tools print it and exit with
    1.

    `message` says what is wrong, `place` where, `notes` give details (one line each), `hint` says
    what to do.
    """

    message: str
    place: Place | None = None
    notes: list[str] = field(default_factory=list)
    hint: str | None = None

    def __str__(self) -> str:
        head = f"{self.place}: error: {self.message}" if self.place else f"error: {self.message}"
        lines = [head, *(f"  note: {note}" for note in self.notes)]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)
