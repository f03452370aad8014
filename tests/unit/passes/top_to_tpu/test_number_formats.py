"""convert-top-to-tpu in f32, f16 and bf16: types, weights, inputs and results."""

# ruff: noqa: E501 (lines of IR stay whole)

import numpy as np
import pytest
from smalti.backends.interpreter.top import run_top
from smalti.backends.interpreter.tpu import run_tpu
from smalti.backends.numerics.storage import dtype_of
from smalti.dialects.quant.element_type import element_storage

from .small_networks import CONV, IMAGE, X, Y, ops, snr


def test_the_f32_pipeline_changes_no_type_and_no_weight(convert):
    body = CONV + f'%y = top.relu "y" %c : ({Y}) -> {Y}'
    result, found, expected = convert(body, "%y", "2x6x4x4xf32", quantize="f32")
    assert ops(result) == ["conv2d", "clamp"]
    assert "quant" not in result.text and 'accumulator = "f32"' in result.text
    assert result.text.count("seed") == 2 and not result.ctx.weights.changed
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("quantize", "decibels"), [("f16", 60), ("bf16", 42)])
def test_half_precision_stores_all_but_the_bias(convert, quantize: str, decibels: float):
    body = CONV + f'%y = top.add "y" %c, %k6 : ({Y}, tensor<6x1x1xf32>) -> {Y}'
    body = '%k6 = top.weight "k6" seed = 6 : tensor<6x1x1xf32>\n' + body
    result, found, expected = convert(body, "%y", "2x6x4x4xf32", quantize=quantize)
    assert ops(result) == ["cast", "conv2d", "add", "cast"]
    conv = result.named("c")
    assert [element_storage(value.type) for value in conv.operands] == [quantize, quantize, "f32"]
    assert element_storage(conv.output.type) == quantize and conv.accumulator.data == "f32"
    assert result.ctx.weights.info(f"w.{quantize}") == (quantize, (6, 4, 3, 3))
    assert found.dtype == np.float32
    assert decibels < snr(found, expected) < 80


@pytest.mark.parametrize("given", ["f16", "bf16", "f32"])
@pytest.mark.parametrize("quantize", ["f16", "bf16", "f32"])
def test_inputs_and_results_keep_the_type_of_the_network(piped, network, given: str, quantize: str):
    """A network of floats of one type, computed in another."""
    type = f"2x4x6x6x{given}"
    body = f"""
    %w = top.weight "w" seed = 1 : tensor<5x4x3x3x{given}>
    %b = top.weight "b" seed = 2 : tensor<5x{given}>
    %c = top.conv2d "c" %image, %w, %b : (tensor<{type}>, tensor<5x4x3x3x{given}>, tensor<5x{given}>) -> tensor<2x5x4x4x{given}>
    %y = top.relu "y" %c : (tensor<2x5x4x4x{given}>) -> tensor<2x5x4x4x{given}>
    """
    text = network({"image": type}, body, "%y", f"2x5x4x4x{given}")
    before, after = piped(text), piped(text, f"convert-top-to-tpu{{quantize={quantize}}}")
    casts = [] if given == quantize else ["cast"]
    assert ops(after) == [*casts, "conv2d", "clamp", *casts]
    x = np.random.default_rng(7).uniform(-1, 1, (2, 4, 6, 6)).astype(dtype_of(given))
    expected = run_top(before.module, before.ctx.weights, {"image": x})["out"]
    found = run_tpu(after.module, after.ctx.weights, {"image": x})["out"]
    assert found.dtype == expected.dtype == dtype_of(given)
    if given == quantize:
        np.testing.assert_array_equal(found, expected)
    lossy = 40 if "bf16" in (given, quantize) else 60
    assert snr(found.astype(np.float32), expected.astype(np.float32)) > lossy


def test_an_f16_network_computes_in_int8(piped, network):
    """Its ranges are of its own type, and so is what it returns."""
    type = "1x4x!quant.calibrated<f16<-1.0:1.0>>"
    body = f"""
    %w = top.weight "w" seed = 1 : tensor<4x5xf16>
    %y = top.matmul "y" %image, %w : (tensor<{type}>, tensor<4x5xf16>) -> tensor<1x5x!quant.calibrated<f16<-1.0:1.0>>>
    """
    text = network({"image": type}, body, "%y", "1x5x!quant.calibrated<f16<-1.0:1.0>>")
    before, after = piped(text), piped(text, "convert-top-to-tpu{quantize=int8}")
    assert ops(after) == ["cast", "matmul", "cast"]
    x = np.array([[1, -1, 0.5, 0.25]], np.float16)
    expected = run_top(before.module, before.ctx.weights, {"image": x})["out"]
    found = run_tpu(after.module, after.ctx.weights, {"image": x})["out"]
    assert found.dtype == np.float16
    assert np.abs(found - expected).max() < 0.02


def test_weights_beyond_f16_saturate_and_are_counted(piped, network):
    body = f"""
    %m = top.weight "m" value = dense<[[[-1.0e9]], [[1.0]], [[0.0]], [[1.0e-9]]]> : tensor<4x1x1xf32> : tensor<4x1x1xf32>
    %y = top.add "y" %image, %m : ({X}, tensor<4x1x1xf32>) -> {X}
    """
    text = network(IMAGE, body, "%y", "2x4x6x6xf32")
    result = piped(text, "convert-top-to-tpu{quantize=f16}")
    stored = result.ctx.weights.get("m.f16").reshape(-1)
    np.testing.assert_array_equal(stored, np.array([-65504, 1, 0, 2.0**-24], np.float16))
    assert result.passes[0].statistics == {"ops": 2, "saturated_weights": 1}


def test_ranges_are_dropped_in_the_f32_pipeline(piped, network):
    calibrated = "2x4x6x6x!quant.calibrated<f32<-1.0:1.0>>"
    body = f'%y = top.relu "y" %image : (tensor<{calibrated}>) -> tensor<{calibrated}>'
    text = network({"image": calibrated}, body, "%y", calibrated)
    result = piped(text, "convert-top-to-tpu{quantize=f32}")
    assert "quant" not in result.text
