"""The folders of the tests mirror those of the library: what tests a folder is found under the same path."""

from pathlib import Path

import pytest

from tests.shared_files import ROOT

MIRRORS = {
    "tests/unit": "",
    "tests/lit/passes": "passes",
}
"""Folders of tests, each with the library's folder that it mirrors."""
DATA = {"Inputs", "Output", "__pycache__"}
"""Folders beside tests that hold no tests."""


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
