"""Splits a file into modules at lines `// -----`, as mlir-opt does."""

from __future__ import annotations

import re
from typing import NamedTuple

MARKER = "// -----"


class Chunk(NamedTuple):
    """A part of a file and the 1-based number of its first line there."""

    text: str
    first_line: int


def split_input(text: str, marker: str = MARKER) -> list[Chunk]:
    """Return the parts between the lines that are the marker."""
    lines = re.compile(rf"^[ \t]*{re.escape(marker)}[ \t]*(?:\n|\Z)", re.MULTILINE)
    chunks: list[Chunk] = []
    start, line = 0, 1
    for found in lines.finditer(text):
        chunks.append(Chunk(text[start : found.start()], line))
        line += text.count("\n", start, found.end())
        start = found.end()
    return [*chunks, Chunk(text[start:], line)]
