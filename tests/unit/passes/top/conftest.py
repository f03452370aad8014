"""What tests of several passes on top IR use."""

from collections.abc import Callable
from pathlib import Path

import pytest
from smalti.passes.top.calibration_table import Ranges, table_of, write_table


@pytest.fixture
def table(tmp_path: Path) -> Callable[[Ranges | str | bytes], str]:
    """A function that writes the calibration table of ranges, or a text in its place, and returns its path."""

    def write(content: Ranges | str | bytes) -> str:
        path = tmp_path / "x.calibration"
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            write_table(table_of(content), path)
        return str(path)

    return write
