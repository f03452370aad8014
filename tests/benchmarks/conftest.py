"""Benchmarks run when they are asked for, with --benchmark-only."""

from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent

Say = Callable[[str], None]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips every benchmark without that option: they take minutes, and assert little."""
    if config.getoption("benchmark_only"):
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="a benchmark: give --benchmark-only"))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Prints a line past pytest's capture."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n    {line}", end="")

    return say
