"""Pools, means and softmax: against plain loops with exact fractions, and against ONNX Runtime."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from smalti.backends.numerics.quantization import quantize_multiplier
from smalti.backends.numerics.reduction import reduce_f32
from smalti.backends.numerics.softmax import softmax
from smalti.backends.numerics.windows.pooling import (
    average_pool2d_f32,
    average_pool2d_int,
    max_pool2d,
    pool_output_size,
)

from tests.unit.backends.numerics import onnxruntime_model as ort_model


@st.composite
def pool_cases(draw):
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    strides = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilations = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    pads = tuple(draw(st.integers(0, k - 1)) for k in (*kernel, *kernel))
    shape = (draw(st.integers(1, 2)), draw(st.integers(4, 9)), draw(st.integers(4, 9)), 3)
    ceil_mode = draw(st.booleans())
    output = tuple(
        pool_output_size(
            shape[1 + a], kernel[a], strides[a], dilations[a], pads[a], pads[2 + a], ceil_mode
        )
        for a in (0, 1)
    )
    assume(min(output) > 0)
    # Every window sees the image: ONNX says nothing of a mean over no elements.
    for a in (0, 1):
        for position in range(output[a]):
            begin = position * strides[a] - pads[a]
            taps = range(begin, begin + kernel[a] * dilations[a], dilations[a])
            assume(any(0 <= t < shape[1 + a] for t in taps))
    window = {"kernel": kernel, "strides": strides, "dilations": dilations, "pads": pads}
    return shape, {**window, "output": output}, ceil_mode, draw(st.integers(0, 2**32 - 1))


def under(x, window, y, z, *, padding):
    """The pixels under window (y, z), and how many taps lie in the image (or the padded image)."""
    (kh, kw), (sh, sw), (dh, dw) = (window[k] for k in ("kernel", "strides", "dilations"))
    top, left, bottom, right = window["pads"]
    pixels, count = [], 0
    for i, j in np.ndindex(kh, kw):
        r, c = y * sh + i * dh - top, z * sw + j * dw - left
        if 0 <= r < x.shape[1] and 0 <= c < x.shape[2]:
            pixels.append(x[:, r, c])
            count += 1
        elif padding and -top <= r < x.shape[1] + bottom and -left <= c < x.shape[2] + right:
            count += 1
    return pixels, count


def onnx_pool(op, x, window, ceil_mode, **attributes):
    result = ort_model.run(
        op,
        [np.ascontiguousarray(x.transpose(0, 3, 1, 2))],
        kernel_shape=list(window["kernel"]),
        strides=list(window["strides"]),
        dilations=list(window["dilations"]),
        pads=list(window["pads"]),
        ceil_mode=int(ceil_mode),
        **attributes,
    )
    return result.transpose(0, 2, 3, 1)


@given(pool_cases(), st.sampled_from([np.int8, np.uint8, np.float32]))
@settings(max_examples=50)
def test_max_pool(case, dtype):
    shape, window, ceil_mode, seed = case
    x = np.random.default_rng(seed).integers(-100, 100, shape).astype(dtype)
    got = max_pool2d(x, **window)
    for y, z in np.ndindex(got.shape[1:3]):
        np.testing.assert_array_equal(
            got[:, y, z], np.max(under(x, window, y, z, padding=False)[0], 0)
        )
    np.testing.assert_array_equal(got, onnx_pool("MaxPool", x, window, ceil_mode))


@given(pool_cases(), st.booleans())
@settings(max_examples=50)
def test_average_pool_f32(case, count_include_pad):
    shape, window, ceil_mode, seed = case
    x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    got = average_pool2d_f32(x, **window, count_include_pad=count_include_pad)
    for y, z in np.ndindex(got.shape[1:3]):
        pixels, count = under(x, window, y, z, padding=count_include_pad)
        expected = np.sum(pixels, axis=0, dtype=np.float64) / count
        np.testing.assert_allclose(got[:, y, z], expected, rtol=1e-5, atol=1e-6)
    reference = onnx_pool(
        "AveragePool", x, window, ceil_mode, count_include_pad=int(count_include_pad)
    )
    np.testing.assert_allclose(got, reference, rtol=1e-4, atol=1e-5)


@given(pool_cases(), st.booleans(), st.floats(0.2, 3), st.sampled_from(["i8", "u8", "i16"]))
@settings(max_examples=40)
def test_average_pool_int_is_exact(case, count_include_pad, scale, storage):
    shape, window, _, seed = case
    dtype = {"i8": np.int8, "u8": np.uint8, "i16": np.int16}[storage]
    info = np.iinfo(dtype)
    rng = np.random.default_rng(seed)
    x = rng.integers(info.min, info.max + 1, shape).astype(dtype)
    zero_point = int(rng.integers(info.min, info.max + 1))
    multiplier, shift = (int(v) for v in quantize_multiplier(scale if seed % 3 else 1.0))
    got = average_pool2d_int(
        x, **window, count_include_pad=count_include_pad, zero_point_in=zero_point,
        multiplier=multiplier, shift=shift, zero_point_out=9, storage=storage,
    )  # fmt: skip
    for y, z in np.ndindex(got.shape[1:3]):
        pixels, count = under(x, window, y, z, padding=count_include_pad)
        total = np.sum(np.array(pixels, np.int64) - zero_point, axis=0)
        for at in np.ndindex(total.shape):
            value = round(Fraction(int(total[at]) * multiplier, count << shift)) + 9
            assert got[at[0], y, z, at[1]] == min(max(value, info.min), info.max)


def test_pool_over_slabs_and_samples():
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (2, 2, 130, 140, 24)).astype(np.int8)
    got = max_pool2d(x, kernel=(3, 3), strides=(2, 2), pads=(1, 1, 0, 0))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 0), (1, 0), (0, 0)), constant_values=-128)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::2, ::2]
    np.testing.assert_array_equal(got, windows.max(axis=(-2, -1)))
    wide = x.astype(np.float32)
    mean = average_pool2d_f32(wide, kernel=(3, 3), strides=(2, 2))
    windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), (2, 3))[:, :, ::2, ::2]
    np.testing.assert_allclose(mean, windows.mean(axis=(-2, -1)), rtol=1e-5, atol=1e-5)


def test_pool_output_size_in_ceil_mode():
    assert pool_output_size(4, 3, 2, 1, 0, 0) == 1
    assert pool_output_size(4, 3, 2, 1, 0, 0, True) == 2
    assert pool_output_size(2, 1, 2, 1, 0, 0, True) == 1  # the second would start past the image
    with pytest.raises(ValueError, match="at least 1"):
        pool_output_size(4, 0, 2, 1, 0, 0)


def test_float_rows_do_not_depend_on_their_neighbors():
    """A mean and a softmax are the same to the bit alone and among others, in any layout."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((5, 37, 1003)).astype(np.float32)
    rows, means = softmax(x, -1), reduce_f32("mean", x, (-1,))
    turned = np.asfortranarray(x)
    np.testing.assert_array_equal(softmax(turned, -1), rows)
    np.testing.assert_array_equal(reduce_f32("mean", turned, (-1,)), means)
    np.testing.assert_array_equal(softmax(x[3, 5], -1), rows[3, 5])
    np.testing.assert_array_equal(reduce_f32("mean", x[3:4, 5:6], (-1,))[0, 0], means[3, 5])
    np.testing.assert_array_equal(softmax(x[:, 2:3], -1), rows[:, 2:3])
    across = np.ascontiguousarray(np.moveaxis(x, -1, 0))
    np.testing.assert_array_equal(reduce_f32("mean", across, (-3,)), means)


@pytest.mark.parametrize("axis", [-1, -2, -3])
def test_softmax_equals_onnxruntime(axis):
    x = (np.random.default_rng(2).standard_normal((3, 17, 21)) * 30).astype(np.float32)
    x[0, 0, 0] = -np.inf
    np.testing.assert_allclose(
        softmax(x, axis), ort_model.run("Softmax", [x], axis=axis), rtol=1e-5, atol=1e-7
    )
    e = np.exp(x.astype(np.float64) - x.max(axis=axis, keepdims=True))
    np.testing.assert_allclose(softmax(x, axis), e / e.sum(axis=axis, keepdims=True), 1e-5, 1e-7)
    assert np.isnan(softmax(np.full((1, 2), -np.inf, np.float32), -1)).all()


def test_reductions_reject_bad_axes():
    for axes in ((0,), (-3,), (-1, -1)):
        with pytest.raises(ValueError, match="axes"):
            reduce_f32("mean", np.zeros((2, 2), np.float32), axes)
