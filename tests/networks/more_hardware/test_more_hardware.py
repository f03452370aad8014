"""More hardware makes no layer slower: 40 sweeps with few values each, a sixth of them with each commit, and among the
slow tests all of them, and four with all values.
"""

from __future__ import annotations

from functools import lru_cache

import pytest
from smalti.passes.top_to_tpu.precision.schemes import Quantize

from tests.commit_seed import share_of_commit

from .__main__ import counts, line
from .chosen import CHOSEN
from .layers import LAYERS
from .sweeps import AXES, Sweep, Sweeper, Swept


@lru_cache(maxsize=1)
def sweeper(layer: str, quantize: Quantize) -> Sweeper:
    """That of the test before where it is the same: tests of a layer follow one another."""
    return Sweeper(layer, quantize)


@pytest.mark.share(6)
@pytest.mark.parametrize("sweep", sorted(CHOSEN), ids=str)
def test_no_step_is_slower(sweep: Sweep):
    found = sweeper(sweep.layer, sweep.quantize).sweep(sweep.axis, is_quick=True)
    assert not found.violations, line(found)


@pytest.mark.slow
@pytest.mark.parametrize("sweep", share_of_commit(CHOSEN[::5], 2), ids=str)
def test_no_step_of_all_is_slower(sweep: Sweep):
    """Four of eight, others with each commit."""
    found = sweeper(sweep.layer, sweep.quantize).sweep(sweep.axis)
    assert not found.violations, line(found)


def test_the_fixed_sweeps_are_spread():
    assert len(set(CHOSEN)) == 40
    assert {sweep.layer for sweep in CHOSEN} == {*LAYERS} and len(LAYERS) == 18
    assert {sweep.axis for sweep in CHOSEN} == {*AXES}


def test_a_step_that_is_slower_is_told():
    sweep = Sweep("add", "f32", "lanes")
    found = Swept(sweep, (1, 2, 4), (1000, 1019, 1050))
    assert [value for value, _ in found.violations] == [4]
    assert "SLOWER" in line(found) and "4: 1,050 (+3.0%)" in line(found)
    assert counts([found]).splitlines()[-1].split() == ["lanes", "2%", "1", "1", "1"]
