"""Running models on ONNX Runtime: samples, intermediate tensors, wrong inputs."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError


def model_of(shape, constants=None):
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["x", "c"], ["a"]),
            helper.make_node("Relu", ["a"], ["r"]),
            helper.make_node("Mul", ["r", "c"], ["y"]),
        ],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([1, -2], np.float32), "c")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


X = np.array([[1, 2], [3, 4], [-5, 6]], np.float32)


@pytest.mark.parametrize("lead", [1, 3, "N"])
def test_samples(lead):
    expected = np.maximum(X + np.array([1, -2], np.float32), 0) * np.array([1, -2], np.float32)
    np.testing.assert_array_equal(run_onnx(model_of([lead, 2]), {"x": X})["y"], expected)


@pytest.mark.parametrize("as_file", [True, False])
def test_intermediates(tmp_path, as_file):
    model = model_of([1, 2])
    if as_file:
        onnx.save(model, tmp_path / "m.onnx")
    got = run_onnx(tmp_path / "m.onnx" if as_file else model, {"x": X}, intermediates=True)
    assert set(got) == {"a", "r", "y"}
    np.testing.assert_array_equal(got["a"], X + np.array([1, -2], np.float32))
    assert [value.name for value in model.graph.output] == ["y"]


def test_other_number_types():
    pixels = np.array([[1, 2]], np.uint8)
    np.testing.assert_array_equal(run_onnx(model_of([1, 2]), {"x": pixels})["y"], [[2, -0.0]])


@pytest.mark.parametrize(
    ("inputs", "part"),
    [
        ({}, "'x' is missing"),
        ({"z": X}, "no input 'z'"),
        ({"x": X[:, :1]}, "shape [3, 1]"),
        ({"x": X[0]}, "shape [2]"),
        ({"x": X[:0]}, "shape [0, 2]"),
        ({"x": np.array([["a", "b"]])}, "ONNX Runtime"),
    ],
)
def test_wrong_inputs(inputs, part):
    with pytest.raises(DiagnosticError) as caught:
        run_onnx(model_of([1, 2]), inputs)
    assert part in str(caught.value)


def test_wrong_models(tmp_path):
    (tmp_path / "garbage.onnx").write_bytes(b"garbage")
    for path in (tmp_path / "garbage.onnx", tmp_path / "none.onnx"):
        for intermediates in (False, True):
            with pytest.raises(DiagnosticError) as caught:
                run_onnx(path, {}, intermediates=intermediates)
            assert path.name in str(caught.value)
