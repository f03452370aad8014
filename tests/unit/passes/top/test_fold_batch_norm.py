"""top-fold-batch-norm: weights and biases that take in what follows; results stay what they were."""

# ruff: noqa: E501 (lines of IR stay whole)

import numpy as np
import pytest
from smalti.backends.interpreter.top import run_top

X = {"x": "2x4x6x6xf32"}
T = "tensor<2x4x6x6xf32>"
Y = "tensor<2x6x4x4xf32>"
WEIGHTS = """
%w = top.weight "w" seed = 1 : tensor<6x4x3x3xf32>
%b = top.weight "b" seed = 2 : tensor<6xf32>
%g = top.weight "g" seed = 3 : tensor<6xf32>
%m = top.weight "m" seed = 4 : tensor<6xf32>
%v = top.weight "v" value = dense<[0.5, 1.0, 2.0, 0.1, 3.0, 0.7]> : tensor<6xf32> : tensor<6xf32>
%k = top.weight "k" value = dense<[[[0.5]], [[1.0]], [[-2.0]], [[0.1]], [[3.0]], [[0.7]]]> : tensor<6x1x1xf32> : tensor<6x1x1xf32>
%one = top.weight "one" value = dense<2.5> : tensor<f32> : tensor<f32>
"""
CONV = f'%c = top.conv2d "c" %x, %w : ({T}, tensor<6x4x3x3xf32>) -> {Y} loc("Conv_0")\n'
BIASED = f'%c = top.conv2d "c" %x, %w, %b : ({T}, tensor<6x4x3x3xf32>, tensor<6xf32>) -> {Y} loc("Conv_0")\n'
VECTORS = "tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>"
NORM = f'%y = top.batch_norm "y" %c, %g, %b, %m, %v epsilon = 0.001 : ({Y}, {VECTORS}) -> {Y} loc("BN_1")\n'


def outputs(result, shape=(2, 4, 6, 6)):
    x = np.random.default_rng(5).normal(size=shape).astype(np.float32)
    return run_top(result.module, result.ctx.weights, {"x": x})["out"]


def check(piped, network, body, ops, type="2x6x4x4xf32", inputs=X, shape=(2, 4, 6, 6)):
    text = network(inputs, WEIGHTS + body, "%y", type)
    before = outputs(piped(text), shape)
    folded = piped(text, "top-fold-batch-norm")
    assert [name for name in folded.names() if name != "top.weight"] == [*ops, "func.return"]
    np.testing.assert_allclose(outputs(folded, shape), before, rtol=2e-5, atol=2e-6)
    return folded


@pytest.mark.parametrize("conv", [CONV, BIASED])
def test_batch_norm_after_conv(piped, network, conv):
    folded = check(piped, network, conv + NORM, ["top.conv2d"])
    assert folded.names().count("top.weight") == 2
    assert folded.named("y").name == "top.conv2d"
    assert 'loc(fused["Conv_0", "BN_1"])' in folded.located


def test_batch_norm_after_grouped_conv(piped, network):
    body = f"""
    %h = top.weight "h" seed = 8 : tensor<6x2x3x3xf32>
    %c = top.conv2d "c" %x, %h groups = 2 : ({T}, tensor<6x2x3x3xf32>) -> {Y}
    """
    check(piped, network, body + NORM, ["top.conv2d"])


def test_batch_norm_after_matmul(piped, network):
    body = f"""
    %q = top.weight "q" seed = 9 : tensor<5x6xf32>
    %c = top.matmul "c" %x, %q, %b : (tensor<3x5xf32>, tensor<5x6xf32>, tensor<6xf32>) -> tensor<3x6xf32>
    %y = top.batch_norm "y" %c, %g, %b, %m, %v epsilon = 0.01 : (tensor<3x6xf32>, {VECTORS}) -> tensor<3x6xf32>
    """
    check(piped, network, body, ["top.matmul"], "3x6xf32", {"x": "3x5xf32"}, (3, 5))


def test_batch_norm_along_the_rows_of_a_matmul_is_not_folded_into_its_columns(piped, network):
    body = f"""
    %q = top.weight "q" seed = 9 : tensor<5x4xf32>
    %c = top.matmul "c" %x, %q : (tensor<2x6x5xf32>, tensor<5x4xf32>) -> tensor<2x6x4xf32>
    %y = top.batch_norm "y" %c, %g, %b, %m, %v epsilon = 0.01 : (tensor<2x6x4xf32>, {VECTORS}) -> tensor<2x6x4xf32>
    """
    ops = ["top.matmul", "top.mul", "top.add"]
    check(piped, network, body, ops, "2x6x4xf32", {"x": "2x6x5xf32"}, (2, 6, 5))


def test_batch_norm_alone_is_mul_and_add(piped, network):
    body = f'%c = top.relu "c" %x : ({Y}) -> {Y}\n' + NORM
    ops = ["top.relu", "top.mul", "top.add"]
    check(piped, network, body, ops, inputs={"x": "2x6x4x4xf32"}, shape=(2, 6, 4, 4))


def test_batch_norm_after_a_conv_with_another_user_is_mul_and_add(piped, network):
    body = CONV + NORM.replace('%y = top.batch_norm "y"', '%n = top.batch_norm "n"')
    body += f'%y = top.add "y" %n, %c : ({Y}, {Y}) -> {Y}'
    check(piped, network, body, ["top.conv2d", "top.mul", "top.add", "top.add"])


@pytest.mark.parametrize(
    "op",
    [
        f'top.add "y" %c, %k : ({Y}, tensor<6x1x1xf32>) -> {Y}',
        f'top.add "y" %k, %c : (tensor<6x1x1xf32>, {Y}) -> {Y}',
        f'top.sub "y" %c, %k : ({Y}, tensor<6x1x1xf32>) -> {Y}',
        f'top.sub "y" %k, %c : (tensor<6x1x1xf32>, {Y}) -> {Y}',
        f'top.mul "y" %c, %k : ({Y}, tensor<6x1x1xf32>) -> {Y}',
        f'top.div "y" %c, %k : ({Y}, tensor<6x1x1xf32>) -> {Y}',
        f'top.mul "y" %one, %c : (tensor<f32>, {Y}) -> {Y}',
    ],
)
@pytest.mark.parametrize("conv", [CONV, BIASED])
def test_constants_per_channel(piped, network, conv, op):
    check(piped, network, f"{conv}%y = {op}", ["top.conv2d"])


def test_a_chain_goes_in_whole(piped, network):
    body = CONV + NORM.replace('%y = top.batch_norm "y"', '%n = top.batch_norm "n"')
    body += f"""
    %p = top.mul "p" %n, %k : ({Y}, tensor<6x1x1xf32>) -> {Y}
    %y = top.add "y" %p, %one : ({Y}, tensor<f32>) -> {Y}
    """
    folded = check(piped, network, body, ["top.conv2d"])
    assert folded.passes[0].statistics == {
        "fold_batch_norm_into_product": 1,
        "fold_scale_into_product": 2,
    }


@pytest.mark.parametrize(
    "op",
    [
        f'top.div "y" %k, %c : (tensor<6x1x1xf32>, {Y}) -> {Y}',
        f'top.add "y" %c, %c : ({Y}, {Y}) -> {Y}',
        f'top.mul "y" %c, %row : ({Y}, tensor<4xf32>) -> {Y}',
    ],
)
def test_what_is_no_scale_of_channels_stays(piped, network, op):
    body = f'{CONV}%row = top.weight "row" seed = 4 : tensor<4xf32>\n%y = {op}'
    check(piped, network, body, ["top.conv2d", op.split()[0]])


def test_a_constant_that_makes_the_result_larger_stays(piped, network):
    body = """
    %big = top.weight "big" seed = 4 : tensor<3x1x1x1xf32>
    %c1 = top.weight "c1" seed = 4 : tensor<6x4x6x6xf32>
    %c = top.conv2d "c" %x, %c1 : (tensor<1x4x6x6xf32>, tensor<6x4x6x6xf32>) -> tensor<1x6x1x1xf32>
    %y = top.add "y" %c, %big : (tensor<1x6x1x1xf32>, tensor<3x1x1x1xf32>) -> tensor<3x6x1x1xf32>
    """
    ops = ["top.conv2d", "top.add"]
    check(piped, network, body, ops, "3x6x1x1xf32", {"x": "1x4x6x6xf32"}, (1, 4, 6, 6))


def test_two_convs_that_share_weights_keep_their_own(piped, network):
    body = CONV + NORM.replace('%y = top.batch_norm "y"', '%n = top.batch_norm "n"')
    body += CONV.replace('%c = top.conv2d "c"', '%d = top.conv2d "d"')
    body += f'%y = top.add "y" %n, %d : ({Y}, {Y}) -> {Y}'
    check(piped, network, body, ["top.conv2d", "top.conv2d", "top.add"])
