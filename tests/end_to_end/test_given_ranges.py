"""What INT8 asks of a pre-quantized model: ranges of no tensor to which the model gives one, and one scale of none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model, import_model
from smalti.compiler.analysis.compare_levels import compare_model
from smalti.compiler.calibration.samples import load_calibration_data

RNG = np.random.default_rng(2)
WEIGHT = {"w": RNG.integers(-60, 60, (3, 3, 3, 3)).astype("i1"), "ws": np.float32(0.01)}
ONE_SCALE: Mapping[str, np.ndarray] = {
    "xs": np.array(0.02, "f4"), "xz": np.array(3, "i1"),
    "ys": np.array(0.1, "f4"), "yz": np.array(-100, "i1"),
}  # fmt: skip


def node(op: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], name=output, **attributes)


def model_of(
    nodes: list[onnx.NodeProto],
    inputs: Mapping[str, np.ndarray],
    outputs: Mapping[str, type[np.generic]],
    constants: Mapping[str, np.ndarray],
) -> onnx.ModelProto:
    def declared(name: str, dtype: Any, shape: Any) -> onnx.ValueInfoProto:
        number = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, number, shape)

    graph = helper.make_graph(
        nodes,
        "given",
        [declared(name, x.dtype, x.shape) for name, x in inputs.items()],
        [declared(name, dtype, None) for name, dtype in outputs.items()],
        [numpy_helper.from_array(np.asarray(x), name) for name, x in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def convolution(**attributes: Any) -> list[onnx.NodeProto]:
    """x, quantized and dequantized, a convolution, a relu, y quantized to q; `attributes` are those of quantization."""
    return [
        node("QuantizeLinear", "x xs xz", "xq", **attributes),
        node("DequantizeLinear", "xq xs xz", "xd", **attributes),
        node("DequantizeLinear", "w ws", "wd"),
        node("Conv", "xd wd", "c", pads=[1, 1, 1, 1]),
        node("Relu", "c", "r"),
        node("QuantizeLinear", "r ys yz", "q", **attributes),
    ]


def image() -> dict[str, np.ndarray]:
    return {"x": RNG.uniform(-1.5, 1.5, (1, 3, 6, 6)).astype(np.float32)}


def test_model_that_quantizes_all_needs_no_calibration():
    inputs = image()
    model = model_of(convolution(), inputs, {"q": np.int8}, {**WEIGHT, **ONE_SCALE})
    found = compile_model(model, quantize="int8").run(inputs)["q"]
    expected = run_onnx(model, inputs)["q"]
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


def test_only_tensors_without_a_range_are_named():
    """What leads from the quantized values through float weights to the output has no range in the model."""
    nodes = [
        *convolution(),
        node("DequantizeLinear", "q ys yz", "d"),
        node("MatMul", "d v", "m"),
        node("Relu", "m", "y"),
    ]
    constants = {**WEIGHT, **ONE_SCALE, "v": RNG.uniform(-1, 1, (6, 5)).astype(np.float32)}
    model = model_of(nodes, image(), {"y": np.float32}, constants)
    with pytest.raises(DiagnosticError, match="quantize=int8 needs") as caught:
        compile_model(model, quantize="int8")
    assert caught.value.message.endswith("the model gives no range for 'm', 'y'")
    assert caught.value.hint is not None and "--calibration random:0" in caught.value.hint
    compile_model(model, quantize="int8", calibration="random:0")


def test_tail_of_dequantized_weights_stays_as_the_model_has_it():
    """As quantizers leave the last product of a network: its result is not quantized."""
    nodes = [*convolution()[:4], node("Sigmoid", "c", "y")]
    inputs = image()
    model = model_of(nodes, inputs, {"y": np.float32}, {**WEIGHT, **ONE_SCALE})
    found = compile_model(model, quantize="int8").run(inputs)["y"]
    np.testing.assert_allclose(found, run_onnx(model, inputs)["y"], atol=1e-5)


def test_network_without_floats_needs_no_calibration():
    x = {"x": RNG.integers(-9, 9, (2, 8)).astype(np.int32)}
    model = model_of([node("Transpose", "x", "y", perm=[1, 0])], x, {"y": np.int32}, {})
    np.testing.assert_array_equal(compile_model(model, quantize="int8").run(x)["y"], x["x"].T)


def test_network_that_quantizes_only_weights_needs_calibration():
    nodes = [node("DequantizeLinear", "w ws", "wd"), node("Conv", "x wd", "y", pads=[1, 1, 1, 1])]
    model = model_of(nodes, image(), {"y": np.float32}, WEIGHT)
    with pytest.raises(DiagnosticError, match="quantize=int8 needs calibration data"):
        compile_model(model, quantize="int8")


@pytest.mark.parametrize("calibration", [None, "random:0"])
@pytest.mark.parametrize("kind", ["axis", "blocks"])
def test_activations_of_several_scales_are_floats_and_say_why(
    kind: str, calibration: str | None, capsys: pytest.CaptureFixture[str]
):
    shape, attributes, cause = {
        "axis": ((3,), {"axis": 1}, "3 along axis 1"),
        "blocks": ((1, 3, 6, 2), {"axis": 3, "block_size": 3}, "36 in blocks"),
    }[kind]
    constants = {
        **WEIGHT,
        "xs": RNG.uniform(0.01, 0.02, shape).astype("f4"), "xz": RNG.integers(-9, 9, shape).astype("i1"),
        "ys": RNG.uniform(0.03, 0.04, shape).astype("f4"), "yz": RNG.integers(-9, 9, shape).astype("i1"),
    }  # fmt: skip
    inputs = image()
    model = model_of(convolution(**attributes), inputs, {"q": np.int8}, constants)
    compiled = compile_model(model, quantize="int8", calibration=calibration)
    told = capsys.readouterr().err
    expected = run_onnx(model, inputs, intermediates=True)["q"]
    found = compiled.run(inputs)["q"]
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1
    assert f"the model has {cause}" in told


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("u1", 0, 255), ("i1", -128, 127), ("u2", 0, 65535), ("i2", -32768, 32767)],
)
def test_random_integers_that_store_numbers_span_their_type(dtype: str, low: int, high: int):
    constants = {"s": np.float32(0.1), "z": np.zeros((), dtype)}
    nodes = [node("Transpose", "x", "t", perm=[1, 0]), node("DequantizeLinear", "t s z", "y")]
    model = model_of(nodes, {"x": np.zeros((16, 16), dtype)}, {"y": np.float32}, constants)
    data = load_calibration_data("random:1", import_model(model).module)["x"]
    assert data.dtype == np.dtype(dtype) and (data.min(), data.max()) == (low, high)
    assert np.std(data.astype(float)) > (high - low) / 10


@pytest.mark.parametrize(("dtype", "high"), [("u1", 255), ("i4", 9), ("i8", 9)])
def test_random_integers_span_8_bits_and_are_small_numbers_otherwise(dtype: str, high: int):
    nodes = [node("Cast", "x", "y", to=onnx.TensorProto.FLOAT)]
    model = model_of(nodes, {"x": np.zeros((16, 16), dtype)}, {"y": np.float32}, {})
    data = load_calibration_data("random:1", import_model(model).module)["x"]
    assert (data.min(), data.max()) == (0, high)


@pytest.mark.parametrize("level", ["top", "tpu", "tile"])
def test_quantized_tensors_are_compared_by_what_they_stand_for(level: Any):
    """ONNX Runtime gives their integers, u8 here; the levels hold i8, or give real numbers."""
    constants = {**WEIGHT, **ONE_SCALE, "xz": np.array(128, "u1"), "yz": np.array(20, "u1")}
    nodes = [*convolution(), node("Transpose", "q", "t", perm=[0, 2, 3, 1])]
    model = model_of(nodes, image(), {"t": np.uint8}, constants)
    report = compare_model(model, level=level, quantize="int8", inputs=image())
    ratios = {each.name: each.snr_db for each in report.differences}
    assert {"t", "xq"} <= ratios.keys()
    assert min(ratios.values()) > 30, ratios
    (output,) = report.outputs
    assert output.whole.reference_range < 26, "not in steps of u8, but in what they stand for"


def test_nodes_share_what_they_read_of_one_quantized_weight():
    constants = {**ONE_SCALE, **WEIGHT, "wz": np.array(0, "i1")}
    nodes = [
        node("QLinearConv", f"t{i} xs xz w ws wz xs xz", f"t{i + 1}", pads=[1, 1, 1, 1])
        for i in range(20)
    ]
    model = model_of(nodes, {"t0": np.zeros((1, 3, 6, 6), "i1")}, {"t20": np.int8}, constants)
    text = import_model(model).ir()
    assert text.count("top.weight") == 1
    assert text.count("top.conv2d") == 20
