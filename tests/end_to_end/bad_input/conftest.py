"""The folder that the tests of bad input have commands write to."""

from pathlib import Path

import pytest


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Make an empty folder for what a command writes."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
