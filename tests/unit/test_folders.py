"""Folders: those of the tests mirror those of the library, and none of the library's holds too many files."""

from pathlib import Path

import pytest

from tests.shared_files import ROOT
from tests.unit.test_import_direction import FOLDERS

MIRRORS = {
    "tests/unit": "",
    "tests/lit/passes": "passes",
}
"""Folders of tests, each with the library's folder that it mirrors."""
DATA = {"Inputs", "Output", "__pycache__"}
"""Folders beside tests that hold no tests."""
MOST_MODULES = 20
"""Modules in a folder, beyond which it has to be divided."""
LARGER: dict[str, str] = {}
"""Folders with more modules than that, each with the reason why it is not divided."""


def folders(mirror: str) -> list[Path]:
    """The folders below a folder of tests, relative to it."""
    root = ROOT / mirror
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_dir())
    return sorted(path for path in found if not DATA & set(path.parts))


@pytest.mark.parametrize("mirror", MIRRORS)
def test_every_folder_of_tests_is_one_of_the_library(mirror: str):
    library = ROOT / MIRRORS[mirror]
    alone = [str(path) for path in folders(mirror) if not (library / path).is_dir()]
    assert folders(mirror) and not alone, f"{mirror}: no such folder in the library: {alone}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_folder_of_the_library_holds_too_many_modules(folder: str):
    for path in [ROOT / folder, *(path for path in (ROOT / folder).rglob("*") if path.is_dir())]:
        name = str(path.relative_to(ROOT))
        modules = {file.stem for file in path.glob("*.py")} - {"__init__"}
        assert len(modules) <= MOST_MODULES or name in LARGER, (
            f"{name} holds {len(modules)} modules"
        )
