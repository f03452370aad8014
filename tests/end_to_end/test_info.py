"""`smalti info`: its figures are those of the program and of a timing run, and its advice and bound are true."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import load_target
from smalti.compiler import compile_model, load_program
from smalti.compiler.analysis.program_summary import resource_use, summarize_program
from smalti.tools.commands.info import format_summary

from .conftest import small_model
from .test_commands import Smalti, ok


def added(size: int) -> onnx.ModelProto:
    """Make a model that adds two inputs, which keeps memory busy and little else."""
    values = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, size]) for n in ("a", "b", "y")
    ]
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["y"])], "g", values[:2], values[2:]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_figures(smalti: Smalti, small_files: Path):
    program = load_program(small_files / "small.smalti").program
    found = json.loads(ok(smalti("info", small_files / "small.smalti", "--json")))
    timing = simulate(program, mode="timing").timing
    assert timing is not None
    assert found["cycles"] == timing.cycles
    assert found["energy_picojoules"] == pytest.approx(timing.energy_picojoules)
    assert found["inferences_per_second"] == pytest.approx(1e9 * timing.clock_ghz / timing.cycles)
    assert found["segment_bytes"]["weights"] == program.weight_bytes.size
    assert found["code_bytes"] == 128 * program.instruction_count
    for peak, used in zip(found["peak_local_bytes"], program.local_bytes, strict=True):
        assert 0 < peak <= used <= found["local_memory_bytes"]
    assert found["placed_local_bytes"] == program.local_bytes
    pairs = zip(program.local_bytes, found["peak_local_bytes"], strict=True)
    packing = max(used / peak for used, peak in pairs)
    assert found["local_packing"] == pytest.approx(packing)
    assert [port["name"] for port in found["inputs"]] == [port.name for port in program.inputs]
    assert sum(found["bound"]["critical_path"].values()) == pytest.approx(1, abs=1e-3)
    text = ok(smalti("info", small_files / "small.smalti"))
    assert f"{timing.cycles:,} cycles from cold" in text
    assert f"at most {packing:.2f} times its peak" in text
    assert all(str(port) in text for port in [*program.inputs, *program.outputs])
    ran = smalti("info", small_files / "small.tpu.mlir")
    assert ran.code == 1 and "error:" in ran.err and "Traceback" not in ran.err


@pytest.mark.share(3)
@pytest.mark.parametrize("target", ["default-8c", "cloud-ai-100-16c", "edge-1c"])
def test_advice_is_true(target: str):
    """The cores that are used are as fast alone; a sample of the advised batch takes less than two thirds."""
    model, advised = small_model(), 0
    for batch in (1, 4):
        summary = summarize_program(
            compile_model(model, quantize="f32", target=target, batch=batch).program
        )
        cores = summary.cores_used
        assert ("cores are used" in (summary.advice or "")) == (cores < summary.cores)
        fewer = compile_model(model, quantize="f32", target=target, batch=batch, cores=cores)
        assert fewer.profile().cycles == summary.cycles
        if "a batch would pay" in (summary.advice or ""):
            advised += 1
            assert f"--batch {4 * batch} " in (summary.advice or "")
            larger = compile_model(model, quantize="f32", target=target, batch=4 * batch)
            assert larger.profile().cycles / 4 < summary.cycles * 2 / 3
    assert advised or target == "edge-1c"


def test_what_bounds_a_program_is_what_makes_it_faster():
    target = load_target("default-8c")
    program = compile_model(added(2**20), quantize="f32", target=target).program
    summary = summarize_program(program)
    assert summary.bound.resource == "global memory" and "global memory" in format_summary(summary)
    assert summary.advice is None
    memory = target.global_memory.model_copy(update={"gigabytes_per_second": 256.0})
    faster = target.model_copy(update={"global_memory": memory})
    again = compile_model(added(2**20), quantize="f32", target=faster).profile()
    assert again.cycles < summary.cycles * 0.75
    assert max(resource_use(again).values()) <= 1


def test_a_program_that_waits_and_one_without_a_batch():
    summary = summarize_program(compile_model(added(64), quantize="f32").program)
    assert summary.bound.resource == "waiting" and summary.bound.share < 0.6
    model = added(64)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 3
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 3
    other = summarize_program(compile_model(model, quantize="f32").program)
    assert other.batch is None and "--batch" not in (other.advice or "")
    assert "none: inputs have no common axis 0" in format_summary(other)
    assert other.samples_per_second == other.inferences_per_second
    assert np.isfinite(other.energy_picojoules)
