"""What every pass says of itself: words, options with documentation, and all that it counts."""

from pathlib import Path

import pytest
from smalti.compiler.driver import opt as driver
from smalti.passes.description import describe_options, describe_pass
from smalti.passes.registry import PASSES, get_pass
from smalti.passes.smalti_pass import SmaltiPass
from smalti.tools.lit_runner.shell import run, run_lines, substituted

from tests.shared_files import ROOT

GOLDEN = sorted((ROOT / "tests" / "lit" / "passes").rglob("*.mlir"))


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_says_what_it_does_takes_and_counts(name: str):
    described = describe_pass(name)
    assert described.summary.endswith((".", "FILE.")) and described.details
    assert all(option.documentation for option in described.options), described.options
    assert described.statistics and all(described.statistics.values())


def test_options_are_described_from_the_class():
    (slack,) = describe_options(get_pass("tile-assign-addresses"))
    assert (slack.name, slack.type, slack.default) == ("slack", "int", "12")
    (table,) = describe_options(get_pass("top-annotate-calibration"))
    assert (table.type, table.default) == ("str", None)
    (cores,) = describe_options(get_pass("tile-split-over-cores"))
    assert (cores.type, cores.default) == ("int|None", "")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_only_declared_statistics_are_counted(path: Path, tmp_path: Path, monkeypatch):
    ran: list[SmaltiPass] = []
    run_pipeline = driver.run_pipeline

    def recorded(ctx, module, passes, **options):
        ran.extend(passes)
        run_pipeline(ctx, module, passes, **options)

    monkeypatch.setattr(driver, "run_pipeline", recorded)
    for line in run_lines(path):
        run(substituted(line, path, tmp_path / "t"))
    assert ran
    for each in ran:
        assert set(each.statistics) <= set(each.counts), each.name
