"""README is short, and what it says besides its commands (test_pages.py runs those) is so."""

import re

from .markdown_pages import ROOT, blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_short():
    assert len(README.splitlines()) < 200


def test_the_two_commands():
    """CI runs README's second command; both name what exists."""
    assert "bash tests/run.sh" in README
    assert "bash tests/run.sh" in (ROOT / ".ci" / "run").read_text()
    assert ".venv/bin/smalti demo" in README


def test_the_lines_of_the_levels_are_real():
    """The line that the picture shows of each level begins a line of the page of one convolution."""
    picture = README.partition("## The levels")[2].partition("\n## ")[0]
    shown = [line.strip() for line in re.findall(r"^  │ {8}(.*)…$", picture, re.MULTILINE)]
    page = (ROOT / "dialects" / "one_convolution.md").read_text(encoding="utf-8")
    assert len(shown) == 4
    assert all(line in page for line in shown), shown


def test_the_pass_takes_20_lines():
    (code,) = [block.text for block in blocks(ROOT / "README.md") if block.language == "python"]
    assert len(re.findall(r"^.*\S.*$", code, re.MULTILINE)) <= 20
