"""tpu-fuse-activation and tpu-fuse-residual: what is fused, and what is computed before and after."""

import numpy as np
import pytest
from smalti.backends.interpreter.tpu import run_tpu
from smalti.passes.tpu.fuse_activation import compose

Q = "tensor<1x4x5x5x!quant.uniform<i8:f32, 0.05:-3>>"
P = "tensor<1x4x5x5x!quant.uniform<i8:f32, 0.04:10>>"
F = "tensor<1x4x5x5xf32>"
W = "tensor<4x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {0.002,0.003,0.001,0.002}>>"
HEAD = f"""
%w = tpu.weight "w" seed = 1 : {W}
%q = tpu.cast "q" %x : ({F}) -> {Q}
%r = tpu.cast "r" %z : ({F}) -> {P}
"""
CONV = f'%c = tpu.conv2d "c" %q, %w pads = [1, 1, 1, 1] accumulator = "i32" : ({Q}, {W}) -> {P} loc("Conv")\n'
TAIL = f'%out = tpu.cast "out" %y : ({P}) -> {F}\n'


def both(piped, network, body, pipeline, tail=TAIL):
    """The module after `pipeline`, and the outputs before and after it."""
    text = network(
        {"x": "1x4x5x5xf32", "z": "1x4x5x5xf32"}, HEAD + body + tail, "%out", "1x4x5x5xf32"
    )
    random = np.random.default_rng(2)
    inputs = {name: random.normal(size=(1, 4, 5, 5)).astype(np.float32) for name in ("x", "z")}
    before = piped(text)
    values = run_tpu(before.module, before.ctx.weights, inputs)["out"]
    after = piped(text, pipeline)
    return after, values, run_tpu(after.module, after.ctx.weights, inputs)["out"]


@pytest.mark.parametrize(
    "producer",
    [
        CONV,
        f'%c = tpu.add "c" %q, %r : ({Q}, {P}) -> {P}\n',
        f'%c = tpu.mul "c" %q, %r : ({Q}, {P}) -> {P}\n',
        f'%c = tpu.max_pool "c" %r kernel = [3, 3] pads = [1, 1, 1, 1] : ({P}) -> {P}\n',
        f'%c = tpu.avg_pool "c" %q kernel = [3, 3] pads = [1, 1, 1, 1] : ({Q}) -> {P}\n',
        f'%c = tpu.clamp "c" %r clamp_high = 1.5 : ({P}) -> {P}\n',
    ],
    ids=lambda text: text.split()[2],
)
def test_a_clamp_is_fused_and_the_bits_stay(piped, network, producer):
    body = (
        producer
        + f'%y = tpu.clamp "y" %c clamp_low = 0.0 clamp_high = 2.0 : ({P}) -> {P} loc("Clip")\n'
    )
    after, before_values, after_values = both(piped, network, body, "tpu-fuse-activation")
    assert after.names().count("tpu.clamp") == (1 if "tpu.clamp" in producer else 0)
    assert after.named("y").clamp == (0.0, 1.5 if "tpu.clamp" in producer else 2.0)
    np.testing.assert_array_equal(after_values, before_values)


def test_locations_of_both_are_kept(piped, network):
    body = CONV + f'%y = tpu.clamp "y" %c clamp_low = 0.0 : ({P}) -> {P} loc("Relu")\n'
    after, _, _ = both(piped, network, body, "tpu-fuse-activation")
    assert 'loc(fused["Conv", "Relu"])' in after.located


def test_a_producer_with_another_user_keeps_its_values(piped, network):
    body = (
        CONV
        + f"""
    %k = tpu.clamp "k" %c clamp_low = 0.0 : ({P}) -> {P}
    %y = tpu.add "y" %k, %c : ({P}, {P}) -> {P}
    """
    )
    after, before_values, after_values = both(piped, network, body, "tpu-fuse-activation")
    assert "tpu.clamp" in after.names()
    np.testing.assert_array_equal(after_values, before_values)


def test_a_clamp_after_data_movement_stays(piped, network):
    body = f"""
    %c = tpu.transpose "c" %r permutation = [0, 1, 3, 2] : ({P}) -> {P}
    %y = tpu.clamp "y" %c clamp_low = 0.0 : ({P}) -> {P}
    """
    after, _, _ = both(piped, network, body, "tpu-fuse-activation")
    assert "tpu.clamp" in after.names()


def test_a_clamp_without_bounds_vanishes(piped, network):
    after, before_values, after_values = both(
        piped, network, CONV + f'%y = tpu.clamp "y" %c : ({P}) -> {P}\n', "tpu-fuse-activation"
    )
    assert "tpu.clamp" not in after.names()
    np.testing.assert_array_equal(after_values, before_values)


@pytest.mark.parametrize("seed", range(5))
def test_composed_clamps_do_what_both_do(seed):
    random = np.random.default_rng(seed)
    for _ in range(200):
        bounds = []
        for _ in range(2):
            low, high = sorted(random.integers(-4, 5, 2).tolist())
            bounds.append(
                (low if random.random() < 0.7 else None, high if random.random() < 0.7 else None)
            )
        x = np.arange(-6, 7)

        def clamp(values, pair):
            low = -np.inf if pair[0] is None else pair[0]
            high = np.inf if pair[1] is None else pair[1]
            return np.minimum(np.maximum(values, low), high)

        both_of_them = clamp(clamp(x, bounds[0]), bounds[1])
        np.testing.assert_array_equal(clamp(x, compose(*bounds)), both_of_them)


@pytest.mark.parametrize("order", ["%c, %r", "%r, %c"])
def test_an_addition_becomes_the_residual(piped, network, order):
    body = CONV + f'%y = tpu.add "y" {order} clamp_low = 0.0 : ({P}, {P}) -> {P} loc("Add")\n'
    after, before_values, after_values = both(piped, network, body, "tpu-fuse-residual")
    fused = after.named("y")
    assert fused.name == "tpu.conv2d" and "tpu.add" not in after.names()
    assert fused.residual is after.named("r").output
    assert fused.clamp == (0.0, None)
    assert 'loc(fused["Conv", "Add"])' in after.located
    # One rounding in place of two: at most one step of the result's scale apart.
    assert np.abs(after_values - before_values).max() <= 0.04 + 1e-6


def test_the_fused_op_stands_where_the_residual_is_there(piped, network):
    """The residual is made after the convolution: only at the addition are both there."""
    body = (
        CONV
        + f"""
    %late = tpu.max_pool "late" %r kernel = [1, 1] : ({P}) -> {P}
    %y = tpu.add "y" %c, %late : ({P}, {P}) -> {P}
    """
    )
    after, _, _ = both(piped, network, body, "tpu-fuse-residual")
    assert after.named("y").residual is after.named("late").output


@pytest.mark.parametrize(
    "pipeline", ["tpu-fuse-activation,tpu-fuse-residual", "tpu-fuse-residual,tpu-fuse-activation"]
)
def test_add_then_relu_in_either_order_of_passes(piped, network, pipeline):
    body = (
        CONV
        + f"""
    %a = tpu.add "a" %c, %r : ({P}, {P}) -> {P}
    %y = tpu.clamp "y" %a clamp_low = 0.0 : ({P}) -> {P}
    """
    )
    after, before_values, after_values = both(piped, network, body, pipeline)
    assert [n for n in after.names() if n != "tpu.cast"] == [
        "tpu.weight",
        "tpu.conv2d",
        "func.return",
    ]
    assert np.abs(after_values - before_values).max() <= 0.04 + 1e-6


@pytest.mark.parametrize(
    "body",
    [
        # A clamp between the product and the addition would come too late.
        CONV.replace('accumulator = "i32"', 'accumulator = "i32" clamp_low = 0.0')
        + f'%y = tpu.add "y" %c, %r : ({P}, {P}) -> {P}\n',
        # The product has two users.
        CONV + f'%y = tpu.add "y" %c, %c : ({P}, {P}) -> {P}\n',
        # The other operand is broadcast.
        CONV
        + '%s = tpu.weight "s" seed = 3 : tensor<4x1x1x!quant.uniform<i8:f32, 0.04:10>>\n'
        + f'%y = tpu.add "y" %c, %s : ({P}, tensor<4x1x1x!quant.uniform<i8:f32, 0.04:10>>) -> {P}\n',
        # A residual so coarse that it would overflow the accumulator's units.
        CONV
        + f'%h = tpu.cast "h" %z : ({F}) -> tensor<1x4x5x5x!quant.uniform<i8:f32, 1.0e+06>>\n'
        + f'%y = tpu.add "y" %c, %h : ({P}, tensor<1x4x5x5x!quant.uniform<i8:f32, 1.0e+06>>) -> {P}\n',
    ],
    ids=["clamped", "two users", "broadcast", "coarse"],
)
def test_what_cannot_be_a_residual_stays_an_addition(piped, network, body):
    text = network(
        {"x": "1x4x5x5xf32", "z": "1x4x5x5xf32"}, HEAD + body + TAIL, "%out", "1x4x5x5xf32"
    )
    assert "tpu.add" in piped(text, "tpu-fuse-residual").names()


def test_floats_are_fused_too(piped, network):
    body = f"""
    %v = tpu.weight "v" seed = 1 : tensor<4x4x3x3xf32>
    %d = tpu.conv2d "d" %x, %v pads = [1, 1, 1, 1] accumulator = "f32" : ({F}, tensor<4x4x3x3xf32>) -> {F}
    %e = tpu.add "e" %z, %d : ({F}, {F}) -> {F}
    %out = tpu.clamp "out" %e clamp_low = 0.0 : ({F}) -> {F}
    """
    after, before_values, after_values = both(
        piped, network, body, "tpu-fuse-residual,tpu-fuse-activation", tail=""
    )
    assert after.names() == ["tpu.weight", "tpu.conv2d", "func.return"]
    np.testing.assert_allclose(after_values, before_values, rtol=1e-6, atol=1e-6)
