"""Extraction of instructions where values stay in local memory: what crosses there becomes inputs and outputs."""

import re
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.program.assemble import assemble
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.debugging.cutting.extraction import extract
from smalti.compiler.debugging.cutting.selection import Selection
from smalti.compiler.debugging.experiment import IrExperiment
from smalti.compiler.debugging.inputs import InputSource
from smalti.dialects import isa, tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import SmaltiContext
from smalti.dialects.ir.text.module_text import verify
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from xdsl.dialects.builtin import ModuleOp, StringAttr

from tests.shared_files import ROOT
from tests.unit.passes.tile.test_assign_addresses import module_of
from tests.unit.passes.tile_to_isa.test_convert_tile_to_isa import SEGMENT, random_programs

from ..global_memory import IN_GLOBAL_MEMORY

LENGTH = 64
BOX = {"source_strides": [1], "target_strides": [1], "sizes": [LENGTH]}


def two_cores(
    *, origins: tuple[str, str] = ("a", "a"), name: str = "x"
) -> tuple[ModuleOp, SmaltiContext]:
    """Twice, at the same addresses: core 0 computes from x what core 1 fetches and computes y from.

    What core 0 does has the origins `origins`, the rest is of origin "b". The name of x is `name`.
    """
    x = tile.GlobalOp(name, "input", [2, LENGTH], "i8")
    y = tile.GlobalOp("y", "output", [2, LENGTH], "i8")
    ops, steps = [x, y], []
    for row, origin in enumerate(origins):
        own, made, fetched, result = (
            tile.AllocOp(core, [1, LENGTH], "i8", address=address)
            for core, address in ((0, 0), (0, 0x1C0), (1, 0x80), (1, 0x40))
        )
        ops += [own, made, fetched, result]
        at = {"source_offset": row * LENGTH}
        to = {"target_offset": row * LENGTH}
        steps += [
            tile.CopyOp(0, x.output, own.output, origin=origin, **BOX, **at),
            convert(0, own, made, 5 + row, origin),
            tile.CopyOp(1, made.output, fetched.output, origin="b", **BOX),
            convert(1, fetched, result, -3, "b"),
            tile.CopyOp(1, result.output, y.output, origin="b", **BOX, **to),
        ]
    return lowered(module_of(*ops, *steps))


def convert(core: int, source: tile.AllocOp, target: tile.AllocOp, zero: int, origin: str):
    """The addition of a number."""
    return tile.ConvertOp(
        core,
        source.output,
        target.output,
        columns=LENGTH,
        multiplier=1 << 30,
        shift=30,
        zero_points=[0, zero],
        origin=origin,
    )


def lowered(module: ModuleOp) -> tuple[ModuleOp, SmaltiContext]:
    """The instructions of a tile program."""
    ctx = make_context()
    run_pipeline(ctx, module, parse_pipeline("tile-assign-addresses,convert-tile-to-isa"))
    return module, ctx


def extracted(
    module: ModuleOp, ctx: SmaltiContext, inputs: Mapping[str, np.ndarray], *origins: str
) -> tuple[ModuleOp, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The program of the instructions of some origins, what it takes, and what it gives."""
    part, values = extract(IrExperiment((), module, ctx), Selection(ops=origins), inputs)
    verify(part.module)
    result = simulate(assemble(part.module, ctx), values, mode="functional", sanitize=True)
    assert result.outputs is not None
    return part.module, values, result.outputs


def instructions(module: ModuleOp) -> list[isa.InstructionOp]:
    """All instructions of a program."""
    return [op for op in module.walk() if isinstance(op, isa.InstructionOp)]


def local_bytes(values: Mapping[str, np.ndarray]) -> list[tuple[str, bytes]]:
    """What lies in local memory among inputs or outputs: core and address, and the bytes."""
    return sorted(
        (re.sub(r"_\d+$", "", name.removeprefix("local_")), value.tobytes())
        for name, value in values.items()
        if name.startswith("local_")
    )


ROWS = np.random.default_rng(0).integers(-128, 128, (2, LENGTH)).astype(np.int8)
MADE = [np.clip(row.astype(int) + 5 + i, -128, 127).astype(np.int8) for i, row in enumerate(ROWS)]
RESULT = np.stack([np.clip(row.astype(int) - 3, -128, 127).astype(np.int8) for row in MADE])
AT = ("local_0_0x1c0", "local_0_0x1c0_2")
"""The names of the two values that lie at one address of core 0, one after the other."""


@pytest.mark.parametrize("origins", [("a", "a"), ("a", "c")], ids=["one origin", "two origins"])
def test_what_others_read_of_local_memory_is_an_output(origins: tuple[str, str]):
    module, ctx = two_cores(origins=origins)
    _, inputs, outputs = extracted(module, ctx, {"x": ROWS}, *origins)
    assert list(inputs) == ["x"] and list(outputs) == list(AT)
    for name, row in zip(AT, MADE, strict=True):
        np.testing.assert_array_equal(outputs[name].view(np.int8), row)


def test_one_of_two_values_at_one_address():
    module, ctx = two_cores(origins=("a", "c"))
    for origin, row in zip(("a", "c"), MADE, strict=True):
        _, _, outputs = extracted(module, ctx, {"x": ROWS}, origin)
        assert list(outputs) == [AT[0]]
        np.testing.assert_array_equal(outputs[AT[0]].view(np.int8), row)


@pytest.mark.parametrize("origins", [("a", "a"), ("a", "c")], ids=["one origin", "two origins"])
def test_what_others_wrote_to_local_memory_is_an_input(origins: tuple[str, str]):
    """Each value is loaded by the core in whose memory it lies, the second when the first has been read."""
    module, ctx = two_cores(origins=origins)
    part, inputs, outputs = extracted(module, ctx, {"x": ROWS}, "b")
    assert list(inputs) == list(AT) and list(outputs) == ["y"]
    for name, row in zip(AT, MADE, strict=True):
        np.testing.assert_array_equal(inputs[name].view(np.int8), row)
    np.testing.assert_array_equal(outputs["y"], RESULT)
    first, second = instructions(part)[:2]
    assert [op.values()["dst"] for op in (first, second)] == [0x1C0, 0x1C0]
    assert first.wait is None and second.wait is not None


def test_what_does_not_cross_needs_no_port():
    module, ctx = two_cores()
    part, inputs, outputs = extracted(module, ctx, {"x": ROWS}, "a", "b")
    assert list(inputs) == ["x"] and list(outputs) == ["y"]
    np.testing.assert_array_equal(outputs["y"], RESULT)
    assert len(instructions(part)) == len(instructions(module))


def test_ports_of_the_whole_keep_their_names():
    """They are neighbors in their segment, and named like bytes of local memory."""
    module, ctx = two_cores()
    part, inputs, _ = extracted(module, ctx, {"x": ROWS}, "b")
    _, again, outputs = extracted(part, ctx, inputs, "b")
    assert list(again) == list(inputs) == list(AT)
    for name in AT:
        np.testing.assert_array_equal(again[name], inputs[name])
    np.testing.assert_array_equal(outputs["y"], RESULT)


def test_an_input_of_the_whole_that_is_named_like_a_place():
    module, ctx = two_cores(origins=("a", "c"), name=AT[0])
    _, inputs, outputs = extracted(module, ctx, {AT[0]: ROWS}, "b", "c")
    assert list(inputs) == list(AT)
    np.testing.assert_array_equal(inputs[AT[0]], ROWS)
    np.testing.assert_array_equal(inputs[AT[1]].view(np.int8), MADE[0])
    np.testing.assert_array_equal(outputs["y"], RESULT)


@pytest.mark.share(3)
@settings(max_examples=30)
@given(random_programs(tensors=0), st.data())
def test_what_one_part_gives_is_what_the_other_takes(module: ModuleOp, data: st.DataObject):
    """Both parts of random programs, cut anywhere, with addresses that are used again and again."""
    steps = tile.program_of(module).steps
    origins = [data.draw(st.sampled_from("ab")) for _ in steps]
    assume(len(set(origins)) == 2)
    for op, origin in zip(steps, origins, strict=True):
        op.properties["origin"] = StringAttr(origin)
    module, ctx = lowered(module)
    x = np.arange(SEGMENT).astype(np.int8)
    whole = simulate(assemble(module, ctx), {"x": x}, mode="functional").outputs
    _, a_inputs, a_outputs = extracted(module, ctx, {"x": x}, "a")
    _, b_inputs, b_outputs = extracted(module, ctx, {"x": x}, "b")
    assert local_bytes(a_outputs) == local_bytes(b_inputs)
    assert local_bytes(b_outputs) == local_bytes(a_inputs)
    outputs = {**a_outputs, **b_outputs}
    assert whole is not None and np.array_equal(outputs["y"], whole["y"])


LAYER = "/features/features.3/Add_output_0"


@pytest.fixture(scope="module")
def digits() -> tuple[ModuleOp, SmaltiContext]:
    """The instructions of the digits network."""
    model = ROOT / "compiler" / "demo" / "digits_mobilenet.onnx"
    options = CompileOptions("edge-1c", None, "int8", "random:0", changes=(IN_GLOBAL_MEMORY,))
    compilation = start_from_model(model, options)
    compilation.lower_to("isa")
    return compilation.module, compilation.ctx


def relabeled(module: ModuleOp, *mnemonics: str) -> ModuleOp:
    """A module in which some instructions of a layer have the origin "part", and all others "rest"."""
    module = module.clone()
    for op in instructions(module):
        inside = op.origin is not None and op.origin.data == LAYER
        part = inside and op.instruction.mnemonic in mnemonics
        op.properties["origin"] = StringAttr("part" if part else "rest")
    return module


@pytest.mark.parametrize(
    "mnemonics", [("conv2d", "epilogue"), ("load",), ("store",), ("conv2d", "epilogue", "store")]
)
def test_a_cut_through_a_layer(digits: tuple[ModuleOp, SmaltiContext], mnemonics: tuple[str, ...]):
    ctx = digits[1]
    module = relabeled(digits[0], *mnemonics)
    inputs = InputSource(seed=3).arrays(module)
    whole = simulate(assemble(module, ctx), inputs, mode="functional").outputs
    _, part_inputs, part_outputs = extracted(module, ctx, inputs, "part")
    assert local_bytes(part_inputs) or local_bytes(part_outputs)
    _, rest_inputs, rest_outputs = extracted(module, ctx, inputs, "rest")
    assert local_bytes(part_outputs) == local_bytes(rest_inputs)
    assert local_bytes(part_inputs) == local_bytes(rest_outputs)
    assert whole is not None
    for name, value in whole.items():
        np.testing.assert_array_equal(rest_outputs[name], value)


@pytest.mark.parametrize(
    ("mnemonics", "chosen"), [(("epilogue",), "first"), (("load", "conv2d"), "second")]
)
def test_accumulators_do_not_cross(
    digits: tuple[ModuleOp, SmaltiContext], mnemonics: tuple[str, ...], chosen: str
):
    module = relabeled(digits[0], *mnemonics)
    message = f"reads accumulators that .* wrote, and only the {chosen} of the two is chosen"
    with pytest.raises(DiagnosticError, match=message) as caught:
        extracted(module, digits[1], InputSource(seed=3).arrays(module), "part")
    assert caught.value.hint == "choose whole ops"
