"""Ops of tpu: results follow from operands and the element type given."""

import numpy as np
import pytest
from smalti.backends.numerics.quantization import quantize_multiplier
from smalti.dialects import tpu
from smalti.dialects.quant import uniform, uniform_per_axis
from xdsl.dialects.builtin import TensorType, f32, i32
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.test_value import create_ssa_value

X, Y = uniform("i8", 0.5, -3), uniform("i8", 0.3, 7)


def value(*shape: int, element=X) -> SSAValue:
    return create_ssa_value(TensorType(element, shape))


def type_of(op: tpu.TpuOp) -> TensorType:
    op.verify()
    return op.output.type


def test_products():
    w = value(2, 4, 3, 3, element=uniform_per_axis("i8", 0, [0.1, 0.2]))
    bias = value(2, element=i32)
    conv = tpu.Conv2dOp(
        "y", value(1, 4, 8, 8), w, bias, value(1, 2, 6, 6, element=Y), element=Y, clamp_low=0.0
    )
    assert type_of(conv) == TensorType(Y, [1, 2, 6, 6])
    assert conv.accumulator.data == "i32" and conv.clamp == (0.0, None)
    assert conv.macs == 2 * 36 * 36
    assert conv.residual is not None and conv.bias is not None
    product = tpu.MatmulOp("y", value(2, 3), value(3, 5, element=Y), accumulator="i64")
    assert type_of(product) == TensorType(X, [2, 5])
    floats = tpu.MatmulOp("y", value(2, 3, element=f32), value(3, 5, element=f32))
    assert type_of(floats) == TensorType(f32, [2, 5]) and floats.accumulator.data == "f32"


def test_a_quantized_bias_must_have_the_product_of_the_scales():
    w = value(2, 4, 1, 1, element=uniform_per_axis("i8", 0, [0.1, 0.2]))
    for scales, fits in (([0.05, 0.1], True), ([0.05, 0.2], False)):
        bias = value(2, element=uniform_per_axis("i32", 0, scales))
        op = tpu.Conv2dOp("y", value(1, 4, 2, 2), w, bias)
        if fits:
            op.verify_()
        else:
            with pytest.raises(VerifyException, match="scales of input times weight"):
                op.verify_()


def test_requantization_follows_from_the_types():
    op = tpu.RequantizeOp("y", value(4), element=Y)
    assert type_of(op) == TensorType(Y, [4])
    multiplier, shift = quantize_multiplier(np.float64(0.5) / np.float64(0.3))
    assert (op.multiplier.value.data, op.shift.value.data) == (int(multiplier), int(shift))
    op = tpu.RequantizeOp("y", value(4), element=Y, multiplier=1 << 30, shift=30)
    with pytest.raises(VerifyException, match="not the ratio of the scales"):
        op.verify_()


def test_every_other_op_knows_its_result():
    x = value(1, 4, 8, 8)
    assert type_of(tpu.AddOp("y", x, value(4, 1, 1, element=Y), element=Y)).element_type == Y
    assert type_of(tpu.MulOp("y", x, x)) == x.type
    assert type_of(tpu.CastOp("y", x, element=f32)) == TensorType(f32, [1, 4, 8, 8])
    assert type_of(tpu.ClampOp("y", x, clamp_high=6.0)) == x.type
    assert type_of(tpu.MaxPoolOp("y", x, kernel=(2, 2))) == TensorType(X, [1, 4, 7, 7])
    assert type_of(tpu.AvgPoolOp("y", x, kernel=(2, 2), element=Y)).element_type == Y
    assert type_of(tpu.ReduceOp("y", x, kind="mean", axes=[2, 3], keepdims=True)) == TensorType(
        X, [1, 4, 1, 1]
    )
    index = value(16, 1, element=i32)
    assert type_of(tpu.ResampleOp("y", x, index, axis=2)) == TensorType(X, [1, 4, 16, 8])
    assert type_of(tpu.ReshapeOp("y", x, shape=(4, 64))) == TensorType(X, [4, 64])
    transposed = tpu.TransposeOp("y", x, permutation=(0, 2, 3, 1))
    assert type_of(transposed) == TensorType(X, [1, 8, 8, 4])
    r = value(2, 3, element=f32)
    assert type_of(tpu.SubOp("y", r, r)) == r.type
    assert type_of(tpu.DivOp("y", r, r)) == r.type
    assert type_of(tpu.SoftmaxOp("y", r, axis=1)) == r.type
    assert type_of(tpu.WeightOp("y", type=TensorType(X, [2]), key="w")) == TensorType(X, [2])
