"""Ops of pre-quantized models at `top` and compiled, against ONNX Runtime: equal to within one step.

Weights beside u8 activations have 7 bits where processors without VNNI make ONNX Runtime saturate sums of pairs of
products.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model, import_model

Arrays = Mapping[str, np.ndarray]
RNG = np.random.default_rng(5)
MICROSOFT = "com.microsoft"


def model_of(
    nodes: list[onnx.NodeProto], inputs: Arrays, constants: Arrays, result: type[np.generic]
) -> onnx.ModelProto:
    """A model whose output is y, of type `result`."""

    def declared(name: str, dtype: np.dtype, shape: tuple[int, ...] | None) -> onnx.ValueInfoProto:
        number = helper.np_dtype_to_tensor_dtype(dtype)
        return helper.make_tensor_value_info(name, number, shape)

    graph = helper.make_graph(
        nodes,
        "quantized",
        [declared(name, x.dtype, x.shape) for name, x in inputs.items()],
        [declared("y", np.dtype(result), None)],
        [numpy_helper.from_array(np.asarray(x), name) for name, x in constants.items()],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def one_op(
    op: str,
    inputs: Arrays,
    constants: Arrays,
    order: str,
    result: type[np.generic],
    domain: str = MICROSOFT,
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one op, whose operands are named in `order`; "-" is one that is left out."""
    names = ["" if name == "-" else name for name in order.split()]
    node = helper.make_node(op, names, ["y"], name="op", domain=domain, **attributes)
    return model_of([node], inputs, constants, result)


def check(model: onnx.ModelProto, inputs: Arrays, step: float = 1) -> None:
    """At `top` and on the device the results are within `step` of those of ONNX Runtime."""
    wanted = run_onnx(model, dict(inputs))["y"]
    for found in (import_model(model), compile_model(model, quantize="f32")):
        result = found.run(dict(inputs))["y"]
        assert result.dtype == wanted.dtype
        assert result.shape == wanted.shape
        np.testing.assert_allclose(result.astype("f8"), wanted.astype("f8"), rtol=0, atol=step)


def integers(dtype: str, *shape: int, low: int = 0, high: int = 127) -> np.ndarray:
    return RNG.integers(low, high, shape).astype(dtype)


def scale(value: float) -> np.ndarray:
    return np.asarray(value, np.float32)


@pytest.mark.parametrize("dtype", ["u1", "i1"])
@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_arithmetic_of_two_scales(op: str, dtype: str):
    point = np.asarray(5, dtype)
    constants = {"as": scale(0.05), "bs": scale(0.03), "ys": scale(0.09), "z": point}
    inputs = {"a": integers(dtype, 2, 3, 4), "b": integers(dtype, 1, 3, 1)}
    check(one_op(op, inputs, constants, "a as z b bs z ys z", point.dtype.type), inputs)


@pytest.mark.parametrize("dtype", ["u1", "i1"])
@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("QLinearSigmoid", {}),
        ("QLinearLeakyRelu", {"alpha": 0.2}),
        ("QLinearGlobalAveragePool", {}),
        ("QLinearAveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("QLinearSoftmax", {"axis": -1, "opset": 13}),
    ],
)
def test_functions_of_one_operand(op: str, attributes: dict[str, Any], dtype: str):
    point = np.asarray(60, dtype)
    constants = {"xs": scale(0.05), "ys": scale(0.02), "z": point, "yz": np.asarray(0, dtype)}
    inputs = {"x": integers(dtype, 1, 3, 4, 4)}
    model = one_op(op, inputs, constants, "x xs z ys yz", point.dtype.type, **attributes)
    check(model, inputs)


def test_concat_of_several_scales():
    constants = {"as": scale(0.05), "bs": scale(0.03), "ys": scale(0.06), "z": np.asarray(9, "u1")}
    inputs = {"a": integers("u1", 1, 3, 4), "b": integers("u1", 1, 2, 4)}
    model = one_op("QLinearConcat", inputs, constants, "ys z a as z b bs z", np.uint8, axis=1)
    check(model, inputs)


@pytest.mark.parametrize("quantizes", [True, False])
@pytest.mark.parametrize("channels", [(), (5,)])
def test_gemm(channels: tuple[int, ...], quantizes: bool):
    constants = {
        "as": scale(0.05), "az": np.asarray(100, "u1"), "b": integers("i1", 5, 6, low=-127),
        "bs": RNG.uniform(0.01, 0.02, channels).astype("f4"), "bz": np.zeros(channels, "i1"),
        "c": integers("i4", 5, low=-900, high=900), "ys": scale(0.7), "yz": np.asarray(120, "u1"),
    }  # fmt: skip
    inputs = {"a": integers("u1", 3, 6)}
    order = "a as az b bs bz c" + (" ys yz" if quantizes else "")
    result = np.uint8 if quantizes else np.float32
    model = one_op("QGemm", inputs, constants, order, result, transB=1)
    check(model, inputs, 1 if quantizes else 1e-4)


@pytest.mark.parametrize("weights", ["i1", "u1"])
@pytest.mark.parametrize("point", [0, 3])
def test_convolution(point: int, weights: str):
    """Weights with a zero point other than 0 are computed in floats."""
    point += 128 if weights == "u1" else 0
    low = -60 if weights == "i1" else 60
    constants = {
        "xs": scale(0.05), "xz": np.asarray(100, "u1"), "ws": scale(0.02),
        "w": integers(weights, 4, 3, 3, 3, low=low, high=low + 120),
        "wz": np.asarray(point, weights), "ys": scale(0.3), "yz": np.asarray(120, "u1"),
        "b": integers("i4", 4, low=-900, high=900),
    }  # fmt: skip
    inputs = {"x": integers("u1", 1, 3, 6, 6)}
    order = "x xs xz w ws wz ys yz b"
    model = one_op("QLinearConv", inputs, constants, order, np.uint8, "", pads=[1, 1, 1, 1])
    check(model, inputs)


def test_convolution_in_one_dimension_with_a_scale_for_each_channel():
    constants = {
        "xs": scale(0.05), "xz": np.asarray(7, "i1"), "ws": np.asarray([0.02, 0.03], "f4"),
        "w": integers("i1", 2, 3, 3, low=-60, high=60), "wz": np.zeros(2, "i1"),
        "ys": scale(0.3), "yz": np.asarray(-20, "i1"),
    }  # fmt: skip
    inputs = {"x": integers("i1", 1, 3, 9, low=-128)}
    order = "x xs xz w ws wz ys yz"
    check(one_op("QLinearConv", inputs, constants, order, np.int8, ""), inputs)


@pytest.mark.parametrize("point", [0, 4])
def test_matrix_product(point: int):
    constants = {
        "as": scale(0.05), "az": np.asarray(100, "u1"), "b": integers("i1", 6, 5, low=-127),
        "bs": scale(0.02), "bz": np.asarray(point, "i1"), "ys": scale(0.3),
        "yz": np.asarray(120, "u1"),
    }  # fmt: skip
    inputs = {"a": integers("u1", 2, 3, 6)}
    order = "a as az b bs bz ys yz"
    check(one_op("QLinearMatMul", inputs, constants, order, np.uint8, ""), inputs)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("channels", [(), (5,)])
def test_dynamic_matrix_product(channels: tuple[int, ...], bias: bool):
    constants = {
        "b": integers("i1", 6, 5, low=-60, high=60), "bz": np.zeros(channels, "i1"),
        "bs": RNG.uniform(0.01, 0.02, channels).astype("f4"),
        "c": RNG.uniform(-1, 1, 5).astype("f4"),
    }  # fmt: skip
    inputs = {"a": RNG.uniform(-1, 2, (3, 6)).astype("f4")}
    order = "a b bs bz" + (" c" if bias else "")
    check(one_op("DynamicQuantizeMatMul", inputs, constants, order, np.float32), inputs, 1e-4)
    known = {**constants, "as": scale(0.02), "az": np.asarray(90, "u1")}
    inputs = {"a": integers("u1", 3, 6)}
    order = "a b as bs az bz" + (" c" if bias else "")
    check(one_op("MatMulIntegerToFloat", inputs, known, order, np.float32), inputs, 1e-4)


def test_dynamic_quantization_and_a_product_of_integers():
    """As ONNX Runtime's dynamic quantization writes it; the integers themselves are equal."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("MatMulInteger", ["q", "w", "z", "wz"], ["y"]),
    ]
    constants = {"w": integers("i1", 6, 5, low=-60, high=60), "wz": np.zeros((), "i1")}
    inputs = {"x": RNG.uniform(-1, 2, (2, 3, 6)).astype("f4")}
    check(model_of(nodes, inputs, constants, np.int32), inputs, 0)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2"])
@pytest.mark.parametrize("kind", ["tensor", "axis", "block"])
def test_quantize_and_dequantize(kind: str, dtype: str):
    shape, more = {
        "tensor": ((), {}),
        "axis": ((3,), {"axis": 1}),
        "block": ((2, 3, 2), {"axis": -1, "block_size": 3}),
    }[kind]
    constants = {
        "s": RNG.uniform(0.01, 0.02, shape).astype("f4"),
        "z": RNG.integers(20, 60, shape).astype(dtype),
    }
    inputs = {"x": RNG.uniform(-3, 3, (2, 3, 4)).astype("f4")}
    quantize = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"], **more)
    result = np.dtype(dtype).type
    check(model_of([quantize], inputs, constants, result), inputs, 0)
    inputs = {"y": integers(dtype, 2, 3, 4)}
    dequantize = helper.make_node("DequantizeLinear", ["y", "s", "z"], ["r"], **more)
    floats = helper.make_node("Relu", ["r"], ["y_"])
    rename = helper.make_node("Identity", ["y_"], ["y"])
    dequantize.input[0] = "q"
    inputs = {"q": inputs["y"]}
    check(model_of([dequantize, floats, rename], inputs, constants, np.float32), inputs, 1e-6)


def test_weights_in_blocks_become_floats():
    constants = {
        "q": integers("i1", 6, 4, low=-100), "s": RNG.uniform(0.01, 0.02, (2, 4)).astype("f4"),
    }  # fmt: skip
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s"], ["w"], axis=0, block_size=3),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    inputs = {"x": RNG.uniform(-1, 1, (2, 6)).astype("f4")}
    check(model_of(nodes, inputs, constants, np.float32), inputs, 1e-5)


def test_moves_between_quantized_ops_stay_integers():
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("Transpose", ["q"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Reshape", ["t", "shape"], ["r"]),
        helper.make_node("DequantizeLinear", ["r", "s", "z"], ["y"]),
    ]
    constants = {"s": scale(0.02), "z": np.asarray(128, "u1"), "shape": np.array([4, 6])}
    inputs = {"x": RNG.uniform(-3, 3, (2, 3, 4)).astype("f4")}
    model = model_of(nodes, inputs, constants, np.float32)
    assert "storage_cast" not in import_model(model).ir()
    check(model, inputs, 1e-6)


@pytest.mark.parametrize("value", (-0.85, 0.5))
def test_padding_of_what_stays_float_is_exact(value: float):
    """The scale is 0.05: only 0.5 is one of its integers, so that only it may be padded before it is dequantized."""
    x = RNG.integers(-100, 100, (1, 3, 2, 2)).astype(np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["x", "s", "z"], ["f"], name="dequantize"),
        helper.make_node("Pad", ["f", "pads", "value"], ["y"], name="pad"),
    ]
    constants = {
        "s": np.float32(0.05),
        "z": np.int8(3),
        "pads": np.array([0, 0, 1, 0, 0, 1, 0, 1]),
        "value": np.float32(value),
    }
    model = model_of(nodes, {"x": x}, constants, np.float32)
    expected = run_onnx(model, {"x": x})["y"]
    found = compile_model(model, quantize="f32").run({"x": x})["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("point", (0, -9, 300))
def test_padded_rows_of_16_bits(point: int):
    """DMA engines pad with bytes, and the bytes of -9 and of 300 differ."""
    x = RNG.uniform(-3, 3, (1, 3, 5)).astype(np.float32)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], name="quantize"),
        helper.make_node("Slice", ["q", "first", "last", "axes"], ["p"], name="slice"),
        helper.make_node("DequantizeLinear", ["p", "s", "z"], ["y"], name="dequantize"),
    ]
    constants = {
        "s": np.float32(0.05),
        "z": np.int16(point),
        "first": np.array([1, 1]),
        "last": np.array([3, 4]),
        "axes": np.array([1, 2]),
    }
    check(model_of(nodes, {"x": x}, constants, np.float32), {"x": x}, 1e-6)


@pytest.mark.parametrize("opset", (11, 13))
def test_softmax_is_that_of_the_opset_that_it_names(opset: int):
    """Before opset 13 a softmax is over all axes from `axis` on."""
    q = np.array([[[0, 50, 100], [150, 200, 250]]], np.uint8)
    constants = {
        "s": np.float32(0.02), "z": np.uint8(128),
        "t": np.float32(1 / 256), "o": np.uint8(0),
    }  # fmt: skip
    model = one_op(
        "QLinearSoftmax", {"q": q}, constants, "q s z t o", np.uint8, axis=1, opset=opset
    )
    check(model, {"q": q})


@pytest.mark.parametrize("op", ("QLinearSigmoid", "QLinearLeakyRelu"))
@pytest.mark.parametrize("dtype", (np.int8, np.uint8))
def test_without_a_zero_point_results_have_the_elements_of_the_operand(op: str, dtype):
    """As with a zero point of 0; ONNX Runtime aborts on some of these."""
    q = RNG.integers(0, 100, (2, 5)).astype(dtype)
    constants = {"s": np.float32(0.05), "z": dtype(3), "t": np.float32(0.02)}
    short = one_op(op, {"q": q}, constants, "q s z t", dtype)
    whole = one_op(op, {"q": q}, {**constants, "o": dtype(0)}, "q s z t o", dtype)
    found, expected = (import_model(each).run({"q": q})["y"] for each in (short, whole))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["u1", "i1"])
@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("QLinearAveragePool", {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 0, 0, 1]}),
        ("QLinearGlobalAveragePool", {}),
    ],
)
def test_pools_whose_channels_come_last(op: str, attributes: dict[str, Any], dtype: str):
    x = integers(dtype, 2, 6, 5, 4)
    constants = {
        "s": scale(0.05),
        "z": np.asarray(3, dtype),
        "t": scale(0.02),
        "p": np.asarray(7, dtype),
    }
    model = one_op(
        op, {"x": x}, constants, "x s z t p", np.dtype(dtype).type, channels_last=1, **attributes
    )
    check(model, {"x": x})


@pytest.mark.parametrize(
    ("size", "attributes"),
    [
        ((7, 9), {"strides": [2, 1], "pads": [1, 0, 0, 1]}),
        ((7, 9), {"group": 2, "dilations": [1, 2]}),
        ((11,), {"auto_pad": "SAME_UPPER"}),
    ],
)
def test_convolutions_whose_channels_come_last(size: tuple[int, ...], attributes: dict[str, Any]):
    x = integers("u1", 2, *size, 4)
    channels = 4 // attributes.get("group", 1)
    constants = {
        "s": scale(0.02),
        "z": np.asarray(60, "u1"),
        "w": integers("i1", 6, channels, *(3,) * len(size), low=-64, high=64),
        "ws": np.linspace(0.002, 0.01, 6, dtype="f4"),
        "wz": np.zeros(6, "i1"),
        "t": scale(0.05),
        "p": np.asarray(120, "u1"),
        "b": integers("i4", 6, low=-500, high=500),
    }
    model = one_op(
        "QLinearConv", {"x": x}, constants, "x s z w ws wz t p b", np.uint8,
        channels_last=1, **attributes,
    )  # fmt: skip
    check(model, {"x": x})


@pytest.mark.parametrize("dtype", ["u1", "i1"])
def test_maxima_whose_channels_come_last(dtype: str):
    x = integers(dtype, 2, 7, 6, 5)
    model = one_op(
        "NhwcMaxPool", {"x": x}, {}, "x", np.dtype(dtype).type,
        kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1],
    )  # fmt: skip
    check(model, {"x": x}, step=0)


def test_an_image_without_spatial_axes_is_an_error():
    x = integers("u1", 2, 6)
    model = one_op("NhwcMaxPool", {"x": x}, {}, "x", np.uint8, kernel_shape=[1])
    with pytest.raises(DiagnosticError, match=r"axes \[N, spatial\.\.\., C\]; it has 2"):
        import_model(model)


def test_network_that_onnx_runtime_has_optimized(tmp_path: Path):
    """Its layout optimizer puts channels last in all of a QDQ network between the first and the last op."""
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, np.ndarray] = {}

    def quantized(name: str, step: float, result: str = "") -> str:
        constants.update({f"{name}_s": scale(step), f"{name}_z": np.asarray(128, "u1")})
        operands = [f"{name}_s", f"{name}_z"]
        result = result or f"{name}_d"
        nodes.append(helper.make_node("QuantizeLinear", [name, *operands], [f"{name}_q"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", *operands], [result]))
        return result

    def convolution(image: str, step: float, name: str, outputs: int, inputs: int) -> str:
        made = {
            "w": integers("i1", outputs, inputs, 3, 3, low=-64, high=64),
            "b": integers("i4", outputs, low=-500, high=500),
        }
        for each, array in made.items():
            own = f"{name}_{each}"
            size = 0.006 * (step if each == "b" else 1)
            constants.update(
                {
                    f"{own}_q": array,
                    f"{own}_s": np.full(outputs, size, "f4"),
                    f"{own}_z": np.zeros(outputs, array.dtype),
                }
            )
            operands = [f"{own}_{part}" for part in "qsz"]
            nodes.append(helper.make_node("DequantizeLinear", operands, [own], axis=0))
        operands = [image, f"{name}_w", f"{name}_b"]
        nodes.append(helper.make_node("Conv", operands, [name], pads=[1] * 4, kernel_shape=[3, 3]))
        return name

    image = quantized("x", 0.02)
    image = quantized(convolution(image, 0.02, "c", 16, 4), 0.03)
    nodes.append(helper.make_node("MaxPool", [image], ["m"], kernel_shape=[3, 3], strides=[2, 2]))
    image = quantized("m", 0.03)
    image = quantized(convolution(image, 0.03, "d", 8, 16), 0.04)
    nodes.append(helper.make_node("GlobalAveragePool", [image], ["g"]))
    quantized("g", 0.01, "y")
    inputs = {"x": RNG.normal(size=(1, 4, 13, 10)).astype("f4")}
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    model = model_of(nodes, inputs, constants, np.float32)
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    optimized = onnx.load(tmp_path / "optimized.onnx")
    assert {"QLinearConv", "NhwcMaxPool"} <= {each.op_type for each in optimized.graph.node}
    check(optimized, inputs, step=0.0101)
