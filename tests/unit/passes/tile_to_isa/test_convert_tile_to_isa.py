"""Tiles to instructions: values, waits, addresses, transfers, and what has no instruction."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.program.assemble import assemble
from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.streams.streams import decode_program
from smalti.dialects import isa, tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.location import named, names_of
from smalti.dialects.ir.text.module_text import verify
from smalti.passes.tile.assign_addresses import AssignAddresses
from smalti.passes.tile.order_engines import OrderEngines
from smalti.passes.tile_to_isa.convert_tile_to_isa import ConvertTileToIsa

from tests.unit.passes.tile.test_assign_addresses import module_of
from tests.unit.tile_programs import expected, images, two_layers


def compiled(module, ctx, *, prefetch=1, slack=12):
    """The module as an isa module, verified."""
    OrderEngines(prefetch=prefetch).run(ctx, module)
    AssignAddresses(slack=slack).run(ctx, module)
    ConvertTileToIsa().run(ctx, module)
    verify(module)
    return module


def streams(module):
    """Per core the instructions by name."""
    (program,) = module.ops
    assert isinstance(program, isa.ProgramOp)
    return [{op.instruction_name.data: op for op in s.instructions} for s in program.streams]


@pytest.mark.parametrize(("cores", "tiles"), [(1, 1), (1, 8), (2, 2), (4, 2), (8, 1)])
@pytest.mark.parametrize(("prefetch", "slack"), [(0, 0), (1, 0), (3, 12)])
def test_the_program_computes_what_the_tiles_do(cores, tiles, prefetch, slack):
    module, ctx = two_layers(cores=cores, tiles=tiles)
    program = assemble(compiled(module, ctx, prefetch=prefetch, slack=slack), ctx)
    result = simulate(program, {"x": images(2)}, mode="functional", sanitize=True)
    assert result.outputs is not None
    assert np.array_equal(result.outputs["y"], expected(images(2))["y"])


def test_waits_are_named_and_counted():
    module, ctx = two_layers(cores=2, tiles=1)
    first, second = streams(compiled(module, ctx, prefetch=0))
    after = {name: [n.data for n in op.after or ()] for name, op in first.items()}
    assert after["m0"] == ["d2"] and after["v0"] == ["m0"] and after["s0"] == ["v0"]
    # The halo row comes from the other core: its store signals, the load waits.
    assert second["s0"].signal.get_values()[1:] == (0,)
    assert first["d5"].wait.get_values() == (second["s0"].signal.get_values()[0], 1)
    assert [n.data for n in first["d5"].after] == ["s0"]


def test_a_second_counter_takes_a_sync():
    module, ctx = two_layers(cores=8, tiles=1)
    listing = list(streams(compiled(module, ctx))[3].values())
    syncs = [op for op in listing if op.instruction.mnemonic == "sync"]
    assert len(syncs) == 1 and syncs[0].engine == "dma_in" and syncs[0].wait is not None
    following = dict(pairwise(listing))[syncs[0]]
    assert following.instruction.mnemonic == "load" and following.wait is not None


def test_locations_ports_and_weights_arrive():
    module, ctx = two_layers(cores=2, tiles=2)
    (program,) = compiled(module, ctx).ops
    assert isinstance(program, isa.ProgramOp)
    names = {name for op in program.streams[1].instructions for name in names_of(op.location)}
    assert names == {"layer0", "layer1"}
    assert [port.port_name.data for port in program.inputs] == ["x"]
    assert [tuple(port.shape.get_values()) for port in program.outputs] == [(1, 8, 8, 16)]
    assert program.segment_sizes["weights"] == ctx.weights.get(program.key.data).size
    assert ctx.weights.get(program.key.data)[:2304].tobytes() == ctx.weights.get("w0").tobytes()


def copied(
    sizes, source_strides, target_strides, *, elements=4096, storage="i8", pad=0, pad_value=0
):
    """A module that loads a box and stores the whole local buffer again."""
    x = tile.GlobalOp("x", "input", [elements], storage)
    y = tile.GlobalOp("y", "output", [elements], storage)
    local = tile.AllocOp(0, [elements], storage)
    load = tile.CopyOp(
        0,
        x.output,
        local.output,
        sizes=sizes,
        source_strides=source_strides,
        target_strides=target_strides,
        source_offset=3,
        target_offset=5,
        **({"pad": pad, "pad_value": pad_value} if pad else {}),
    )
    fill = tile.FillOp(0, local.output, value=1.0)
    store = tile.CopyOp(
        0, local.output, y.output, sizes=[elements], source_strides=[1], target_strides=[1]
    )
    load.location = named("box")
    return module_of(x, y, local, fill, load, store)


@pytest.mark.parametrize(
    ("sizes", "source_strides", "target_strides", "pad", "loads"),
    [
        ([7], [1], [1], 0, 1),
        ([4, 8], [8, 1], [8, 1], 0, 1),
        ([4, 8], [8, 1], [10, 1], 2, 1),
        ([2, 3, 4, 8], [200, 40, 10, 1], [96, 32, 8, 1], 0, 1),
        ([2, 2, 2, 2, 2, 3], [400, 200, 77, 40, 10, 1], [1, 100, 200, 300, 400, 1], 0, 2),
        ([3, 2, 2, 2, 2, 2, 1], [1, 4, 16, 64, 256, 1024, 1], [1024, 256, 64, 16, 4, 1, 1], 0, 4),
    ],
)
@pytest.mark.parametrize("storage", ["i8", "f32"])
def test_boxes_become_transfers(sizes, source_strides, target_strides, pad, loads, storage):
    if sizes[0] == 2 and len(sizes) == 6:
        target_strides = [3 + 3 * 16, 3 * 8, 3 * 4 + 200, 400, 800, 1]
    module = copied(sizes, source_strides, target_strides, pad=pad, storage=storage)
    _, ctx = two_layers()
    x = np.arange(4096).astype(np.int8 if storage == "i8" else np.float32)
    wanted = run_tile(module, ctx.weights, {"x": x})["y"]
    compiled(module, ctx)
    (stream,) = streams(module)
    assert sum(op.instruction.mnemonic == "load" for op in stream.values()) == loads
    result = simulate(assemble(module, ctx), {"x": x}, mode="functional", sanitize=True)
    assert result.outputs is not None and np.array_equal(result.outputs["y"], wanted)


SEGMENT = 192
"""Bytes of every buffer in global memory of a random program."""


@st.composite
def random_programs(draw, tensors=3):
    """Copies, fills and conversions on three cores, with buffers of all lengths of life and some in global memory."""
    cores = 3
    x = tile.GlobalOp("x", "input", [SEGMENT], "i8")
    y = tile.GlobalOp("y", "output", [SEGMENT], "i8")
    scratch = [tile.GlobalOp(f"g{i}", "scratch", [SEGMENT], "i8") for i in range(tensors)]
    box = {"source_strides": [1], "target_strides": [1]}
    declarations, steps = [x, y, *scratch], []
    local = []
    for core in range(cores):
        for _ in range(draw(st.integers(2, 3))):
            local.append(tile.AllocOp(core, [1, SEGMENT], "i8"))
    declarations += local
    everything = [x, *scratch, *local]

    def copy(core, source, target, offset, count):
        steps.append(
            tile.CopyOp(
                core,
                source.output,
                target.output,
                sizes=[count],
                source_offset=offset,
                target_offset=offset,
                **box,
            )
        )

    # Every buffer is written whole before anything random, so that nothing unwritten is read.
    for buffer in local:
        copy(buffer.core.value.data, x, buffer, 0, SEGMENT)
    for buffer in scratch:
        copy(local[0].core.value.data, local[0], buffer, 0, SEGMENT)
    for _ in range(draw(st.integers(1, 25))):
        own = draw(st.sampled_from(local))
        core = own.core.value.data
        other = draw(st.sampled_from(everything))
        low = draw(st.integers(0, SEGMENT - 1))
        count = draw(st.integers(1, SEGMENT - low))
        kind = draw(st.sampled_from(["in", "in", "out", "out", "fill", "convert"]))
        if kind == "fill":
            steps.append(tile.FillOp(core, own.output, value=float(draw(st.integers(-128, 127)))))
        elif kind == "convert" and other in local and other is not own:
            if other.core == own.core:
                steps.append(
                    tile.ConvertOp(
                        core,
                        other.output,
                        own.output,
                        columns=SEGMENT,
                        multiplier=1 << 30,
                        shift=30,
                        zero_points=[0, draw(st.integers(-9, 9))],
                    )
                )
        elif kind == "in" and other is not own:
            copy(core, other, own, low, count)
        elif kind == "out" and other is not own and other is not x:
            copy(core, own, other, low, count)
    last = draw(st.sampled_from(local))
    copy(last.core.value.data, last, y, 0, SEGMENT)
    return module_of(*declarations, *steps)


@settings(max_examples=40)
@given(random_programs(), st.integers(0, 3), st.integers(0, 6))
def test_random_programs_run_as_the_tiles_do(module, prefetch, slack):
    ctx = make_context()
    x = np.arange(SEGMENT).astype(np.int8)
    wanted = run_tile(module, ctx.weights, {"x": x})["y"]
    program = assemble(compiled(module, ctx, prefetch=prefetch, slack=slack), ctx)
    result = simulate(program, {"x": x}, mode="functional", sanitize=True)
    assert result.outputs is not None and np.array_equal(result.outputs["y"], wanted)


def test_padding_that_is_no_repeated_byte_is_refused():
    _, ctx = two_layers()
    module = copied([4, 8], [8, 1], [10, 1], pad=2, pad_value=300, storage="i32")
    with pytest.raises(DiagnosticError, match=r"^box: error: tile.copy: padding of i32 with 300"):
        compiled(module, ctx)
    module = copied([4, 8], [8, 1], [10, 1], pad=2, pad_value=-3)
    (stream,) = streams(compiled(module, ctx))
    assert stream["d1"].values()["fill"] == 253


def test_another_core_s_memory_is_its_peer():
    _, ctx = two_layers()
    box = {"sizes": [64], "source_strides": [1], "target_strides": [1]}
    x = tile.GlobalOp("x", "input", [64], "i8")
    y = tile.GlobalOp("y", "output", [64], "i8")
    here, there = tile.AllocOp(0, [64], "i8"), tile.AllocOp(1, [64], "i8")
    far = tile.AllocOp(2, [64], "i8")
    module = module_of(
        x,
        y,
        here,
        there,
        far,
        tile.CopyOp(0, x.output, here.output, **box),
        tile.CopyOp(1, here.output, there.output, **box),
        tile.CopyOp(1, there.output, far.output, **box),
        tile.CopyOp(2, far.output, y.output, **box),
    )
    one = streams(compiled(module, ctx))[1]
    assert one["d0"].values()["peer_core"] == 1 and one["s0"].values()["peer_core"] == 3
    data = images().reshape(-1)[:64]
    result = simulate(assemble(module, ctx), {"x": data}, mode="functional", sanitize=True)
    assert result.outputs is not None and np.array_equal(result.outputs["y"], data)


def test_what_is_not_ready_is_refused():
    module, ctx = two_layers()
    with pytest.raises(DiagnosticError, match="run tile-assign-addresses first"):
        ConvertTileToIsa().run(ctx, module)


def test_each_transfer_of_a_multicast_has_a_group():
    """Copies with six axes take several transfers, which meet one by one."""
    sizes = [2, 2, 2, 2, 2, 2]
    w = tile.GlobalOp("w", "weights", [4096], "i8", seed=1)
    y = tile.GlobalOp("y", "output", [2, 64], "i8")
    buffers = [tile.AllocOp(core, [64], "i8") for core in range(2)]
    box = {
        "source_strides": [2048, 512, 128, 32, 8, 1],
        "target_strides": [32, 16, 8, 4, 2, 1],
        "sizes": sizes,
    }
    whole = {"source_strides": [1], "target_strides": [1], "sizes": [64]}
    ops = [w, y, *buffers]
    ops += [tile.CopyOp(c, w.output, b.output, group=5, **box) for c, b in enumerate(buffers)]
    ops += [
        tile.CopyOp(c, b.output, y.output, target_offset=64 * c, **whole)
        for c, b in enumerate(buffers)
    ]
    ctx = make_context()
    program = assemble(compiled(module_of(*ops), ctx), ctx)
    assert [group for group in decode_program(program).group if group] == [1, 2, 1, 2]
    result = simulate(program, {}, mode="both", sanitize=True)
    assert result.outputs is not None
    assert np.array_equal(result.outputs["y"][0], result.outputs["y"][1])
