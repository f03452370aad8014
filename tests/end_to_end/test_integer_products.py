"""Products of integers of 8 bits compiled, against ONNX Runtime: equal in every bit, on the matrix unit where f32 is
exact.

Weights beside u8 activations have 7 bits where processors without VNNI make ONNX Runtime saturate sums of pairs of
products.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import compile_model

from tests.shared_files import ROOT

Arrays = dict[str, np.ndarray]
DIGITS = ROOT / "compiler" / "demo" / "digits_mobilenet.onnx"


def integers(dtype: str, *shape: int) -> np.ndarray:
    """Random integers of 7 bits."""
    low = 0 if dtype == "u1" else -63
    return np.random.default_rng(sum(shape)).integers(low, low + 127, shape).astype(dtype)


def model_of(
    nodes: list[onnx.NodeProto], inputs: Arrays, constants: Arrays, result: type[np.generic]
) -> onnx.ModelProto:
    """A model whose output is y."""

    def declared(name: str, dtype: Any, shape: tuple[int, ...] | None) -> onnx.ValueInfoProto:
        number = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, number, shape)

    graph = helper.make_graph(
        nodes,
        "products",
        [declared(name, x.dtype, x.shape) for name, x in inputs.items()],
        [declared("y", result, None)],
        [numpy_helper.from_array(x, name) for name, x in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def check(model: onnx.ModelProto, inputs: Arrays, called: set[str], quantize: str = "f32") -> None:
    """The result is that of ONNX Runtime, and the host computes just some functions."""
    compiled = compile_model(model, quantize=quantize)
    found, wanted = compiled.run(inputs)["y"], run_onnx(model, inputs)["y"]
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)
    text = compiled.ir("tpu")
    functions = {part.split('"')[0] for part in text.split('function = "')[1:]}
    assert functions == called


@pytest.mark.parametrize("points", [(), (5,)], ids=["one", "channels"])
@pytest.mark.parametrize("at_run_time", [False, True])
@pytest.mark.parametrize(("a", "w"), [("u1", "i1"), ("u1", "u1")])
@pytest.mark.parametrize("shape", [(4, 12), (2, 3, 12)], ids=str)
def test_matmul(shape: tuple[int, ...], a: str, w: str, at_run_time: bool, points: tuple[int, ...]):
    given = {"a": integers(a, *shape), "az": np.asarray(71, a)}
    constants = {"w": integers(w, 12, 5), "wz": np.full(points, 3, w)}
    inputs = given if at_run_time else {"a": given["a"]}
    if not at_run_time:
        constants["az"] = given["az"]
    node = helper.make_node("MatMulInteger", ["a", "w", "az", "wz"], ["y"])
    check(model_of([node], inputs, constants, np.int32), inputs, {"cast"})


@pytest.mark.parametrize(
    ("channels", "attributes"),
    [(6, {"pads": [1, 1, 1, 1]}), (1, {"group": 6, "strides": [2, 2], "pads": [1, 0, 2, 1]})],
    ids=["plain", "depthwise"],
)
def test_convolution(channels: int, attributes: dict[str, Any]):
    """What is padded is the zero point."""
    inputs = {"x": integers("u1", 1, 6, 7, 7), "xz": np.asarray(99, "u1")}
    constants = {"w": integers("i1", 6, channels, 3, 3), "wz": np.asarray(0, "i1")}
    node = helper.make_node("ConvInteger", ["x", "w", "xz", "wz"], ["y"], **attributes)
    check(model_of([node], inputs, constants, np.int32), inputs, {"cast"})


def test_sums_that_f32_may_not_hold_stay_with_the_host():
    inputs = {"a": np.full((1, 1200), 255, "u1")}
    constants = {"w": np.full((1200, 2), 63, "i1")}
    node = helper.make_node("MatMulInteger", ["a", "w"], ["y"])
    check(model_of([node], inputs, constants, np.int32), inputs, {"matmul_integer"})


def test_vectors_stay_with_the_host():
    inputs = {"a": integers("u1", 12)}
    constants = {"w": integers("i1", 12, 5)}
    node = helper.make_node("MatMulInteger", ["a", "w"], ["y"])
    check(model_of([node], inputs, constants, np.int32), inputs, {"matmul_integer"})


@pytest.mark.parametrize("quantize", ["f16", "bf16"])
def test_sums_are_exact_in_networks_of_narrow_floats(quantize: str):
    inputs = {"a": integers("u1", 2, 40)}
    constants = {"w": integers("i1", 40, 3)}
    node = helper.make_node("MatMulInteger", ["a", "w"], ["y"])
    check(model_of([node], inputs, constants, np.int32), inputs, {"cast"}, quantize)


@pytest.mark.parametrize(("quantize", "tolerance"), [("f16", 1e-3), ("bf16", 1e-2)])
def test_sums_beyond_f16_are_scaled_in_f32(quantize: str, tolerance: float):
    """The sums are near 10^6, and the product of the scales, which the network multiplies first, is near 10^-8."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("MatMulInteger", ["q", "w", "z"], ["i"]),
        helper.make_node("Cast", ["i"], ["f"], to=1),
        helper.make_node("Mul", ["s", "ws"], ["scales"]),
        helper.make_node("Mul", ["f", "scales"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["biased"]),
        helper.make_node("MatMul", ["biased", "v"], ["y"]),
    ]
    generator = np.random.default_rng(4)
    inputs = {"x": generator.uniform(0, 0.01, (3, 200)).astype("f4")}
    constants = {
        "w": np.full((200, 4), 60, "i1"),
        "ws": np.float32(3e-4),
        "bias": generator.normal(0, 0.01, 4).astype("f4"),
        "v": generator.normal(0, 1, (4, 4)).astype("f4"),
    }
    model = model_of(nodes, inputs, constants, np.float32)
    found = compile_model(model, quantize=quantize).run(inputs)["y"]
    wanted = run_onnx(model, inputs)["y"]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def test_products_of_one_value_share_its_quantization():
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("MatMulInteger", ["q", "w", "z"], ["a"]),
        helper.make_node("MatMulInteger", ["q", "v", "z"], ["b"]),
        helper.make_node("Cast", ["a"], ["af"], to=1),
        helper.make_node("Cast", ["b"], ["bf"], to=1),
        helper.make_node("Add", ["af", "bf"], ["sum"]),
        helper.make_node("Mul", ["sum", "s"], ["y"]),
    ]
    inputs = {"x": np.random.default_rng(1).normal(0, 1, (3, 8)).astype("f4")}
    constants = {"w": integers("i1", 8, 4), "v": integers("i1", 8, 4)[::-1].copy()}
    model = model_of(nodes, inputs, constants, np.float32)
    check(model, inputs, set())
    text = compile_model(model, quantize="f32").ir("tpu")
    assert text.count('kind = "round"') == 2, "the zero point and the integers"


@pytest.mark.share(3)
def test_a_network_that_onnx_runtime_quantizes_dynamically(tmp_path: Path):
    from onnxruntime import quantization

    prepared, made = tmp_path / "prepared.onnx", tmp_path / "dynamic.onnx"
    quantization.quant_pre_process(str(DIGITS), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_dynamic(
        str(prepared), str(made), weight_type=quantization.QuantType.QUInt8, reduce_range=True
    )
    model = onnx.load(made)
    given = model.graph.input[0]
    shape = [each.dim_value or 1 for each in given.type.tensor_type.shape.dim]
    compiled = compile_model(model, quantize="f32")
    for seed in range(2):
        inputs = {given.name: np.random.default_rng(seed).random(shape).astype("f4")}
        wanted = run_onnx(model, inputs)
        for name, found in compiled.run(inputs).items():
            np.testing.assert_allclose(found, wanted[name], rtol=0, atol=1e-4)
    text = compiled.ir("tpu")
    assert "conv_integer" not in text and "matmul_integer" not in text
    assert "tpu.host_call" not in text


@pytest.mark.parametrize(("quantize", "tolerance"), [("f16", 2e-3), ("bf16", 2e-2), ("int8", 2e-2)])
def test_dynamic_quantization_in_other_number_formats(quantize: str, tolerance: float):
    """Integers and scale are f32, whatever the network computes in."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("MatMulInteger", ["q", "w", "z"], ["i"]),
        helper.make_node("Cast", ["i"], ["f"], to=1),
        helper.make_node("Mul", ["f", "s"], ["scaled"]),
        helper.make_node("MatMul", ["scaled", "v"], ["y"]),
    ]
    generator = np.random.default_rng(2)
    inputs = {"x": generator.normal(0, 1, (3, 8)).astype("f4")}
    constants = {"w": integers("i1", 8, 4), "v": generator.normal(0, 1, (4, 4)).astype("f4")}
    model = model_of(nodes, inputs, constants, np.float32)
    calibration = inputs if quantize == "int8" else None
    found = compile_model(model, quantize=quantize, calibration=calibration).run(inputs)["y"]
    wanted = run_onnx(model, inputs)["y"]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())
