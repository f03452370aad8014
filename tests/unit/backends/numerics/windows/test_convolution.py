"""Convolutions and matrix products, against plain loops and against ONNX Runtime."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.numerics.matmul import matmul
from smalti.backends.numerics.windows.convolution import conv2d, conv_output_size

from tests.unit.backends.numerics import onnxruntime_model as ort_model


def plain_conv(x, w, strides, dilations, pads, groups, pad_value, wide):
    """The definition, one output pixel at a time, in type `wide`: x[n, h, w, c], w[kh, kw, c / g,
    o].
    """
    n, height, width, channels = x.shape
    kh, kw, group_channels, outputs = w.shape
    top, left, bottom, right = pads
    padded = np.full((n, height + top + bottom, width + left + right, channels), pad_value, wide)
    padded[:, top : top + height, left : left + width] = x
    oh = (padded.shape[1] - (kh - 1) * dilations[0] - 1) // strides[0] + 1
    ow = (padded.shape[2] - (kw - 1) * dilations[1] - 1) // strides[1] + 1
    out = np.zeros((n, oh, ow, outputs), wide)
    for y, z, o in np.ndindex(oh, ow, outputs):
        first = o // (outputs // groups) * group_channels
        total = np.zeros(n, wide)
        for i, j, c in np.ndindex(kh, kw, group_channels):
            pixel = padded[:, y * strides[0] + i * dilations[0], z * strides[1] + j * dilations[1]]
            total = total + pixel[:, first + c] * w[i, j, c, o].astype(wide)
        out[:, y, z, o] = total
    return out


@st.composite
def conv_cases(draw):
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    strides = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilations = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    pads = draw(st.tuples(*[st.integers(0, 2)] * 4))
    height = draw(st.integers(max(1, (kernel[0] - 1) * dilations[0] + 1 - pads[0] - pads[2]), 7))
    width = draw(st.integers(max(1, (kernel[1] - 1) * dilations[1] + 1 - pads[1] - pads[3]), 7))
    groups = draw(st.integers(1, 4))
    group_in, group_out = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    x_shape = (draw(st.integers(1, 3)), height, width, groups * group_in)
    w_shape = (*kernel, group_in, groups * group_out)
    arguments = {"strides": strides, "dilations": dilations, "pads": pads, "groups": groups}
    return x_shape, w_shape, arguments, draw(st.integers(0, 2**32 - 1))


@given(conv_cases(), st.sampled_from(["i8", "u8", "i16"]), st.sampled_from(["i32", "i64"]))
@settings(max_examples=50)
def test_integer_conv_equals_loop(case, storage, accumulator):
    x_shape, w_shape, arguments, seed = case
    rng = np.random.default_rng(seed)
    dtype = {"i8": np.int8, "u8": np.uint8, "i16": np.int16}[storage]
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max + 1, x_shape).astype(dtype)
    w_dtype = np.int16 if storage == "i16" else np.int8
    w = rng.integers(np.iinfo(w_dtype).min, np.iinfo(w_dtype).max + 1, w_shape).astype(w_dtype)
    pad_value = int(rng.integers(info.min, info.max + 1))
    got = conv2d(x, w, pad_value=pad_value, accumulator=accumulator, **arguments)
    expected = plain_conv(x, w, **arguments, pad_value=pad_value, wide=np.int64)
    assert got.dtype == (np.int32 if accumulator == "i32" else np.int64)
    np.testing.assert_array_equal(got, expected.astype(got.dtype))  # i32 wraps


@given(conv_cases())
@settings(max_examples=30)
def test_float_conv_equals_loop_and_onnxruntime(case):
    x_shape, w_shape, arguments, seed = case
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(x_shape).astype(np.float32)
    w = rng.standard_normal(w_shape).astype(np.float32)
    got = conv2d(x, w, accumulator="f32", **arguments)
    assert got.dtype == np.float32
    np.testing.assert_allclose(
        got, plain_conv(x, w, **arguments, pad_value=0, wide=np.float64), rtol=1e-4, atol=1e-5
    )
    reference = ort_model.run(
        "Conv",
        [
            np.ascontiguousarray(x.transpose(0, 3, 1, 2)),
            np.ascontiguousarray(w.transpose(3, 2, 0, 1)),
        ],
        strides=list(arguments["strides"]),
        dilations=list(arguments["dilations"]),
        pads=list(arguments["pads"]),
        group=arguments["groups"],
    )
    np.testing.assert_allclose(got, reference.transpose(0, 2, 3, 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 4])
def test_integer_conv_equals_onnxruntime(groups):
    """ConvInteger with an input zero point: zero points taken off, padding at the zero point."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 256, (2, 9, 11, 8)).astype(np.uint8)
    w = rng.integers(-128, 128, (3, 3, 8 // groups, 12)).astype(np.int8)
    zero_point = 117
    reference = ort_model.run(
        "ConvInteger",
        [
            np.ascontiguousarray(x.transpose(0, 3, 1, 2)),
            np.ascontiguousarray(w.transpose(3, 2, 0, 1)),
            np.array(zero_point, np.uint8),
        ],
        group=groups,
        pads=[1, 1, 1, 1],
        strides=[2, 1],
    )
    acc = conv2d(
        x,
        w,
        strides=(2, 1),
        pads=(1, 1, 1, 1),
        groups=groups,
        pad_value=zero_point,
        accumulator="i32",
    )
    folded = acc - zero_point * w.astype(np.int32).sum(axis=(0, 1, 2))
    np.testing.assert_array_equal(folded, reference.transpose(0, 2, 3, 1))


@given(conv_cases(), st.data())
@settings(max_examples=40)
def test_conv_of_a_window_is_the_window_of_the_conv(case, data):
    """Tiling invariance, to the bit: rows, columns and output channels computed apart give the
    same.
    """
    x_shape, w_shape, arguments, seed = case
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, x_shape).astype(np.int8)
    w = rng.integers(-127, 128, w_shape).astype(np.int8)
    whole = conv2d(x, w, pad_value=-7, accumulator="i32", **arguments)
    (sh, sw), (dh, dw), pads = (arguments[k] for k in ("strides", "dilations", "pads"))
    _, oh, ow, _ = whole.shape
    y0 = data.draw(st.integers(0, oh - 1))
    y1 = data.draw(st.integers(y0 + 1, oh))
    z0 = data.draw(st.integers(0, ow - 1))
    z1 = data.draw(st.integers(z0 + 1, ow))
    top, bottom = y0 * sh - pads[0], (y1 - 1) * sh - pads[0] + (w.shape[0] - 1) * dh + 1
    left, right = z0 * sw - pads[1], (z1 - 1) * sw - pads[1] + (w.shape[1] - 1) * dw + 1
    tile = x[:, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    part = conv2d(
        tile,
        w,
        strides=(sh, sw),
        dilations=(dh, dw),
        pads=(max(-top, 0), max(-left, 0), 0, 0),
        groups=arguments["groups"],
        pad_value=-7,
        accumulator="i32",
        output=(y1 - y0, z1 - z0),
    )
    np.testing.assert_array_equal(part, whole[:, y0:y1, z0:z1])


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "groups"),
    [((2, 40, 50, 160), (3, 3, 160, 24), 1), ((1, 70, 300, 64), (3, 3, 1, 64), 64),
     ((3, 60, 90, 200), (1, 1, 200, 300), 1), ((2, 30, 30, 96), (3, 3, 48, 32), 2)],
)  # fmt: skip
def test_slabs_do_not_show(x_shape, w_shape, groups):
    """Arrays larger than a slab, depths beyond one exact block: equal to shift-and-multiply in
    int64.
    """
    rng = np.random.default_rng(1)
    x = np.full(x_shape, -128, np.int8)
    x[..., ::3] = rng.integers(-128, 128, x[..., ::3].shape)
    w = np.full(w_shape, -128, np.int8)
    w[..., ::2] = rng.integers(-128, 128, w[..., ::2].shape)
    kh, kw, depth, outputs = w_shape
    pads = (kh // 2, kw // 2, kh // 2, kw // 2)
    got = conv2d(x, w, pads=pads, groups=groups, pad_value=5, accumulator="i32")
    n, height, width, _ = x_shape
    padded = np.pad(x, ((0, 0), (kh // 2,) * 2, (kw // 2,) * 2, (0, 0)), constant_values=5)
    for g in range(groups):
        o = slice(g * outputs // groups, (g + 1) * outputs // groups)
        c = slice(g * depth, (g + 1) * depth)
        total = np.zeros((n, height, width, outputs // groups))
        for i, j in np.ndindex(kh, kw):
            seen = padded[:, i : i + height, j : j + width, c].astype(np.float64)
            total += seen @ w[i, j, :, o].astype(np.float64)  # exact: below 2^53
        np.testing.assert_array_equal(got[..., o], total.astype(np.int64))


def test_leading_axes_are_samples():
    rng = np.random.default_rng(2)
    x = rng.integers(-128, 128, (3, 2, 6, 5, 8)).astype(np.int8)
    for w_shape, groups in (((3, 3, 8, 4), 1), ((3, 3, 1, 16), 8), ((1, 1, 4, 6), 2)):
        w = rng.integers(-127, 128, w_shape).astype(np.int8)
        whole = conv2d(x, w, groups=groups, accumulator="i32")
        for s, n in np.ndindex(3, 2):
            one = conv2d(x[s, n], w, groups=groups, accumulator="i32")
            np.testing.assert_array_equal(whole[s, n], one)


def test_half_precision_accumulates_in_f32():
    rng = np.random.default_rng(4)
    for dtype in (np.float16, ml_dtypes.bfloat16):
        x = rng.standard_normal((1, 5, 5, 300)).astype(dtype)
        w = rng.standard_normal((3, 3, 300, 2)).astype(dtype)
        got = conv2d(x, w, accumulator="f32")
        exact = plain_conv(x.astype(np.float64), w, (1, 1), (1, 1), (0,) * 4, 1, 0, np.float64)
        np.testing.assert_allclose(got, exact, rtol=1e-3, atol=1e-3)


def test_conv_rejects_what_does_not_fit():
    x, w = np.zeros((1, 4, 4, 6), np.int8), np.zeros((3, 3, 3, 4), np.int8)
    for arguments, message in [
        ({"accumulator": "i32"}, "3 channels"),
        ({"accumulator": "i32", "groups": 4}, "divide"),
        ({"accumulator": "f32", "groups": 2}, "integer operands"),
        ({"accumulator": "i8", "groups": 2}, "unknown accumulator"),
        ({"accumulator": "i32", "groups": 2, "strides": (0, 1)}, "at least 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            conv2d(x, w, **arguments)
    assert conv2d(x, w, groups=2, dilations=(2, 2), accumulator="i32").shape == (1, 0, 0, 4)
    assert conv_output_size(7, 3, 2, 1, 1, 0) == 3


@given(st.integers(0, 2**32 - 1), st.sampled_from(["i8", "u8", "i16"]), st.integers(0, 2500))
@settings(max_examples=40)
def test_integer_matmul_is_exact(seed, storage, depth):
    rng = np.random.default_rng(seed)
    dtype = {"i8": np.int8, "u8": np.uint8, "i16": np.int16}[storage]
    info = np.iinfo(dtype)
    a = rng.integers(info.min, info.max + 1, (2, 1, 3, depth)).astype(dtype)
    b = rng.integers(info.min, info.max + 1, (4, depth, 5)).astype(dtype)
    if seed % 2:  # the largest sums
        a[...], b[...] = info.min or info.max, info.min or info.max
    expected = np.einsum("xamk,bkn->xbmn", a.astype(np.int64), b.astype(np.int64))
    for accumulator, wide in (("i32", np.int32), ("i64", np.int64)):
        np.testing.assert_array_equal(matmul(a, b, accumulator), expected.astype(wide))
        np.testing.assert_array_equal(matmul(a, b[0], accumulator), expected[:, :1].astype(wide))


def test_wide_integers_wrap_like_the_accumulator():
    a = np.array([[2**31 - 1, -(2**31)]], np.int32)
    exact = int(a[0, 0]) ** 2 + int(a[0, 1]) ** 2
    assert int(matmul(a, a.T, "i64")[0, 0]) == exact
    assert int(matmul(a, a.T, "i32")[0, 0]) == int(np.int64(exact).astype(np.int32))


def test_matmul_equals_onnxruntime():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((3, 1, 7, 33)).astype(np.float32)
    b = rng.standard_normal((4, 33, 5)).astype(np.float32)
    np.testing.assert_allclose(
        matmul(a, b, "f32"), ort_model.run("MatMul", [a, b]), rtol=1e-5, atol=1e-5
    )
    x = rng.integers(0, 256, (6, 700)).astype(np.uint8)
    # Of 7 bits: without VNNI, ONNX Runtime adds pairs of products in 16 bits, which saturate.
    w = rng.integers(-64, 64, (700, 9)).astype(np.int8)
    zero_points = [np.array(100, np.uint8), np.array(-3, np.int8)]
    expected = ort_model.run("MatMulInteger", [x, w, *zero_points])
    got = matmul(x.astype(np.int16) - 100, w.astype(np.int16) + 3, "i32", bounds=(255, 255))
    np.testing.assert_array_equal(got, expected)
    with pytest.raises(ValueError, match="do not fit"):
        matmul(a, b[:, 1:], "f32")
    with pytest.raises(ValueError, match="cannot be multiplied"):
        matmul(x[:, :33], b[0], "i32")


def test_gemm_equals_onnxruntime():
    rng = np.random.default_rng(6)
    a = rng.standard_normal((7, 33)).astype(np.float32)
    b = rng.standard_normal((5, 33)).astype(np.float32)
    c = rng.standard_normal(5).astype(np.float32)
    expected = ort_model.run("Gemm", [a, b, c], transB=1)
    np.testing.assert_allclose(matmul(a, b.T, "f32") + c, expected, rtol=1e-5, atol=1e-5)
