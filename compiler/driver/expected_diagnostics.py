"""Matches the diagnostics about IR with those that comments in it expect, as mlir-opt does:

    // expected-error @below {{weight has 4 input channels}}
    %y = top.conv2d ...

`expected-warning`, `-note` and `-remark` work likewise. The diagnostic is expected in the same line, or where the
comment says: `@+2`, `@-1`, `@above`, `@below` (the next line without such a comment) or `@unknown` (a diagnostic
without a line). The text between the braces must be part of the message. In `expected-error-re` the text between
further {{ }} is a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place, Severity
from ...dialects.ir.source_text import SourceText

_EXPECTED = re.compile(
    r"expected-(?P<severity>error|warning|note|remark)(?P<re>-re)?[ \t]*"
    r"(?P<at>@(?:[+-]\d{1,6}|above|below|unknown))?[ \t]*\{\{(?P<text>.*)\}\}[ \t]*$",
    re.MULTILINE,
)
_LOOKS_EXPECTED = re.compile(r"expected-(?:error|warning|note|remark)\b")
_INNER = re.compile(r"\{\{(.*?)\}\}")


@dataclass(frozen=True)
class Expectation:
    """A comment: the message that is expected, its line (None: without a line), and where the comment stands."""

    severity: Severity
    line: int | None
    pattern: re.Pattern[str]
    text: str
    place: Place

    def matches(self, severity: Severity, message: str, line: int | None) -> bool:
        """Return whether this comment expects the message in that line."""
        return (severity, line) == (self.severity, self.line) and bool(self.pattern.search(message))


def read_expectations(text: str, file: str, first_line: int = 1) -> list[Expectation]:
    """Return the expectations in a text.

    Raises DiagnosticError if a comment begins as an expectation and is not one.
    """
    source = SourceText(text, file, first_line)
    lines = text.split("\n")
    bare = {first_line + i for i, line in enumerate(lines) if not _LOOKS_EXPECTED.search(line)}
    found: list[Expectation] = []
    for match in _EXPECTED.finditer(text):
        place = source.place(match.start())
        assert place.line is not None
        severity: Severity = match["severity"]  # pyright: ignore[reportAssignmentType]
        line = _line(match["at"] or "", place.line, bare)
        pattern = _pattern(match["text"], bool(match["re"]), place)
        found.append(Expectation(severity, line, pattern, match["text"], place))
    read = {expectation.place.line for expectation in found}
    for match in _LOOKS_EXPECTED.finditer(text):
        place = source.place(match.start())
        if place.line not in read:
            raise DiagnosticError(
                "this does not say what is expected",
                place,
                hint="write expected-error @+1 {{text}}",
            )
    return found


def _line(at: str, own: int, bare: set[int]) -> int | None:
    match at:
        case "":
            return own
        case "@unknown":
            return None
        case "@above":
            return max((line for line in bare if line < own), default=0)
        case "@below":
            return min((line for line in bare if line > own), default=0)
        case _:
            return own + int(at[1:])


def _pattern(text: str, is_expression: bool, place: Place) -> re.Pattern[str]:
    if not is_expression:
        return re.compile(re.escape(text))
    parts = _INNER.split(text)
    try:
        return re.compile(
            "".join(f"(?:{p})" if i % 2 else re.escape(p) for i, p in enumerate(parts))
        )
    except re.error as error:
        raise DiagnosticError(f"no regular expression: {error}", place) from None


def unmatched(
    expectations: Sequence[Expectation], produced: Sequence[Diagnostic | DiagnosticError]
) -> list[DiagnosticError]:
    """Return an error for each diagnostic that nobody expects, and for each expectation that no diagnostic meets."""
    open_expectations = list(expectations)
    wrong: list[DiagnosticError] = []
    for severity, message, place, line in (part for each in produced for part in _parts(each)):
        met = next((e for e in open_expectations if e.matches(severity, message, line)), None)
        if met is not None:
            open_expectations.remove(met)
        elif severity != "note" or place is not None:
            # A note without a place of its own only details the diagnostic: it may go unsaid.
            wrong.append(DiagnosticError(f"unexpected {severity}: {message}", place))
    wrong += [
        DiagnosticError(f'expected {each.severity} "{each.text}" was not produced', each.place)
        for each in open_expectations
    ]
    return wrong


def _parts(
    diagnostic: Diagnostic | DiagnosticError,
) -> Iterator[tuple[Severity, str, Place | None, int | None]]:
    """Return a diagnostic and its notes: severity, message, own place, and the line in which to expect it."""
    place = diagnostic.place
    line = place.line if place is not None else None
    severity = diagnostic.severity if isinstance(diagnostic, Diagnostic) else "error"
    yield severity, diagnostic.message, place, line
    for note in diagnostic.notes:
        if isinstance(note, str):
            yield "note", note, None, line
        elif note.place is not None:
            yield "note", note.message, note.place, note.place.line
        else:
            yield "note", note.message, None, line
