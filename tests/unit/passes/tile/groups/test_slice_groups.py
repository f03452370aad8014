"""Groups of layers, computed slice by slice, compute the same as the layers one after the other: to the bit, whatever
the slices, halos, cores and places.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.interpreter.tpu import run_tpu
from smalti.backends.program.assemble import assemble
from smalti.backends.simulator.simulate import simulate
from smalti.dialects import tile, tpu
from smalti.dialects.ir.context import weights_of
from smalti.dialects.tile.schedule import Schedule, ScheduleAttr
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.groups.make_group import group_layers
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ..tilers.random_network import Network

SETTINGS = settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FINISH = "tile-cut-to-local-memory,tile-order-engines{{prefetch={prefetch}}},tile-assign-addresses,convert-tile-to-isa"


def convolution(
    network: Network,
    name: str,
    x: SSAValue,
    channels: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    groups: int = 1,
    residual: SSAValue | None = None,
) -> SSAValue:
    """Add a convolution whose outputs are as many as its inputs, divided by the stride."""
    inputs = x.type.get_shape()[1]  # pyright: ignore[reportAttributeAccessIssue]
    pad = kernel // 2
    return network.add(
        tpu.Conv2dOp(
            name, x, network.parameters(channels, inputs // groups, kernel, kernel),
            residual=residual, element=network.element(), strides=(stride, stride),
            pads=(pad, pad, pad, pad), dilations=(1, 1), groups=groups, accumulator="i32",
        )
    )  # fmt: skip


def pool(network: Network, name: str, x: SSAValue, kernel: int, stride: int) -> SSAValue:
    """Add a maximum over windows."""
    return network.add(
        tpu.MaxPoolOp(
            name, x, kernel=(kernel, kernel), strides=(stride, stride), pads=(1, 1, 1, 1), dilations=(1, 1)
        )
    )  # fmt: skip


def grouped(
    network: Network, result: SSAValue, first: str, group: tile.Group, schedule: Schedule
) -> tuple[ModuleOp, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return a program in which the layers from `first` to the result are a group, and all layers have a schedule; its
    inputs, and what it must compute.
    """
    last = result.owner.result_name.data  # pyright: ignore[reportAttributeAccessIssue]
    module = network.module(result, "default-8c")
    inputs = network.values()
    want = run_tpu(module, weights_of(network.ctx), inputs)
    run_pipeline(network.ctx, module, parse_pipeline("convert-tpu-to-tile"))
    program = tile.program_of(module)
    names = [op.tpu_name for op in program.layers]
    layers = program.layers[names.index(first) : names.index(last) + 1]
    for op in program.layers:
        op.properties["schedule"] = ScheduleAttr(schedule)
    for op in layers[:-1]:
        op.properties["schedule"] = ScheduleAttr(Schedule(output="local").over(schedule))
    group_layers(program, layers, group)
    module.verify()
    return module, inputs, want


def check(
    network: Network,
    result: SSAValue,
    first: str,
    group: tile.Group,
    *,
    plan: bool = True,
    prefetch: int = 64,
    cores: int = 8,
    schedule: Schedule = Schedule(),  # noqa: B008 it is frozen
) -> ModuleOp:
    """Carry out a group; check each stage against the network, the last one with the sanitizer. Return the tiles."""
    module, inputs, want = grouped(network, result, first, group, schedule)
    store = weights_of(network.ctx)
    stages = [f"tile-plan{{cores={cores}}}"] if plan else []
    stages += ["tile-slice-groups", f"tile-split-over-cores{{cores={cores}}}"]
    for stage in [*stages, "tile-cut-to-local-memory"]:
        run_pipeline(network.ctx, module, parse_pipeline(stage))
        same(want, run_tile(module, store, inputs))
    tiles = module.clone()
    order = f"tile-order-engines{{prefetch={prefetch}}}"
    run_pipeline(
        network.ctx, module, parse_pipeline(f"{order},tile-assign-addresses,convert-tile-to-isa")
    )
    found = simulate(assemble(module, network.ctx), inputs, mode="both", sanitize=True)
    assert found.outputs is not None
    same(want, found.outputs)
    return tiles


def same(want: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> None:
    """Check that outputs are equal."""
    for name, array in want.items():
        np.testing.assert_array_equal(got[name], array)


def chain(network: Network, kinds: Sequence[str], batch: int, channels: int, size: int) -> SSAValue:
    """Return the result of layers of these kinds, named by their numbers."""
    x = network.input(batch, channels, size, size)
    for number, kind in enumerate(kinds):
        name = f"l{number}"
        have = x.type.get_shape()[1]  # pyright: ignore[reportAttributeAccessIssue]
        if kind == "conv":
            x = convolution(network, name, x, channels)
        elif kind == "wide":
            x = convolution(network, name, x, 2 * channels, kernel=5)
        elif kind == "step":
            x = convolution(network, name, x, channels, stride=2)
        elif kind == "skip":
            x = convolution(network, name, x, channels, kernel=1, stride=2)
        elif kind == "pointwise":
            x = convolution(network, name, x, 40, kernel=1)
        elif kind == "depthwise":
            x = convolution(network, name, x, have, groups=have)
        elif kind == "pool":
            x = pool(network, name, x, 3, 2)
        else:
            x = network.add(tpu.ClampOp(name, x, clamp_low=-1.5))
    return x


HALOS = ("kept", "recomputed")
CHAINS = {
    "conv-conv": ("conv", "conv"),
    "conv-depthwise-conv": ("pointwise", "depthwise", "pointwise"),
    "conv-pool": ("wide", "pool"),
}


@pytest.mark.parametrize("cores", (1, 8))
@pytest.mark.parametrize("halos", HALOS)
@pytest.mark.parametrize("kinds", CHAINS.values(), ids=CHAINS)
def test_slices_of_rows_compute_the_same(kinds: tuple[str, ...], halos: tile.Halos, cores: int):
    network = Network(True, np.random.default_rng(1))
    result = chain(network, kinds, 1, 24, 18)
    check(network, result, "l0", tile.Group(2, 3, halos), cores=cores)


@pytest.mark.parametrize("order", ("depth_first", "pipelined"))
@pytest.mark.parametrize("halos", HALOS)
def test_a_residual_of_the_group_is_sliced_too(halos: tile.Halos, order: tile.SliceOrder):
    network = Network(True, np.random.default_rng(2))
    x = convolution(network, "first", network.input(1, 16, 16, 16), 32)
    y = convolution(network, "second", x, 32)
    result = convolution(network, "third", y, 32, residual=x)
    check(network, result, "first", tile.Group(2, 4, halos, order))


@pytest.mark.parametrize("halos", HALOS)
def test_slices_of_a_batch_compute_the_same(halos: tile.Halos):
    network = Network(True, np.random.default_rng(3))
    result = chain(network, ("conv", "step", "conv"), 4, 16, 12)
    check(network, result, "l0", tile.Group(0, 4, halos))
    check_again = Network(True, np.random.default_rng(3))
    result = chain(check_again, ("conv", "step", "conv"), 4, 16, 12)
    check(check_again, result, "l0", tile.Group(0, 2, halos), cores=2)


@pytest.mark.share(3)
@SETTINGS
@given(st.integers(0, 2**32 - 1), st.data())
def test_any_group_computes_the_same(seed: int, data: st.DataObject):
    draw = data.draw
    network = Network(True, np.random.default_rng(seed))
    kinds = draw(
        st.lists(
            st.sampled_from(
                ("conv", "wide", "step", "skip", "pointwise", "depthwise", "pool", "clamp")
            ),
            min_size=1,
            max_size=4,
        )
    )
    batch = draw(st.integers(1, 3))
    result = chain(
        network, kinds, batch, draw(st.sampled_from((3, 16, 24))), draw(st.integers(9, 16))
    )
    shape = result.type.get_shape()  # pyright: ignore[reportAttributeAccessIssue]
    axis = draw(st.sampled_from((0, 2, 3)))
    if not all(shape):
        return
    group = tile.Group(
        axis,
        draw(st.integers(1, min(shape[axis], 5))),
        draw(st.sampled_from(HALOS)),
        draw(st.sampled_from(("depth_first", "pipelined"))),
    )
    first = draw(st.integers(0, len(kinds) - 1))
    schedule = Schedule()
    if draw(st.booleans()):
        schedule = Schedule(
            split=tuple(draw(st.sampled_from(((1, 1, 2, 1), (1, 1, 1, 2), (1, 1, 1, 1)))))
        )
    try:
        check(
            network, result, f"l{first}", group, cores=draw(st.sampled_from((2, 3, 8))),
            prefetch=draw(st.sampled_from((0, 64))), schedule=schedule,
        )  # fmt: skip
    except DiagnosticError as error:
        assert "cannot be divided" in error.message, error
