"""top-fold-shapes: what is merged, removed and computed, and that results stay the same."""

# ruff: noqa: E501 (lines of IR stay whole)

import numpy as np
import pytest
from smalti.backends.interpreter.top import run_top

X = {"x": "2x3x4x4xf32"}
T = "tensor<2x3x4x4xf32>"


def outputs(result, x):
    return run_top(result.module, result.ctx.weights, {"x": x})["out"]


def check(piped, network, body, result, type, ops, pipeline="top-fold-shapes", inputs=X):
    """Folds, checks which ops are left, and that the values are the same to the bit; returns the module."""
    text = network(inputs, body, result, type)
    shape = [int(size) for size in inputs["x"].split("x")[:-1]]
    x = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    before = outputs(piped(text), x)
    folded = piped(text, pipeline)
    assert folded.names() == [*ops, "func.return"]
    np.testing.assert_array_equal(outputs(folded, x), before)
    return folded


def test_reshapes_merge_and_carry_the_last_name_and_all_locations(piped, network):
    body = f"""
    %a = top.reshape "a" %x : ({T}) -> tensor<2x48xf32> loc("A")
    %b = top.reshape "b" %a : (tensor<2x48xf32>) -> tensor<96xf32> loc("B")
    %c = top.reshape "c" %b : (tensor<96xf32>) -> tensor<6x16xf32> loc("C")
    """
    folded = check(piped, network, body, "%c", "6x16xf32", ["top.reshape"])
    assert 'top.reshape "c"' in folded.text
    assert 'loc(fused["A", "B", "C"])' in folded.located


def test_a_reshape_with_other_users_stays(piped, network):
    body = f"""
    %a = top.reshape "a" %x : ({T}) -> tensor<2x48xf32>
    %b = top.reshape "b" %a : (tensor<2x48xf32>) -> {T}
    %r = top.relu "r" %a : (tensor<2x48xf32>) -> tensor<2x48xf32>
    %s = top.reshape "s" %r : (tensor<2x48xf32>) -> {T}
    %c = top.add "c" %b, %s : ({T}, {T}) -> {T}
    """
    ops = ["top.reshape", "top.relu", "top.reshape", "top.add"]
    check(piped, network, body, "%c", "2x3x4x4xf32", ops)


def test_transposes_merge(piped, network):
    body = f"""
    %a = top.transpose "a" %x permutation = [0, 2, 3, 1] : ({T}) -> tensor<2x4x4x3xf32>
    %b = top.transpose "b" %a permutation = [3, 0, 2, 1] : (tensor<2x4x4x3xf32>) -> tensor<3x2x4x4xf32>
    """
    folded = check(piped, network, body, "%b", "3x2x4x4xf32", ["top.transpose"])
    assert "permutation = [1, 0, 3, 2]" in folded.text


def test_inverse_transposes_vanish(piped, network):
    body = f"""
    %a = top.transpose "a" %x permutation = [0, 2, 3, 1] : ({T}) -> tensor<2x4x4x3xf32>
    %b = top.transpose "b" %a permutation = [0, 3, 1, 2] : (tensor<2x4x4x3xf32>) -> {T}
    """
    check(piped, network, body, "%b", "2x3x4x4xf32", [])


def test_a_transpose_of_axes_of_size_one_is_a_reshape(piped, network):
    body = """
    %a = top.transpose "a" %x permutation = [0, 2, 3, 1] :
      (tensor<1x1x4x5xf32>) -> tensor<1x4x5x1xf32>
    """
    check(piped, network, body, "%a", "1x4x5x1xf32", ["top.reshape"], inputs={"x": "1x1x4x5xf32"})


def test_a_mean_of_single_elements_is_a_reshape(piped, network):
    body = '%a = top.reduce "a" %x kind = "mean" axes = [2, 3] : (tensor<2x3x1x1xf32>) -> tensor<2x3xf32>'
    check(piped, network, body, "%a", "2x3xf32", ["top.reshape"], inputs={"x": "2x3x1x1xf32"})


@pytest.mark.parametrize(
    "op",
    [
        f'top.clip "a" %x : ({T}) -> {T}',
        f'top.max_pool "a" %x kernel = [1, 1] : ({T}) -> {T}',
        f'top.avg_pool "a" %x kernel = [1, 1] : ({T}) -> {T}',
        f'top.resize "a" %x mode = "cubic" scales = [1.0, 1.0, 1.0, 1.0] : ({T}) -> {T}',
        f'top.reshape "a" %x : ({T}) -> {T}',
    ],
)
def test_what_changes_nothing_is_removed(piped, network, op):
    check(piped, network, f"%a = {op}", "%a", "2x3x4x4xf32", [])


@pytest.mark.parametrize(
    ("op", "left"),
    [
        (f'top.add "a" %x, %k : ({T}, tensor<f32>) -> {T}', 0.0),
        (f'top.add "a" %k, %x : (tensor<f32>, {T}) -> {T}', 0.0),
        (f'top.sub "a" %x, %k : ({T}, tensor<f32>) -> {T}', 0.0),
        (f'top.mul "a" %k, %x : (tensor<f32>, {T}) -> {T}', 1.0),
        (f'top.div "a" %x, %k : ({T}, tensor<f32>) -> {T}', 1.0),
    ],
)
def test_neutral_constants_are_removed(piped, network, op, left):
    weight = f'%k = top.weight "k" value = dense<{left}> : tensor<f32> : tensor<f32>'
    check(piped, network, f"{weight}\n%a = {op}", "%a", "2x3x4x4xf32", [])


@pytest.mark.parametrize(
    "op",
    [
        f'top.sub "a" %k, %x : (tensor<f32>, {T}) -> {T}',
        f'top.max_pool "a" %x kernel = [1, 1] strides = [2, 2] : ({T}) -> tensor<2x3x2x2xf32>',
    ],
)
def test_what_only_looks_like_a_no_op_stays(piped, network, op):
    weight = '%k = top.weight "k" value = dense<0.0> : tensor<f32> : tensor<f32>'
    type = "2x3x2x2xf32" if "strides" in op else "2x3x4x4xf32"
    text = network(X, f"{weight}\n%a = {op}", "%a", type)
    assert op.split()[0] in piped(text, "top-fold-shapes").names()


def test_a_broadcasting_addition_of_zero_stays(piped, network):
    body = """
    %k = top.weight "k" value = dense<0.0> : tensor<4x1xf32> : tensor<4x1xf32>
    %a = top.add "a" %x, %k : (tensor<1x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
    """
    check(piped, network, body, "%a", "4x5xf32", ["top.weight", "top.add"], inputs={"x": "1x5xf32"})


CONSTANT_OPS = [
    'top.relu "y" %k : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>',
    'top.clip "y" %k low = -0.05 high = 0.1 : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>',
    'top.add "y" %k, %s : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>',
    'top.sub "y" %k, %s : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>',
    'top.mul "y" %k, %s : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>',
    'top.div "y" %k, %s : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>',
    'top.transpose "y" %k permutation = [3, 0, 1, 2] : (tensor<1x2x4x4xf32>) -> tensor<4x1x2x4xf32>',
    'top.reshape "y" %k : (tensor<1x2x4x4xf32>) -> tensor<32xf32>',
    'top.softmax "y" %k axis = 2 : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>',
    'top.reduce "y" %k kind = "mean" axes = [1, 3] : (tensor<1x2x4x4xf32>) -> tensor<1x4xf32>',
    'top.max_pool "y" %k kernel = [3, 3] strides = [2, 2] pads = [1, 1, 0, 0] : '
    "(tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>",
    'top.avg_pool "y" %k kernel = [3, 3] strides = [2, 2] pads = [1, 1, 1, 1] count_include_pad : '
    "(tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>",
    'top.conv2d "y" %k, %w, %b pads = [1, 0, 1, 0] strides = [1, 2] : '
    "(tensor<1x2x4x4xf32>, tensor<3x2x2x2xf32>, tensor<3xf32>) -> tensor<1x3x5x2xf32>",
    'top.matmul "y" %k, %m : (tensor<1x2x4x4xf32>, tensor<4x3xf32>) -> tensor<1x2x4x3xf32>',
    'top.batch_norm "y" %k, %v, %v, %v, %v epsilon = 1.0 : (tensor<1x2x4x4xf32>, tensor<2xf32>, '
    "tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>",
    'top.resize "y" %k mode = "linear" scales = [1.0, 1.0, 1.5, 2.0] : '
    "(tensor<1x2x4x4xf32>) -> tensor<1x2x6x8xf32>",
    'top.resize "y" %k mode = "nearest" scales = [1.0, 1.0, 1.0, 1.0] extrapolation_value = 7.0 '
    'coordinate_transformation_mode = "tf_crop_and_resize" '
    "roi = [0.0, 1.0, 0.0, 1.0, -0.5, 1.2, 0.0, 1.0] : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>",
]


@pytest.mark.parametrize("op", CONSTANT_OPS, ids=lambda op: op.split()[0])
def test_constants_are_computed_as_the_interpreter_does(piped, network, op):
    type = op.rpartition("tensor<")[2].rstrip(">")
    body = f"""
    %k = top.weight "k" seed = 1 : tensor<1x2x4x4xf32>
    %s = top.weight "s" seed = 2 : tensor<2x1x1xf32>
    %w = top.weight "w" seed = 3 : tensor<3x2x2x2xf32>
    %b = top.weight "b" seed = 4 : tensor<3xf32>
    %m = top.weight "m" seed = 5 : tensor<4x3xf32>
    %v = top.weight "v" seed = 6 : tensor<2xf32>
    %y = {op}
    """
    text = network({"x": "1xf32"}, body, "%y", type)
    x = np.zeros(1, np.float32)
    folded = piped(text, "top-fold-shapes")
    assert folded.names() == ["top.weight", "func.return"]
    assert folded.named("y").name == "top.weight"
    np.testing.assert_allclose(outputs(folded, x), outputs(piped(text), x), rtol=1e-6, atol=1e-7)


def test_a_constant_that_would_grow_much_is_left_to_the_target(piped, network):
    body = """
    %k = top.weight "k" seed = 1 : tensor<1000x1xf32>
    %l = top.weight "l" seed = 2 : tensor<1x1000xf32>
    %y = top.add "y" %k, %l : (tensor<1000x1xf32>, tensor<1x1000xf32>) -> tensor<1000x1000xf32>
    """
    text = network({"x": "1xf32"}, body, "%y", "1000x1000xf32")
    assert "top.add" in piped(text, "top-fold-shapes").names()


def test_calibrated_ranges_stay(piped, network):
    body = f"""
    %a = top.reshape "a" %x : ({T}) -> tensor<2x48x!quant.calibrated<f32<-1.0:1.0>>>
    %b = top.reshape "b" %a : (tensor<2x48x!quant.calibrated<f32<-1.0:1.0>>>) -> tensor<96x!quant.calibrated<f32<-2.0:2.0>>>
    """
    text = network(X, body, "%b", "96x!quant.calibrated<f32<-2.0:2.0>>")
    folded = piped(text, "top-fold-shapes")
    assert folded.names() == ["top.reshape", "func.return"]
    assert "tensor<96x!quant.calibrated<f32<-2.000000e+00:2.000000e+00>>>" in folded.text
