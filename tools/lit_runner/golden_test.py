"""Golden tests for pytest: which files they are, the option that refreshes them, and the check of one.

FILES = golden_files(Path(__file__).parent)

@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path, tmp_path, pytestconfig):
    check(path, tmp_path, refresh=pytestconfig.getoption("--update-golden"))
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .golden_update import COMMAND, is_generated, update
from .shell import run, run_lines, substituted

_NO_TESTS = {"Output", "Inputs"}
"""Folders whose files are written or read by tests, and are none themselves."""


def add_update_option(parser: Any) -> None:
    """Add `--update-golden` to a parser of pytest: call this in `pytest_addoption`."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the expected text of generated golden tests anew",
    )


def golden_files(folder: Path) -> list[Path]:
    """Return the golden tests below a folder, sorted."""
    found = folder.rglob("*.mlir")
    return sorted(path for path in found if not _NO_TESTS & set(path.relative_to(folder).parts))


def check(path: Path, temporary: Path, *, refresh: bool = False) -> None:
    """Run the RUN lines of a golden test; with `refresh`, write its expected text first, if it is generated.

    Args:
        path: the golden test.
        temporary: a folder for the files that it writes.
        refresh: whether to write the expected text anew.

    Raises:
        AssertionError: if the file has no RUN line, or one of them fails.
        MissingProgram: if a program is not installed here.
        CannotUpdate: if the expected text cannot be written from the output.
    """
    if refresh:
        update(path, temporary / "file_of_a_golden_test")
    lines = run_lines(path)
    if not lines:
        raise AssertionError(f"{path} has no RUN line")
    generated = is_generated(path.read_text(encoding="utf-8"))
    hint = f"refresh it: {COMMAND}" if generated else "written by hand: change it by hand"
    for line in lines:
        line = substituted(line, path, temporary / "t")
        code, out, err = run(line)
        if code != 0:
            raise AssertionError(f"{line}\nexit code {code}\n{err}\n{out[-4000:]}\n{path}: {hint}")
