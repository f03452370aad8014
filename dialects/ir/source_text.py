"""The text that IR is read from, with what a diagnostic needs of it: lines, columns and places."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from ...backends.diagnostics.diagnostic import Place

_CODE = re.compile(r'(?:"(?:[^"\\\n]|\\.)*+"|(?!//)[^\n])*+')
"""A line up to its comment."""


class Piece(NamedTuple):
    """A piece of text that was moved: the offset where it stands now, and the offset where it stood."""

    start: int
    origin: int


class SourceText:
    """A text that is being read: turns offsets into places.

    `file` is what messages call it, `first_line` the number of its first line in that file.
    """

    def __init__(self, text: str, file: str, first_line: int = 1) -> None:
        self.text, self.file, self.first_line = text, file, first_line
        self._original: SourceText | None = None
        self._pieces: Sequence[Piece] = ()

    def with_line_in_front(self, line: str, text: str, pieces: Sequence[Piece]) -> SourceText:
        """Return a text that consists of `line` and then `text`. Characters of `text` have the places that they have in
        this text; those of `line` have the places of the `pieces`, which are in order.
        """
        moved = SourceText(f"{line}\n{text}", self.file, self.first_line - 1)
        moved._original, moved._pieces = self, pieces
        return moved

    @cached_property
    def _line_starts(self) -> list[int]:
        lengths = map(len, self.text.split("\n"))
        return list(accumulate(lengths, lambda start, length: start + length + 1, initial=0))[:-1]

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line in the file and column of the character at `offset`."""
        index = bisect_right(self._line_starts, offset) - 1
        if index == 0 and self._original is not None:
            return self._original.position(self._origin(offset))
        return index + self.first_line, offset - self._line_starts[index] + 1

    def place(self, offset: int, *, name: str | None = None, op: object | None = None) -> Place:
        """Return the place of the character at `offset`."""
        index = bisect_right(self._line_starts, offset) - 1
        if index == 0 and self._original is not None:
            return self._original.place(self._origin(offset), name=name, op=op)
        start = self._line_starts[index]
        end = self.text.find("\n", start)
        source = self.text[start : end if end >= 0 else len(self.text)]
        return Place(self.file, index + self.first_line, offset - start + 1, name, source, op)

    def _origin(self, offset: int) -> int:
        """Return the offset at which the character at `offset` of the line in front stood before it was moved."""
        piece = self._pieces[max(0, bisect_right(self._pieces, offset, key=lambda p: p.start) - 1)]
        return piece.origin + offset - piece.start


def end_of_ir(text: str) -> int:
    """Return the offset after the last character of a text that is neither blank nor part of a comment at its end."""
    end = len(text.rstrip())
    while end:
        line = text.rfind("\n", 0, end) + 1
        code = _CODE.match(text, line, end)
        kept = len(code[0].rstrip()) if code is not None else 0
        if kept or not line:
            return line + kept
        end = len(text[:line].rstrip())
    return 0
