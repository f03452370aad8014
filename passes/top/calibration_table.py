"""The calibration table: the range of each tensor of a network, as text that people read and edit.

    # data: images.npz, 256 samples
    #
    # name       threshold  min   max  method
    image              1.0  0.0   1.0  min-max
    /conv1/Relu        6.0  0.0   6.0  kl

A row names a tensor, and gives the magnitude at which symmetric quantization saturates, the bounds of asymmetric
quantization, and how these were found, which may be left out. Tables of TPU-MLIR are read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ...backends.diagnostics.files import write_text
from ..table_text import written_name

SUFFIX = ".calibration"
"""What the names of tables end in."""
MIN_MAX = "min-max"
"""The method that takes the least and the greatest value as they are."""
_COLUMNS = ("# name", "threshold", "min", "max", "method")

Range = tuple[float, float]
"""The least and the greatest value of a tensor."""
Ranges = Mapping[str, Range]


class Row(NamedTuple):
    """What a table says of a tensor: symmetric quantization saturates at ±`threshold`, asymmetric below `low` and above
    `high`; `method` tells how they were found ("" if that is not known). A threshold of 0 says nothing: the greater
    magnitude of the bounds stands for it.
    """

    threshold: float
    low: float
    high: float
    method: str = ""


@dataclass(frozen=True)
class CalibrationTable:
    """The rows of a table by the names of tensors, and comments that tell what it was made of.

    `four_bits` has the rows that hold where a tensor has 4 bits; `asymmetric` the names of the tensors that are
    quantized asymmetrically where others are not. Both are sections of TPU-MLIR's tables.
    """

    rows: Mapping[str, Row]
    comments: Sequence[str] = ()
    four_bits: Mapping[str, Row] = field(default_factory=dict)
    asymmetric: frozenset[str] = frozenset()

    @property
    def ranges(self) -> Ranges:
        """The least and the greatest values, by name."""
        return {name: (row.low, row.high) for name, row in self.rows.items()}

    def __str__(self) -> str:
        comments = [line for each in self.comments for line in each.splitlines() or [""]]
        lines = [f"# {each}" if each else "#" for each in comments]
        lines += [*(["#"] if lines else []), *_aligned(self.rows.items(), _COLUMNS)]
        if self.four_bits:
            lines += ["", "#int4_th", *_aligned(self.four_bits.items())]
        if self.asymmetric:
            lines += ["", "#asym_op", *map(written_name, sorted(self.asymmetric))]
        return "\n".join(lines) + "\n"


def table_of(ranges: Ranges, comments: Sequence[str] = ()) -> CalibrationTable:
    """Return the table of ranges that were observed."""
    rows = {
        name: Row(max(abs(low), abs(high)), low, high, MIN_MAX)
        for name, (low, high) in ranges.items()
    }
    return CalibrationTable(rows, comments)


def write_table(table: CalibrationTable, path: str | Path) -> None:
    """Write a calibration table; if writing fails, the file stays as it was. Raises DiagnosticError if it fails."""
    write_text(path, str(table))


def _aligned(rows: Iterable[tuple[str, Row]], heading: Sequence[str] = ()) -> list[str]:
    """Return the lines of rows, numbers below each other; a float reads back as it was."""
    cells = [
        (
            written_name(name),
            *(repr(float(x)) for x in (row.threshold, row.low, row.high)),
            row.method,
        )
        for name, row in rows
    ]
    table = [tuple(heading), *cells] if heading else cells
    widths = [max((len(row[column]) for row in table), default=0) for column in range(4)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(row[at].rjust(widths[at]) for at in (1, 2, 3)), row[4]]
        ).rstrip()
        for row in table
    ]
