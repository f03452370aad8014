"""Plans for less hardware are tried: the fastest program wins, and the pipeline's text makes it again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from smalti.backends.program import container
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import Compilation, start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.optimization import Optimization
from smalti.compiler.compilation.pipelines import Insertion
from smalti.compiler.compilation.plan_trials import MOST_LAYERS, MOST_LAYERS_OF_FEW_TRIALS
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.network_schedule import NetworkSchedule

from tests.commit_seed import share_of_commit
from tests.networks import weights
from tests.networks.graph import Graph, tensor
from tests.networks.more_hardware.layers import LAYERS

LAYER = "conv_3x3"
"""A layer of which `tile-plan` does not choose the best plan at first."""
CORES = (1, 2, 3, 5, 8)
SOME_CORES = share_of_commit(CORES, 5)
"""Those for which it is compiled with each commit, as tests/commit_seed.py chooses."""


@pytest.fixture(scope="module")
def start() -> Compilation:
    layer = LAYERS[LAYER]
    options = CompileOptions(None, None, "f32")
    compilation = start_from_model(layer.model(LAYER), options)
    compilation.lower_to("top")
    return compilation


@pytest.fixture(scope="module")
def tried(start: Compilation) -> Compilation:
    """The layer with the best of the plans that are tried."""
    return compiled(start)


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


def test_another_plan_than_the_first_one_is_chosen(tried: Compilation):
    planned = [text for text in tried.pipeline if text.startswith("tile-plan")]
    assert planned != ["tile-plan"]


@pytest.mark.share(3)
@pytest.mark.parametrize(
    "cores",
    [n if n in SOME_CORES else pytest.param(n, marks=pytest.mark.slow) for n in CORES],
)
def test_a_plan_for_less_hardware_is_a_candidate(
    start: Compilation, tried: Compilation, cores: int
):
    assert cycles_of(tried) <= cycles_of(compiled(start, cores=cores))


def test_the_pipeline_makes_the_program_again(start: Compilation, tried: Compilation):
    again, ctx = start.module.clone(), start.ctx.fork()
    run_pipeline(ctx, again, list(parse_pipeline(",".join(tried.pipeline))))
    same = Compilation(again, ctx, CompileOptions())
    assert container.write(same.assemble()) == container.write(tried.assemble())


def test_a_schedule_is_obeyed(start: Compilation, tried: Compilation):
    """There is one plan for a complete schedule, with or without trials."""
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


def branches() -> Graph:
    """A network of convolutions in branches, all of which several cores need the weights of."""
    graph = Graph(0)
    before = [graph.add(weights.he_normal(0, f"w{i}", (64, 64, 3, 3), 576)) for i in range(4)]
    pads = [1, 1, 1, 1]
    first = graph.op("Conv", ["x", before[0]], "a", pads=pads)
    others = [graph.op("Conv", [first, w], f"b{i}", pads=pads) for i, w in enumerate(before[1:])]
    graph.op("Concat", others, "y", axis=1)
    return graph


@pytest.mark.share(3)
def test_few_plans_are_tried_for_some_more_layers():
    x, y = (tensor(name, 3, count, 14, 14) for name, count in (("x", 64), ("y", 192)))
    model = branches().model("branches", [x], [y], 17)
    start = start_from_model(model, CompileOptions(calibration="random:0"))
    start.lower_to("tpu")
    tried = compiled(start)
    (planned,) = (text for text in tried.pipeline if text.startswith("tile-plan"))
    once, ctx = start.module.clone(), start.ctx.fork()
    texts = [text.replace(planned, "tile-plan") for text in tried.pipeline]
    run_pipeline(ctx, once, list(parse_pipeline(",".join(texts))))
    assert cycles_of(tried) <= cycles_of(Compilation(once, ctx, CompileOptions()))
    layers = tried.schedule
    assert MOST_LAYERS < len(layers) <= MOST_LAYERS_OF_FEW_TRIALS
