"""Valid models of kinds that are easily refused: they give what ONNX Runtime gives, at `top` and on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from smalti.compiler import compile_model, import_model, load_program


def _port(name: str, shape: Sequence[int], type: int = TensorProto.FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, type, list(shape))


def _output(name: str, type: int = TensorProto.FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, type, None)


def _model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    **constants: np.ndarray,
) -> ModelProto:
    initializers = [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()]
    graph = helper.make_graph(list(nodes), "test", inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def _expected(model: ModelProto, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(None, dict(inputs)), strict=True))  # pyright: ignore[reportArgumentType]


def _repeated(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the inputs as four samples that are alike: of fewer, a compilation warns."""
    return {name: np.concatenate([array] * 4) for name, array in inputs.items()}


def _check(model: ModelProto, inputs: Mapping[str, np.ndarray], *quantize: str) -> None:
    """Compares `top`, and the device in each type, with ONNX Runtime."""
    expected = _expected(model, inputs)
    results = {"top": import_model(model).run(inputs)}
    for each in quantize:
        calibration = _repeated(inputs) if each == "int8" else None
        compiled = compile_model(model, quantize=each, calibration=calibration, cores=2)  # pyright: ignore[reportArgumentType]
        results[each] = compiled.run(inputs)
    for how, result in results.items():
        for name, value in expected.items():
            assert result[name].dtype == value.dtype, how
            assert result[name].shape == value.shape, how
            np.testing.assert_allclose(
                result[name], value, atol=0.05 if how == "int8" else 1e-5, err_msg=how
            )


_ARGMAX = helper.make_node("ArgMax", ["x"], ["a"], axis=1, keepdims=0)
_X = _port("x", [2, 5, 3])


@pytest.mark.parametrize(
    ("nodes", "type", "constants"),
    [
        ([helper.make_node("Cast", ["a"], ["y"], to=TensorProto.INT32)], TensorProto.INT32, {}),
        ([helper.make_node("Cast", ["a"], ["y"], to=TensorProto.FLOAT)], TensorProto.FLOAT, {}),
        ([helper.make_node("Cast", ["a"], ["y"], to=TensorProto.BOOL)], TensorProto.BOOL, {}),
        (
            [helper.make_node("Unsqueeze", ["a", "axes"], ["y"])],
            TensorProto.INT64,
            {"axes": np.array([1])},
        ),
        (
            [helper.make_node("Clip", ["a", "low", "high"], ["y"])],
            TensorProto.INT64,
            {"low": np.int64(1), "high": np.int64(3)},
        ),
        (
            [helper.make_node("Equal", ["a", "b"], ["y"])],
            TensorProto.BOOL,
            {"b": np.array([0, 2, 4])},
        ),
    ],
    ids=["to_i32", "to_f32", "to_bool", "unsqueeze", "clip", "equal"],
)
def test_positions_are_used(nodes, type, constants):
    model = _model([_ARGMAX, *nodes], [_X], [_output("y", type)], **constants)
    _check(model, {"x": _normal(2, 5, 3)}, "f32", "int8")


def test_positions_that_f16_does_not_hold():
    nodes = [
        helper.make_node("ArgMax", ["x"], ["a"], axis=1, keepdims=1),
        helper.make_node("Clip", ["a", "low", "high"], ["clipped"]),
        helper.make_node("Cast", ["a"], ["y"], to=TensorProto.FLOAT),
        helper.make_node("Equal", ["a", "high"], ["same"]),
    ]
    outputs = [_output("clipped", TensorProto.INT64), _output("y"), _output("same", 9)]
    bounds = {"low": np.int64(1), "high": np.int64(3002)}
    model = _model(nodes, [_port("x", [2, 4000])], outputs, **bounds)
    x = np.zeros((2, 4000), np.float32)
    x[0, 2999] = x[1, 3001] = 1.0
    _check(model, {"x": x}, "f32", "f16", "bf16")


def test_positions_without_axes():
    nodes = [
        helper.make_node("ArgMax", ["x"], ["a"], axis=0, keepdims=0),
        helper.make_node("Cast", ["a"], ["y"], to=TensorProto.INT32),
    ]
    model = _model(nodes, [_port("x", [7])], [_output("y", TensorProto.INT32)])
    _check(model, {"x": _normal(7)}, "f32")


def test_top_k_positions_are_squeezed():
    nodes = [
        helper.make_node("TopK", ["x", "k"], ["values", "places"], axis=1),
        helper.make_node("Squeeze", ["places", "axes"], ["y"]),
    ]
    model = _model(
        nodes,
        [_port("x", [4, 9])],
        [_output("y", TensorProto.INT64)],
        k=np.array([1]),
        axes=np.array([1]),
    )
    _check(model, {"x": _normal(4, 9)}, "f32", "int8")


def test_gemm_with_a_computed_addend():
    gemm = helper.make_node("Gemm", ["x", "w", "c"], ["y"], transB=1)
    inputs = [_port("x", [4, 6]), _port("c", [5])]
    model = _model([gemm], inputs, [_output("y")], w=_normal(5, 6))
    _check(model, {"x": _normal(4, 6), "c": _normal(5)}, "f32", "int8")


def test_convolution_with_a_computed_bias():
    conv = helper.make_node("Conv", ["x", "w", "b"], ["y"])
    inputs = [_port("x", [1, 3, 6, 6]), _port("b", [4])]
    model = _model([conv], inputs, [_output("y")], w=_normal(4, 3, 3, 3))
    _check(model, {"x": _normal(1, 3, 6, 6), "b": _normal(4)}, "f32", "int8")


def test_an_output_is_an_input():
    relu = helper.make_node("Relu", ["x"], ["y"])
    model = _model([relu], [_port("x", [2, 3])], [_port("x", [2, 3]), _output("y")])
    _check(model, {"x": _normal(2, 3)}, "f32", "int8")


def test_empty_tensors(tmp_path):
    nodes = [
        helper.make_node("Slice", ["x", "start", "end", "axis"], ["none"]),
        helper.make_node("Relu", ["none"], ["empty"]),
        helper.make_node("Concat", ["none", "x"], ["y"], axis=0),
    ]
    model = _model(
        nodes,
        [_port("x", [10])],
        [_output("empty"), _output("y")],
        start=np.array([4]),
        end=np.array([4]),
        axis=np.array([0]),
    )
    inputs = {"x": _normal(10)}
    _check(model, inputs, "f32", "int8")
    compile_model(model, quantize="f32").save(tmp_path / "empty.smalti")
    assert load_program(tmp_path / "empty.smalti").run(inputs)["empty"].shape == (0,)


def test_bool_input_is_calibrated_without_a_warning(capfd):
    where = helper.make_node("Where", ["c", "x", "z"], ["y"])
    inputs = [_port("c", [2, 3], TensorProto.BOOL), _port("x", [2, 3]), _port("z", [1])]
    given = {"c": _normal(2, 3) > 0, "x": _normal(2, 3), "z": _normal(1)}
    model = _model([where], inputs, [_output("y")])
    _check(model, given, "f32", "int8")
    # Nothing is quantized by this one sample, so there is nothing to warn of, and nothing is rounded.
    compiled = compile_model(model, quantize="int8", calibration=given)
    assert np.array_equal(compiled.run(given)["y"], _expected(model, given)["y"])
    assert capfd.readouterr().err == ""


def test_positions_in_int8_are_those_of_floats():
    """Two classes that 8 bits would not tell apart, behind ops that only move and add."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Add", ["t", "b"], ["s"]),
        helper.make_node("ArgMax", ["s"], ["a"], axis=2, keepdims=0),
        helper.make_node("Cast", ["a"], ["y"], to=TensorProto.INT32),
    ]
    bias = np.zeros(5, np.float32)
    model = _model(nodes, [_X], [_output("y", TensorProto.INT32)], b=bias)
    x = _normal(2, 5, 3)
    x[:, 4] = x[:, :4].max(axis=1) + 1e-4
    _check(model, {"x": x}, "f32", "int8")


@pytest.mark.parametrize("type", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_casts_round_on_the_device(type):
    nodes = [
        helper.make_node("Cast", ["x"], ["narrow"], to=type),
        helper.make_node("Cast", ["narrow"], ["back"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["back", "one"], ["y"]),
    ]
    model = _model(nodes, [_port("x", [4, 33])], [_output("y")], one=np.ones(1, np.float32))
    inputs = {"x": 100 * _normal(4, 33)}
    expected = import_model(model).run(inputs)["y"]
    assert np.abs(expected - inputs["x"] - 1).max() > 1e-3
    np.testing.assert_array_equal(compile_model(model, quantize="f32").run(inputs)["y"], expected)


@pytest.mark.parametrize("pool", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    ("size", "attributes"),
    [
        ([7, 2], {"kernel_shape": [3, 3], "strides": [2, 2]}),
        ([1, 1], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ([1, 1], {"kernel_shape": [4, 4], "strides": [4, 4], "pads": [1, 1, 0, 0]}),
    ],
)
def test_the_window_of_a_pool_is_wider_than_the_padded_input(pool, size, attributes):
    node = helper.make_node(pool, ["x"], ["y"], ceil_mode=1, **attributes)
    model = _model([node], [_port("x", [1, 3, *size])], [_output("y")])
    _check(model, {"x": _normal(1, 3, *size)}, "f32", "int8")
