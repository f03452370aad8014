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
from smalti.dialects.tile.movement import events_of, group_of
from smalti.passes.tile.assign_addresses import AssignAddresses
from smalti.passes.tile.order_engines import OrderEngines
from xdsl.dialects.builtin import ModuleOp

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
    # The loads of layer 1's weights move to the beginning; those of its pixels wait for the stores. While the vector
    # unit finishes one tile of layer 0, the matrix unit has begun the next one.
    assert kinds(module) == "llllllllmmesmesmeses" + "lllldesdesdesdes"


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


@settings(max_examples=25)
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
    module = tiles_of([160 << 10, 160 << 10, 1 << 10])
    OrderEngines().run(make_context(), module)
    # While a tile is converted, another 160 KiB beside its 320 are more than may be filled; 1 KiB is not.
    starts = [
        op.source_offset.value.data
        for op in tile.program_of(module).steps
        if isinstance(op, tile.CopyOp) and isinstance(op.target.owner, tile.AllocOp)
    ]
    assert starts == [0, 320 << 10, 160 << 10]
    assert kinds(module) == "llmslmmss"


def places_of_loads(module):
    """The multicasts, as lists of places in the program."""
    steps = tile.program_of(module).steps
    return [list(event) for event in events_of(steps) if group_of(steps[event[0]])]


def loads(module, core):
    """The buffers in global memory that a core loads from, in order."""
    return [
        op.source.owner.buffer_name.data
        for op in tile.program_of(module).steps
        if isinstance(op, tile.CopyOp)
        and op.core_number == core
        and isinstance(op.source.owner, tile.GlobalOp)
    ]


def test_multicasts_run_ahead_together():
    """The weights of the second layer come before what the first one computes."""
    module, ctx = two_layers(cores=2, tiles=4, multicast=True)
    OrderEngines().run(ctx, module)
    verify(module)
    assert [len(event) for event in places_of_loads(module)] == [2, 2, 2, 2]
    for core in (0, 1):
        assert loads(module, core).index("w1") < loads(module, core).index("mid")


@pytest.mark.parametrize("multicast", [False, True])
def test_a_multicast_waits_for_room_in_every_memory(multicast):
    """Core 1 has no room for the weights beside its tile; core 0 has, and could load ahead of it."""
    size, small = 900 << 10, 300 << 10
    x = tile.GlobalOp("x", "input", [size], "i8")
    w = tile.GlobalOp("w", "weights", [small], "i8", seed=1)
    y = tile.GlobalOp("y", "output", [size], "i8")
    a, b = (tile.AllocOp(1, [1, size], "i8") for _ in range(2))
    copies = [tile.AllocOp(core, [1, small], "i8") for core in (0, 1)]
    results = [tile.AllocOp(core, [1, small], "i8") for core in (0, 1)]
    z = [tile.GlobalOp(f"z{core}", "output", [small], "i8") for core in (0, 1)]
    strides = {"source_strides": [1], "target_strides": [1]}
    scale = {"multiplier": 1 << 30, "shift": 30}
    group = 1 if multicast else None
    ops = [
        *(x, w, y, a, b, *copies, *results, *z),
        tile.CopyOp(1, x.output, a.output, sizes=[size], **strides),
        tile.ConvertOp(1, a.output, b.output, columns=size, **scale),
        tile.CopyOp(1, b.output, y.output, sizes=[size], **strides),
    ]
    for core in (0, 1):
        target = copies[core].output
        ops.append(tile.CopyOp(core, w.output, target, sizes=[small], group=group, **strides))
    for core in (0, 1):
        ops += [
            tile.ConvertOp(core, copies[core].output, results[core].output, columns=small, **scale),
            tile.CopyOp(core, results[core].output, z[core].output, sizes=[small], **strides),
        ]
    module = ModuleOp([tile.ProgramOp("main", ops)])
    set_target(module, "default-8c", load_target("default-8c"))
    verify(module)
    OrderEngines().run(make_context(), module)
    verify(module)
    steps = tile.program_of(module).steps
    load = next(i for i, op in enumerate(steps) if op.core_number == 0)
    stored = next(i for i, op in enumerate(steps) if op.buffer_written is y.output)
    assert (load > stored) == multicast
