"""Tables in HTML, which notebooks show."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

ROWS = 20
"""How many rows a table in a notebook has at most; a line below it says how many more there are."""
_LABEL, _NUMBER = 'style="text-align:left"', 'style="text-align:right"'


def html_table(
    caption: str, titles: Sequence[str], rows: Sequence[Sequence[str]], *, labels: int = 1
) -> str:
    """Return a table in HTML; the first `labels` columns are set left, the others right."""

    def line(tag: str, cells: Sequence[str]) -> str:
        sides = [_LABEL if number < labels else _NUMBER for number in range(len(cells))]
        parts = zip(sides, cells, strict=True)
        return (
            f"<tr>{''.join(f'<{tag} {side}>{escape(cell)}</{tag}>' for side, cell in parts)}</tr>"
        )

    body = "".join(line("td", row) for row in rows[:ROWS])
    more = f"<p>… {len(rows) - ROWS:,} more</p>" if len(rows) > ROWS else ""
    head = f"<caption>{escape(caption)}</caption><thead>{line('th', titles)}</thead>"
    return f"<table>{head}<tbody>{body}</tbody></table>{more}"


def nodes_text(nodes: Sequence[str]) -> str:
    """Return fused ONNX nodes as one text."""
    return " + ".join(name for name in nodes if name) or "(no node)"
