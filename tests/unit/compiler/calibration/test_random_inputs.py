"""Random inputs fill the range of each input, corners included; without a range they are standard normal."""

import numpy as np
import pytest
from smalti.backends.interpreter.samples import main_function
from smalti.compiler.calibration.samples import load_calibration_data
from smalti.compiler.debugging.inputs import InputSource
from smalti.compiler.inputs.random_inputs import input_ranges, random_input
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline

NETWORK = """
func.func @main(%a: tensor<4x16x!quant.calibrated<f32<-2.0:7.0>>>, %b: tensor<4x16xf32>)
    -> tensor<4x16x!quant.calibrated<f32<-9.0:9.0>>> attributes {smalti.inputs = ["a", "b"], smalti.outputs = ["y"]} {
  %y = top.add "y" %a, %b : (tensor<4x16x!quant.calibrated<f32<-2.0:7.0>>>, tensor<4x16xf32>)
    -> tensor<4x16x!quant.calibrated<f32<-9.0:9.0>>>
  func.return %y : tensor<4x16x!quant.calibrated<f32<-9.0:9.0>>>
}
"""


@pytest.mark.parametrize("dtype", ["f4", "f2", "i1", "u1", "i4"])
@pytest.mark.parametrize("shape", [(2,), (5,), (64, 64)])
def test_range_is_filled_and_has_its_corners(dtype: str, shape: tuple[int, ...]):
    array = random_input("x", shape, np.dtype(dtype), 3, (1.0, 100.0))
    assert array.dtype == np.dtype(dtype) and array.shape == shape
    assert (array.min(), array.max()) == (1, 100)
    assert array.size < 10 or abs(array.astype(float).mean() - 50.5) < 3
    quarters, _ = np.histogram(array.astype(float), 4, (1, 100))
    assert array.size < 10 or (quarters > array.size / 40).all()
    assert np.array_equal(array, random_input("x", shape, np.dtype(dtype), 3, (1.0, 100.0)))


@pytest.mark.parametrize("shape", [(), (1,), (0, 3)])
def test_small_arrays_stay_in_range(shape: tuple[int, ...]):
    array = random_input("x", shape, np.dtype(np.float32), 0, (2.0, 3.0))
    assert array.shape == shape and np.all((array >= 2) & (array <= 3))


def test_without_a_range_numbers_are_standard_normal():
    array = random_input("x", (100, 100), np.dtype(np.float32), 0)
    assert abs(array.mean()) < 0.05 and abs(array.std() - 1) < 0.05
    assert set(random_input("x", (50,), np.dtype(bool), 0).tolist()) == {True, False}


def test_ranges_are_those_of_the_types():
    ctx = make_context()
    module = parse_module(NETWORK, ctx)
    assert input_ranges(main_function(module)) == {"a": (-2.0, 7.0)}
    data = load_calibration_data("random:1", module)
    assert (data["a"].min(), data["a"].max()) == (-2.0, 7.0)
    assert len(data["b"]) == len(data["a"]) and data["b"].std() < 1.2


def test_input_that_is_quantized_at_once_has_the_range_of_its_storage():
    ctx = make_context()
    module = parse_module(
        NETWORK.replace(
            "%b: tensor<4x16xf32>", "%b: tensor<4x16x!quant.calibrated<f32<0.0:51.0>>>"
        ).replace("tensor<4x16xf32>)", "tensor<4x16x!quant.calibrated<f32<0.0:51.0>>>)"),
        ctx,
    )
    run_pipeline(ctx, module, parse_pipeline("convert-top-to-tpu{target=edge-1c}"))
    ranges = input_ranges(main_function(module))
    np.testing.assert_allclose(ranges["a"], (-2.0, 7.0), atol=0.05)
    np.testing.assert_allclose(ranges["b"], (0.0, 51.0), atol=0.2)
    inputs = InputSource().arrays(module)
    np.testing.assert_allclose(inputs["b"].max(), 51.0, atol=0.2)


def test_known_arrays_may_hold_samples():
    """Random inputs beside them then hold as many."""
    ctx = make_context()
    module = parse_module(NETWORK, ctx)
    inputs = InputSource({"a": np.zeros((12, 16), np.float32)}).arrays(module)
    assert inputs["a"].shape == inputs["b"].shape == (12, 16)
