"""Plans for less hardware are tried: the fastest program wins, and the pipeline's text makes it again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from smalti.backends.program import container
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import Compilation, CompileOptions, start_from_model
from smalti.compiler.compilation.optimization import Optimization
from smalti.compiler.compilation.pipelines import Insertion
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.network_schedule import NetworkSchedule

from tests.networks.more_hardware.layers import LAYERS

LAYER = "conv_3x3"
"""A layer of which `tile-plan` does not choose the best plan at first."""


@pytest.fixture(scope="module")
def start() -> Compilation:
    layer = LAYERS[LAYER]
    options = CompileOptions(None, None, "f32")
    compilation = start_from_model(layer.model(LAYER), options)
    compilation.lower_to("top")
    return compilation


def compiled(start: Compilation, **options: object) -> Compilation:
    """A compilation that has come down to isa."""
    changed = replace(start.options, **options)
    result = Compilation(start.module.clone(), start.ctx.fork(), changed)
    result.lower_to("isa")
    return result


def cycles_of(compilation: Compilation) -> int:
    timing = simulate(compilation.assemble(), mode="timing").timing
    assert timing is not None
    return timing.cycles


def test_a_plan_for_less_hardware_is_a_candidate(start: Compilation):
    tried = compiled(start)
    planned = [text for text in tried.pipeline if text.startswith("tile-plan")]
    assert planned != ["tile-plan"]
    for cores in (1, 2, 3, 5, 8):
        assert cycles_of(tried) <= cycles_of(compiled(start, cores=cores))


def test_the_pipeline_makes_the_program_again(start: Compilation):
    tried = compiled(start)
    again, ctx = start.module.clone(), start.ctx.fork()
    run_pipeline(ctx, again, list(parse_pipeline(",".join(tried.pipeline))))
    same = Compilation(again, ctx, CompileOptions())
    assert container.write(same.assemble()) == container.write(tried.assemble())


def test_a_schedule_is_obeyed(start: Compilation):
    """There is one plan for a complete schedule, with or without trials."""
    tried = compiled(start)
    given = compiled(start, schedule=NetworkSchedule(tried.schedule.entries))
    assert str(given.schedule) == str(tried.schedule)
    assert "tile-plan" in given.pipeline


@pytest.mark.parametrize(
    "options",
    [
        {"optimization": Optimization(1)},
        {"insertions": (Insertion.parse("tile:cse"),)},
        {"insertions": (Insertion.parse("after=tile-plan:cse"),)},
        {"insertions": (Insertion.parse("before=convert-tile-to-isa:cse"),)},
    ],
    ids=["level", "at the end", "after the plan", "before the conversion"],
)
def test_one_plan_is_made(start: Compilation, options: dict[str, object]):
    """Below the highest level, and if passes of a user's own would run in each trial."""
    plans = [text for text in compiled(start, **options).pipeline if text.startswith("tile-plan")]
    assert plans in (["tile-plan"], ["tile-plan{splits=by-layer tiles=by-layer}"])
