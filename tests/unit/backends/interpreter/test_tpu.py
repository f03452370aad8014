"""The tpu interpreter against plain loops in exact rational numbers, with one sample and with
several.
"""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.top import run_top
from smalti.backends.interpreter.tpu import run_body, run_tpu
from smalti.backends.numerics.quantization import add_parameters, quantize_multiplier
from smalti.dialects import top, tpu
from smalti.dialects.context import make_context
from smalti.dialects.ir.weights import WeightStore
from smalti.dialects.quant import uniform, uniform_per_axis
from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType, f32, i32
from xdsl.ir import Block

F32 = 'top-fold-batch-norm,convert-top-to-tpu{target="default-8c" quantize="f32"}'
RNG = np.random.default_rng(7)


def integers(*shape, dtype=np.int8):
    """Random values of the whole range of a type, or small ones for i32."""
    if dtype == np.int32:
        return RNG.integers(-3000, 3000, shape).astype(dtype)
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max + 1, shape).astype(dtype)


def run(make, types, arguments):
    """Runs the one op that `make` gives for the block's arguments."""
    block = Block(arg_types=types)
    op = make(*block.args)
    op.verify()
    block.add_ops([op, func.ReturnOp(op.results[0])])
    return run_body(block, arguments, WeightStore())


def factor(scale):
    """The rational number that multiplier and shift stand for."""
    multiplier, shift = quantize_multiplier(float(scale))
    return Fraction(int(multiplier), 2 ** int(shift))


def saturated(value, low=-128, high=127):
    return min(max(value, low), high)


SX, ZX, SY, ZY, SR, ZR = 0.05, -7, 0.11, 5, 0.09, 3
SW = [0.01, 0.02, 0.005, 0.04]
X, Y, R = uniform("i8", SX, ZX), uniform("i8", SY, ZY), uniform("i8", SR, ZR)


def plain_conv(x, w, bias, residual, strides, pads, dilations, groups, clamp):
    """Integer convolution with all that follows, one output at a time."""
    n, _, h, width = x.shape
    o, depth, kh, kw = w.shape
    oh = (h + pads[0] + pads[2] - (kh - 1) * dilations[0] - 1) // strides[0] + 1
    ow = (width + pads[1] + pads[3] - (kw - 1) * dilations[1] - 1) // strides[1] + 1
    y = np.zeros((n, o, oh, ow), np.int64)
    for b, k, i, j in product(range(n), range(o), range(oh), range(ow)):
        total = 0 if bias is None else int(bias[k])
        first = k // (o // groups) * depth
        for d, u, v in product(range(depth), range(kh), range(kw)):
            row, column = (
                i * strides[0] + u * dilations[0] - pads[0],
                j * strides[1] + v * dilations[1] - pads[1],
            )
            if 0 <= row < h and 0 <= column < width:
                total += (int(x[b, first + d, row, column]) - ZX) * int(w[k, d, u, v])
        if residual is not None:
            total += round((int(residual[b, k, i, j]) - ZR) * factor(SR / (SX * SW[k])))
        value = saturated(round(total * factor(SX * SW[k] / SY)) + ZY)
        y[b, k, i, j] = saturated(value, *clamp)
    return y


@pytest.mark.parametrize(
    ("groups", "channels", "strides", "pads", "dilations"),
    [
        (1, 3, (1, 1), (0, 0, 0, 0), (1, 1)),
        (1, 3, (2, 1), (1, 2, 0, 1), (1, 2)),
        (2, 4, (1, 2), (1, 1, 1, 1), (1, 1)),
        (4, 4, (2, 2), (1, 1, 1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("with_residual", [True, False])
def test_conv2d(groups, channels, strides, pads, dilations, with_bias, with_residual):
    samples, shape, kernel = 2, (1, channels, 5, 6), (4, channels // groups, 2, 3)
    x, w = integers(samples, *shape), np.maximum(integers(*kernel), -127)
    bias = integers(4, dtype=np.int32) if with_bias else None
    clamp = (5, 100)  # what the reals 0 and 10.45 are in units of Y
    expected = [
        plain_conv(one, w, bias, None, strides, pads, dilations, groups, (-128, 127)) for one in x
    ]
    residual = integers(samples, *expected[0].shape) if with_residual else None
    expected = [
        plain_conv(
            one,
            w,
            bias,
            None if residual is None else residual[s],
            strides,
            pads,
            dilations,
            groups,
            clamp,
        )
        for s, one in enumerate(x)
    ]
    weight = uniform_per_axis("i8", 0, SW, [0] * 4)
    types = [TensorType(X, shape), TensorType(weight, kernel)]
    arguments = [x, w[None]]
    if bias is not None:
        types.append(TensorType(i32, [4]))
        arguments.append(bias[None])
    if residual is not None:
        types.append(TensorType(R, expected[0].shape))
        arguments.append(residual)

    def make(image, kernel_, *rest):
        rest = list(rest)
        return tpu.Conv2dOp(
            "y", image, kernel_,
            rest.pop(0) if with_bias else None, rest.pop(0) if with_residual else None,
            element=Y, strides=strides, pads=pads, dilations=dilations, groups=groups,
            clamp_low=0.0, clamp_high=10.45,
        )  # fmt: skip

    got = run(make, types, arguments)
    assert got.dtype == np.int8
    np.testing.assert_array_equal(got, np.stack(expected))
    # Samples that differ in a weight, too.
    both = run(make, types, [np.broadcast_to(a, (2, *a.shape[1:])) for a in arguments])
    np.testing.assert_array_equal(both, got)


@pytest.mark.parametrize("zero_rhs", [0, 9])
@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [((3, 5), (5, 4)), ((2, 3, 5), (2, 5, 4)), ((2, 3, 5), (5, 4)), ((5,), (5, 4)), ((3, 5), (5,))],
)
@pytest.mark.parametrize("accumulator", ["i32", "i64"])
def test_matmul(lhs, rhs, zero_rhs, accumulator):
    a, b = integers(2, *lhs), np.maximum(integers(1, *rhs), -127)
    sw = 0.02
    sums = np.matmul(a.astype(np.int64) - ZX, b[0].astype(np.int64) - zero_rhs)
    scale = factor(SX * sw / SY)
    expected = np.vectorize(lambda v: saturated(round(int(v) * scale) + ZY), otypes=[int])(sums)
    types = [TensorType(X, lhs), TensorType(uniform("i8", sw, zero_rhs), rhs)]
    got = run(
        lambda p, q: tpu.MatmulOp("y", p, q, element=Y, accumulator=accumulator), types, [a, b]
    )
    np.testing.assert_array_equal(got, expected)


def test_add_and_mul_broadcast_and_clamp():
    a, b = integers(2, 3, 4), integers(1, 4)
    types = [TensorType(X, [3, 4]), TensorType(R, [4])]
    left, right, shift = add_parameters(SX, SR, SY)
    ia, ib = a.astype(int) - ZX, b[:, None].astype(int) - ZR
    total = np.vectorize(
        lambda v: saturated(saturated(round(Fraction(int(v), 2**shift)) + ZY), 5, 127)
    )
    got = run(lambda p, q: tpu.AddOp("y", p, q, element=Y, clamp_low=0.0), types, [a, b])
    np.testing.assert_array_equal(got, total(ia * left + ib * right))
    scale = factor(SX * SR / SY)
    products = np.vectorize(lambda v: saturated(round(int(v) * scale) + ZY))
    got = run(lambda p, q: tpu.MulOp("y", p, q, element=Y), types, [a, b])
    np.testing.assert_array_equal(got, products(ia * ib))


def test_means():
    x = integers(2, 1, 3, 4, 4)
    types = [TensorType(X, [1, 3, 4, 4])]
    scale = factor(SX / SY)

    def mean(total, count):
        return saturated(round(Fraction(int(total)) * scale / count) + ZY)

    centerd = x.astype(int) - ZX
    got = run(
        lambda v: tpu.ReduceOp("y", v, kind="mean", axes=[2, 3], keepdims=False, element=Y),
        types,
        [x],
    )
    expected = np.vectorize(lambda total: mean(total, 16))(centerd.sum(axis=(3, 4)))
    np.testing.assert_array_equal(got, expected)
    got = run(
        lambda v: tpu.AvgPoolOp(
            "y", v, kernel=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0], element=Y
        ),
        types,
        [x],
    )
    for s, c, i, j in product(range(2), range(3), range(2), range(2)):
        rows, columns = slice(max(0, 2 * i - 1), 2 * i + 2), slice(max(0, 2 * j - 1), 2 * j + 2)
        window = centerd[s, 0, c, rows, columns]
        assert got[s, 0, c, i, j] == mean(window.sum(), window.size)


def test_moves_pools_and_casts():
    x = integers(2, 1, 2, 4, 4)
    types = [TensorType(X, [1, 2, 4, 4])]
    got = run(
        lambda v: tpu.MaxPoolOp("y", v, kernel=[2, 2], strides=[2, 2], clamp_low=0.0),
        types,
        [x],
    )
    blocks = x.reshape(2, 1, 2, 2, 2, 2, 2).max(axis=(4, 6))
    np.testing.assert_array_equal(got, np.maximum(blocks, ZX))
    got = run(lambda v: tpu.TransposeOp("y", v, permutation=[0, 2, 3, 1]), types, [x])
    np.testing.assert_array_equal(got, x.transpose(0, 1, 3, 4, 2))
    got = run(lambda v: tpu.ReshapeOp("y", v, shape=[2, 16]), types, [x])
    np.testing.assert_array_equal(got, x.reshape(2, 2, 16))
    real = run(lambda v: tpu.CastOp("y", v, element=f32), types, [x])
    np.testing.assert_array_equal(real, (x.astype(np.float32) - ZX) * np.float32(SX))
    back = run(lambda v: tpu.CastOp("y", v, element=X), [TensorType(f32, [1, 2, 4, 4])], [real])
    np.testing.assert_array_equal(back, x)
    scale = factor(SX / SY)
    got = run(lambda v: tpu.RequantizeOp("y", v, element=Y), types, [x])
    expected = np.vectorize(lambda v: saturated(round((int(v) - ZX) * scale) + ZY))(x)
    np.testing.assert_array_equal(got, expected)
    index = np.array([[3], [0], [0]], np.int32)
    types.append(TensorType(i32, [3, 1]))
    got = run(lambda v, i: tpu.ResampleOp("y", v, i, axis=2), types, [x, index[None]])
    np.testing.assert_array_equal(got, x[:, :, :, [3, 0, 0]])


def test_floats_agree_with_top():
    """A float network, op by op: the tpu ops on f32 are the top ops."""
    x, w, b = (
        RNG.standard_normal(s).astype(np.float32)
        for s in ((2, 1, 3, 5, 5), (1, 4, 3, 3, 3), (1, 4))
    )
    r = RNG.standard_normal((2, 1, 4, 5, 5)).astype(np.float32)
    types = [TensorType(f32, a.shape[1:]) for a in (x, w, b, r)]
    got = run(
        lambda *v: tpu.Conv2dOp("y", *v, pads=[1, 1, 1, 1], clamp_low=0.0, clamp_high=1.0),
        types,
        [x, w, b, r],
    )
    block = Block(arg_types=types)
    image, kernel, bias, rest = block.args
    conv = top.Conv2dOp("c", image, kernel, bias, pads=[1, 1, 1, 1])
    add = top.AddOp("a", conv.output, rest)
    clip = top.ClipOp("y", add.output, low=0.0, high=1.0)
    from smalti.backends.interpreter.function import FunctionRunner

    block.add_ops([conv, add, clip, func.ReturnOp(clip.output)])
    runner = FunctionRunner(top.TopOp, WeightStore())
    (expected,) = runner.run_block(block, [x, w, b, r])
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.fixture(scope="module")
def lowered(digits_model):
    """The digits network at top, and at tpu in f32 and int8."""
    from smalti.compiler.onnx_import.importer import import_onnx
    from smalti.passes.pipeline import run_pipeline
    from smalti.passes.registry import parse_pipeline

    ctx = make_context()
    module = import_onnx(digits_model, ctx)
    floats = module.clone()
    run_pipeline(ctx, floats, parse_pipeline(F32))
    return ctx, module, floats


def test_a_network_in_f32(lowered):
    ctx, module, floats = lowered
    inputs = {"image": RNG.standard_normal((5, 1, 8, 8)).astype(np.float32)}
    expected = run_top(module, ctx.weights, inputs)["logits"]
    seen = {}
    got = run_tpu(
        floats, ctx.weights, inputs, observe=lambda name, value: seen.update({name: value})
    )
    np.testing.assert_allclose(got["logits"], expected, rtol=1e-4, atol=1e-4)
    assert seen["logits"].shape == (5, 1, 10)
    assert all(value.dtype == np.float32 for value in seen.values())


def test_an_op_of_another_level(lowered):
    ctx, module, _ = lowered
    with pytest.raises(DiagnosticError, match=r"top\.weight|top\.resize"):
        run_tpu(module, ctx.weights, {"image": np.zeros((1, 1, 8, 8), np.float32)})
