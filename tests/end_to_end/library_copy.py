"""A copy of the library that a page changes: new files, and lines that go into files that are there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .markdown_pages import ROOT, Block

_FOLDERS = ("dialects", "passes", "backends", "compiler", "tools")


def copy_library(folder: Path) -> Path:
    """Copy the library to `folder`, from which Python imports it as the package `smalti`; return the package."""
    package = folder / "smalti"
    shutil.copytree(ROOT / "tools" / "package", package)
    for name in _FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "*.md")
        shutil.copytree(ROOT / name, package / name, ignore=ignored)
    return package


def apply_block(block: Block, package: Path) -> None:
    """Write the new file that a block is, or make the changes that it shows.

    Raises AssertionError if the file is there already, or the lines to change are not there exactly once.
    """
    file = package / block.name
    if block.role == "new":
        assert not file.exists(), f"{block.name} is there already"
        file.write_text(block.text, encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    for hunk in re.split(r"^@@\n", block.text, flags=re.MULTILINE):
        before, after = _lines(hunk, " -"), _lines(hunk, " +")
        assert text.count(before) == 1, f"{block.name} has {text.count(before)} times:\n{before}"
        text = text.replace(before, after)
    file.write_text(text, encoding="utf-8")


def _lines(hunk: str, marks: str) -> str:
    """Return the lines of a hunk that begin with one of `marks`, without it."""
    return "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in marks)
