"""Ops of top: results follow from operands, costs are counted, unused ones go, mistakes are
diagnostics.
"""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects import top
from smalti.dialects.context import make_context
from smalti.dialects.ir.location import named, names_of
from smalti.dialects.quant import calibrated
from xdsl.dialects.builtin import ModuleOp, TensorType, f32, i32
from xdsl.ir import SSAValue
from xdsl.transforms.canonicalize import CanonicalizePass
from xdsl.utils.test_value import create_ssa_value


def value(*shape: int, element=f32) -> SSAValue:
    return create_ssa_value(TensorType(element, shape))


def shape_of(op: top.TopOp) -> tuple[int, ...]:
    op.verify()
    return op.output.type.get_shape()


def test_convolution():
    op = top.Conv2dOp(
        "y", value(2, 4, 9, 7), value(6, 2, 3, 3), value(6), strides=(2, 1), pads=(1, 0, 1, 2),
        dilations=(1, 2), groups=2, location=named("Conv_0"),
    )  # fmt: skip
    assert shape_of(op) == (2, 6, 5, 5)
    assert op.macs == 2 * 6 * 5 * 5 * 2 * 3 * 3
    assert op.size_bytes == 4 * (2 * 4 * 9 * 7 + 6 * 2 * 9 + 6 + 2 * 6 * 5 * 5)
    assert names_of(op.location) == ["Conv_0"]


def test_matrix_products():
    op = top.MatmulOp("y", value(5, 1, 2, 3), value(4, 3, 7), value(7))
    assert shape_of(op) == (5, 4, 2, 7)
    assert op.macs == 5 * 4 * 2 * 7 * 3


def test_every_other_op_knows_its_result():
    x, c = value(1, 3, 8, 8), value(3)
    assert shape_of(top.BatchNormOp("y", x, c, c, c, c, epsilon=1e-5)) == (1, 3, 8, 8)
    for kind in (top.AddOp, top.SubOp, top.MulOp, top.DivOp):
        assert shape_of(kind("y", x, value(3, 1, 1))) == (1, 3, 8, 8)
    assert shape_of(top.ReluOp("y", x)) == (1, 3, 8, 8)
    assert shape_of(top.ClipOp("y", x, low=0.0)) == (1, 3, 8, 8)
    pool = {"kernel": (3, 3), "strides": (2, 2)}
    assert shape_of(top.MaxPoolOp("y", x, **pool)) == (1, 3, 3, 3)
    assert shape_of(top.AvgPoolOp("y", x, **pool, ceil_mode=True)) == (1, 3, 4, 4)
    assert shape_of(top.ReduceOp("y", x, kind="mean", axes=[2, 3], keepdims=False)) == (1, 3)
    resize = {"mode": "nearest", "scales": (1.0, 1.0, 0.5, 2.0)}
    assert shape_of(top.ResizeOp("y", x, shape=(1, 3, 4, 16), **resize)) == (1, 3, 4, 16)
    assert shape_of(top.ReshapeOp("y", x, shape=(3, 64))) == (3, 64)
    assert shape_of(top.TransposeOp("y", x, permutation=(0, 2, 3, 1))) == (1, 8, 8, 3)
    assert shape_of(top.SoftmaxOp("y", x, axis=1)) == (1, 3, 8, 8)
    assert shape_of(top.WeightOp("y", type=TensorType(f32, [2]), seed=1)) == (2,)


def test_integers_move_and_add():
    n = value(4, element=i32)
    assert shape_of(top.AddOp("y", n, n)) == (4,)
    assert shape_of(top.ReshapeOp("y", n, shape=(2, 2))) == (2, 2)


def test_a_calibrated_range_is_not_handed_on():
    x = value(4, element=calibrated(f32, -1.0, 1.0))
    assert top.ReluOp("y", x).output.type == TensorType(f32, [4])


def test_shapes_that_do_not_fit_are_told_with_the_node():
    with pytest.raises(DiagnosticError, match=r"Conv_0: error: top.conv2d 'y': weight has 4 input"):
        top.Conv2dOp(
            "y", value(1, 3, 8, 8), value(8, 4, 3, 3), location=named("Conv_0")
        )  # fmt: skip
    with pytest.raises(DiagnosticError, match="has 8 elements"):
        top.ReshapeOp("y", value(8), shape=(3, 3))


def test_unused_ops_go():
    weight = top.WeightOp("w", type=TensorType(f32, [4]), seed=1)
    module = ModuleOp([weight, top.ReluOp("y", weight.output)])
    CanonicalizePass().apply(make_context(), module)
    assert not list(module.ops)
