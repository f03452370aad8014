"""Dynamic quantization on the vector unit, against ONNX Runtime: integers, scale and zero point are equal."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.simulator.simulate import simulate
from smalti.compiler import compile_model
from smalti.compiler.onnx_backend import prepare

Shape = tuple[int, ...]


def quantizing_model(shape: Shape, before: str) -> onnx.ModelProto:
    """A model that gives the three results of DynamicQuantizeLinear behind an op of one operand."""
    nodes = [
        helper.make_node(before, ["x"], ["a"]),
        helper.make_node("DynamicQuantizeLinear", ["a"], ["q", "s", "z"]),
    ]
    outputs = [
        helper.make_tensor_value_info("q", TensorProto.UINT8, shape),
        helper.make_tensor_value_info("s", TensorProto.FLOAT, ()),
        helper.make_tensor_value_info("z", TensorProto.UINT8, ()),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "dynamic", [x], outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


SAMPLES = {
    "both": (1, 0),
    "above": (1e-3, 2),
    "below": (50, -100),
    "zeros": (0, 0),
    "tiny": (1e-30, 0),
    "denormal": (1e-40, 0),
}
"""A factor and a summand of normal numbers."""


@pytest.mark.parametrize("before", ["Neg", "Relu", "Abs"])
@pytest.mark.parametrize(
    ("shape", "target"),
    [
        ((), "edge-1c"),
        ((7,), "default-8c"),
        ((20000,), "edge-1c"),
        ((1, 6, 9, 5), "edge-1c"),
        ((2, 3, 16, 112), "default-8c"),
        ((2, 14336), "default-8c"),
    ],
    ids=str,
)
def test_results(shape: Shape, target: str, before: str):
    model = quantizing_model(shape, before)
    compiled = compile_model(model, quantize="f32", target=target)
    assert "tpu.host_call" not in compiled.ir("tpu")
    for name, (factor, summand) in SAMPLES.items():
        x = np.random.default_rng(1).normal(0, 1, shape) * factor + summand
        inputs = {"x": x.astype(np.float32)}
        found = simulate(compiled.program, inputs, sanitize=True).outputs
        assert found is not None
        for output, wanted in run_onnx(model, inputs).items():
            assert found[output].dtype == wanted.dtype
            np.testing.assert_array_equal(found[output], wanted, err_msg=f"{name}: {output}")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1.4e-45])
def test_numbers_for_which_onnx_has_no_answer(number: float):
    """The device's answer is the interpreter's."""
    model = quantizing_model((1, 4), "Neg")
    inputs = {"x": np.array([[number, 1e-45, 0, -1e-45]], np.float32)}
    found = compile_model(model, quantize="f32").run(inputs)
    for output, wanted in prepare(model, "CPU").run(inputs)._asdict().items():
        np.testing.assert_array_equal(found[output], wanted)


def test_what_no_core_can_reduce_stays_with_the_host():
    """A prime number of elements cannot be divided."""
    model = quantizing_model((10007,), "Neg")
    compiled = compile_model(model, quantize="f32")
    assert compiled.ir("tpu").count("dynamic_quantize_linear") == 3
    inputs = {"x": np.random.default_rng(2).normal(0, 1, 10007).astype(np.float32)}
    found = compiled.run(inputs)
    for output, wanted in run_onnx(model, inputs).items():
        np.testing.assert_array_equal(found[output], wanted)
