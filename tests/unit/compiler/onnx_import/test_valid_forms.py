"""Forms of ops and models that ONNX allows and exporters seldom write, at top and compiled for default-8c."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pytest
from ml_dtypes import bfloat16
from onnx import ModelProto, TensorProto, helper, numpy_helper, parser
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import onnx_backend

from tests.unit.compiler.onnx_import.node_check import (
    DEVICE,
    INTERPRETER,
    check_node,
    reference,
    runtime,
)
from tests.unit.compiler.onnx_import.onnx_models import imported, random_input

F16 = np.dtype(np.float16)


def _half(*shape: int, seed: int = 0) -> np.ndarray:
    return random_input(*shape, seed=seed).astype(F16)


NORM = {name: random_input(3, seed=index) for index, name in enumerate("sbm")}
NORM["v"] = random_input(3, seed=5) ** 2
MEL = {
    "bins": np.array(8),
    "length": np.array(64),
    "rate": np.array(8000),
    "low": np.array(10, np.float32),
    "high": np.array(2000, np.float32),
}
GEMM = {
    "a": np.arange(-3, 3, dtype=np.int32).reshape(2, 3),
    "b": np.arange(12, dtype=np.int32).reshape(3, 4),
    "c": np.arange(4, dtype=np.int32),
}
NODES: dict[str, tuple[str, Mapping[str, np.ndarray], dict[str, Any], int, Collection[str]]] = {
    "batch_normalization_of_rank_1": (
        "BatchNormalization",
        {"x": random_input(4), **{name: random_input(1, seed=2) ** 2 for name in "sbmv"}},
        {},
        15,
        "sbmv",
    ),
    "batch_normalization_of_rank_2": ("BatchNormalization", {"x": random_input(4, 3), **NORM}, {}, 15, ""),
    "batch_normalization_by_f32_of_run_time": ("BatchNormalization", {"x": _half(2, 3, 4), **NORM}, {}, 15, ""),
    "batch_normalization_by_f32": ("BatchNormalization", {"x": _half(2, 3, 4), **NORM}, {}, 15, "sbmv"),
    "center_crop_pad_by_i32": (
        "CenterCropPad",
        {"x": random_input(4, 5), "shape": np.array([2, 7], np.int32)},
        {},
        18,
        ["shape"],
    ),
    "scatter_nd_of_nothing": (
        "ScatterND",
        {"x": random_input(4, 5), "i": np.zeros((0, 1), np.int64), "u": random_input(0, 5)},
        {},
        18,
        "",
    ),
    "shrink_of_u8": ("Shrink", {"x": np.arange(8, dtype=np.uint8)}, {"lambd": 3.0, "bias": 1.5}, 9, ""),
    "shrink_of_i32": ("Shrink", {"x": np.arange(-9, 9, dtype=np.int32)}, {"lambd": 3.0, "bias": 1.5}, 9, ""),
    "mel_weights_of_f64": ("MelWeightMatrix", MEL, {"output_datatype": 11}, 17, [*MEL]),
    "mel_weights_of_bf16": ("MelWeightMatrix", MEL, {"output_datatype": 16}, 17, [*MEL]),
    "gemm_of_integers_by_fractions": ("Gemm", GEMM, {"alpha": 0.5, "beta": 1.5}, 13, "b"),
    "gemm_of_integers": ("Gemm", GEMM, {"alpha": 2.0, "beta": 3.0, "transA": 0}, 13, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", NODES)
def test_equals_the_reference(case: str):
    op, arrays, attributes, opset, constants = NODES[case]
    node = helper.make_node(op, [*arrays], ["y"], **attributes)
    expected = reference(node, arrays, opset)
    tolerance = 2e-3 if expected["y"].dtype in (F16, bfloat16) else 1e-6
    check_node(node, arrays, opset, expected, constants=constants, tolerance=tolerance)


def test_scatter_elements_of_nothing():
    arrays = {
        "x": random_input(4, 5),
        "i": np.zeros((0, 5), np.int64),
        "u": random_input(0, 5),
    }
    node = helper.make_node("ScatterElements", [*arrays], ["y"])
    check_node(node, arrays, 18, {"y": arrays["x"]}, tolerance=0.0)


@pytest.mark.parametrize("opset", [18, 20])
def test_group_normalization_with_a_scale_for_each_group(opset: int):
    """Later deprecated, and refused by onnx's checker ever since."""
    arrays = {"x": random_input(2, 4, 3), "s": random_input(2), "b": random_input(2, seed=1)}
    node = helper.make_node("GroupNormalization", [*arrays], ["y"], num_groups=2)
    spread = {name: arrays[name].repeat(2) for name in "sb"}
    expected = reference(node, {"x": arrays["x"], **spread}, 21)
    check_node(node, arrays, opset, expected, tolerance=1e-5)


def test_rms_normalization_has_the_type_of_its_scale():
    arrays = {"x": _half(2, 64), "s": random_input(64, seed=1)}
    node = helper.make_node("RMSNormalization", [*arrays], ["y"])
    wide = {name: array.astype(np.float32) for name, array in arrays.items()}
    check_node(node, arrays, 23, reference(node, wide, 23), tolerance=1e-5)


def test_attention_with_values_of_another_type():
    arrays = {"q": _half(1, 2, 3, 4), "k": _half(1, 2, 5, 4, seed=1)}
    arrays["v"] = random_input(1, 2, 5, 4, seed=2)
    node = helper.make_node("Attention", [*arrays], ["y"])
    wide = {name: array.astype(np.float32) for name, array in arrays.items()}
    expected = runtime(node, wide, 23, {"y": np.dtype(np.float32)})
    check_node(node, arrays, 23, {"y": expected["y"].astype(F16)}, tolerance=2e-3)


def _check_model(model: ModelProto, inputs: dict[str, np.ndarray], *expected: np.ndarray) -> None:
    for device in (INTERPRETER, DEVICE):
        found = onnx_backend.prepare(model, device).run(inputs)
        assert len(found) == len(expected)
        for array, wanted in zip(found, expected, strict=True):
            assert array.shape == wanted.shape
            np.testing.assert_allclose(array, wanted, rtol=1e-6)


def test_an_output_that_is_listed_twice():
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[3] x) => (float[3] y) { y = Neg (x) }'
    )
    model.graph.output.append(model.graph.output[0])
    x = random_input(3)
    _check_model(model, {"x": x}, -x, -x)


def test_an_output_without_a_type():
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[3] x) => (float[3] y) { y = Neg (x) }'
    )
    model.graph.output[0].ClearField("type")
    x = random_input(3)
    _check_model(model, {"x": x}, -x)


@pytest.mark.parametrize("of_model", ["", "ai.onnx"])
@pytest.mark.parametrize("of_node", ["", "ai.onnx"])
def test_both_names_of_the_domain_of_onnx(of_model: str, of_node: str):
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[3] x) => (float[3] y) { y = Neg (x) }'
    )
    model.opset_import[0].domain, model.graph.node[0].domain = of_model, of_node
    x = random_input(3)
    _check_model(model, {"x": x}, -x)


@pytest.mark.parametrize("by_axis", [False, True])
@pytest.mark.parametrize("is_node", [False, True])
def test_sparse_constants(by_axis: bool, is_node: bool):
    x, w = random_input(2, 3), np.array([[0, 1.5, 0], [-2, 0, 0]], np.float32)
    indices = np.array([[0, 1], [1, 0]] if by_axis else [1, 3])
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.array([1.5, -2], np.float32), "w"),
        numpy_helper.from_array(indices, "i"),
        [2, 3],
    )
    nodes = [helper.make_node("Mul", ["x", "w"], ["y"])]
    if is_node:
        nodes.insert(0, helper.make_node("Constant", [], ["w"], sparse_value=sparse))
    graph = helper.make_graph(
        nodes,
        "sparse",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
        sparse_initializer=[] if is_node else [sparse],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    _check_model(model, {"x": x}, x * w)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([1, 6], "an index lies outside of its shape [2, 3]"),
        ([1], "its (2,) values have indices of int64 (1,)"),
    ],
)
def test_sparse_constants_that_are_wrong(indices: list[int], message: str):
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.ones(2, np.float32), "w"),
        numpy_helper.from_array(np.array(indices), "i"),
        [2, 3],
    )
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "w"], ["y"])],
        "sparse",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
        sparse_initializer=[sparse],
    )
    with pytest.raises(DiagnosticError) as caught:
        imported(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
    assert caught.value.message == message


LOOP = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[3] x) => (float[3] y, float[] z) <int64 count = {0}, bool runs = {1}> {
    y, z = Loop (count, runs, x) <body = b (int64 i, bool c, float[3] s)
        => (bool d, float[3] t, float[SIZE] e) { d = Identity (c) t = Neg (s) e = Identity (t) }>
}
"""


def test_a_loop_that_never_runs():
    """Its body declares the shape of what would be collected."""
    model = parser.parse_model(LOOP.replace("SIZE", "3").replace("float[] z", "float[0,3] z"))
    x = random_input(3)
    _check_model(model, {"x": x}, x, np.zeros((0, 3), np.float32))


def test_a_loop_that_never_runs_and_declares_no_shape():
    model = parser.parse_model(LOOP.replace("SIZE", "n").replace("float[] z", "float[0,n] z"))
    with pytest.raises(DiagnosticError) as caught:
        imported(model)
    assert "does not declare the shape of its output 'e'" in str(caught.value.notes[0])
