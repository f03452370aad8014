"""The text that IR is read from: what a diagnostic shows of it."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from .diagnostic import Place


class SourceText:
    """A text that is being read: turns offsets into places.

    `file` is what messages call it. `first_line` is the number of its first line in that file;
    `added_lines` lines were put in front of that which are not in the file.
    """

    def __init__(self, text: str, file: str, first_line: int = 1, added_lines: int = 0) -> None:
        self.text, self.file = text, file
        self.first_line, self.added_lines = first_line, added_lines

    @cached_property
    def _line_starts(self) -> list[int]:
        lengths = map(len, self.text.split("\n"))
        return list(accumulate(lengths, lambda start, length: start + length + 1, initial=0))[:-1]

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line in the file and column of the character at `offset`; line 0 for a line put
        in front.
        """
        index = bisect_right(self._line_starts, offset) - 1
        line = index - self.added_lines + self.first_line
        return line if index >= self.added_lines else 0, offset - self._line_starts[index] + 1

    def place(self, offset: int, *, name: str | None = None, op: object | None = None) -> Place:
        """The place of the character at `offset`; of the file where it stands in a line put in front."""
        line, column = self.position(offset)
        if line < 1:
            return Place(file=self.file, name=name, op=op)
        start = offset - column + 1
        end = self.text.find("\n", start)
        source = self.text[start : end if end >= 0 else len(self.text)]
        return Place(self.file, line, column, name, source, op)
