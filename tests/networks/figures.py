"""Tables of figures in README.md, which measurements write anew row by row."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).with_name("README.md")
MODELS_PAGE = README.with_name("models.md")
"""The page of models that are not made here."""
Row = Sequence[str]


@dataclass(frozen=True)
class Figures:
    """A table between two comments of README.md, called `name` there. The first `keys` columns tell rows apart, the
    first `words` hold text. With `keeps_cells` a blank cell of a row leaves what stands there already.
    """

    name: str
    header: tuple[str, ...]
    keys: int
    words: int
    keeps_cells: bool = False

    @property
    def begin(self) -> str:
        """The comment before the table."""
        return f"<!-- {self.name} -->"

    @property
    def end(self) -> str:
        """The comment after the table."""
        return f"<!-- end of {self.name} -->"

    def table(self, rows: Sequence[Row]) -> str:
        """A Markdown table; numbers stand on the right."""
        align = [":---"] * self.words + ["---:"] * (len(self.header) - self.words)
        return "\n".join("| " + " | ".join(cells) + " |" for cells in (self.header, align, *rows))

    def text(self, rows: Sequence[Row]) -> str:
        """The table, and when and on what it was measured."""
        return f"{self.table(rows)}\n\n{datetime.date.today():%-d %B %Y}; {machine()}."

    def write(self, rows: Sequence[Row], order: Sequence[tuple[str, ...]], page: Path) -> None:
        """Puts rows into a page, in the order of their keys; those of other keys in `order` stay."""
        before, _, rest = page.read_text().partition(self.begin)
        old, _, after = rest.partition(self.end)
        lines = [line for line in old.splitlines() if line.startswith("|")]
        cells = self._in_columns([[c.strip() for c in line.split("|")[1:-1]] for line in lines])
        known = {tuple(row[: self.keys]): row for row in cells}
        for row in rows:
            key = tuple(row[: self.keys])
            before_it = known.get(key, row) if self.keeps_cells else row
            known[key] = [new or old for new, old in zip(row, before_it, strict=True)]
        merged = [known[key] for key in order if key in known]
        page.write_text(f"{before}{self.begin}\n{self.text(merged)}\n{self.end}{after}")

    def _in_columns(self, rows: list[list[str]]) -> list[list[str]]:
        """The rows of a table in this one's columns: blank in those that the table, whose first row names them, has
        not.
        """
        if not rows or rows[0] == list(self.header):
            return rows
        return [
            [dict(zip(rows[0], row, strict=False)).get(n, "") for n in self.header] for row in rows
        ]


def machine() -> str:
    """What the times were taken on."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} threads, Python {platform.python_version()}"
