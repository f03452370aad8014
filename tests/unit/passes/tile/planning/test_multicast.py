"""Multicasts: which copies become one, in which order, and that no program made of them waits for itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.program.assemble import assemble
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import load_target
from smalti.dialects import tile, tpu
from smalti.dialects.context import make_context
from smalti.dialects.ir.target_attribute import set_target
from smalti.dialects.ir.text.module_text import verify
from smalti.dialects.tile.movement import events_of, group_of
from smalti.dialects.tile.schedule import Schedule, ScheduleAttr
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.planning.multicast import Multicasts
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from tests.unit.tile_programs import expected as computed
from tests.unit.tile_programs import images, two_layers, weights

from ..tilers.random_network import Network

SIZE = 64

EVERYTHING = Schedule(weights="multicast", activations="multicast")


class Loads:
    """Makes loads of `SIZE` elements of weights by cores, each into a buffer of its own."""

    def __init__(self, segment: str = "weights") -> None:
        seed = 1 if segment == "weights" else None
        self.weights = tile.GlobalOp("w", segment, [1 << 20], "i8", seed=seed)

    def of(self, core: int, places: list[int], **fields: int) -> list[Operation]:
        """Return the operations by which a core loads the weights at some places, in this order."""
        operations: list[Operation] = []
        for place in places:
            buffer = tile.AllocOp(core, [SIZE], "i8")
            box = {"source_offset": place * SIZE, "sizes": [SIZE], **fields}
            operations += [buffer, self.copy(core, buffer.output, **box)]
        return operations

    def copy(self, core: int, buffer: SSAValue, **fields: object) -> tile.CopyOp:
        """Return the load into a buffer."""
        strides = {"source_strides": [1], "target_strides": [1]}
        return tile.CopyOp(core, self.weights.output, buffer, **strides, **fields)


def groups(operations: list[Operation]) -> list[list[tuple[int, int]]]:
    """Return the core and the place of the members of each multicast, in order; of loads by themselves, too."""
    loads = [op for op in operations if isinstance(op, tile.CopyOp)]
    return [
        [(loads[i].core.value.data, loads[i].source_offset.value.data // SIZE) for i in event]
        for event in events_of(loads)
    ]


def joined(*places: list[int]) -> list[list[tuple[int, int]]]:
    """Return the multicasts of cores that load weights at these places."""
    loads = Loads()
    parts = [(core, loads.of(core, own)) for core, own in enumerate(places)]
    return groups(Multicasts().joined(parts, EVERYTHING))


def test_equal_loads_of_all_cores_become_one():
    assert joined([0, 1], [0, 1], [0, 1]) == [
        [(0, 0), (1, 0), (2, 0)],
        [(0, 1), (1, 1), (2, 1)],
    ]


def test_the_second_load_of_the_same_weights_meets_the_second_one():
    assert joined([0, 0, 0], [0, 0]) == [[(0, 0), (1, 0)], [(0, 0), (1, 0)], [(0, 0)]]


def test_loads_that_others_lack_stay_alone():
    assert joined([0, 5, 1], [0, 1]) == [[(0, 0), (1, 0)], [(0, 5)], [(0, 1), (1, 1)]]


def test_the_cores_that_agree_on_an_order_do_not_wait_for_others():
    assert joined([0, 1], [1, 0], [0, 1]) == [
        [(0, 0), (2, 0)],
        [(0, 1), (1, 1), (2, 1)],
        [(1, 0)],
    ]


def test_parts_of_one_core_follow_each_other():
    loads = Loads()
    parts = [(core, loads.of(core, [0])) for core in (0, 1, 0)]
    assert groups(Multicasts().joined(parts, EVERYTHING)) == [[(0, 0), (1, 0)], [(0, 0)]]


def test_loads_that_differ_stay_alone():
    loads = Loads()
    parts = [(0, loads.of(0, [0])), (1, loads.of(1, [0], pad=0)), (2, loads.of(2, [1]))]
    assert not any(group_of(op) for op in Multicasts().joined(parts, EVERYTHING))


def test_loads_of_tensors_stay_alone():
    loads = Loads("input")
    parts = [(core, loads.of(core, [0])) for core in range(2)]
    assert not any(group_of(op) for op in Multicasts().joined(parts, EVERYTHING))


def test_groups_are_numbered_after_those_that_are_there():
    loads = Loads()
    there = loads.of(0, [0], group=7)
    multicasts = Multicasts(there)
    parts = [(core, loads.of(core, [1])) for core in range(2)]
    operations = multicasts.joined(parts, EVERYTHING)
    assert [group_of(op) for op in operations if isinstance(op, tile.CopyOp)] == [8, 8]
    assert multicasts.made == 1


def sent(cores: list[int], schedule: Schedule, **fields: int) -> list[tuple[int, int | None]]:
    """Return by which core, and in which group, each copy is sent that brings what core 0 keeps to the memories of
    cores; the last one by itself, if `fields` say what is different about it.
    """
    kept = tile.AllocOp(0, [SIZE], "i8").output
    parts: list[tuple[int, list[Operation]]] = []
    for core in cores:
        buffer = tile.AllocOp(core, [SIZE], "i8")
        box = {"source_strides": [1], "target_strides": [1], "sizes": [SIZE // 2]}
        box |= fields if core == cores[-1] else {}
        parts.append((core, [buffer, tile.CopyOp(0, kept, buffer.output, **box)]))
    operations = Multicasts().joined(parts, schedule)
    copies = [op for op in operations if isinstance(op, tile.CopyOp)]
    return [(op.core.value.data, group_of(op)) for op in copies]


def test_what_a_core_keeps_is_sent_to_all_at_once_itself_among_them():
    assert sent([0, 1, 2], EVERYTHING) == [(0, 1), (0, 1), (0, 1)]


def test_what_only_some_need_is_sent_by_itself():
    assert sent([0, 1, 2], EVERYTHING, source_offset=8) == [(0, 1), (0, 1), (0, None)]


def test_nothing_is_sent_at_once_unless_the_schedule_says_so():
    assert sent([1, 2], Schedule(weights="multicast")) == [(0, None), (0, None)]
    loads = Loads()
    parts = [(core, loads.of(core, [0])) for core in range(2)]
    alone = Multicasts().joined(parts, Schedule(activations="multicast"))
    assert not any(group_of(op) for op in alone)


orders = st.lists(st.lists(st.integers(0, 4), max_size=8), min_size=2, max_size=5)


@given(orders)
def test_each_core_keeps_its_order(places: list[list[int]]):
    own = defaultdict(list)
    for event in joined(*places):
        cores = [core for core, _ in event]
        assert len(set(cores)) == len(cores) and len({place for _, place in event}) == 1
        for core, place in event:
            own[core].append(place)
    assert [own[core] for core in range(len(places))] == places


@settings(max_examples=50)
@given(orders, st.sampled_from([0, 1, 64]))
def test_no_order_of_loads_deadlocks(places: list[list[int]], prefetch: int):
    """Each core stores what it loads, from few buffers, so that loads wait for stores."""
    loads, total = Loads(), sum(map(len, places))
    if not total:
        return
    output = tile.GlobalOp("y", "output", [total * SIZE], "i8")
    parts: list[tuple[int, list[Operation]]] = []
    at = 0
    for core, own in enumerate(places):
        operations: list[Operation] = []
        buffers = [tile.AllocOp(core, [SIZE], "i8") for _ in range(2)]
        operations += buffers
        for number, place in enumerate(own):
            buffer = buffers[number % 2].output
            box = {"source_strides": [1], "target_strides": [1], "sizes": [SIZE]}
            operations += [
                loads.copy(core, buffer, source_offset=place * SIZE, sizes=[SIZE]),
                tile.CopyOp(core, buffer, output.output, target_offset=at * SIZE, **box),
            ]
            at += 1
        parts.append((core, operations))
    operations = Multicasts().joined(parts, EVERYTHING)
    module = ModuleOp([tile.ProgramOp("main", [loads.weights, output, *operations])])
    set_target(module, "default-8c", load_target("default-8c"))
    verify(module)
    ctx = make_context()
    wanted = run_tile(module, ctx.weights, {})["y"]
    stages = "tile-assign-addresses,convert-tile-to-isa"
    run_pipeline(ctx, module, parse_pipeline(f"tile-order-engines{{prefetch={prefetch}}},{stages}"))
    result = simulate(assemble(module, ctx), {}, mode="both", sanitize=True)
    assert result.outputs is not None and result.timing is not None
    assert np.array_equal(result.outputs["y"], wanted)


@pytest.mark.parametrize(("cores", "tiles"), [(2, 1), (2, 4), (4, 2), (8, 1)])
@pytest.mark.parametrize("prefetch", [0, 1, 64])
def test_multicasts_move_the_weights_once(cores: int, tiles: int, prefetch: int):
    stages = f"tile-order-engines{{prefetch={prefetch}}},tile-assign-addresses,convert-tile-to-isa"
    bytes_read: list[int] = []
    for multicast in (False, True):
        module, ctx = two_layers(cores=cores, tiles=tiles, multicast=multicast)
        verify(module)
        run_pipeline(ctx, module, parse_pipeline(stages))
        result = simulate(assemble(module, ctx), {"x": images(2)}, mode="both", sanitize=True)
        assert result.outputs is not None and result.timing is not None
        assert np.array_equal(result.outputs["y"], computed(images(2))["y"])
        bytes_read.append(result.timing.bytes_read)
    once = sum(array.nbytes for array in weights().values())
    assert bytes_read[0] - bytes_read[1] == (cores - 1) * once


CORES_APART = Schedule(cores=(0, 1), split=(1, 1, 2, 1))


@pytest.mark.parametrize(
    ("target", "decided", "option", "expected"),
    [
        ("default-8c", CORES_APART, "true", "multicast"),
        ("default-8c", CORES_APART, "false", "separate"),
        ("bm1688-2c", CORES_APART, "true", "separate"),
        ("default-8c", replace(CORES_APART, weights="separate"), "true", "separate"),
        ("bm1688-2c", replace(CORES_APART, weights="multicast"), "true", "multicast"),
        ("default-8c", replace(CORES_APART, split=(1, 2, 1, 1)), "true", "separate"),
        ("default-8c", Schedule(cores=(0, 1, 2, 3), split=(1, 2, 2, 1)), "true", "multicast"),
    ],
)
def test_the_plan_says_multicast_where_it_can(
    target: str, decided: Schedule, option: str, expected: str
):
    """Where several cores share weights, the target sends to several at once, and nobody says otherwise."""
    network = Network(True, np.random.default_rng(1))
    x = network.input(1, 16, 8, 8)
    y = network.add(
        tpu.Conv2dOp(
            "y", x, network.parameters(128, 16, 1, 1), element=network.element(), strides=(1, 1),
            pads=(0, 0, 0, 0), dilations=(1, 1), groups=1, accumulator="i32",
        )
    )  # fmt: skip
    module = network.module(y, target)
    run_pipeline(network.ctx, module, parse_pipeline("convert-tpu-to-tile"))
    layers = {op.tpu_name: op for op in module.walk() if isinstance(op, tile.LayerOp)}
    layers["y"].properties["schedule"] = ScheduleAttr(decided)
    run_pipeline(network.ctx, module, parse_pipeline(f"tile-plan{{multicast_weights={option}}}"))
    assert layers["y"].decided.weights == expected
    assert layers["again"].decided.weights is None
