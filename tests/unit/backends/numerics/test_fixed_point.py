"""Requantization is exact: against Python's unbounded integers, in every path."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.numerics import elementwise, quantization
from smalti.backends.numerics.epilogue import epilogue_int
from smalti.backends.numerics.fixed_point import (
    rescale_quotient,
    round_half_even_shift,
    scaled_exactly,
)
from smalti.backends.numerics.storage import dtype_of, integer_range

multipliers = st.one_of(st.just(0), st.just(2**30), st.integers(2**30, 2**31 - 1))
shifts = st.integers(0, 62)
storages = st.sampled_from(["i8", "u8", "i16", "u16", "i32", "u32"])


def exact(value: int, multiplier: int, shift: int) -> int:
    return round(Fraction(value * multiplier, 2**shift))  # Python rounds half to even


def stored(value: int, zero_point: int, storage: str, clamp: tuple[int, int] | None = None) -> int:
    low, high = integer_range(storage)
    if clamp is not None:
        low, high = max(low, clamp[0]), min(high, clamp[1])
    return min(max(value + zero_point, low), high)


def near_ties(data: st.DataObject, multiplier: int, shift: int, bits: int) -> int:
    """An accumulator, often one whose product lies at or next to a tie."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if multiplier and data.draw(st.booleans()):
        half = 2 * data.draw(st.integers(-300, 300)) + 1
        value = (half << shift) // (2 * multiplier) + data.draw(st.integers(-1, 1))
        return min(max(value, low), high)
    return data.draw(st.integers(low, high))


@given(st.data(), multipliers, shifts, storages, st.sampled_from([32, 64]))
@settings(max_examples=50)
def test_requantize_equals_big_integers(data, multiplier, shift, storage, bits):
    low, high = integer_range(storage)
    zero_point = data.draw(st.integers(max(low, -(2**15)), min(high, 2**15)))
    values = [near_ties(data, multiplier, shift, bits) for _ in range(20)]
    clamp = data.draw(st.sampled_from([None, (max(low, 0), min(high, 90))]))
    acc = np.array(values, np.int32 if bits == 32 else np.int64)
    got = quantization.requantize(acc, multiplier, shift, zero_point, storage, clamp)
    assert got.dtype == dtype_of(storage)
    expected = [stored(exact(v, multiplier, shift), zero_point, storage, clamp) for v in values]
    assert got.tolist() == expected


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
@settings(max_examples=30)
def test_requantize_per_channel_near_ties(seed, channels):
    """Many accumulators at ties, or one step beside them: what a plain f64 product rounds wrong."""
    rng = np.random.default_rng(seed)
    multiplier = rng.integers(2**30, 2**31, channels)
    multiplier[rng.random(channels) < 0.3] = 2**30
    shift = rng.integers(31, 45, channels)
    half = 2 * rng.integers(-200, 200, (37, channels)) + 1
    near = [
        [(int(h) << int(s)) // (2 * int(m)) for h, m, s in zip(row, multiplier, shift, strict=True)]
        for row in half
    ]
    acc = np.clip(np.array(near) + rng.integers(-1, 2, half.shape), -(2**31), 2**31 - 1)
    got = quantization.requantize(acc.astype(np.int32), multiplier, shift, 3, "i8")
    for r in range(len(acc)):
        for c in range(channels):
            p = exact(int(acc[r, c]), int(multiplier[c]), int(shift[c]))
            assert got[r, c] == stored(p, 3, "i8")


def test_a_plain_f64_product_would_be_wrong():
    """Correcting near-ties is needed: the f64 product is 1.5, the exact one a little less."""
    acc, multiplier, shift = 3 * (2**28 + 1), 2**31 - 8, 60
    product = float(acc) * np.ldexp(float(multiplier), -shift)
    assert product == 1.5 and acc * multiplier == 3 * 2**59 - 24
    got = quantization.requantize(
        np.array([acc, -acc], np.int32), np.int64(multiplier), shift, 0, "i8"
    )
    assert got.tolist() == [1, -1]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8), multipliers, shifts)
@settings(max_examples=50)
def test_scaled_exactly(values, multiplier, shift):
    got = scaled_exactly(np.array(values, np.int64), multiplier, shift)
    for value, result in zip(values, got.tolist(), strict=True):
        expected = exact(value, multiplier, shift)
        if abs(expected) < 2**34:
            assert result == expected
        else:
            assert abs(result) >= 3 * 2**32 and (result > 0) == (expected > 0)


@given(st.integers(-(2**63), 2**63 - 1), shifts)
@settings(max_examples=50)
def test_round_half_even_shift(value, shift):
    assert int(round_half_even_shift(value, shift)) == exact(value, 1, shift)


@given(st.data(), multipliers, shifts, st.sampled_from([2**10, 2**21, 2**31, 2**40]))
@settings(max_examples=50)
def test_rescale_quotient(data, multiplier, shift, bound):
    totals = data.draw(st.lists(st.integers(-bound, bound), min_size=6, max_size=6))
    counts = data.draw(st.lists(st.integers(1, 300_000), min_size=6, max_size=6))
    got = rescale_quotient(
        np.array(totals), np.array(counts), multiplier, shift, -5, (-128, 127), np.dtype(np.int8)
    )
    for total, count, result in zip(totals, counts, got.tolist(), strict=True):
        value = round(Fraction(total * multiplier, count << shift))
        assert result == stored(value, -5, "i8")


@pytest.mark.parametrize("count", [2, 3, 4, 6, 7, 9, 16, 49, 64])
def test_rescale_quotient_ties(count):
    """Every total that a mean of `count` 8-bit values can have, with the scale of an unchanged
    quantization.
    """
    totals = np.arange(-255 * count, 255 * count + 1)
    got = rescale_quotient(totals, count, 2**30, 30, 0, (-128, 127), np.dtype(np.int8))
    expected = [stored(round(Fraction(int(t), count)), 0, "i8") for t in totals]
    assert got.tolist() == expected


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans(), st.integers(1, 30))
@settings(max_examples=40)
def test_epilogue_int(seed, with_residual, wide, channels):
    rng = np.random.default_rng(seed)
    bits = 62 if wide else 31
    acc = rng.integers(-(2**bits), 2**bits, (2, 3, channels))
    acc >>= rng.integers(0, bits - 8, acc.shape)
    acc = acc.astype(np.int64 if wide else np.int32)
    bias = rng.integers(-(2**30), 2**30, channels) >> rng.integers(0, 28, channels)
    multiplier = rng.integers(2**30, 2**31, channels)
    shift = rng.integers(30, 63, channels)
    residual = None
    if with_residual:
        r = rng.integers(-128, 128, acc.shape).astype(np.int8)
        shift_r = rng.integers(0, 40, channels)
        residual = (r, 7, rng.integers(2**30, 2**31, channels), shift_r)
    got = epilogue_int(acc, bias, multiplier, shift, -3, "i8", (-3, 100), residual)
    for at in np.ndindex(acc.shape):
        c = at[-1]
        v = int(acc[at]) + int(bias[c])
        if residual is not None:
            v += exact(int(residual[0][at]) - 7, int(residual[2][c]), int(residual[3][c]))
        assert got[at] == stored(exact(v, int(multiplier[c]), int(shift[c])), -3, "i8", (-3, 100))


def test_scales_out_of_range_are_refused():
    acc = np.ones(3, np.int32)
    for multiplier, shift in ((2**31, 3), (-1, 3), (2**30, 63), (2**30, -1)):
        with pytest.raises(ValueError, match="outside"):
            quantization.requantize(acc, multiplier, shift, 0, "i8")
        with pytest.raises(ValueError, match="outside"):
            rescale_quotient(acc, 3, multiplier, shift, 0, (-128, 127), np.dtype(np.int8))
    with pytest.raises(ValueError, match="at most 32 bits"):
        quantization.requantize(acc, 2**30, 30, 0, "i64")


def test_epilogue_accepts_views_and_empty_arrays():
    rng = np.random.default_rng(0)
    acc = rng.integers(-9999, 9999, (3, 5, 2, 48)).astype(np.int32)
    m, s = rng.integers(2**30, 2**31, 10), np.full(10, 38)
    whole = epilogue_int(np.ascontiguousarray(acc[..., :10]), None, m, s, 1, "u8")
    np.testing.assert_array_equal(epilogue_int(acc[..., :10], None, m, s, 1, "u8"), whole)
    np.testing.assert_array_equal(epilogue_int(acc[1:, ..., :10], None, m, s, 1, "u8"), whole[1:])
    assert epilogue_int(acc[:0, ..., :10], None, m, s, 1, "u8").shape == (0, 5, 2, 10)


@given(
    st.integers(0, 2**32 - 1),
    st.floats(1e-4, 10),
    st.floats(1e-4, 10),
    st.floats(1e-4, 10),
    st.sampled_from(["i8", "u8", "i16"]),
)
@settings(max_examples=50)
def test_add_and_mul_int(seed, sa, sb, sy, storage):
    rng = np.random.default_rng(seed)
    low, high = integer_range(storage)
    a = rng.integers(low, high + 1, (4, 6)).astype(dtype_of(storage))
    b = rng.integers(low, high + 1, (6,)).astype(dtype_of(storage))
    za, zb, zy = (int(z) for z in rng.integers(low, high + 1, 3))
    ma, mb, shift = quantization.add_parameters(sa, sb, sy)
    assert 2**21 <= max(ma, mb) < 2**22 and 0 <= shift <= 46
    zeros = {"zero_point_a": za, "zero_point_b": zb, "zero_point": zy}
    added = elementwise.add_int(
        a, b, multiplier_a=ma, multiplier_b=mb, shift=shift, storage=storage, **zeros
    )
    m, s = (int(v) for v in quantization.quantize_multiplier(min(sa * sb / sy, 1e6)))
    product = elementwise.mul_int(a, b, multiplier=m, shift=s, storage=storage, **zeros)
    for i, j in np.ndindex(a.shape):
        da, db = int(a[i, j]) - za, int(b[j]) - zb
        assert added[i, j] == stored(exact(da * ma + db * mb, 1, shift), zy, storage)
        assert product[i, j] == stored(exact(da * db, m, s), zy, storage)
