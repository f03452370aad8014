"""Extraction: a part of any level runs by itself, on what it really saw, to the same numbers."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.samples import main_function
from smalti.backends.program.assemble import assemble
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import Compilation, start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.debugging.cutting.extraction import extract
from smalti.compiler.debugging.cutting.selection import Selection
from smalti.compiler.debugging.experiment import IrExperiment
from smalti.compiler.debugging.inputs import InputSource
from smalti.compiler.debugging.network_reduction import keep, network_ops
from smalti.compiler.debugging.recording import record
from smalti.dialects import tpu
from smalti.dialects.context import make_context
from smalti.dialects.ir.location import names_of
from smalti.dialects.ir.text.module_text import read_module, verify
from smalti.dialects.isa import InstructionOp
from smalti.dialects.level import Level
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline

from tests.shared_files import ROOT

from ..global_memory import IN_GLOBAL_MEMORY

MODEL = ROOT / "compiler" / "demo" / "digits_mobilenet.onnx"


@pytest.fixture(scope="module")
def digits(request: pytest.FixtureRequest) -> Compilation:
    """The digits network at every level."""
    compilation = start_from_model(MODEL, CompileOptions("edge-1c", None, "int8", "random:0"))
    compilation.lower_to("isa")
    return compilation


ADD = "/features/features.3/Add_output_0"
CLIP = "/features/features.3/conv/conv.1/conv.1.2/Clip_output_0"
NODE = "/features/features.3/Add"

SELECTIONS = {
    "op": Selection(ops=(ADD,)),
    "two ops": Selection(ops=(CLIP, ADD)),
    "span": Selection(span=(CLIP, ADD)),
    "node": Selection(node=NODE),
}


@pytest.mark.parametrize("level", ["top", "tpu", "tile"])
@pytest.mark.parametrize("chosen", list(SELECTIONS))
def test_part_computes_what_the_whole_did(digits: Compilation, level: Level, chosen: str):
    module = digits.levels[level]
    inputs = InputSource(seed=3).arrays(module)
    whole = IrExperiment((), module, digits.ctx)
    part, values = extract(whole, SELECTIONS[chosen], inputs)
    verify(part.module)
    results = run_ir(part.module, part.ctx, values)
    expected = record(module, digits.ctx, inputs)
    assert ADD in results
    for name, value in results.items():
        logical = value
        if value.shape != expected[name].shape:
            # Of a cut tile program the tensors are those that lie in memory: NHWC, lanes padded.
            channels = expected[name].shape[1]
            logical = value[..., :channels].transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(logical, expected[name])


@pytest.fixture(scope="module")
def quantized_ports() -> Compilation:
    """The digits network whose input and output hold integers, the input with channels last."""
    options = CompileOptions(
        "edge-1c", None, "int8", "random:0", io_quantized=True, io_layout="nhwc"
    )
    compilation = start_from_model(MODEL, options)
    compilation.lower_to("isa")
    return compilation


@pytest.mark.parametrize("level", ["tpu", "tile", "isa"])
@pytest.mark.parametrize("first", [True, False])
def test_part_at_a_port_computes_what_the_whole_did(
    quantized_ports: Compilation, level: Level, first: bool
):
    network = network_ops(main_function(quantized_ports.levels["tpu"]))
    name = network[0 if first else -1].result_name.data
    if first and level != "tpu":
        name = "image.copy"
    module, ctx = quantized_ports.levels[level], quantized_ports.ctx
    inputs = InputSource(seed=3).arrays(module)
    assert inputs["image"].dtype == np.float32 and inputs["image"].shape == (1, 1, 8, 8)
    part, values = extract(IrExperiment((), module, ctx), Selection(ops=(name,)), inputs)
    verify(part.module)
    assert ("image" in values) == first
    results, expected = run_ir(part.module, part.ctx, values), record(module, ctx, inputs)
    if not first:
        np.testing.assert_array_equal(results["logits"], expected["logits"])
    elif level != "isa":
        found = results[name]
        if found.shape != expected[name].shape:
            found = found[..., : expected[name].shape[1]].transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(found, expected[name])


def test_reduction_keeps_what_ports_hold(quantized_ports: Compilation):
    module = quantized_ports.levels["tpu"]
    ops = network_ops(main_function(module))
    whole = IrExperiment((), module, quantized_ports.ctx)
    inputs = InputSource(seed=3).arrays(module)
    expected = run_ir(module, quantized_ports.ctx, inputs)
    for kept in (range(len(ops)), range(1), range(len(ops) - 1, len(ops))):
        part = keep(whole, list(kept))
        verify(part.module)
        source = InputSource(inputs, seed=3)
        results = run_ir(part.module, part.ctx, source.arrays(part.module))
        if len(kept) > 1:
            np.testing.assert_array_equal(results["logits"], expected["logits"])
        assert len(kept) == 1 or results["logits"].dtype == np.float32


@pytest.mark.parametrize("layers", [True, False])
def test_tile_part_can_be_lowered_and_simulated(digits: Compilation, layers: bool):
    module = digits.levels["tpu" if layers else "tile"].clone()
    if layers:
        run_pipeline(digits.ctx, module, parse_pipeline("convert-tpu-to-tile"))
    inputs = InputSource(seed=3).arrays(module)
    part, values = extract(IrExperiment((), module, digits.ctx), SELECTIONS["span"], inputs)
    expected = run_ir(part.module, part.ctx, values)
    rest = "tile-order-engines,tile-assign-addresses,convert-tile-to-isa"
    if layers:
        rest = f"tile-split-over-cores,tile-cut-to-local-memory,{rest}"
    lowered = part.module.clone()
    run_pipeline(digits.ctx, lowered, parse_pipeline(rest))
    simulated = run_ir(lowered, digits.ctx, values)
    for name, value in expected.items():
        np.testing.assert_array_equal(simulated[name], value)


def test_node_chooses_everything_that_stems_from_it(digits: Compilation):
    module = digits.levels["tpu"]
    node = next(names_of(op.location)[0] for op in module.walk() if isinstance(op, tpu.Conv2dOp))
    part, _ = extract(
        IrExperiment((), module, digits.ctx),
        Selection(node=node),
        InputSource(seed=0).arrays(module),
    )
    kept = [op for op in part.module.walk() if isinstance(op, tpu.TpuOp) and op.operands]
    assert kept and all(node in names_of(op.location) for op in kept)


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(ops=("nothing",)), "no op makes 'nothing'"),
        (Selection(node="/nowhere"), "no op stems from the node '/nowhere'"),
        (Selection(span=(ADD, CLIP)), "is made after"),
    ],
)
def test_names_that_are_not_there(digits: Compilation, selection: Selection, message: str):
    module = digits.levels["tpu"]
    with pytest.raises(DiagnosticError, match=message):
        extract(IrExperiment((), module, digits.ctx), selection, InputSource(seed=0).arrays(module))


@pytest.fixture(scope="module")
def in_global_memory() -> Compilation:
    """The digits network whose tensors all lie in global memory between layers."""
    options = CompileOptions("edge-1c", None, "int8", "random:0", changes=(IN_GLOBAL_MEMORY,))
    compilation = start_from_model(MODEL, options)
    compilation.lower_to("isa")
    return compilation


@pytest.mark.share(3)
@pytest.mark.parametrize("chosen", list(SELECTIONS))
def test_instructions_compute_what_the_whole_did(in_global_memory: Compilation, chosen: str):
    """Their outputs are the bytes that stand in the whole's memory after them, in its tile program's
    buffer."""
    digits = in_global_memory
    module = digits.levels["isa"]
    inputs = InputSource(seed=3).arrays(module)
    part, values = extract(IrExperiment((), module, digits.ctx), SELECTIONS[chosen], inputs)
    verify(part.module)
    result = simulate(assemble(part.module, part.ctx), values, mode="functional", sanitize=True)
    assert result.outputs
    tiles, bytes_ = extract(
        IrExperiment((), digits.levels["tile"], digits.ctx), SELECTIONS[chosen], inputs
    )
    expected = run_ir(tiles.module, tiles.ctx, bytes_)[ADD]
    assert stands_in(result.outputs, expected)


def stands_in(outputs: Mapping[str, np.ndarray], expected: np.ndarray) -> bool:
    """Tell whether the bytes of a tensor stand in the outputs, which may hold neighbors as well."""
    found = np.concatenate([value.reshape(-1) for value in outputs.values()])
    windows = np.lib.stride_tricks.sliding_window_view(found.view(np.int8), expected.size)
    return bool((windows == expected.reshape(-1)).all(axis=1).any())


EARLIER = "/features/features.1/Add_output_0"


@pytest.mark.parametrize(
    "selection", [Selection(span=(EARLIER, ADD)), Selection(node=NODE)], ids=["span", "node"]
)
def test_instructions_of_several_cores_are_a_file_that_runs(tmp_path: Path, selection: Selection):
    """What stands first in a listing need not run first, what only waited is made anew, and receivers of multicasts
    load each for itself.
    """
    options = CompileOptions(None, None, "int8", "random:0", changes=(IN_GLOBAL_MEMORY,))
    whole = start_from_model(MODEL, options)
    whole.lower_to("isa")
    assert any(
        op.values().get("group") for op in whole.module.walk() if isinstance(op, InstructionOp)
    )
    inputs = InputSource(seed=3).arrays(whole.module)
    part, values = extract(IrExperiment((), whole.module, whole.ctx), selection, inputs)
    path = tmp_path / "part.isa.mlir"
    part.save(path)
    ctx = make_context()
    read = read_module(path, ctx)
    result = simulate(assemble(read, ctx), values, mode="functional", sanitize=True)
    tiles, seen = extract(IrExperiment((), whole.levels["tile"], whole.ctx), selection, inputs)
    expected = run_ir(tiles.module, tiles.ctx, seen)[ADD]
    assert stands_in(result.outputs, expected)
