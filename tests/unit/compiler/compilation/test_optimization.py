"""Levels and single effects of optimization, as options of passes, beside other options."""

from typing import Any

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.optimization import Optimization
from smalti.compiler.compilation.pass_change import PassChange
from smalti.compiler.compilation.pipelines import passes_of
from smalti.passes.registry import parse_pipeline, print_pipeline
from smalti.passes.tile.schedule_text import parse_schedule

PLAN, ORDER = 0, 4
"""Where the passes stand among those of level tile."""


def passes(optimization: Optimization, *changes: PassChange) -> list[str]:
    """The passes of level tile as pipeline text."""
    texts = passes_of("tile", target="default-8c", quantize="int8")
    for change in CompileOptions(changes=changes, optimization=optimization).pass_changes:
        texts = change.applied(texts)
    return print_pipeline(parse_pipeline(",".join(texts))).split(",")


@pytest.mark.parametrize(
    ("optimization", "plan", "order"),
    [
        (Optimization(), "tile-plan", "tile-order-engines"),
        (Optimization(2), "tile-plan", "tile-order-engines"),
        (Optimization(1), "tile-plan{splits=by-layer tiles=by-layer}", "tile-order-engines"),
        (
            Optimization(0),
            "tile-plan{on-chip=false multicast-weights=false splits=by-layer tiles=by-layer}",
            "tile-order-engines{prefetch=0}",
        ),
        (
            Optimization(0, on_chip=True, memory_effort=3),
            "tile-plan{multicast-weights=false splits=by-layer tiles=by-layer}",
            "tile-order-engines{prefetch=3}",
        ),
        (
            Optimization(on_chip=False, multicast_weights=False, split_factor=2),
            "tile-plan{on-chip=false multicast-weights=false parts=2}",
            "tile-order-engines",
        ),
        (
            Optimization(objective="throughput"),
            "tile-plan{objective=throughput}",
            "tile-order-engines",
        ),
    ],
)
def test_what_it_is_short_for(optimization: Optimization, plan: str, order: str):
    texts = passes(optimization)
    assert (texts[PLAN], texts[ORDER]) == (plan, order)


def test_options_of_passes_win():
    texts = passes(Optimization(0), PassChange.parse("tile-order-engines{prefetch=5}"))
    assert texts[ORDER] == "tile-order-engines{prefetch=5}"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"level": 3}, "there is no optimization level 3\n  hint: the levels are 0 to 2"),
        ({"split_factor": 0}, "split_factor is at least 1, got 0"),
        ({"memory_effort": -1}, "memory_effort is at least 0, got -1"),
        (
            {"objective": "speed"},
            "there is no objective 'speed'\n  hint: the objectives are latency and throughput",
        ),
    ],
)
def test_values_that_there_are_not(values: dict[str, Any], told: str):
    with pytest.raises(DiagnosticError) as caught:
        Optimization(**values)
    assert told in str(caught.value)


SCHEDULE = """\
"a" <output = local>
"b" <weights = multicast>
"c" <split = [2, 1, 2, 1]>
"d" <tile = [[1, 2], [3, 4], [1, 1]]>
"""


@pytest.mark.parametrize(
    ("optimization", "told"),
    [
        (Optimization(on_chip=False), ":1:1: error: --no-on-chip rules out what"),
        (Optimization(multicast_weights=False), ":2:1: error: --no-multicast-weights rules out"),
        (Optimization(split_factor=3), ":3:1: error: --split-factor 3 rules out what the schedule says of 'c'"),
        (Optimization(split_factor=2), ":3:1: error: --split-factor 2 rules out"),
    ],
)  # fmt: skip
def test_a_schedule_that_contradicts_an_effect(optimization: Optimization, told: str):
    with pytest.raises(DiagnosticError) as caught:
        CompileOptions(schedule=parse_schedule(SCHEDULE), optimization=optimization)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "optimization",
    [Optimization(0), Optimization(1), Optimization(split_factor=4, memory_effort=0, on_chip=True)],
)
def test_a_schedule_that_does_not(optimization: Optimization):
    CompileOptions(schedule=parse_schedule(SCHEDULE), optimization=optimization)


def test_effects_on_a_pass_that_is_left_out():
    left_out = (PassChange.disabling("tile-plan"),)
    CompileOptions(changes=left_out, optimization=Optimization(0, memory_effort=1))
    with pytest.raises(DiagnosticError) as caught:
        CompileOptions(changes=left_out, optimization=Optimization(split_factor=2))
    assert "pass 'tile-plan' is left out, and --split-factor applies to it" in str(caught.value)
