"""Reductions: against plain loops on exact numbers, and against ONNX Runtime."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.numerics.quantization import quantize_multiplier
from smalti.backends.numerics.reduction import INTEGER_KINDS, KINDS, reduce_f32, reduce_int

from tests.unit.backends.numerics import onnxruntime_model as ort_model

ONNX_OPS = {
    "mean": "ReduceMean", "sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin",
    "prod": "ReduceProd", "l1": "ReduceL1", "l2": "ReduceL2", "sum_square": "ReduceSumSquare",
    "log_sum": "ReduceLogSum", "log_sum_exp": "ReduceLogSumExp",
}  # fmt: skip
PLAIN = {
    "mean": lambda v: math.fsum(v) / len(v),
    "sum": math.fsum,
    "max": max,
    "min": min,
    "prod": math.prod,
    "l1": lambda v: math.fsum(abs(x) for x in v),
    "l2": lambda v: math.sqrt(math.fsum(x * x for x in v)),
    "sum_square": lambda v: math.fsum(x * x for x in v),
    "log_sum": lambda v: math.log(math.fsum(v)),
    "log_sum_exp": lambda v: math.log(math.fsum(math.exp(x) for x in v)),
}


def elements_by_result(x, axes):
    """The elements that each result is reduced from, by the result's index."""
    kept = [axis for axis in range(-x.ndim, 0) if axis not in axes]
    moved = x.transpose([*kept, *sorted(axes)])
    shape = moved.shape[: len(kept)]
    return {at: moved[at].ravel().tolist() for at in np.ndindex(shape)}


@given(st.integers(0, 2**32 - 1), st.sets(st.integers(-4, -1), min_size=1), st.sampled_from(KINDS))
@settings(max_examples=60)
def test_floats(seed, axes, kind):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(tuple(int(n) for n in rng.integers(1, 7, 4))).astype(np.float32)
    if kind == "log_sum":
        x = np.abs(x) + np.float32(0.1)
    got = reduce_f32(kind, x, tuple(axes))
    expected = ort_model.run(ONNX_OPS[kind], [x, np.array(sorted(axes))], keepdims=0)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    for at, values in elements_by_result(x, axes).items():
        assert got[at] == pytest.approx(PLAIN[kind](values), rel=1e-6, abs=1e-7)


@given(
    st.integers(0, 2**32 - 1),
    st.sets(st.integers(-4, -1), min_size=1),
    st.sampled_from(INTEGER_KINDS),
)
@settings(max_examples=60)
def test_integers(seed, axes, kind):
    rng = np.random.default_rng(seed)
    q = rng.integers(-128, 128, tuple(int(n) for n in rng.integers(1, 9, 4))).astype(np.int8)
    multiplier, shift = (int(v) for v in quantize_multiplier(1.0 if seed % 2 else 0.73))
    got = reduce_int(kind, q, tuple(axes), zero_point_in=-11, multiplier=multiplier, shift=shift,
                     zero_point_out=4, storage="i8", clamp=(-100, 100))  # fmt: skip
    for at, values in elements_by_result(q, axes).items():
        if kind in ("max", "min"):
            value = PLAIN[kind](values)
        else:
            total = sum(v + 11 for v in values)
            count = len(values) if kind == "mean" else 1
            value = round(Fraction(total * multiplier, count << shift)) + 4
        assert got[at] == min(max(value, -100), 100)


_NEUTRAL = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}
"""What a reduction of no elements gives."""


def test_extremes():
    huge = np.array([200.0, 201.0], np.float32)
    assert reduce_f32("log_sum_exp", huge, (-1,)) == pytest.approx(201.31326)
    infinite = np.array([-np.inf, -np.inf], np.float32)
    assert reduce_f32("log_sum_exp", infinite, (-1,)) == -np.inf
    nothing = np.zeros((2, 0), np.float32)
    for kind, neutral in _NEUTRAL.items():
        assert (reduce_f32(kind, nothing, (-1,)) == neutral).all()
    assert np.isnan(reduce_f32("max", np.array([np.nan, 1], np.float32), (-1,)))


def test_wrong_kinds():
    with pytest.raises(ValueError, match="unknown reduction 'median'"):
        reduce_f32("median", np.zeros(2, np.float32), (-1,))
    with pytest.raises(ValueError, match="not 'l2'"):
        reduce_int("l2", np.zeros(2, np.int8), (-1,), zero_point_in=0, multiplier=1, shift=0,
                   zero_point_out=0, storage="i8")  # fmt: skip
