# ruff: noqa: E501
"""The tile interpreter: the values of whole layers, samples, layouts, and programs that read what
is not there.
"""

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.targets.target import load_target
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.attribute import integer
from smalti.dialects.ir.target_attribute import set_target
from smalti.dialects.ir.text.module_text import parse_module, verify
from smalti.passes.tile.assign_addresses import AssignAddresses
from xdsl.dialects.builtin import ModuleOp

from tests.unit.slabs import TwoRanges
from tests.unit.slabs import copy as contiguous
from tests.unit.tile_programs import expected, images, two_layers


def program(*ops):
    """A module of a program of `ops` for the default target."""
    module = ModuleOp([tile.ProgramOp("main", ops)])
    set_target(module, "default-8c", load_target("default-8c"))
    return module


def copy(core, source, target, sizes, *, source_strides, target_strides, **fields):
    return tile.CopyOp(
        core,
        source,
        target,
        sizes=sizes,
        source_strides=source_strides,
        target_strides=target_strides,
        **fields,
    )


@pytest.mark.parametrize(("cores", "tiles"), [(1, 1), (1, 4), (2, 2), (8, 1)])
@pytest.mark.parametrize("addresses", [False, True])
def test_tiles_give_the_values_of_whole_layers(cores, tiles, addresses):
    module, ctx = two_layers(cores=cores, tiles=tiles)
    if addresses:
        AssignAddresses().run(ctx, module)
    seen = {}
    outputs = run_tile(module, ctx.weights, {"x": images(3)}, observe=seen.__setitem__)
    values = expected(images(3))
    assert np.array_equal(outputs["y"], values["y"])
    assert np.array_equal(seen["mid"][:, 0], values["mid"])
    assert np.array_equal(seen["y"][:, 0], values["y"])


def test_many_samples_run_in_chunks(monkeypatch):
    module, ctx = two_layers()
    whole = run_tile(module, ctx.weights, {"x": images(7)})
    monkeypatch.setattr("smalti.backends.interpreter.tile.interpreter.MAX_LIVE_BYTES", 1 << 14)
    assert np.array_equal(run_tile(module, ctx.weights, {"x": images(7)})["y"], whole["y"])


def transposed(core=0):
    """[1, 3, 2, 2] to channel-last rows of 4 with padding 9, and back, by way of local memory."""
    x = tile.GlobalOp("x", "input", [1, 3, 2, 2], "i8")
    mid = tile.GlobalOp(
        "mid", "scratch", [1, 3, 2, 2], "i8", order=[0, 2, 3, 1], physical=[1, 2, 2, 4]
    )
    y = tile.GlobalOp("y", "output", [1, 3, 2, 2], "i8")
    local = tile.AllocOp(core, [2, 2, 4], "i8")
    back = tile.AllocOp(core, [2, 2, 4], "i8")
    steps = [
        copy(
            core,
            x.output,
            local.output,
            [4, 3, 1],
            source_strides=[1, 4, 1],
            target_strides=[4, 1, 1],
        ),
        tile.FillOp(core, back.output, value=9.0),
        copy(
            core,
            local.output,
            mid.output,
            [4, 3],
            source_strides=[4, 1],
            target_strides=[4, 1],
            pad=1,
            pad_value=9,
        ),
        copy(core, mid.output, back.output, [16], source_strides=[1], target_strides=[1]),
        copy(
            core,
            back.output,
            y.output,
            [4, 3, 1],
            source_strides=[4, 1, 1],
            target_strides=[1, 4, 1],
        ),
    ]
    return [x, mid, y, local, back], steps


def test_computations_in_place():
    """An op may write the buffer that it reads, as its instruction may."""
    x = tile.GlobalOp("x", "input", [1, 16], "f32")
    y = tile.GlobalOp("y", "output", [1, 16], "f32")
    local = tile.AllocOp(0, [1, 16], "f32")
    row = {"source_strides": [1], "target_strides": [1]}
    steps = [
        copy(0, x.output, local.output, [16], **row),
        tile.ConvertOp(0, local.output, local.output, columns=16, clamp=[0.0, 2.0]),
        tile.BinaryOp(0, local.output, local.output, local.output, kind="add"),
        copy(0, local.output, y.output, [16], **row),
    ]
    module = program(x, y, local, *steps)
    values = np.linspace(-4, 4, 16, dtype=np.float32)[None]
    found = run_tile(module, make_context().weights, {"x": values})["y"]
    assert np.array_equal(found, 2 * np.clip(values, 0, 2))


def test_copies_change_layout_and_pad():
    declarations, steps = transposed()
    x = np.arange(24, dtype=np.int8).reshape(2, 3, 2, 2)
    seen = {}
    outputs = run_tile(
        program(*declarations, *steps), make_context().weights, {"x": x}, observe=seen.__setitem__
    )
    assert np.array_equal(outputs["y"], x)
    assert np.array_equal(seen["mid"][:, 0], x)


LAYERS = """
builtin.module attributes {smalti.target = "default-8c", smalti.target_hash = "HASH"} {
  tile.program @main {
    %x = tile.global "x" segment = "input" shape = [1, 3, 2, 4] order = [0, 1, 2, 3] : memref<1x3x2x4xf32, "global">
    %q = tile.global "q" segment = "scratch" shape = [1, 3, 2, 4] order = [0, 2, 3, 1] : memref<1x2x4x16xi8, "global">
    %y = tile.global "y" segment = "output" shape = [1, 3, 2, 4] order = [0, 1, 2, 3] : memref<1x3x2x4xf32, "global">
    tile.layer (%a = %x : memref<1x3x2x4xf32, "global"> as tensor<1x3x2x4xf32>) -> %q : memref<1x2x4x16xi8, "global">
        window = [0, 1, 0, 3, 0, 2, 0, 4] {
      %r = tpu.cast "q" %a : (tensor<1x3x2x4xf32>) -> tensor<1x3x2x4x!quant.uniform<i8:f32, 0.5:3>>
      tile.yield %r : tensor<1x3x2x4x!quant.uniform<i8:f32, 0.5:3>>
    }
    tile.layer core 0 (%a = %q : memref<1x2x4x16xi8, "global"> as tensor<1x3x2x4x!quant.uniform<i8:f32, 0.5:3>>) -> %y : memref<1x3x2x4xf32, "global">
        window = [0, 1, 0, 3, 0, 1, 0, 4] {
      %r = tpu.cast "y" %a : (tensor<1x3x2x4x!quant.uniform<i8:f32, 0.5:3>>) -> tensor<1x3x2x4xf32>
      tile.yield %r : tensor<1x3x2x4xf32>
    }
    tile.layer core 1 (%a = %q : memref<1x2x4x16xi8, "global"> as tensor<1x3x2x4x!quant.uniform<i8:f32, 0.5:3>>) -> %y : memref<1x3x2x4xf32, "global">
        window = [0, 1, 0, 3, 1, 2, 0, 4] {
      %r = tpu.cast "y" %a : (tensor<1x3x2x4x!quant.uniform<i8:f32, 0.5:3>>) -> tensor<1x3x2x4xf32>
      tile.yield %r : tensor<1x3x2x4xf32>
    }
  }
}
""".replace("HASH", load_target("default-8c").content_hash)


@pytest.mark.parametrize("addresses", [False, True])
def test_layers_write_their_windows(addresses):
    ctx = make_context()
    module = parse_module(LAYERS, ctx)
    verify(module)
    if addresses:
        AssignAddresses().run(ctx, module)
    x = np.random.default_rng(1).normal(0, 9, (5, 3, 2, 4)).astype(np.float32)
    seen = {}
    outputs = run_tile(module, ctx.weights, {"x": x}, observe=seen.__setitem__)
    stored = np.clip(np.round(x / 0.5) + 3, -128, 127)
    assert np.array_equal(seen["q"][:, 0], stored)
    assert np.array_equal(outputs["y"], (stored - 3) * 0.5)


def test_a_layer_that_is_missing_leaves_a_hole():
    ctx = make_context()
    module = parse_module(LAYERS, ctx)
    second = [op for op in module.walk() if isinstance(op, tile.LayerOp)][1]
    second.detach()
    second.erase()
    with pytest.raises(DiagnosticError, match="whole of output 'y'"):
        run_tile(module, ctx.weights, {"x": np.zeros((1, 3, 2, 4), np.float32)})


def test_reading_what_nobody_wrote_is_an_error():
    declarations, steps = transposed()
    with pytest.raises(
        DiagnosticError, match=r"tile.copy on core 0\) reads elements of 'mid' that nobody wrote"
    ):
        run_tile(
            program(*declarations, *steps[:2], *steps[3:]),
            make_context().weights,
            {"x": np.zeros((1, 3, 2, 2), np.int8)},
        )


def test_an_output_that_is_not_written_is_an_error():
    declarations, steps = transposed()
    with pytest.raises(DiagnosticError, match="whole of output 'y'"):
        run_tile(
            program(*declarations, *steps[:4]),
            make_context().weights,
            {"x": np.zeros((1, 3, 2, 2), np.int8)},
        )


def test_addresses_that_overlap_are_found():
    module, ctx = two_layers(cores=1, tiles=2)
    AssignAddresses().run(ctx, module)
    allocs = [op for op in module.walk() if isinstance(op, tile.AllocOp)]
    first = allocs[0].address
    for op in allocs:
        op.address = first
    with pytest.raises(DiagnosticError, match="nobody wrote"):
        run_tile(module, ctx.weights, {"x": images()})


@pytest.mark.parametrize("kind", [tile.AllocOp, tile.GlobalOp])
def test_an_address_outside_its_memory_is_an_error(kind):
    """It is told by the buffer, before bytes up to it are made."""
    module, ctx = two_layers(cores=1, tiles=2)
    AssignAddresses().run(ctx, module)
    op = next(op for op in module.walk() if isinstance(op, kind))
    op.address = integer(2**40)
    with pytest.raises(DiagnosticError, match=f"is at bytes {2**40} to .*, which has"):
        run_tile(module, ctx.weights, {"x": images()})


def test_a_box_outside_its_buffer_is_an_error():
    x = tile.GlobalOp("x", "input", [8], "i8")
    local = tile.AllocOp(0, [16], "i8")
    step = copy(0, x.output, local.output, [9], source_strides=[1], target_strides=[1])
    with pytest.raises(DiagnosticError, match="reaches elements 0 to 8 of 'x', which has 8"):
        run_tile(program(x, local, step), make_context().weights, {"x": np.zeros(8, np.int8)})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "input 'x' is missing"),
        ({"z": images()}, "there is no input 'z'"),
        ({"x": images()[:, :4]}, r"shape \[1, 4, 8, 16\], expected \[1, 8, 8, 16\]"),
        ({"x": images().astype(np.float32)}, "type float32, expected i8"),
        ({"x": images()[:0]}, r"shape \[0, 8, 8, 16\]"),
    ],
)
def test_inputs_are_checked(inputs, message):
    module, ctx = two_layers()
    with pytest.raises(DiagnosticError, match=message):
        run_tile(module, ctx.weights, inputs)


@pytest.mark.parametrize("addresses", [False, True])
def test_views_are_pieces_of_the_bytes_of_their_buffer(addresses):
    own = TwoRanges()
    module, ctx = own.module, make_context()
    if addresses:
        AssignAddresses().run(ctx, module)
    x = np.random.default_rng(2).integers(-128, 128, (3, 8, 64)).astype(np.int8)
    y = run_tile(module, ctx.weights, {"x": x.reshape(24, 64)})["y"].reshape(x.shape)
    assert all(np.array_equal(b, TwoRanges.expected(a)) for a, b in zip(x, y, strict=True))


def test_what_is_the_same_for_all_samples_stays_in_a_buffer_that_gets_other_parts():
    """One view is filled, the other one gets each sample's values, in either order."""
    x = np.random.default_rng(2).integers(-128, 128, (3, 64)).astype(np.int8)
    for order in (1, -1):
        source = tile.GlobalOp("x", "input", (1, 64), "i8")
        y = tile.GlobalOp("y", "output", (1, 128), "i8")
        slab = tile.AllocOp(0, (128,), "i8")
        low, high = (tile.ViewOp(slab.output, (64,), offset=offset) for offset in (0, 64))
        fill = tile.FillOp(0, low.output, value=5.0)
        load = contiguous(0, source.output, high.output, 64)
        store = contiguous(0, slab.output, y.output, 128)
        module = program(source, y, slab, low, high, *[fill, load][::order], store)
        found = run_tile(module, make_context().weights, {"x": x})["y"]
        assert np.array_equal(found, np.concatenate((np.full_like(x, 5), x), axis=1))


def test_a_read_of_a_view_that_nobody_wrote_names_buffer_and_offset():
    y = tile.GlobalOp("y", "output", (64,), "i8")
    slab = tile.AllocOp(0, (64,), "i8")
    slab.output.name_hint = "slab"
    low, high = (tile.ViewOp(slab.output, (40,), offset=offset) for offset in (0, 24))
    fill = tile.FillOp(0, low.output, value=5.0)
    store = contiguous(0, high.output, y.output, 40)
    module = program(y, slab, low, high, fill, store)
    message = r"reads elements of '%slab \+ 24' that nobody wrote"
    with pytest.raises(DiagnosticError, match=message):
        run_tile(module, make_context().weights, {})


def test_a_tensor_that_is_kept_is_complete_once_all_parts_of_its_buffer_are_written():
    own = TwoRanges("m")
    seen = {}
    x = np.random.default_rng(2).integers(-100, 100, (8, 64)).astype(np.int8)
    run_tile(own.module, make_context().weights, {"x": x}, observe=seen.__setitem__)
    assert np.array_equal(seen["m"][0], x + 1)
