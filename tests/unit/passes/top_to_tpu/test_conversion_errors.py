"""convert-top-to-tpu refuses what it cannot convert, with a diagnostic."""

# ruff: noqa: E501 (lines of IR stay whole)

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError

from .small_networks import CONV, IMAGE, WEIGHTS, X, Y


def test_every_value_without_a_range_is_named(convert):
    body = (
        CONV
        + f"""
    %p = top.max_pool "p" %c kernel = [1, 1] : ({Y}) -> {Y}
    %y = top.add "y" %p, %c : ({Y}, {Y}) -> {Y}
    """
    )
    with pytest.raises(DiagnosticError) as caught:
        convert(body, "%y", "2x6x4x4xf32", without=("image", "c", "p", "y"))
    assert "a calibrated range for 'image', 'c', 'y'" in str(caught.value)
    with pytest.raises(DiagnosticError, match="a calibrated range for 'y'\n"):
        convert(body, "%y", "2x6x4x4xf32", without=("y",))


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("convert-top-to-tpu{target=none-such quantize=f32}", "none-such"),
        (
            "convert-top-to-tpu{quantize=int4}",
            "option 'quantize' is int4, expected one of int8, f32, f16, bf16",
        ),
        (
            "convert-top-to-tpu{quantize=f32},convert-top-to-tpu{quantize=f32}",
            "tpu.clamp is no op of level top",
        ),
    ],
)
def test_wrong_options_and_levels_are_diagnostics(piped, network, pipeline, message):
    text = network(IMAGE, f'%y = top.relu "y" %image : ({X}) -> {X}', "%y", "2x4x6x6xf32")
    with pytest.raises(DiagnosticError) as caught:
        piped(text, pipeline)
    assert message in str(caught.value)


def test_arithmetic_on_integers_is_a_diagnostic(piped, network):
    body = f"""
    %p = top.call "p" %image function = "argmax" attributes = {{axis = 1}} : ({X}) -> tensor<2x1x6x6xi64>
    %y = top.max "y" %p, %p : (tensor<2x1x6x6xi64>, tensor<2x1x6x6xi64>) -> tensor<2x1x6x6xi64>
    """
    text = network(IMAGE, body, "%y", "2x1x6x6xi64")
    with pytest.raises(DiagnosticError) as caught:
        piped(text, "convert-top-to-tpu{quantize=f32}")
    assert "error: top.max makes tensor<2x1x6x6xi64>" in str(caught.value)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("use top.call with a function of these elements")


def test_a_batch_norm_that_was_not_folded_is_a_diagnostic(piped, network):
    body = (
        WEIGHTS
        + CONV
        + f"""
    %y = top.batch_norm "y" %c, %b, %b, %b, %b epsilon = 0.1 : ({Y}, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> {Y} loc("BN_7")
    """
    )
    text = network(IMAGE, body, "%y", "2x6x4x4xf32")
    with pytest.raises(DiagnosticError, match=r"(?s)BN_7.*\n.*top-fold-batch-norm"):
        piped(text, "convert-top-to-tpu{quantize=f32}")


def test_weights_that_are_not_finite_are_a_diagnostic(piped, network, convert):
    body = f"""
    %n = top.weight "n" value = dense<0x7F800000> : tensor<1x4x1x1xf32> : tensor<1x4x1x1xf32>
    %y = top.conv2d "y" %image, %n : ({X}, tensor<1x4x1x1xf32>) -> tensor<2x1x6x6xf32>
    """
    with pytest.raises(DiagnosticError):
        convert(body, "%y", "2x1x6x6xf32")
