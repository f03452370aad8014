"""The method best-of: errors at the outputs against whole runs, and what is chosen by them."""

import numpy as np
import pytest
from onnx import helper
from smalti.backends.interpreter.samples import input_names, main_function
from smalti.backends.interpreter.top import run_top
from smalti.compiler import calibrate_model
from smalti.compiler.calibration.best_of import SpreadSamples, best_of
from smalti.compiler.calibration.output_error import OutputErrors
from smalti.compiler.calibration.sample_source import ArraySamples
from smalti.passes.top.calibration_table import CalibrationTable, Row

from tests.unit.compiler.onnx_import.onnx_models import imported, model_of, random_input


def branches():
    """y = relu(a) + b and z = b · 2, for a = x · w and b = a + x: tensors with one reader and with several."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Add", ["a", "x"], ["b"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Add", ["r", "b"], ["y"]),
        helper.make_node("Mul", ["b", "two"], ["z"]),
    ]
    constants = {"w": random_input(4, 4), "two": np.full(1, 2, np.float32)}
    return model_of(nodes, {"x": (2, 4)}, ["y", "z"], constants=constants)


@pytest.mark.parametrize("samples", [1, 3])
def test_errors_are_those_of_whole_runs(samples):
    """A change of the input, computed onwards from it alone, is what a run of the whole network makes of it."""
    module, ctx = imported(branches())
    (name,) = input_names(main_function(module))
    x = random_input(samples, 2, 4)
    errors = OutputErrors(module, ctx.weights, {name: x})
    changes = [lambda values: values * np.float32(1.5), lambda values: values + np.float32(1)]
    found = errors.of(name, changes)
    reference = run_top(module, ctx.weights, {name: x})
    for change, error in zip(changes, found, strict=True):
        expected = np.zeros(samples)
        for key, value in run_top(module, ctx.weights, {name: change(x)}).items():
            exact = reference[key].reshape(samples, -1)
            apart = np.square(value.reshape(samples, -1) - exact).sum(1)
            expected += apart / np.square(exact).sum(1).mean()
        np.testing.assert_allclose(error, expected, rtol=1e-4)
    # A change of what nothing else is computed from is the change itself.
    (z,) = errors.of("z", [lambda values: values * np.float32(1.5)])
    energy = np.square(reference["z"]).reshape(samples, -1).sum(1)
    np.testing.assert_allclose(z, 0.25 * energy / energy.mean(), rtol=1e-4)
    costs = errors.costs()
    assert costs["x"] > costs["a"] > costs["b"] > costs["y"] == costs["z"] == 0


def test_the_row_with_the_least_error_is_taken():
    """Numbers that the network cuts off anyway need no range; those that it keeps do."""
    nodes = [
        helper.make_node("Add", ["x", "zero"], ["wide"]),
        helper.make_node("Clip", ["wide", "low", "high"], ["cut"]),
        helper.make_node("Mul", ["wide", "small"], ["tiny"]),
        helper.make_node("Add", ["cut", "tiny"], ["y"]),
    ]
    constants = {
        "zero": np.zeros(1, np.float32), "low": np.float32(-1), "high": np.float32(1),
        "small": np.full(1, 1e-6, np.float32),
    }  # fmt: skip
    module, ctx = imported(model_of(nodes, {"x": (1, 64)}, constants=constants))
    x = 30 * random_input(12, 1, 64)
    tables = [
        CalibrationTable({name: Row(high, -high, high, method) for name in ("wide", "cut")})
        for method, high in (("first", 100.0), ("second", 1.0))
    ]
    rows, measured = best_of(module, ctx.weights, {"x": x}, tables)
    assert measured == 2
    assert rows["wide"].method == "second"
    assert rows["cut"].method == "second"
    same = [tables[0], CalibrationTable({"wide": Row(100.0, -100.0, 100.1, "second")})]
    rows, measured = best_of(module, ctx.weights, {"x": x}, same)
    assert measured == 0 and rows["wide"].method == "first"


@pytest.mark.parametrize(("count", "size"), [(20, 3), (7, 7), (3, 1)])
def test_samples_are_kept_all_over_the_data(count, size):
    module, _ = imported(branches())
    x = np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 2, 4), np.float32)
    spread = SpreadSamples(ArraySamples(module, {"x": x}), most=4)
    assert sum(len(part["x"]) for part in spread.parts(size)) == count
    kept = spread.kept()["x"][:, 0, 0]
    step = -(-count // 4)
    np.testing.assert_array_equal(kept, np.arange(0, count, step))


def test_a_table_tells_the_method_of_each_tensor(small_model):
    table = calibrate_model(small_model, {"x": random_input(8, 2, 4)}, method="best-of")
    assert {row.method for row in table.rows.values()} <= {"mse", "min-max", "percentile:99.99"}
    assert "method: best-of" in table.comments
    assert any(
        each.startswith("best-of: mse, min-max, percentile:99.99 compared")
        for each in table.comments
    )


@pytest.fixture
def small_model():
    return branches()
