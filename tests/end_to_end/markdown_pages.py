"""The pages of the project: which there are, and the blocks, tables and links in them.

In a page, a block whose first line is

- ```` ```KIND file=NAME ````  is a file, written to the page's folder;
- ```` ```console ````         has commands: the shell runs each line that starts with `$ ` in the page's folder, in
  the order of the page; the lines after it are what it prints, where `...` stands for anything;
- ```` ```KIND in=NAME ````    has lines that stand in that file in this order, where `…` stands for lines left out and
  locations at the ends of lines are not shown;
- ```` ```KIND new=NAME ````   is a new file of the library;
- ```` ```diff change=NAME ````  has changes to a file of the library, parted by `@@`: the commands after it run with a
  copy of the library in which these changes are made and the new files are;
- ```` ```sh ````              has commands that take minutes, or change the checkout: they are shown, not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FOLDERS = ("dialects", "passes", "backends", "compiler", "tools", "tests")
_BLOCK = re.compile(
    r"^```(\w+)(?: (file|in|new|change)=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|\bsrc(?:set)?=\"([^\"]+)\"")


def pages() -> list[Path]:
    """Every Markdown file of the project."""
    below = (path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.md"))
    return sorted([*ROOT.glob("*.md"), *below])


@dataclass(frozen=True)
class Block:
    """A block of code: its language, the file that it is ("file", "new"), quotes ("in") or changes
    ("change"), and its text."""

    language: str
    role: str
    name: str
    text: str

    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command of a console block, and the text that it prints.

        Raises AssertionError if the block does not begin with a command.
        """
        assert self.text.startswith("$ "), f"a console block begins with '$ ': {self.text}"
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


def blocks(page: Path) -> list[Block]:
    """The blocks of code of a page."""
    return [Block(*match) for match in _BLOCK.findall(page.read_text(encoding="utf-8"))]


def prose(page: Path) -> str:
    """A page without its blocks of code; each leaves an empty line."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def tables(page: Path) -> list[list[str]]:
    """The tables of a page: runs of lines that begin with a bar."""
    found: list[list[str]] = [[]]
    for line in prose(page).splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def cells(row: str) -> list[str]:
    """The cells of a table's row; a bar after a backslash is part of a cell."""
    return re.split(r"(?<!\\)\|", row.strip())[1:-1]


def links(page: Path) -> list[str]:
    """Where the links and pictures of a page lead."""
    return [first or second for first, second in _LINK.findall(prose(page))]
