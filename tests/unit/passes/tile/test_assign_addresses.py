"""Addresses: no two live buffers share bytes, dead ones are reused, what does not fit is said."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.targets.alignment import ALIGNMENT_BYTES, align
from smalti.backends.targets.target import load_target
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.attribute import integer
from smalti.dialects.ir.location import named
from smalti.dialects.ir.target_attribute import set_target
from smalti.dialects.ir.text.module_text import verify
from smalti.dialects.tile.analysis.buffer_uses import BufferUse, buffer_uses
from smalti.passes.tile.assign_addresses import AssignAddresses, _lifetimes
from smalti.passes.tiling.allocation import Lifetime, live_bytes
from xdsl.dialects.builtin import ModuleOp

from tests.unit.slabs import TwoRanges
from tests.unit.tile_programs import expected, images, two_layers


def module_of(*ops, target="default-8c"):
    module = ModuleOp([tile.ProgramOp("main", ops)])
    set_target(module, target, load_target(target))
    return module


def chain(sizes, space="scratch"):
    """Global buffers, each copied to the next by way of one local buffer."""
    ops = [
        tile.GlobalOp("x", "input", [sizes[0]], "i8"),
        *(tile.GlobalOp(f"g{i}", space, [size], "i8") for i, size in enumerate(sizes)),
        tile.GlobalOp("y", "output", [sizes[-1]], "i8"),
    ]
    local = tile.AllocOp(0, [max(sizes)], "i8")
    steps = []
    for a, b in pairwise(ops):
        count = min(a.output.type.get_shape()[0], b.output.type.get_shape()[0])
        for source, target in ((a, local), (local, b)):
            step = tile.CopyOp(
                0,
                source.output,
                target.output,
                sizes=[count],
                source_strides=[1],
                target_strides=[1],
            )
            step.location = named(f"node{len(steps)}")
            steps.append(step)
    return [*ops, local, *steps]


@pytest.mark.parametrize(("cores", "tiles"), [(1, 4), (2, 2), (8, 1)])
@pytest.mark.parametrize("slack", [0, 1, 12])
def test_buffers_that_live_together_share_no_byte(cores, tiles, slack):
    module, ctx = two_layers(cores=cores, tiles=tiles)
    AssignAddresses(slack=slack).run(ctx, module)
    verify(module)
    program = tile.program_of(module)
    uses = list(buffer_uses(program, program.steps).values())
    for i, a in enumerate(uses):
        assert a.op.address is not None and a.op.address.value.data % ALIGNMENT_BYTES == 0
        for b in uses[:i]:
            apart = a.last < b.first or b.last < a.first
            if a.memory == b.memory and (
                not apart or a.memory[0] in ("weights", "input", "output")
            ):
                low, high = sorted([a, b], key=lambda u: u.op.address.value.data)
                assert low.op.address.value.data + low.size_bytes <= high.op.address.value.data
    outputs = run_tile(module, ctx.weights, {"x": images()})
    assert np.array_equal(outputs["y"], expected(images())["y"])


def test_the_pass_gives_the_same_addresses_when_run_again():
    module, ctx = two_layers()
    AssignAddresses().run(ctx, module)
    first = str(module)
    AssignAddresses().run(ctx, module)
    assert str(module) == first


def test_dead_scratch_is_reused():
    module = module_of(*chain([1024] * 6))
    assign = AssignAddresses()
    assign.run(make_context(), module)
    assert assign.statistics["scratch_bytes"] == 1024


def test_slack_keeps_tiles_apart_where_memory_allows():
    used = {}
    for slack in (0, 12):
        module, ctx = two_layers(cores=1, tiles=4)
        assign = AssignAddresses(slack=slack)
        assign.run(ctx, module)
        used[slack] = assign.statistics["local_bytes"]
    assert used[12] > used[0]


def test_packing_is_counted_against_what_is_live_at_one_time():
    assign = AssignAddresses(slack=0)
    module, ctx = two_layers(cores=2, tiles=2)
    assign.run(ctx, module)
    program = tile.program_of(module)
    used, live = defaultdict(int), defaultdict(lambda: np.zeros(len(program.steps), int))
    for each in buffer_uses(program, program.steps).values():
        if each.memory[0] == "local":
            assert each.op.address is not None
            end = each.op.address.value.data + align(each.size_bytes)
            used[each.memory] = max(used[each.memory], end)
            live[each.memory][each.first : each.last + 1] += align(each.size_bytes)
    least = {memory: int(sizes.max()) for memory, sizes in live.items()}
    found = assign.statistics
    assert found["local_live_bytes"] == sum(least.values())
    worst = max(used[memory] / least[memory] for memory in least)
    assert found["local_packing_percent"] == round(100 * worst) >= 100


def through_local_memory(*sizes):
    """Tiles of `sizes` bytes, one after the other: each is loaded, and stored at once."""
    most = max(sizes)
    x, y = (tile.GlobalOp(name, name + "put", [most], "i8") for name in ("in", "out"))
    tiles = [tile.AllocOp(0, [size], "i8") for size in sizes]
    steps = [
        tile.CopyOp(0, a.output, b.output, sizes=[size], source_strides=[1], target_strides=[1])
        for each, size in zip(tiles, sizes, strict=True)
        for a, b in ((x, each), (each, y))
    ]
    return [x, y, *tiles, *steps], tiles


def test_slack_is_given_where_there_is_room_buffer_by_buffer():
    """Two tiles of more than half of the memory cannot lie side by side; the small tiles before and after them do."""
    capacity = load_target("edge-1c").local_memory.size_bytes
    big = capacity // 2 + 64
    ops, tiles = through_local_memory(64, 64, 64, big, big, 64, 64, 64)
    AssignAddresses(slack=4).run(make_context(), module_of(*ops, target="edge-1c"))
    addresses = [op.address.value.data for op in tiles]
    # Four steps are two tiles: the next two load elsewhere.
    for small in (addresses[:3], addresses[5:]):
        assert len(set(small)) == 3
    assert all(0 <= at <= capacity - big for at in addresses[3:5])


def lifetimes_with(slack, capacity, *buffers, steps=None):
    """The lifetimes that buffers get which are given as (bytes, first, last), on a core whose steps are `steps`."""
    op = tile.AllocOp(0, [64], "i8")
    count = 1 + max(last for _, _, last in buffers)
    uses = [BufferUse(op, ("local", 0), size, first, last) for size, first, last in buffers]
    own = range(count) if steps is None else steps
    return [(each.first, each.last) for each in _lifetimes(uses, own, count, slack, capacity)]


def test_a_lifetime_is_extended_by_steps_of_its_own_core():
    buffers = (64, 0, 1), (64, 8, 9)
    assert lifetimes_with(0, 1024, *buffers) == [(0, 1), (8, 9)]
    assert lifetimes_with(2, 1024, *buffers) == [(0, 3), (8, 10)]
    assert lifetimes_with(2, 1024, *buffers, steps=[0, 1, 4, 7, 8, 9]) == [(0, 7), (8, 10)]


def test_a_lifetime_ends_before_the_step_that_needs_its_bytes():
    assert lifetimes_with(9, 128, (64, 0, 1), (128, 5, 6), (64, 7, 9)) == [(0, 4), (5, 6), (7, 10)]


def test_extended_lifetimes_need_no_more_than_there_is():
    """Sizes count as they are placed, in whole alignments: the small buffers leave no room for the large one."""
    buffers = (65, 0, 1), (1, 0, 2), (1, 4, 6)
    assert lifetimes_with(9, 192, *buffers) == [(0, 3), (0, 7), (4, 7)]
    assert lifetimes_with(9, 256, *buffers) == [(0, 7), (0, 7), (4, 7)]


def test_neighbors_share_what_room_there_is():
    """Where two of them fit, each of a row of buffers lives until the next one is done, and none for longer."""
    buffers = [(128, 2 * n, 2 * n + 1) for n in range(4)]
    assert lifetimes_with(12, 256, *buffers) == [(0, 3), (2, 5), (4, 8), (6, 8)]


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 20), st.integers(0, 9)), min_size=1),
    st.integers(0, 12),
    st.integers(0, 400),
)
def test_no_slack_is_given_that_memory_lacks(drawn, slack, spare):
    buffers = [(size, first, first + duration) for size, first, duration in drawn]
    needed = [Lifetime(*each) for each in buffers]
    capacity = live_bytes(needed) + spare
    found = lifetimes_with(slack, capacity, *buffers)
    extended = [Lifetime(each.size_bytes, *own) for each, own in zip(needed, found, strict=True)]
    assert live_bytes(extended) <= capacity
    for before, after in zip(needed, extended, strict=True):
        assert after.first == before.first and before.last <= after.last <= before.last + slack
        # One more step would be too many, too far, or after the end.
        longer = [replace(x, last=x.last + 1) if x is after else x for x in extended]
        assert (
            after.last == before.last + slack
            or after.last > max(last for _, _, last in buffers)
            or live_bytes(longer) > capacity
        )


def test_unused_buffers_are_erased_but_not_inputs():
    unused = [
        tile.AllocOp(0, [64], "i8"),
        tile.GlobalOp("w", "weights", [64], "i8", seed=1),
        tile.GlobalOp("spare", "input", [64], "i8"),
    ]
    module = module_of(*unused, *chain([64]))
    assign = AssignAddresses()
    assign.run(make_context(), module)
    assert assign.statistics["unused_buffers"] == 2
    names = [op.buffer_name.data for op in module.walk() if isinstance(op, tile.GlobalOp)]
    assert names == ["spare", "x", "g0", "y"]


def test_too_much_for_local_memory_names_the_node_and_the_bytes():
    module = module_of(*chain([600 << 10]), target="edge-1c")
    with pytest.raises(DiagnosticError) as caught:
        AssignAddresses().run(make_context(), module)
    assert "614400 bytes of local memory of core 0 are in use at once, it has 524288" in str(
        caught.value
    )
    assert str(caught.value).startswith("node0: error:")
    assert "614400 bytes: a buffer" in str(caught.value) and "--no-on-chip" in str(caught.value)


def test_too_much_for_global_memory_is_said():
    huge = tile.GlobalOp("w", "weights", [1 << 20, 1 << 20], "i8", seed=1)
    local = tile.AllocOp(0, [64], "i8")
    load = tile.CopyOp(
        0, huge.output, local.output, sizes=[64], source_strides=[1], target_strides=[1]
    )
    with pytest.raises(DiagnosticError, match="needs 1099511627776 bytes of global memory"):
        AssignAddresses().run(make_context(), module_of(huge, local, load))


def test_too_much_scratch_is_said():
    ops = chain([1 << 42, 1 << 42])
    with pytest.raises(DiagnosticError):
        AssignAddresses().run(make_context(), module_of(*ops))


def given_addresses(*addresses):
    """Two buffers of a core that are in use at one time, with these addresses; assigned."""
    x = tile.GlobalOp("x", "input", [64], "i8")
    y = tile.GlobalOp("y", "output", [64], "i8")
    first, second = (tile.AllocOp(0, [64], "i8", address=each) for each in addresses)
    first.output.name_hint, second.output.name_hint = "first", "second"
    pairs = ((x, first), (x, second), (first, y), (second, y))
    steps = [
        tile.CopyOp(0, a.output, b.output, sizes=[64], source_strides=[1], target_strides=[1])
        for a, b in pairs
    ]
    module = module_of(x, y, first, second, *steps)
    AssignAddresses().run(make_context(), module)
    return [op.address.value.data for op in (first, second)]


def test_given_addresses_are_kept_and_the_others_placed_around_them():
    assert given_addresses(4096, 640) == [4096, 640]
    assert given_addresses(0, None) == [0, 64]
    assert given_addresses(None, 0) == [64, 0]


@pytest.mark.parametrize("second", [0, 1 << 40])
def test_given_addresses_that_are_not_possible_are_refused(second):
    with pytest.raises(DiagnosticError) as caught:
        given_addresses(0, second)
    said = str(caught.value)
    assert "'%second'" in said and "local memory of core 0" in said
    assert ("'%first'" in said) == (second == 0)


def test_a_buffer_is_in_use_from_the_first_to_the_last_use_of_its_views():
    own = TwoRanges()
    module = own.module
    uses = buffer_uses(tile.program_of(module), own.steps)
    assert set(uses) == {op.output for op in tile.program_of(module).buffers}
    use = uses[own.slab.output]
    assert (use.first, use.last, use.last_write) == (1, 7, 3)


def test_views_that_no_op_uses_are_erased_with_their_buffer():
    own = TwoRanges()
    module = own.module
    unused = tile.AllocOp(0, (64,), "i8")
    view = tile.ViewOp(unused.output, (32,))
    tile.program_of(module).body.block.insert_ops_before([unused, view], own.slab)
    AssignAddresses().run(make_context(), module)
    verify(module)
    ops = list(tile.program_of(module).body.block.ops)
    assert unused not in ops and view not in ops and own.middle in ops
    assert unused.address is None and own.slab.address is not None


def test_given_addresses_hold_for_the_whole_buffer():
    """The second part of the slab is used later than the first one, when the first has been read."""
    own = TwoRanges()
    module = own.module
    own.slab.properties["address"] = integer(0)
    own.parts[2].properties["address"] = integer(64)
    with pytest.raises(DiagnosticError, match="are in use at one time and share bytes"):
        AssignAddresses().run(make_context(), module)
