"""The golden tests of smalti_gates: `python -m pytest tests/out_of_tree/golden_tests.py`.

They run in a process of their own, because the plugin's ops would stand in the tables of Smalti's own tests.
"""

from pathlib import Path

import pytest
from smalti.tools.lit_runner.golden_test import check, golden_files

FILES = golden_files(Path(__file__).parent / "golden")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path: Path, tmp_path: Path, pytestconfig: pytest.Config):
    check(path, tmp_path, refresh=pytestconfig.getoption("--update-golden"))
