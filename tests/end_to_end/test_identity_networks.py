"""Networks that hand values on: outputs that are inputs or constants, and values that are returned twice."""

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from onnx import NodeProto, TensorProto, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model, import_model
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module

WEIGHT = np.random.default_rng(0).normal(size=(4, 3, 1, 1)).astype(np.float32)
CONSTANT = np.arange(6, dtype=np.float32).reshape(1, 6)


def node(op: str, *names: str, **attributes: object) -> NodeProto:
    """A node; the last name is its output."""
    return oh.make_node(op, list(names[:-1]), [names[-1]], name=f"{op}_{names[-1]}", **attributes)


def model_of(nodes: list[NodeProto], outputs: list[str]) -> onnx.ModelProto:
    """A model with input `x` [1,3,1,1] and the constants `w` and `k`."""
    graph = oh.make_graph(
        nodes,
        "identity",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 1, 1))],
        [oh.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(WEIGHT, "w"), numpy_helper.from_array(CONSTANT, "k")],
    )
    return oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)


NETWORKS = {
    "identity": model_of([node("Identity", "x", "y")], ["y"]),
    "a mean of one element": model_of([node("GlobalAveragePool", "x", "y")], ["y"]),
    "the input twice": model_of(
        [node("Identity", "x", "y"), node("Identity", "x", "z")], ["y", "z"]
    ),
    "a value twice": model_of(
        [node("Conv", "x", "w", "c"), node("Identity", "c", "y"), node("Identity", "c", "z")],
        ["y", "z", "c"],
    ),
    "equal values": model_of(
        [node("Relu", "x", "y"), node("Relu", "x", "z"), node("Conv", "x", "w", "c")],
        ["y", "z", "c"],
    ),
    "a constant": model_of([node("Identity", "k", "y"), node("Relu", "x", "z")], ["y", "z"]),
    "only a constant": model_of([node("Relu", "k", "y")], ["y"]),
    "an inner value": model_of([node("Conv", "x", "w", "c"), node("Relu", "c", "y")], ["c", "y"]),
    "the input reshaped": model_of([node("Flatten", "x", "y", axis=1)], ["y"]),
}


@pytest.mark.parametrize("quantize", ["int8", "f32"])
@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_those_of_onnxruntime(name: str, quantize: str):
    """On both levels that have them; int8 within a step of the range, f32 values handed on to the bit."""
    model = NETWORKS[name]
    inputs = {"x": np.random.default_rng(1).normal(size=(3, 3, 1, 1)).astype(np.float32)}
    expected = run_onnx(model, inputs)
    compiled = compile_model(model, quantize=quantize, calibration=inputs)
    for got in (import_model(model).run(inputs), compiled.run(inputs)):
        assert got.keys() == expected.keys()
        for output, value in expected.items():
            tolerance = (0.02 if quantize == "int8" else 1e-6) * np.abs(value).max()
            np.testing.assert_allclose(
                got[output].reshape(value.shape), value, atol=tolerance, rtol=0
            )
    assert compiled.profile().cycles > 0
    for level in ("top", "tpu", "tile", "isa"):
        text = compiled.ir(level)
        assert print_module(parse_module(text, make_context(), check=False)) == text
