"""Splits a file into modules at lines `// -----`, as mlir-opt does."""

from __future__ import annotations

import re
from typing import NamedTuple

MARKER = "// -----"
_MARKER_LINE = re.compile(r"^[ \t]*// -----[ \t]*(?:\n|\Z)", re.MULTILINE)


class Chunk(NamedTuple):
    """A part of a file and the 1-based number of its first line there."""

    text: str
    first_line: int


def split_input(text: str) -> list[Chunk]:
    """Return the parts between the lines that are `// -----`."""
    chunks: list[Chunk] = []
    start, line = 0, 1
    for marker in _MARKER_LINE.finditer(text):
        chunks.append(Chunk(text[start : marker.start()], line))
        line += text.count("\n", start, marker.end())
        start = marker.end()
    return [*chunks, Chunk(text[start:], line)]
