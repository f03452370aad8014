"""Order of engines: steps stand as they follow in time, and loads move ahead where memory has room."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.targets.target import load_target
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.target_attribute import set_target
from smalti.dialects.ir.text.module_text import verify
from smalti.passes.tile.assign_addresses import AssignAddresses
from smalti.passes.tile.order_engines import OrderEngines
from xdsl.dialects.builtin import ModuleOp

from tests.unit.slabs import ROW, TwoRanges, copy, module_of, plus_one
from tests.unit.tile_programs import expected, images, two_layers


def kinds(module):
    """The steps of core 0 as letters: l load, m conv, d depthwise, e epilogue, s store, f fill."""
    letters = []
    for op in tile.program_of(module).steps:
        if op.core.value.data:
            continue
        if isinstance(op, tile.CopyOp):
            letters.append("s" if isinstance(op.target.owner, tile.GlobalOp) else "l")
        else:
            letters.append(op.name.removeprefix("tile.")[0].replace("c", "m"))
    return "".join(letters)


def test_loads_run_ahead_of_what_they_need_not_wait_for():
    module, ctx = two_layers(cores=1, tiles=4)
    assert kinds(module) == "lllmeslmeslmeslmes" + "llldesldesldesldes"
    OrderEngines().run(ctx, module)
    verify(module)
    # The loads of layer 1's weights move to the beginning; those of its pixels wait for the stores.
    assert kinds(module) == "llllllllmesmesmesmes" + "lllldesdesdesdes"


def test_cores_stand_as_they_follow_in_time():
    """Both cores begin at once, so their first steps stand together."""
    module, ctx = two_layers(cores=2, tiles=4)
    before = [op.core.value.data for op in tile.program_of(module).steps]
    OrderEngines().run(ctx, module)
    after = [op.core.value.data for op in tile.program_of(module).steps]
    assert sum(a != b for a, b in pairwise(after)) > sum(a != b for a, b in pairwise(before))


def test_prefetch_0_moves_nothing():
    module, ctx = two_layers()
    before = str(module)
    OrderEngines(prefetch=0).run(ctx, module)
    assert str(module) == before.replace("@main {", "@main ordered {")


def test_an_ordered_program_is_left_alone():
    """Run again, the pass would move loads further, or undo what a person moved."""
    module, ctx = two_layers(cores=1, tiles=4)
    OrderEngines(prefetch=1).run(ctx, module)
    before = str(module)
    OrderEngines(prefetch=2).run(ctx, module)
    assert str(module) == before


def test_a_negative_prefetch_is_refused():
    module, ctx = two_layers()
    with pytest.raises(DiagnosticError, match="at least 0"):
        OrderEngines(prefetch=-1).run(ctx, module)


@pytest.mark.parametrize(("cores", "tiles"), [(1, 8), (2, 4), (4, 2), (8, 1)])
@pytest.mark.parametrize("prefetch", [1, 2, 5])
def test_the_program_means_the_same(cores, tiles, prefetch):
    module, ctx = two_layers(cores=cores, tiles=tiles)
    OrderEngines(prefetch=prefetch).run(ctx, module)
    for _ in range(2):
        outputs = run_tile(module, ctx.weights, {"x": images()})
        assert np.array_equal(outputs["y"], expected(images())["y"])
        AssignAddresses().run(ctx, module)


def tiles_of(sizes, target="edge-1c"):
    """Tiles of one load, one conversion and one store each, of the given bytes."""
    total = sum(sizes)
    x = tile.GlobalOp("x", "input", [total], "i8")
    y = tile.GlobalOp("y", "output", [total], "i8")
    ops, offset = [x, y], 0
    for size in sizes:
        a, b = tile.AllocOp(0, [1, size], "i8"), tile.AllocOp(0, [1, size], "i8")
        box = {"sizes": [size], "source_strides": [1], "target_strides": [1]}
        ops += [
            a,
            b,
            tile.CopyOp(0, x.output, a.output, **box, source_offset=offset),
            tile.ConvertOp(0, a.output, b.output, columns=size, multiplier=1 << 30, shift=30),
            tile.CopyOp(0, b.output, y.output, **box, target_offset=offset),
        ]
        offset += size
    module = ModuleOp([tile.ProgramOp("main", ops)])
    set_target(module, target, load_target(target))
    return module


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 256 << 10), min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_addresses_can_always_be_assigned_afterwards(sizes, prefetch):
    module, ctx = tiles_of(sizes), make_context()
    OrderEngines(prefetch=prefetch).run(ctx, module)
    AssignAddresses().run(ctx, module)
    x = np.arange(sum(sizes), dtype=np.uint32).astype(np.int8)
    assert np.array_equal(run_tile(module, ctx.weights, {"x": x})["y"], x)


def test_a_load_stays_where_memory_is_full():
    module = tiles_of([120 << 10, 120 << 10, 1 << 10])
    OrderEngines().run(make_context(), module)
    # While a tile is converted, another 120 KiB beside its 240 are more than may be filled; 1 KiB is not.
    starts = [
        op.source_offset.value.data
        for op in tile.program_of(module).steps
        if isinstance(op, tile.CopyOp) and isinstance(op.target.owner, tile.AllocOp)
    ]
    assert starts == [0, 240 << 10, 120 << 10]
    assert kinds(module) == "llmlsmsms"


def test_views_are_declared_between_their_buffer_and_their_first_use():
    own = TwoRanges()
    module = own.module
    unused = tile.ViewOp(own.slab.output, (4, ROW))
    block = tile.program_of(module).body.block
    block.insert_op_after(unused, own.slab)
    OrderEngines().run(make_context(), module)
    verify(module)
    ops = list(block.ops)
    low, high = own.steps[1], own.steps[3]
    assert ops.index(own.slab) + 1 == ops.index(own.low) == ops.index(low) - 1
    assert ops.index(own.high) == ops.index(high) - 1
    assert unused not in ops
    # The second load need not wait for what is computed of the first one.
    assert tile.program_of(module).steps == [own.steps[i] for i in (0, 2, 1, 3, 4, 5, 6, 7)]


def with_late_loads(*, through_view: bool):
    """A core computes for some time before it uses a slab, into which a load goes then, too."""
    x = tile.GlobalOp("x", "input", (8, ROW), "i8")
    y = tile.GlobalOp("y", "output", (8, ROW), "i8")
    slab, work = tile.AllocOp(0, (8, ROW), "i8"), tile.AllocOp(0, (8, ROW), "i8")
    low, high = (tile.ViewOp(slab.output, (4, ROW), offset=row * ROW) for row in (0, 4))
    half = tile.ViewOp(work.output, (4, ROW))
    begin = plus_one(0, half.output, low.output)
    target, to = (high.output, 0) if through_view else (slab.output, 4 * ROW)
    load = copy(0, x.output, target, 4 * ROW, to=to)
    steps = [
        copy(0, x.output, work.output, 8 * ROW),
        *(plus_one(0, work.output, work.output) for _ in range(8)),
        begin,
        load,
        plus_one(0, slab.output, work.output),
        copy(0, work.output, y.output, 8 * ROW),
    ]
    return module_of([x, y, slab, work, low, high, half, *steps]), begin, load


@pytest.mark.parametrize("through_view", [False, True])
def test_a_load_into_a_part_of_a_buffer_begins_no_new_memory(through_view):
    """It would make the buffer live from its own place on, without a word to those who count bytes."""
    module, begin, load = with_late_loads(through_view=through_view)
    OrderEngines().run(make_context(), module)
    steps = tile.program_of(module).steps
    assert steps.index(load) == steps.index(begin) + 1
