"""The reference pages are up to date, and the examples in them are IR that round-trips."""

import re
from functools import cache

import pytest
from smalti.backends.instructions.instruction_set import INSTRUCTIONS
from smalti.dialects.context import DIALECTS, make_context
from smalti.dialects.ir.example import documentation, runnable
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.registry import PASSES
from smalti.tools.reference.__main__ import main
from smalti.tools.reference.dialect_page import DOCUMENTED, documented_ops
from smalti.tools.reference.pages import PAGES, stale_pages

EXAMPLES = {
    **{op.name: op for name in DOCUMENTED for op in documented_ops(DIALECTS[name]())},
    **{f"isa.{each.mnemonic}": each for each in INSTRUCTIONS},
}


def squeezed(text: str) -> str:
    """Text with every run of white space as one blank."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_parses_and_is_written_as_it_is_printed(name: str):
    words, example = documentation(EXAMPLES[name])
    assert words, "what does it do?"
    assert example is not None, "an example is the last part of the docstring"
    printed = print_module(
        parse_module(runnable(example), make_context(), "example"), debug_info=False
    )
    assert squeezed(_without_hash(example)) in squeezed(_without_hash(printed))
    assert print_module(parse_module(printed, make_context()), debug_info=False) == printed


def _without_hash(text: str) -> str:
    return re.sub("sha256:[0-9a-f]+", "sha256", text)


def test_pages_are_up_to_date(capsys: pytest.CaptureFixture[str]):
    assert main(["--check"]) == 0, capsys.readouterr()


def test_pages_hold_everything():
    page_of = cache(lambda page: PAGES[page]())
    for name in EXAMPLES:
        dialect, _, op = name.partition(".")
        is_instruction = dialect == "isa" and name not in ("isa.program", "isa.stream")
        page = (
            "backends/instructions/reference.md"
            if is_instruction
            else f"dialects/reference/{dialect}.md"
        )
        assert f"## `{op if is_instruction else name}`" in page_of(page)
    for name in PASSES:
        assert f"## `{name}`" in page_of("passes/reference.md")


def test_stale_page_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Of the pages only one is made anew here: the others were in the test before."""
    for page in [*PAGES]:
        if page != "passes/reference.md":
            monkeypatch.delitem(PAGES, page)
    monkeypatch.setitem(PAGES, "passes/reference.md", lambda: "another page")
    assert stale_pages() == ["passes/reference.md"]
    assert main(["--check"]) == 1
    assert "stale: passes/reference.md" in capsys.readouterr().err
