"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Made by `python -m smalti.tools.reference`: change the classes it describes, not this file. -->"


def page(title: str, *parts: str) -> str:
    """Return a page: its title, a note that it is generated, and its parts."""
    return "\n\n".join([f"# {title}", GENERATED, *(part for part in parts if part)]) + "\n"


def code(text: str, language: str = "mlir") -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def cell(text: str) -> str:
    """Return text as it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, or the empty text if there are no rows."""
    lines = [f"| {' | '.join(cell(each) for each in row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines])


def prose(text: str) -> str:
    """Return a docstring's words as Markdown: paragraphs on lines of their own, indented parts as code."""
    parts: list[str] = []
    for part in text.strip().split("\n\n"):
        if all(line.startswith("    ") for line in part.splitlines()):
            parts.append(code("\n".join(line[4:] for line in part.splitlines())))
        else:
            parts.append(part)
    return "\n\n".join(parts)
