"""Smalti as a backend of ONNX: devices, inputs in order or by name, single nodes, and ONNX's own runner."""

import unittest
import warnings

import numpy as np
import onnx.backend.test
import pytest
from onnx import helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import onnx_backend

from tests.unit.compiler.onnx_import.onnx_models import model_of, random_input

TWO = model_of([helper.make_node("Sub", ["a", "b"], ["y"])], {"a": (2, 3), "b": (2, 3)})
A, B = random_input(2, 3), random_input(2, 3, seed=1)


@pytest.mark.parametrize("device", ["CPU", "edge-1c"])
def test_inputs_in_order_or_by_name(device: str):
    prepared = onnx_backend.prepare(TWO, device)
    for inputs in ([A, B], (A, B), {"b": B, "a": A}):
        outputs = prepared.run(inputs)
        np.testing.assert_allclose(outputs[0], A - B, atol=1e-6)
        assert outputs["y"] is outputs[0]


def test_inputs_that_have_initializers_are_fed_where_their_shapes_are_given():
    model = model_of(
        [helper.make_node("Sub", ["a", "b"], ["y"])], {"a": (2, 3), "b": (2, 3)}, constants={"b": B}
    )
    (result,) = onnx_backend.prepare(model).run([A])
    np.testing.assert_allclose(result, A - B, atol=1e-6)
    prepared = onnx_backend.prepare(model, input_shapes={"b": (2, 3)})
    (result,) = prepared.run([A, 2 * B])
    np.testing.assert_allclose(result, A - 2 * B, atol=1e-6)


def test_a_model_of_one_input_takes_the_bare_array():
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": (2, 3)})
    (result,) = onnx_backend.run_model(model, A)
    np.testing.assert_array_equal(result, np.maximum(A, 0))


def test_options_of_the_compiler():
    """INT8 needs calibration data, and gets them."""
    with pytest.raises(DiagnosticError, match="calibration"):
        onnx_backend.prepare(TWO, "edge-1c", quantize="int8")
    outputs = onnx_backend.run_model(
        TWO, [A, B], "edge-1c", quantize="int8", calibration={"a": A, "b": B}
    )
    np.testing.assert_allclose(outputs[0], A - B, atol=0.1)


def test_too_many_inputs():
    with pytest.raises(DiagnosticError, match="3 inputs are given, the model has 2"):
        onnx_backend.run_model(TWO, [A, B, A])


def test_devices():
    assert all(map(onnx_backend.supports_device, ("CPU", "default-8c", "edge-1c")))
    assert not any(map(onnx_backend.supports_device, ("CUDA", "TPU:0")))
    with pytest.raises(DiagnosticError, match="CUDA"):
        onnx_backend.prepare(TWO, "CUDA")


def test_compatible_models():
    assert onnx_backend.is_compatible(TWO)
    unknown = model_of([helper.make_node("NonZero", ["x"], ["y"])], {"x": (2, 3)})
    assert not onnx_backend.is_compatible(unknown)


@pytest.mark.parametrize("device", ["CPU", "edge-1c"])
def test_a_node_alone(device: str):
    """Types of outputs are inferred, or given."""
    node = helper.make_node("Min", ["x", "high"], ["y"])
    high = np.array(0.5, np.float32)
    for info in (None, [(np.dtype(np.float32), (2, 3))]):
        (result,) = onnx_backend.run_node(node, [A, high], device, outputs_info=info)
        np.testing.assert_array_equal(result, np.minimum(A, 0.5))
    old = helper.make_node("Clip", ["x"], ["y"], max=0.5)
    (result,) = onnx_backend.run_node(old, {"x": A}, device, opset_version=6)
    np.testing.assert_array_equal(result, np.minimum(A, 0.5))


def test_onnx_s_own_runner():
    """ONNX's runner makes a test of each case and device, and skips devices that are not there."""
    with warnings.catch_warnings(action="ignore"):
        runner = onnx.backend.test.BackendTest(onnx_backend, __name__)  # pyright: ignore[reportArgumentType]
    runner.include("^test_(relu|add_bcast|single_relu_model|softmax_axis_1|PReLU_1d)_(cpu|cuda)$")
    names = {
        "OnnxBackendNodeModelTest",
        "OnnxBackendSimpleModelTest",
        "OnnxBackendPyTorchConvertedModelTest",
    }
    suite = unittest.TestSuite(
        unittest.defaultTestLoader.loadTestsFromTestCase(runner.test_cases[name]) for name in names
    )
    result = unittest.TestResult()
    suite.run(result)
    assert not result.errors and not result.failures
    skipped = {reason for _, reason in result.skipped}
    assert skipped == {"no matched include pattern", "Backend doesn't support device CUDA"}
    assert result.testsRun - len(result.skipped) == 5
