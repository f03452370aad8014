"""What steps wait for: those that share no element of a buffer, through views or copies, wait for nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from smalti.dialects import tile
from smalti.passes.tile.ordering.step_graph import StepGraph
from xdsl.ir import SSAValue

from tests.unit.slabs import TwoRanges, copy, plus_one
from tests.unit.tile_programs import two_layers

SIZE = 64


def waits(steps: Sequence[tile.StepOp]) -> list[set[int]]:
    """Return for each step those that it waits for directly."""
    graph = StepGraph.of(steps)
    members: dict[int, set[int]] = {}
    for number, groups in enumerate(graph.joins):
        for group in groups:
            members.setdefault(group, set()).add(number)
    assert [len(members.get(g, ())) for g in range(len(graph.members))] == graph.members
    return [{each for group in groups for each in members.get(group, ())} for groups in graph.waits]


def slab(core: int = 0) -> tile.AllocOp:
    return tile.AllocOp(core, (SIZE,), "i8")


def view(buffer: tile.AllocOp, low: int, high: int) -> SSAValue:
    return tile.ViewOp(buffer.output, (1, high - low), offset=low).output


def test_disjoint_ranges_are_written_and_read_apart():
    # copy, convert low; copy, convert high; convert the middle; store the middle, the beginning, the end.
    assert waits(TwoRanges().steps) == [set(), {0}, set(), {2}, {1, 3}, {4}, {1}, {3}]


def test_a_step_waits_for_all_that_share_an_element_with_it():
    own = slab()
    a, b, c = view(own, 0, 24), view(own, 24, 48), view(own, 16, 32)
    fills = [tile.FillOp(0, value, value=1.0) for value in (a, b)]
    fills.append(tile.FillOp(0, c, value=2.0))
    fills.append(tile.FillOp(0, own.output, value=3.0))
    assert waits(fills) == [set(), set(), {0, 1}, {0, 1, 2}]


def test_a_step_does_not_wait_for_itself():
    own = slab()
    a, b = view(own, 0, 32), view(own, 16, 48)
    assert waits([plus_one(0, a, b), plus_one(0, b, a)]) == [set(), {0}]


def test_without_views_a_buffer_is_one_range():
    x, own = tile.GlobalOp("x", "input", (SIZE,), "i8"), slab()
    y = tile.GlobalOp("y", "output", (SIZE,), "i8")
    steps = [
        copy(0, x.output, own.output, 32),
        copy(0, x.output, own.output, 32, to=32),
        copy(0, own.output, y.output, 16),
        copy(0, x.output, own.output, 16, to=48),
    ]
    assert waits(steps) == [set(), set(), {0, 1}, {0, 1, 2}]
    assert StepGraph.of(steps).behind == [-1, 0, -1, -1]


@pytest.mark.parametrize(("cores", "tiles"), [(1, 4), (2, 2)])
def test_a_view_of_a_whole_buffer_is_as_the_buffer(cores: int, tiles: int):
    """Where all steps but copies of parts use whole buffers, views change nothing."""
    module, _ = two_layers(cores=cores, tiles=tiles)
    program = tile.program_of(module)
    before = StepGraph.of(program.steps)
    views: dict[SSAValue, SSAValue] = {}
    for op in program.steps:
        for index, value in enumerate(op.operands):
            if isinstance(value.owner, tile.AllocOp):
                if value not in views:
                    shape = value.owner.physical_shape
                    views[value] = tile.ViewOp(value, shape).output
                op.operands[index] = views[value]
    assert views and StepGraph.of(program.steps) == before


def rows_to(cores: Sequence[int], target: SSAValue, offset: int, pitch: int) -> list[tile.CopyOp]:
    """Copies of two runs of four elements each by several cores, one run behind the other."""
    sources = [tile.AllocOp(core, (SIZE,), "i8") for core in cores]
    return [
        tile.CopyOp(
            core,
            source.output,
            target,
            source_strides=[4, 1],
            target_offset=offset + 4 * number,
            target_strides=[pitch, 1],
            sizes=[2, 4],
        )
        for number, (core, source) in enumerate(zip(cores, sources, strict=True))
    ]


@pytest.mark.parametrize(("pitch", "before"), [(8, 0), (4, 1)], ids=["apart", "overlapping"])
def test_copies_of_several_cores_stand_side_by_side_if_their_elements_are_apart(
    pitch: int, before: int
):
    own = slab()
    first = tile.FillOp(0, view(own, 32, 64), value=0.0)
    steps = [first, *rows_to([1, 2], view(own, 0, 32), 8, pitch)]
    assert waits(steps) == [set(), set(), set()]
    # They follow the first user of the slab, or the copy that they overlap.
    assert StepGraph.of(steps).behind == [-1, 0, before]


def test_a_copy_into_a_part_follows_the_first_user_of_its_buffer():
    x, own = tile.GlobalOp("x", "input", (SIZE,), "i8"), slab()
    steps = [
        tile.FillOp(0, view(own, 32, 64), value=0.0),
        copy(0, x.output, view(own, 0, 16), 16),
        copy(0, x.output, own.output, 16, to=8),
    ]
    assert waits(steps) == [set(), set(), set()]
    assert StepGraph.of(steps).behind == [-1, 0, 1]


def test_a_copy_over_what_several_copies_wrote_follows_one_and_waits_for_the_others():
    x, own = tile.GlobalOp("x", "input", (SIZE,), "i8"), slab()
    steps = [
        copy(0, x.output, view(own, 0, 16), 16),
        copy(0, x.output, view(own, 16, 32), 16),
        copy(0, x.output, view(own, 0, 32), 32),
    ]
    graph = StepGraph.of(steps)
    assert waits(steps) == [set(), set(), {0}] and graph.behind == [-1, 0, 1]
