"""Storage types, quantization parameters, quantize and dequantize."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.numerics import elementwise
from smalti.backends.numerics import quantization as q
from smalti.backends.numerics.epilogue import epilogue_float
from smalti.backends.numerics.storage import (
    STORAGE_NAMES,
    dtype_of,
    integer_range,
    name_of,
    round_to,
    saturate_to,
    size_bytes,
)

from tests.unit.backends.numerics import onnxruntime_model as ort_model


def test_storage_names_round_trip():
    for name in STORAGE_NAMES:
        assert name_of(dtype_of(name)) == name
        assert size_bytes(name) == dtype_of(name).itemsize
    with pytest.raises(ValueError, match="unknown storage type 'i3'"):
        dtype_of("i3")
    with pytest.raises(ValueError, match="no storage type"):
        name_of(np.complex64)


@given(st.lists(st.floats(width=64), min_size=1, max_size=20))
@settings(max_examples=50)
def test_f64_to_bf16_rounds_once(values):
    got = round_to(np.array(values), "bf16").astype(np.float64)
    for value, result in zip(values, got, strict=True):
        if np.isnan(value):
            assert np.isnan(result)
            continue
        if not np.isfinite(result):
            assert abs(value) >= float(ml_dtypes.finfo(ml_dtypes.bfloat16).max)
            continue
        bits = int(np.float32(abs(result)).view(np.uint32)) >> 16
        around = [np.uint32(max(b, 0) << 16).view(np.float32) for b in (bits - 1, bits, bits + 1)]
        error = abs(Fraction(abs(value)) - Fraction(float(around[1])))
        for other in (around[0], around[2]):
            if np.isfinite(other):
                assert error <= abs(Fraction(abs(value)) - Fraction(float(other)))


@given(
    st.lists(st.floats(width=32), min_size=1, max_size=20),
    st.sampled_from([("f16", np.float16), ("bf16", ml_dtypes.bfloat16)]),
)
@settings(max_examples=100)
def test_constants_stay_finite_and_do_not_vanish(values, type):
    name, dtype = type
    x = np.array(values, np.float32)
    stored, saturated = saturate_to(x, name)
    assert stored.dtype == dtype
    rounded, limits = round_to(x, name), ml_dtypes.finfo(dtype)
    plain = (rounded != 0) & np.isfinite(rounded) | (x == 0) | ~np.isfinite(x)
    as_f32 = stored.astype(np.float32), rounded.astype(np.float32)
    np.testing.assert_array_equal(as_f32[0][plain], as_f32[1][plain])
    assert saturated == np.count_nonzero(np.isfinite(x) & np.isinf(rounded))
    for value, result in zip(x[~plain], stored[~plain].astype(np.float32), strict=True):
        least, most = np.float32(limits.smallest_subnormal), np.float32(limits.max)
        assert result == np.copysign(least if abs(value) < 1 else most, value)


def test_f64_to_bf16_does_not_round_twice():
    almost = 1 + 2.0**-8 + 2.0**-40  # just above a tie; its f32 is the tie
    assert float(round_to(np.array([almost]), "bf16")[0]) == 1 + 2.0**-7
    assert float(round_to(np.array(1 + 2.0**-8), "bf16")) == 1.0


@given(st.floats(2.0**-32, 2.0**31 - 1))
@settings(max_examples=50)
def test_quantize_multiplier(scale):
    multiplier, shift = (int(v) for v in q.quantize_multiplier(scale))
    assert 2**30 <= multiplier < 2**31 and 0 <= shift <= 62
    assert abs(Fraction(multiplier, 2**shift) - Fraction(scale)) <= Fraction(1, 2 ** (shift + 1))


def test_quantize_multiplier_limits():
    multiplier, shift = q.quantize_multiplier(np.array([0.0, 2.0**-33, 1.0, 1 - 2.0**-40]))
    assert multiplier.tolist() == [0, 0, 2**30, 2**30] and shift.tolist() == [0, 0, 30, 30]
    for bad in (-1.0, np.nan, np.inf, 2.0**31):
        with pytest.raises(ValueError, match="scale"):
            q.quantize_multiplier(bad)


@given(st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32))
@settings(max_examples=50)
def test_activation_parameters(a, b):
    lo, hi = min(a, b), max(a, b)
    for storage in ("i8", "u8", "i16"):
        scale, zero_point = q.activation_parameters(lo, hi, storage)
        low, high = integer_range(storage)
        assert scale == float(np.float32(scale)) > 0 and low <= zero_point <= high
        ends = q.quantize(np.array([0.0, lo, hi], np.float32), scale, zero_point, storage)
        back = q.dequantize(ends, scale, zero_point)
        assert back[0] == 0
        assert np.all(np.abs(back[1:] - np.array([lo, hi])) <= scale * 1.01)


def test_parameters_of_odd_ranges():
    assert q.activation_parameters(0, 0) == (1.0, -128)
    assert q.activation_parameters(3, 7)[1] == -128
    assert q.activation_parameters(0, 1e-44)[0] > 0
    for lo, hi in ((1, 0), (0, np.inf), (np.nan, 1), (-1e300, 1e300)):
        with pytest.raises(ValueError, match="rang"):
            q.activation_parameters(lo, hi)


def test_symmetric_and_power_of_two_parameters():
    assert q.activation_parameters(-1, 3, symmetric=True) == (float(np.float32(3 / 127)), 0)
    assert q.activation_parameters(-4, 3, "i16", symmetric=True) == (
        float(np.float32(4 / 32767)),
        0,
    )
    assert q.activation_parameters(0, 5, power_of_two=True) == (2.0**-5, -128)
    assert q.activation_parameters(-1, 127, symmetric=True, power_of_two=True) == (1.0, 0)
    assert q.activation_parameters(0, 0, symmetric=True) == (1.0, 0)
    with pytest.raises(ValueError, match="too wide"):
        q.activation_parameters(0, 3e38, "i2", symmetric=True, power_of_two=True)
    found = q.next_power_of_two(np.array([0, 1e-45, 0.25, 0.26, 1, 3]))
    assert found.tolist() == [0, 2.0**-149, 0.25, 0.5, 1, 4]
    w = np.array([[1.0, -2.54, 0], [0, 0, 0]], np.float32)
    np.testing.assert_allclose(q.weight_scales(w, 0), [0.02, 1.0], rtol=1e-6)
    assert np.abs(q.quantize(w, q.weight_scales(w, 0), 0, "i8", 0)).max() == 127
    with pytest.raises(ValueError, match="finite"):
        q.weight_scales(np.array([[np.nan]]), 0)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["i8", "u8", "i16", "u16"]))
@settings(max_examples=30)
def test_quantize_and_dequantize_equal_onnxruntime(seed, storage):
    rng = np.random.default_rng(seed)
    low, high = integer_range(storage)
    x = (rng.standard_normal((3, 4, 5)) * 50).astype(np.float32)
    x[0, 0] = np.round(x[0, 0]) / 2  # ties
    scale = rng.choice([0.25, 0.5, 0.013, 1.7], 4).astype(np.float32)
    zero = rng.integers(low, high + 1, 4).astype(dtype_of(storage))
    got = q.quantize(x, scale, zero, storage, axis=1)
    opset = 21 if "16" in storage else 19
    np.testing.assert_array_equal(
        got, ort_model.run("QuantizeLinear", [x, scale, zero], opset=opset, axis=1)
    )
    np.testing.assert_array_equal(
        q.dequantize(got, scale, zero, axis=1),
        ort_model.run("DequantizeLinear", [got, scale, zero], opset=opset, axis=1),
    )
    plain = (
        np.rint((x / scale[None, :, None]).astype(np.float32))
        + zero.astype(np.int64)[None, :, None]
    )
    np.testing.assert_array_equal(got, np.clip(plain, low, high))


def test_quantize_saturates_and_takes_nan_for_zero():
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30], np.float32)
    assert q.quantize(x, 0.5, 3, "i8").tolist() == [3, 127, -128, 127, -128]
    assert q.quantize(x, 0.5, 3, "i32").tolist() == [3, *[2**31 - 1, -(2**31)] * 2]


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(1e-3, 2), st.integers(-128, 127))
@settings(max_examples=50)
def test_clamp_bounds_commute_with_quantization(a, b, scale, zero_point):
    lo, hi = min(a, b), max(a, b)
    x = np.random.default_rng(0).uniform(-60, 60, 500).astype(np.float32)
    low, high = q.clamp_bounds(lo, hi, scale, zero_point, "i8")
    before = q.quantize(np.clip(x, np.float32(lo), np.float32(hi)), scale, zero_point, "i8")
    after = np.clip(q.quantize(x, scale, zero_point, "i8"), low, high)
    np.testing.assert_array_equal(before, after)
    assert q.clamp_bounds(None, None, scale, zero_point, "i8") == (-128, 127)
    with pytest.raises(ValueError, match="not a number"):
        q.clamp_bounds(np.nan, None, scale, zero_point, "i8")


def test_add_parameters_limits():
    assert q.add_parameters(1, 1, 1) == (2**21, 2**21, 21)
    ma, mb, shift = q.add_parameters(1e-9, 1e-12, 1.0)
    assert shift == 46 and ma < 2**21 and mb < ma
    for bad in ((0, 1, 1), (1, np.nan, 1), (1e9, 1, 1)):
        with pytest.raises(ValueError):
            q.add_parameters(*bad)


def test_float_elementwise_equals_onnxruntime():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 1, 5)).astype(np.float32)
    b = rng.standard_normal((3, 1)).astype(np.float32)
    for function, op in ((elementwise.add, "Add"), (elementwise.sub, "Sub"),
                         (elementwise.mul, "Mul"), (elementwise.div, "Div")):  # fmt: skip
        np.testing.assert_array_equal(function(a, b), ort_model.run(op, [a, b]))
        half = function(a.astype(np.float16), b.astype(np.float16))
        assert half.dtype == np.float16
    limits = [np.array(-0.5, np.float32), np.array(0.25, np.float32)]
    np.testing.assert_array_equal(
        elementwise.clamp(a, -0.5, 0.25), ort_model.run("Clip", [a, *limits])
    )
    small = np.array([-100, 0, 100], np.int8)
    assert elementwise.clamp(small, -np.inf, 50.5).tolist() == [-100, 0, 50]


def test_epilogue_float():
    acc = np.array([[1.0, -2.0, 3.0]], np.float32)
    bias, residual = np.array([0.5, 0.5, 0.5], np.float32), np.array([[1, 1, 100]], np.float16)
    got = epilogue_float(acc, bias, "bf16", (0.0, 6.0), residual)
    assert got.dtype == dtype_of("bf16") and got.astype(float).tolist() == [[2.5, 0.0, 6.0]]
    assert epilogue_float(acc, None, "f32") is not acc


@pytest.mark.parametrize("storage", ["f8E4M3FN", "f8E5M2"])
def test_scaled_small_floats_are_the_nearest_ones(storage: str):
    """Against the nearest of all numbers of the type; beyond the greatest one they saturate."""
    kind = dtype_of(storage)
    every = np.arange(256, dtype=np.uint8).view(kind).astype(np.float64)
    every = np.sort(every[np.isfinite(every)])
    random = np.random.default_rng(4)
    x = (random.normal(size=500) * 10.0 ** random.uniform(-4, 4, 500)).astype(np.float32)
    scale = float(q.float_scale(np.abs(x).max() / 2, storage))
    found = q.scale_floats(x, scale, storage).astype(np.float64)
    exact = (x / np.float32(scale)).astype(np.float64)
    nearest = np.abs(exact[:, None] - every).min(axis=1)
    np.testing.assert_array_equal(np.abs(found - exact), nearest)
    assert q.float_scale(np.array([0.0]), storage) == 1.0
