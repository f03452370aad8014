"""Shows comparisons as text and as HTML: outputs first, then the other tensors, then a summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...backends.diagnostics.html_table import html_table
from .comparison import Difference, worst_first
from .output_parts import OutputDifference

MOST_PARTS = 6
"""How many ranges of an output's columns or channels are shown; of more, the worst."""
_TITLES = ("cosine", "SNR [dB]", "largest error", "range", "error/range")
_WIDTHS = (9, 9, 14, 10, 12)
_Row = tuple[str, Sequence[str]]
"""The label and the cells of a line; a line that only says something has no cells."""


def format_outputs(outputs: Sequence[OutputDifference]) -> str:
    """Return a table of outputs as text; under each, its parts if they differ."""
    return _text("output", list(_output_rows(outputs)))


def format_comparison(
    outputs: Sequence[OutputDifference],
    tensors: Sequence[Difference],
    order: str,
    limit: int | None = None,
) -> str:
    """Return tables of the outputs and of the other tensors as text; `order` says how the tensors are sorted."""
    rows = [("outputs", ()), *_output_rows(outputs, "  ")]
    if tensors:
        rows.append((f"other tensors, {order}", ()))
    rows += [row for each in tensors[:limit] for row in _rows(f"  {each.name}", each)]
    more = len(tensors) - len(tensors[:limit])
    if more:
        rows.append((f"  … {more} more (--limit 0 shows all)", ()))
    return _text("tensor", rows)


def summary_line(outputs: Sequence[OutputDifference], tensors: Sequence[Difference]) -> str:
    """Return one line about how many outputs and other tensors there are, and the worst of each."""
    kinds = (("output", [each.whole for each in outputs]), ("other tensor", list(tensors)))
    return "; ".join(_worst_of(kind, found) for kind, found in kinds if found) or "no tensors"


def comparison_html(
    outputs: Sequence[OutputDifference], tensors: Sequence[Difference], summary: str
) -> str:
    """Return tables of the outputs and of the other tensors in HTML, under the summary."""
    rows = [row for row in _output_rows(outputs) if row[1]]
    text = html_table(summary, ["output", *_TITLES], [[label, *cells] for label, cells in rows])
    if not tensors:
        return text
    titles = ["other tensor", *_TITLES]
    lines = [[each.name, *_cells(each)] for each in worst_first(tensors)]
    return text + html_table("worst first", titles, lines)


def _output_rows(outputs: Sequence[OutputDifference], indent: str = "") -> Iterator[_Row]:
    for output in outputs:
        yield from _rows(indent + output.whole.name, output.whole)
        kept = sorted(output.parts, key=lambda part: part.difference.snr_db)[:MOST_PARTS]
        for part in sorted(kept, key=lambda part: part.first):
            yield f"{indent}  {part}", _cells(part.difference)
        if len(output.parts) > len(kept):
            yield f"{indent}  … {len(output.parts) - len(kept)} better ranges", ()


def _rows(label: str, each: Difference) -> Iterator[_Row]:
    yield label, _cells(each)
    if each.unmatched:
        indent = " " * (len(label) - len(label.lstrip()) + 2)
        plural = "s are" if each.unmatched > 1 else " is"
        yield f"{indent}{each.unmatched} element{plural} infinite or NaN on one side only", ()


def _cells(each: Difference) -> list[str]:
    return [
        f"{each.cosine:.6f}",
        "equal" if each.equal else f"{each.snr_db:.2f}",
        f"{each.largest_error:.6g}",
        f"{each.reference_range:.4g}",
        f"{each.range_share:.3g}",
    ]


def _text(title: str, rows: Sequence[_Row]) -> str:
    width = max(len(title), *(len(label) for label, cells in rows if cells))
    lines: list[str] = []
    for label, cells in [(title, _TITLES), *rows]:
        sides = zip(cells, _WIDTHS, strict=True) if cells else ()
        lines.append(" ".join([f"{label:<{width}}", *(f"{c:>{w}}" for c, w in sides)]).rstrip())
    return "\n".join(lines)


def _worst_of(kind: str, found: Sequence[Difference]) -> str:
    count = f"{len(found)} {kind}{'s' * (len(found) != 1)}"
    if all(each.equal for each in found):
        return f"{count}, equal"
    worst = worst_first(found)[0]
    return f"{count}, worst {worst.snr_db:.2f} dB ({worst.name})"
