"""Fixtures for all tests: where models and data lie that are not part of the project."""

from pathlib import Path

import pytest
from hypothesis import settings
from smalti.tools.lit_runner.golden_test import add_update_option

from .commit_seed import is_of_commit, replay
from .shared_files import ROOT, SHARED

# How long an example takes says nothing where others work on the machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared_file():
    """A function from a path below the shared folder to the file; skips the test where it is absent."""

    def find(relative: str) -> Path:
        path = SHARED / relative
        if not path.is_file():
            pytest.skip(
                f"{relative} is not here: public data, not part of the project (set SMALTI_SHARED)"
            )
        return path

    return find


@pytest.fixture(scope="session")
def digits_model() -> Path:
    """The demo's network, which is part of the project."""
    return ROOT / "compiler" / "demo" / "digits_mobilenet.onnx"


@pytest.fixture(scope="session")
def cifar10_model() -> Path:
    """A MobileNetV2 for CIFAR-10, which is part of the project's tests."""
    return ROOT / "tests" / "data" / "cifar10_mobilenetv2.onnx"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --runslow, and --update-golden for golden tests and pages."""
    parser.addoption("--runslow", action="store_true", help="run tests marked slow")
    add_update_option(parser)


def pytest_report_header() -> str:
    """What tells which shares of sweeps are run."""
    return replay()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked slow are skipped unless --runslow is given, and those marked share(parts) with most commits, unless
    what they expect is written anew.
    """
    if config.getoption("--runslow"):
        return
    for item in items:
        share = item.get_closest_marker("share")
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="a long sweep: give --runslow"))
        elif not (
            share is None
            or config.getoption("--update-golden")
            or is_of_commit(item.nodeid, *share.args)
        ):
            item.add_marker(pytest.mark.skip(reason="runs with other commits: give --runslow"))
