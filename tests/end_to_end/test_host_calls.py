"""Networks with parts that the host computes, on the whole path; what is told about them."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.program import container
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import load_target, shipped_targets
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions

from .test_random_networks import close, levels, same


def detector() -> onnx.ModelProto:
    """A convolution; of its channels the best, running sums, the largest three and where they are."""
    rng = np.random.default_rng(4)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("ArgMax", ["c"], ["best"], name="best", axis=1, keepdims=0),
        helper.make_node("CumSum", ["c", "axis"], ["s"], name="sums", reverse=1),
        helper.make_node("TopK", ["s", "k"], ["v", "where"], name="top", axis=-1),
        helper.make_node("Relu", ["v"], ["y"], name="relu"),
    ]
    weights = [
        numpy_helper.from_array(rng.normal(0, 0.3, (5, 2, 3, 3)).astype(np.float32), "w"),
        numpy_helper.from_array(np.array(2, np.int64), "axis"),
        numpy_helper.from_array(np.array([3], np.int64), "k"),
    ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 6, 9])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, 6, 3]),
            helper.make_tensor_value_info("best", TensorProto.INT64, [1, 6, 9]),
            helper.make_tensor_value_info("where", TensorProto.INT64, [1, 5, 6, 3]),
        ],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


X = {"x": np.random.default_rng(5).normal(size=(3, 2, 6, 9)).astype(np.float32)}


@pytest.mark.parametrize("target", shipped_targets())
def test_every_target(target: str):
    """f32: as ONNX Runtime, positions to the letter; INT8: every level the same, to the bit."""
    model, cores = detector(), load_target(target).cores
    expected = run_onnx(model, X)
    tpu, tile, program = levels(model, CompileOptions(target, cores, "f32"), X)
    for result, what in ((tpu, "tpu"), (tile, "tile"), (program, "program")):
        close(result, expected, 1e-5, what)
        assert result["best"].dtype == result["where"].dtype == np.int64
    tpu, tile, program = levels(model, CompileOptions(target, cores, "int8", X), X)
    same(tile, tpu, "tile against tpu")
    same(program, tpu, "program against tpu")


def test_time_and_traffic():
    """Calls are counted, their transfers cost bytes and cycles, and the host's time is apart."""
    model = detector()
    assembled = start_from_model(model, CompileOptions("edge-1c", None, "f32")).assemble()
    program = container.read(container.write(assembled))
    result = simulate(program, X, mode="both", sanitize=True)
    assert result.timing is not None and result.timing.host_calls == 4
    assert result.host_seconds is not None and result.host_seconds > 0
    sums, best, top = 5 * 6 * 9 * 4, 6 * 9 * 8, 5 * 6 * 3
    host_writes = sums + best + top * 4 + top * 8
    assert result.timing.bytes_written >= host_writes
    latency = program.target.global_memory.latency_cycles
    assert result.timing.cycles > 4 * 2 * latency / 4, "calls that wait for each other: two of them"
    assert simulate(program, X).outputs is not None
    several = simulate(program, X, jobs=2)
    assert several.host_seconds is None and result.outputs is not None
    assert several.outputs is not None
    same(several.outputs, result.outputs, "two processes")


def test_it_is_told(smalti, tmp_path: Path):
    onnx.save(detector(), tmp_path / "m.onnx")
    np.savez(tmp_path / "x.npz", **X)
    words = ("compile", tmp_path / "m.onnx", "--quantize", "f32", "-o", tmp_path / "m.smalti")
    ran = smalti(*words)
    assert ran.code == 0
    assert "remark: the host computes 'best': no engine does argmax" in ran.err
    assert ran.err.count("the host computes") == 4
    ran = smalti("run", tmp_path / "m.smalti", "--inputs", tmp_path / "x.npz", "--mode", "both")
    assert ran.code == 0
    assert "host calls" in ran.out and "host time: " in ran.out
    ran = smalti("disassemble", tmp_path / "m.smalti")
    assert ran.code == 0 and "argmax(f32[1, 5, 6, 9]) with {axis = 1, keepdims = false}" in ran.out


def test_what_topk_cannot(smalti, tmp_path: Path):
    model = detector()
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(np.array([12], np.int64), "k"))
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "m.onnx")
    ran = smalti("import", tmp_path / "m.onnx", "-o", tmp_path / "m.mlir")
    assert ran.code == 1 and "error" in ran.err and "Traceback" not in ran.err
