"""Benchmarks run when they are asked for: with --benchmark-only, or with --runslow as CI does."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips every benchmark where neither option is given: they take minutes, and assert little."""
    if config.getoption("--runslow") or config.getoption("benchmark_only"):
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="a benchmark: give --benchmark-only"))
