"""Tables: as text that fits a terminal, and as JSON or CSV files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...backends.diagnostics.diagnostic import DiagnosticError, Place

WIDTH = 100
"""Characters of a line of text."""
_NARROWEST = 12


def node_label(nodes: Sequence[str], width: int | None = None) -> str:
    """Return what a table calls a list of fused ONNX nodes: the first one's name and how many more there are.

    A name that is longer than `width` characters loses its front: names that exporters make up differ at their ends.
    """
    if not nodes:
        return "(no node)"
    more = f" + {len(nodes) - 1}" if len(nodes) > 1 else ""
    return cut_front(nodes[0], None if width is None else width - len(more)) + more


def cut_front(text: str, width: int | None) -> str:
    """Return `text`, or its last characters after an ellipsis if it is longer than `width`."""
    if width is None or len(text) <= width:
        return text
    return "…" + text[len(text) - max(width, 2) + 1 :]


def format_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str | tuple[str, ...]]],
    left: int = 1,
    width: int = WIDTH,
) -> list[str]:
    """Return the lines of a table; the first `left` columns are labels, set left and cut to fit.

    The other columns are set right.

    A label that is a tuple is a list of nodes, for `node_label`.
    """
    shown = [
        [node_label(cell) if isinstance(cell, tuple) else cell for cell in row] for row in rows
    ]
    widths = [max(len(line[i]) for line in [titles, *shown]) for i in range(len(titles))]
    excess = sum(widths) + 2 * (len(widths) - 1) - width
    while excess > 0:
        widest = max(range(left), key=lambda i: widths[i])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        excess -= 1
    lines: list[str] = []
    for line in [titles, *rows]:
        cells = [_label(cell, size) for cell, size in zip(line[:left], widths[:left], strict=True)]
        cells += [
            str(cell).rjust(size) for cell, size in zip(line[left:], widths[left:], strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _label(cell: str | tuple[str, ...], width: int) -> str:
    text = node_label(cell, width) if isinstance(cell, tuple) else cut_front(cell, width)
    return text.ljust(width)


def table_format(path: str | Path) -> str:
    """Return "json" or "csv", by the suffix of `path`.

    Raises DiagnosticError if it has another suffix.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".csv"):
        raise DiagnosticError(
            f"a table cannot be written as '{suffix}'",
            Place(file=str(path)),
            hint="end the file's name in .json or .csv",
        )
    return suffix[1:]


def write_table(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a table, whole or not at all: `content` as JSON, or its "rows" (dictionaries with the same keys) as CSV.

    In CSV a list of names is one cell, "a + b".
    """
    from ...backends.diagnostics.files import write_text

    if table_format(path) == "json":
        write_text(path, json.dumps(content, indent=2) + "\n")
        return
    rows: list[dict[str, Any]] = content["rows"]
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    write_text(path, buffer.getvalue())


def _cell(value: Any) -> Any:
    return " + ".join(value) if isinstance(value, list) else value
