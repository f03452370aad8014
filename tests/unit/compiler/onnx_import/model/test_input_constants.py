"""Inputs that are made constants, by --constant and constants=, and initializers that are fed."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compare_model, compile_model, import_model
from smalti.tools.main import main

from tests.shared_files import SHARED
from tests.unit.compiler.onnx_import.onnx_models import imported, run_imported

FLOAT, INT64, BOOL, UINT8 = (
    TensorProto.FLOAT,
    TensorProto.INT64,
    TensorProto.BOOL,
    TensorProto.UINT8,
)


def model(element: int = INT64, shape: list | None = None, initializer=None) -> ModelProto:
    """y = x + Cast(c), c of an element type and a declared shape."""
    nodes = [
        helper.make_node("Cast", ["c"], ["f"], to=FLOAT),
        helper.make_node("Add", ["x", "f"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [
            helper.make_tensor_value_info("x", FLOAT, [2, 3]),
            helper.make_tensor_value_info("c", element, [] if shape is None else shape),
        ],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        [] if initializer is None else [numpy_helper.from_array(initializer, "c")],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize(
    ("element", "shape", "value", "expected"),
    [
        (INT64, [], 3, 3),
        (INT64, [1], 3, 3),
        (INT64, [3], [1, 2, 3], [1, 2, 3]),
        (INT64, ["n"], [1, 2, 3], [1, 2, 3]),
        (INT64, [2, 1], [1, 2], [[1], [2]]),
        (INT64, [2, "n"], [1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]),
        (INT64, [2, 1], np.array([[1], [2]], np.int8), [[1], [2]]),
        (FLOAT, [], 3, 3),
        (FLOAT, [3], [0.5, 1, 2], [0.5, 1, 2]),
        (BOOL, [], True, 1),
        (UINT8, [], 255.0, 255),
    ],
)
def test_values(element, shape, value, expected):
    found = run_imported(model(element, shape), {"x": X}, constants={"c": value})
    np.testing.assert_array_equal(found["y"], X + np.array(expected, np.float32))


@pytest.mark.parametrize(
    ("element", "shape", "value", "message"),
    [
        (INT64, [], 1.5, "elements are INT64, which cannot hold its value 1.5"),
        (UINT8, [], 256, "elements are UINT8, which cannot hold its value 256"),
        (UINT8, [2], [0, -1], "which cannot hold its value"),
        (INT64, [], True, "elements are INT64, and its value is True"),
        (BOOL, [], 1, "elements are BOOL, and its value is 1"),
        (INT64, [], "one", "and its value is one"),
        (INT64, [3], [1, 2], r"its shape is \[3\], and its value has shape \[2\]"),
        (INT64, ["n", "m"], [1, 2], r"its shape is \[n, m\], and its value has shape \[2\]"),
        (INT64, [2], [[1], [2, 3]], "its value is no tensor"),
        (TensorProto.STRING, [], 1, "only a tensor of numbers or bools"),
    ],
)
def test_values_that_do_not_fit(element, shape, value, message):
    with pytest.raises(DiagnosticError, match=message):
        imported(model(element, shape), constants={"c": value})


def test_other_mistakes():
    with pytest.raises(DiagnosticError, match="the model has no input 'd'"):
        imported(model(), constants={"d": 1})
    with pytest.raises(DiagnosticError, match="it has a value and a shape"):
        imported(model(), constants={"c": 1}, input_shapes={"c": ()})
    with pytest.raises(DiagnosticError, match="constants cannot be 3"):
        import_model(model(), constants=3)  # pyright: ignore[reportArgumentType]


def test_the_constant_is_no_input_of_the_network():
    compiled = compile_model(model(), constants={"c": 3}, quantize="f32")
    np.testing.assert_array_equal(compiled.run({"x": X})["y"], X + 3)


def test_comparing_feeds_the_constants_to_onnxruntime():
    report = compare_model(model(), constants={"c": 3}, quantize="f32", level="top")
    assert [each.whole.name for each in report.outputs] == ["y"] and report.missing == ["f"]


def test_an_initializer_that_is_an_input_can_be_fed_and_replaced():
    one = model(shape=[1, 3], initializer=np.array([[1, 2, 3]]))
    fed = {"x": X, "c": np.array([[4], [5]])}
    np.testing.assert_array_equal(run_imported(one, {"x": X})["y"], X + np.array([1, 2, 3]))
    found = run_imported(one, fed, input_shapes={"c": (2, 1)})
    np.testing.assert_array_equal(found["y"], X + fed["c"])
    wider = {"x": X, "c": np.array([[4, 5, 6]])}
    found = run_imported(one, wider, input_shapes={"c": (1, 3)})
    np.testing.assert_array_equal(found["y"], run_onnx(one, wider)["y"])
    found = run_imported(one, {"x": X}, constants={"c": [7, 8, 9]})
    np.testing.assert_array_equal(found["y"], X + np.array([7, 8, 9]))
    del one.graph.input[1]
    with pytest.raises(DiagnosticError, match="'c' is a constant and no input"):
        imported(one, input_shapes={"c": (2, 1)})


@pytest.mark.parametrize(
    ("element", "shape", "text", "code"),
    [
        (INT64, [], "c=3", 0),
        (FLOAT, [], "c=1.5", 0),
        (BOOL, [], "c=true", 0),
        (INT64, [3], "c=1,2,3", 0),
        (INT64, [1, 3], "c=[[1,2,3]]", 0),
        (INT64, [3], "c=1,2", 1),
    ],
)
def test_on_the_command_line(element, shape, text, code, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(model(element, shape).SerializeToString())
    assert main(["import", str(path), "-o", str(tmp_path / "m.mlir"), "--constant", text]) == code


@pytest.mark.parametrize("text", ["c", "=3", "c=", "c=three", 'c="3"', "c=null"])
def test_texts_that_are_no_values(text, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["import", "m.onnx", "-o", "m.mlir", "--constant", text])
    assert "is not of the form NAME=16000" in capsys.readouterr().err


def test_silero_equals_onnxruntime():
    """A network of voice activity: the sampling rate decides its branches, the state of its LSTM goes in and out."""
    file = SHARED / "models" / "real" / "silero_vad_16k.onnx"
    if not file.exists():
        pytest.skip(f"{file.name} is not here: public data (set SMALTI_SHARED)")
    rng = np.random.default_rng(0)
    shapes = {"input": (1, 576), "state": (2, 1, 128)}
    fed = {name: (rng.random(shape, np.float32) - 0.5) for name, shape in shapes.items()}
    found = run_imported(file, fed, input_shapes=shapes, constants={"sr": 16000})
    for name, want in run_onnx(file, {**fed, "sr": np.array(16000)}).items():
        np.testing.assert_allclose(found[name], want, atol=1e-4 * np.abs(want).max(), rtol=0)
