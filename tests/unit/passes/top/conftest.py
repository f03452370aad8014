"""What tests of several passes on top IR use."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def table(tmp_path: Path) -> Callable[[Any], str]:
    """A function that writes a calibration table, or a text in its place, and returns its path."""

    def write(content: Any) -> str:
        path = tmp_path / "ranges.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write
