"""What the pages show is what the commands print; their tables are whole and their links lead somewhere."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from smalti.passes.registry import PASSES
from smalti.tools import main as smalti
from smalti.tools import opt
from smalti.tools.reference.command_page import command_page

from .library_copy import apply_block, copy_library
from .markdown_pages import ROOT, Block, blocks, cells, links, pages, prose, tables

PAGES = pages()
SHOWN_ONLY = {
    "CONTRIBUTING.md",
    "tests/benchmarks/README.md",
    "tests/networks/README.md",
    "tests/networks/models.md",
}
"""The pages whose `sh` blocks are not run: their commands take minutes or change the checkout."""

PROGRAMS: dict[str, Callable[[list[str]], int]] = {"smalti": smalti.main, "smalti-opt": opt.main}
"""What pages call most; all but the first command of a page run in the process of the tests."""

INSTALL = "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/"
"""The begin of README's first command; a slow test of its own runs it as it stands."""

WHOLE_SUITE = "bash tests/run.sh"
"""README's second command, which runs these tests: CI does."""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def in_shares(found: Iterable[Path]) -> Iterator[object]:
    """Of the pages with commands all but README, which newcomers read, in shares that change with the commit."""
    for page in found:
        is_first = name(page) == "README.md"
        yield page if is_first else pytest.param(page, marks=pytest.mark.share(3))


RUN = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]


def test_the_pages_are_found():
    found = {name(page) for page in RUN}
    assert found >= {
        "README.md",
        "tools/your_own_model.md",
        "dialects/one_convolution.md",
        "dialects/first_op.md",
        "passes/first_pass.md",
        "passes/tile/how_a_network_becomes_a_schedule.md",
        "passes/tile/schedules.md",
        "passes/tile/your_own_planner.md",
        "backends/instructions/first_instruction.md",
        "backends/targets/first_target.md",
        "compiler/driver/watching_passes.md",
        "compiler/debugging/finding_a_fault.md",
    }


@pytest.mark.parametrize("page", [*in_shares(RUN)], ids=name)
def test_commands(page: Path, tmp_path: Path, pytestconfig: pytest.Config):
    """Every command of a page prints what the page shows, in a folder with the files that the page writes; and pictures
    that commands draw are those that the page shows.

    With --update-golden, the page gets what the commands print and draw now, unless `...` stands for a part of it.
    """
    refresh = pytestconfig.getoption("--update-golden")
    own = tmp_path / "library"
    is_started = False  # a command as a process of its own
    for block in blocks(page):
        if block.role in ("new", "change"):
            package = own / "smalti" if own.exists() else copy_library(own)
            apply_block(block, package)
        elif block.role == "file":
            (tmp_path / block.name).write_text(block.text, encoding="utf-8")
        elif block.role == "in":
            assert_quoted(block, tmp_path / block.name)
        elif block.language == "console":
            for command, expected in block.commands():
                if command == WHOLE_SUITE:
                    continue
                own_command = command.removeprefix(INSTALL)
                words = words_of_program(own_command)
                if words is None or not is_started or own.exists():
                    modules = own if own.exists() else ROOT
                    printed = output_of(own_command, expected, tmp_path, modules)
                    is_started = True
                else:
                    printed = output_in_process(words, expected, tmp_path)
                if refresh and "..." not in expected and printed != expected.rstrip():
                    replace_output(page, command, expected, printed)
                else:
                    assert_printed(own_command, expected, printed)
    for drawn in [tmp_path / link for link in links(page) if (tmp_path / link).suffix == ".svg"]:
        if drawn.is_file():
            shown = page.parent / drawn.name
            if refresh:
                shown.write_bytes(drawn.read_bytes())
            assert shown.read_bytes() == drawn.read_bytes(), f"{name(page)} shows an old {shown}"


def replace_output(page: Path, command: str, expected: str, printed: str) -> None:
    """Write into a page what a command prints now."""
    text, shown = page.read_text(encoding="utf-8"), f"$ {command}\n{expected}"
    assert text.count(shown) == 1, f"{name(page)} has not exactly one $ {command}"
    now = f"$ {command}\n{printed}\n" if printed else f"$ {command}\n"
    page.write_text(text.replace(shown, now), encoding="utf-8")


def words_of_program(command: str) -> list[str] | None:
    """The words of a command that is one of `smalti` or `smalti-opt` alone, without anything that only a shell
    understands and without a plugin, which would stay loaded for later tests; None of others.
    """
    if re.search(r"[|&;<>$`*?\[\]{}()~#!\\\n]", command):
        return None
    words = shlex.split(command)
    is_alone = words[0] in PROGRAMS and not any(word.startswith("--load-plugin") for word in words)
    return words if is_alone else None


def output_in_process(words: list[str], expected: str, folder: Path) -> str:
    """Run one of our programs in this process, which saves a second of imports; as `output_of`."""
    name, *arguments = words
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "100")
        patch.setattr(sys, "argv", words)
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
            try:
                code = PROGRAMS[name](arguments)
            except SystemExit as stop:
                code = int(stop.code or 0)
    printed = shown.getvalue()
    assert (code == 0) == ("error:" not in expected), printed
    return printed.rstrip()


def output_of(command: str, expected: str, folder: Path, modules: Path = ROOT) -> str:
    """Run a command and return what it prints; it ends well unless an error is expected.

    Python imports from `modules` before what is installed.
    """
    scripts = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(modules),
        "COLUMNS": "100",
    }
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert (done.returncode == 0) == ("error:" not in expected), done.stdout
    return done.stdout.rstrip()


def assert_printed(command: str, expected: str, printed: str) -> None:
    """What a command prints is what was expected, where `...` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.rstrip().split("..."))
    assert re.fullmatch(pattern, printed, re.DOTALL), f"$ {command}\n{printed}"


def assert_quoted(block: Block, file: Path) -> None:
    """Each line of the block stands in the file, in this order."""
    text = file.read_text(encoding="utf-8")
    lines = iter(re.sub(r" loc\(.*\)$", "", line.strip()) for line in text.splitlines())
    for line in block.text.splitlines():
        if line.strip() != "…":
            assert line.strip() in lines, f"{file.name} has no line (or has it earlier): {line}"


@pytest.mark.slow
def test_the_first_command_in_a_fresh_checkout(tmp_path: Path):
    """README's first command as it stands, in a copy of the checkout that has nothing installed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for file in listed:
        if (ROOT / file).is_file():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    first = next(block for block in blocks(ROOT / "README.md") if block.language == "console")
    ((command, expected),) = first.commands()
    assert command.startswith(INSTALL)
    printed = output_of(command, expected, tmp_path)
    assert_printed(command, f"...{expected}", printed)  # pip may warn


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_that_are_not_run_stand_where_they_may(page: Path):
    """A command is run unless its page may hold commands that are shown only."""
    kinds = {block.language for block in blocks(page)}
    assert not kinds & {"bash", "shell"}, "write console, or sh for commands that are not run"
    assert "sh" not in kinds or name(page) in SHOWN_ONLY


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_tables(page: Path):
    """Each table is a head, a rule and rows with as many cells; no empty line parts it."""
    for table in tables(page):
        assert len(table) > 2, f"a table without rows, or parted by an empty line: {table}"
        for row in table:
            assert row.endswith("|"), row
            assert len(cells(row)) == len(cells(table[0])), row
        assert all(re.fullmatch(r" ?:?-{3,}:? ?", cell) for cell in cells(table[1])), table[1]
        for row in table[2:]:
            assert not all(re.fullmatch(r" ?:?-+:? ?", cell) for cell in cells(row)), row


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links(page: Path):
    """Each link to a file leads to one, and to a heading that it has."""
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{name(page)} links to {link}"


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub names them in links."""
    heads = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads)
    return {*words, *re.findall(r'<a id="([^"]+)"', prose(page))}


@pytest.mark.parametrize("page", [page for page in RUN if page in PAGES], ids=name)
def test_flags_in_the_prose(page: Path):
    """A flag that a page names is one of a program of ours, or a pass."""
    known = command_page()
    others = {"runslow", "update-golden", "check", "list", "write", "benchmark-only"}
    others |= {"level", "like", "package", "decompose"}  # of new_pass, new_op and new_target
    others |= {"aic-profiling-type", "time"}  # of qaic-runner
    for code in re.findall(r"`([^`\n]+)`", prose(page)):
        for flag in re.findall(r"(?:^|\s)--([a-z][a-z-]+)", code):
            assert f"--{flag}" in known or flag in PASSES or flag in others, f"--{flag}"


def test_places_of_the_glossary():
    """Each row of the glossary names a file, and a word of it."""
    page = ROOT / "dialects" / "glossary.md"
    rows = [cells(row) for table in tables(page) for row in table[2:]]
    assert len(rows) >= 30
    words = [word for word, _, _ in rows]
    assert len(set(words)) == len(words)
    for word, _, place in rows:
        match = re.fullmatch(r" \[(\S+)\]\(\S+\)(?: `(\w+)`)? ", place)
        assert match, f"{word}: {place}"
        file, identifier = match.groups()
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"\b{identifier or ''}\b", text), f"{word}: {file} has no {identifier}"
