"""top-recognize-normalization: which constants go into a normalization, and what is none."""

import numpy as np
import pytest
from smalti.backends.interpreter.top import run_top

X = {"x": "2x3x4xf32"}
T, M = "tensor<2x3x4xf32>", "tensor<2x3x1xf32>"


def check(piped, network, body, ops, type="2x3x4xf32"):
    """Which ops are left, and that the values are the same."""
    text = network(X, body, "%y", type)
    x = np.random.default_rng(3).normal(2, 3, (2, 3, 4)).astype(np.float32)
    before = run_top(piped(text).module, piped(text).ctx.weights, {"x": x})["out"]
    result = piped(text, "top-recognize-normalization")
    assert [name for name in result.names() if name != "top.weight"] == [*ops, "func.return"]
    after = run_top(result.module, result.ctx.weights, {"x": x})["out"]
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
    return result


def rms(epsilon="1.0", axes="2", statistic=M, result="y"):
    return f"""
    %e = top.weight "e" value = dense<{epsilon}> : tensor<f32> : tensor<f32>
    %s = top.mul "s" %x, %x : ({T}, {T}) -> {T}
    %m = top.reduce "m" %s kind = "mean" axes = [{axes}] keepdims : ({T}) -> {statistic}
    %a = top.add "a" %m, %e : ({statistic}, tensor<f32>) -> {statistic}
    %r = top.unary "r" %a kind = "sqrt" : ({statistic}) -> {statistic}
    %{result} = top.div "{result}" %x, %r : ({T}, {statistic}) -> {T}
    """


UNCHANGED = ["top.mul", "top.reduce", "top.add", "top.unary", "top.div"]


def test_epsilon_must_be_positive(piped, network):
    """Without it a row of zeros is NaN, and not 0 as a normalization says."""
    check(piped, network, rms(epsilon="0.0"), UNCHANGED)


@pytest.mark.parametrize("shape", ["", "1x", "4x", "3x4x", "3x1x", "1x1x1x"])
@pytest.mark.parametrize("op", ["mul", "add"])
def test_constants_that_fit_become_scale_or_bias(piped, network, op, shape):
    body = rms(result="n") + f"""
    %k = top.weight "k" seed = 1 : tensor<{shape}f32>
    %y = top.{op} "y" %n, %k : ({T}, tensor<{shape}f32>) -> {T}
    """  # fmt: skip
    check(piped, network, body, ["top.normalize"])


def test_constant_that_widens_the_result_stays_apart(piped, network):
    body = rms(result="n") + f"""
    %k = top.weight "k" seed = 1 : tensor<5x1x1x1xf32>
    %y = top.mul "y" %n, %k : ({T}, tensor<5x1x1x1xf32>) -> tensor<5x2x3x4xf32>
    """  # fmt: skip
    check(piped, network, body, ["top.normalize", "top.mul"], "5x2x3x4xf32")


def test_scale_after_bias_stays_apart(piped, network):
    body = rms(result="n") + f"""
    %k = top.weight "k" seed = 1 : tensor<4xf32>
    %b = top.add "b" %n, %k : ({T}, tensor<4xf32>) -> {T}
    %y = top.mul "y" %b, %k : ({T}, tensor<4xf32>) -> {T}
    """  # fmt: skip
    check(piped, network, body, ["top.normalize", "top.mul"])


def test_normalization_with_other_readers_keeps_its_result(piped, network):
    body = rms(result="n") + f"""
    %k = top.weight "k" seed = 1 : tensor<4xf32>
    %p = top.mul "p" %n, %k : ({T}, tensor<4xf32>) -> {T}
    %y = top.sub "y" %p, %n : ({T}, {T}) -> {T}
    """  # fmt: skip
    check(piped, network, body, ["top.normalize", "top.mul", "top.sub"])


def test_deviation_over_other_axes_is_divided_by_its_own_root_mean_square(piped, network):
    body = f"""
    %e = top.weight "e" value = dense<1.0> : tensor<f32> : tensor<f32>
    %c = top.reduce "c" %x kind = "mean" axes = [1] keepdims : ({T}) -> tensor<2x1x4xf32>
    %d = top.sub "d" %x, %c : ({T}, tensor<2x1x4xf32>) -> {T}
    %s = top.mul "s" %d, %d : ({T}, {T}) -> {T}
    %m = top.reduce "m" %s kind = "mean" axes = [2] keepdims : ({T}) -> {M}
    %a = top.add "a" %m, %e : ({M}, tensor<f32>) -> {M}
    %r = top.unary "r" %a kind = "sqrt" : ({M}) -> {M}
    %y = top.div "y" %d, %r : ({T}, {M}) -> {T}
    """
    result = check(piped, network, body, ["top.reduce", "top.sub", "top.normalize"])
    assert 'kind = "rms"' in result.text


def test_several_axes(piped, network):
    check(piped, network, rms(axes="1, 2", statistic="tensor<2x1x1xf32>"), ["top.normalize"])


def test_product_with_the_root_is_none(piped, network):
    body = rms().replace("top.div", "top.mul")
    check(piped, network, body, [*UNCHANGED[:-1], "top.mul"])
