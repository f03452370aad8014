"""Whatever the schedule, integers are the same to the bit: layers on any cores, in any parts and tiles, whose outputs
stay on chip or do not, and whose weights are multicast or are not.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.program.assemble import assemble
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import load_target
from smalti.dialects import tile, tpu
from smalti.dialects.ir.context import weights_of
from smalti.dialects.ir.weights import WeightStore
from smalti.dialects.tile.schedule import Schedule, ScheduleAttr
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.planning.layer_parts import possible_parts
from smalti.passes.tile.tiler_bases.constants import Constants
from smalti.passes.tile.tiler_bases.layer import Buffer, Layer
from smalti.passes.tile.tilers.registry import tiler_of
from smalti.passes.tiling.cost import CostModel
from xdsl.dialects.builtin import ModuleOp

from .random_network import Network, check
from .test_tiling_equivalence import TINY

CORES = 4
SETTINGS = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a target with hardly any memory; return its path."""
    path = tmp_path_factory.mktemp("targets") / "tiny.toml"
    path.write_text(TINY)
    return str(path)


def drawn_schedule(
    data: st.DataObject, op: tile.LayerOp, costs: CostModel, store: WeightStore
) -> Schedule | None:
    """Draw a schedule that the layer can be carried out by; None if what was drawn cannot."""
    draw = data.draw
    buffers = {each: Buffer.of(each.owner) for each in (*op.inputs, op.output)}  # pyright: ignore[reportArgumentType]
    layer = Layer.of(op, buffers)
    tiler = tiler_of(layer, costs)
    split = tuple(draw(st.integers(1, 3)) if unit else 1 for unit in tiler.units())
    if prod(split) > CORES:
        return None
    cores = tuple(draw(st.permutations(range(CORES)))[: prod(split)])
    decided = Schedule(cores=cores, split=split)
    try:
        (parts,) = possible_parts(layer, tiler, decided, CORES)
    except DiagnosticError:
        return None
    layer.siblings = list(parts.windows)
    tiler, tiles = tiler_of(layer, costs), []
    for window in parts.windows:
        planned = tiler.plan(window, Schedule(), Constants(store))
        if planned.tile is None:
            return decided
        tiles.append(tuple(draw(st.integers(1, size)) for size in planned.tile[0]))
    chosen = Schedule(cores=cores, split=split, tile=tuple(tiles))
    try:
        for number, window in enumerate(parts.windows):
            tiler.plan(window, chosen.of_part(number), Constants(store))
    except DiagnosticError:
        return decided
    return chosen


def check_on_simulator(network: Network, module: ModuleOp, prefetch: int) -> None:
    """Run a program of tiles on the simulator; check that it comes to its end, that its instructions wait for each
    other where they must, and that it computes what the tiles do.
    """
    store, inputs = weights_of(network.ctx), network.values()
    want = run_tile(module, store, inputs)
    order = f"tile-order-engines{{prefetch={prefetch}}}"
    stages = f"{order},tile-assign-addresses,convert-tile-to-isa"
    run_pipeline(network.ctx, module, parse_pipeline(stages))
    result = simulate(assemble(module, network.ctx), inputs, mode="both", sanitize=True)
    assert result.outputs is not None and result.timing is not None
    for name, array in want.items():
        np.testing.assert_array_equal(result.outputs[name], array)


@pytest.mark.share(3)
@SETTINGS
@given(st.integers(0, 2**32 - 1), st.data())
def test_any_schedule_computes_the_same(tiny: str, seed: int, data: st.DataObject) -> None:
    network = Network(True, np.random.default_rng(seed))
    draw = data.draw
    channels, size = draw(st.integers(1, 9)), draw(st.integers(3, 10))
    x = network.input(1, channels, size, size)
    depthwise = network.parameters(channels, 1, 3, 3)
    y = network.add(
        tpu.Conv2dOp(
            "depthwise", x, depthwise, element=network.element(), strides=(1, 1), pads=(1, 1, 1, 1),
            dilations=(1, 1), groups=channels, accumulator="i32",
        )
    )  # fmt: skip
    pointwise = network.parameters(draw(st.integers(1, 20)), channels, 1, 1)
    z = network.add(
        tpu.Conv2dOp(
            "pointwise", y, pointwise, element=network.element(), strides=(1, 1), pads=(0, 0, 0, 0),
            dilations=(1, 1), groups=1, accumulator="i32",
        )
    )  # fmt: skip
    result = network.add(
        tpu.MaxPoolOp("pool", z, kernel=(2, 2), strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1))
    )
    roomy = draw(st.booleans())
    target = "default-8c" if roomy else tiny
    costs = CostModel(load_target(target))

    def schedule(op: tile.LayerOp) -> None:
        found = drawn_schedule(data, op, costs, weights_of(network.ctx)) or Schedule()
        owner = op.output.owner
        if isinstance(owner, tile.GlobalOp) and owner.segment.data == "scratch":
            # In the tiny memories there is not always room for what stays.
            output = draw(st.sampled_from((None, "global", "local") if roomy else (None, "global")))
            found = replace(found, output=output)
        found = replace(found, weights=draw(st.sampled_from((None, "separate", "multicast"))))
        op.properties["schedule"] = ScheduleAttr(found)

    module = check(network, result, target, CORES, schedule)
    if roomy:
        check_on_simulator(network, module, draw(st.sampled_from((0, 1, 64))))


@pytest.mark.share(3)
@settings(SETTINGS, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.data())
def test_cores_that_need_weights_in_any_order_come_to_an_end(
    seed: int, data: st.DataObject
) -> None:
    """The parts of a layer have tiles and loops of their own, so that not all of their loads can be multicasts."""
    network, draw = Network(True, np.random.default_rng(seed)), data.draw
    x, rows = network.input(1, 16, 6, 4), 6
    for name in ("first", "second"):
        x = network.add(
            tpu.Conv2dOp(
                name, x, network.parameters(48 if name == "first" else 32, x.type.get_shape()[1], 1, 1),
                element=network.element(), strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1),
                groups=1, accumulator="i32",
            )
        )  # fmt: skip

    def schedule(op: tile.LayerOp) -> None:
        if op.tpu_name not in ("first", "second"):
            return
        parts = draw(st.sampled_from((2, 3)))
        channels = (16, 32, 48) if op.tpu_name == "first" else (16, 32)
        tiles = [
            (1, draw(st.sampled_from(channels)), draw(st.integers(1, rows // parts)), 4)
            for _ in range(parts)
        ]
        chosen = Schedule(
            cores=tuple(draw(st.permutations(range(CORES)))[:parts]),
            split=(1, 1, parts, 1),
            tile=tuple(tiles),
            order=tuple(
                draw(st.sampled_from(("channels_outer", "rows_outer"))) for _ in range(parts)
            ),
            block=16,
            weights="multicast",
        )
        op.properties["schedule"] = ScheduleAttr(chosen)

    module = check(network, x, "default-8c", CORES, schedule)
    check_on_simulator(network, module, draw(st.sampled_from((0, 1, 64))))
