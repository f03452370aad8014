"""Instructions on packed, padded tiles: fields as in the instruction table, values as the plain
functions'.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.instructions.instruction_set import INSTRUCTIONS
from smalti.backends.numerics import elementwise, quantization
from smalti.backends.numerics.device import (
    convolution,
    movement,
    normalization,
    packing,
    permutation,
    pointwise,
    pooling,
    product,
    reduction,
    resampling,
)
from smalti.backends.numerics.epilogue import epilogue_int
from smalti.backends.numerics.storage import PERMUTED_NAMES, dtype_of
from smalti.backends.numerics.windows import convolution as plain_convolution

_COMPUTING = [i for i in INSTRUCTIONS if i.numerics is not None]


@pytest.mark.parametrize("instruction", _COMPUTING, ids=lambda i: i.mnemonic)
def test_keywords_are_the_fields(instruction):
    function = instruction.numerics
    keywords = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    fields = {f.name: f for f in instruction.fields if f.kind != "address"}
    assert set(keywords) == set(fields)
    for name, parameter in keywords.items():
        if parameter.default is not parameter.empty:
            # A storage type has the code 0 for none.
            none = fields[name].kind == "storage" and parameter.default == "none"
            assert (0 if none else parameter.default) == fields[name].default, name
    arrays = [n for n in inspect.signature(function).parameters if n not in keywords]
    addresses = [f.name for f in instruction.fields if f.kind == "address"]
    assert set(arrays) <= set(addresses)
    assert set(addresses) - set(arrays) <= {"out", "dst"}


def _rng():
    return np.random.default_rng(7)


def _conv_fields(**changes):
    fields = {
        "type": "i8", "acc_type": "i32", "batch": 2, "in_height": 6, "in_width": 7,
        "in_channels": 6, "in_pitch": 16, "out_height": 3, "out_width": 4, "out_channels": 10,
        "out_pitch": 16,
        "kernel_height": 3, "kernel_width": 3, "stride_height": 2, "stride_width": 2, "pad_top": 1,
        "pad_left": 1, "pad_value": -5, "groups": 2, "block": 8,
    }  # fmt: skip
    return {**fields, **changes}


def test_conv2d_unpacks_pads_and_accumulates():
    rng, fields = _rng(), _conv_fields()
    x = rng.integers(-128, 128, (3, 2, 6, 7, 16)).astype(np.int8)
    w = rng.integers(-127, 128, (3, 3, 3, 10)).astype(np.int8)
    packed = packing.pack_conv_weights(w, 8)
    assert packed.shape == (2, 27, 8)
    got = convolution.conv2d(x, packed, **fields)
    expected = plain_convolution.conv2d(
        x[..., :6], w, strides=(2, 2), pads=(1, 1, 1, 1), groups=2, pad_value=-5, accumulator="i32"
    )
    assert expected.shape[-3:-1] == (3, 4) and got.dtype == np.int32
    np.testing.assert_array_equal(got[..., :10], expected)
    assert not got[..., 10:].any()
    flat = convolution.conv2d(x.reshape(3, -1), packed.ravel(), **fields)
    np.testing.assert_array_equal(flat, got)
    twice = convolution.conv2d(x, packed, got.reshape(3, -1), **{**fields, "accumulate": 1})
    np.testing.assert_array_equal(twice, 2 * got)
    shared = convolution.conv2d(x, np.broadcast_to(packed, (3, *packed.shape)), **fields)
    np.testing.assert_array_equal(shared, got)
    own = np.stack([packed, packed * 0, packed])
    apart = convolution.conv2d(x, own, **fields)
    np.testing.assert_array_equal(apart[[0, 2]], got[[0, 2]])
    assert not apart[1].any()


@pytest.mark.parametrize(("channels", "outputs", "block"), [(12, 12, 16), (6, 12, 16)])
def test_depthwise_conv2d(channels, outputs, block):
    rng = _rng()
    fields = _conv_fields(in_channels=channels, out_channels=outputs, groups=channels, block=block)
    x = rng.integers(-128, 128, (2, 6, 7, 16)).astype(np.int8)
    w = rng.integers(-127, 128, (3, 3, 1, outputs)).astype(np.int8)
    got = convolution.depthwise_conv2d(x, packing.pack_depthwise_weights(w, block), **fields)
    expected = plain_convolution.conv2d(
        x[..., :channels], w, strides=(2, 2), pads=(1, 1, 1, 1), groups=channels, pad_value=-5,
        accumulator="i32",
    )  # fmt: skip
    np.testing.assert_array_equal(got[..., :outputs], expected)
    assert not got[..., outputs:].any()


@pytest.mark.parametrize("transpose_w", [0, 1])
@pytest.mark.parametrize("shared_w", [0, 1])
def test_matmul(transpose_w, shared_w):
    rng = _rng()
    batch, m, k, n = 3, 4, 21, 10
    x = rng.integers(-128, 128, (2, batch, m, 32)).astype(np.int8)
    matrices = () if shared_w else (batch,)
    if transpose_w:
        block = 32
        w = rng.integers(-128, 128, (*matrices, n, block)).astype(np.int8)
        plain = np.swapaxes(w[..., :k], -1, -2)
    else:
        block = 8
        plain = rng.integers(-128, 128, (*matrices, k, n)).astype(np.int8)
        w = packing.pack_matmul_weights(plain, block)
        assert w.shape == (*matrices, 2, k, block)
    fields = {
        "type": "i8", "acc_type": "i32", "batch": batch, "m": m, "k": k, "n": n, "x_pitch": 32,
        "out_pitch": 16, "block": block, "shared_w": shared_w, "transpose_w": transpose_w,
        "x_zero_point": -128, "w_zero_point": 9,
    }  # fmt: skip
    got = product.matmul(x, w, **fields)
    expected = (x[..., :k].astype(np.int64) + 128) @ (plain.astype(np.int64) - 9)
    np.testing.assert_array_equal(got[..., :n], expected)
    assert not got[..., n:].any()
    own = np.stack([w, w[..., ::-1, :]])  # an activation: another w for each sample
    apart = product.matmul(x, own, **fields)
    np.testing.assert_array_equal(apart[0], got[0])
    np.testing.assert_array_equal(apart[1], product.matmul(x[1], own[1], **fields))
    again = product.matmul(x, w, got.reshape(2, -1), **{**fields, "accumulate": 1})
    np.testing.assert_array_equal(again, 2 * got)


@pytest.mark.parametrize("acc_type", ["i32", "i64"])
@pytest.mark.parametrize("with_residual", [False, True])
@pytest.mark.parametrize("pitch", [16, 32])
def test_epilogue(acc_type, with_residual, pitch):
    rng = _rng()
    rows, channels = 6, 10
    acc = rng.integers(-40000, 40000, (2, rows, 16)).astype(dtype_of(acc_type))
    wide = 2**40 if acc_type == "i64" else 2**20
    bias = rng.integers(-wide, wide, channels)
    multiplier, shift = rng.integers(2**30, 2**31, channels), np.full(channels, 39)
    r = rng.integers(-128, 128, (2, rows, 16)).astype(np.int8)
    m_r, s_r = rng.integers(2**30, 2**31, channels), np.full(channels, 23)
    extra = {"residual_multiplier": m_r, "residual_shift": s_r} if with_residual else {}
    table = packing.pack_epilogue_table(bias, multiplier, shift, pitch, acc_type=acc_type, **extra)
    fields = {
        "acc_type": acc_type, "type": "i8", "rows": rows, "channels": channels, "acc_pitch": 16,
        "out_pitch": 16, "table_pitch": pitch, "zero_point": -20, "clamp_low": -10.0,
    }  # fmt: skip
    residual = None
    if with_residual:
        fields |= {"residual_pitch": 16, "residual_zero_point": 3}
        residual = (r[..., :channels], 3, m_r, s_r)
    got = product.epilogue(acc, table, r if with_residual else None, **fields)
    expected = epilogue_int(
        acc[..., :channels], bias, multiplier, shift, -20, "i8", (-10, 127), residual
    )
    np.testing.assert_array_equal(got[..., :channels], expected)
    assert (got[..., channels:] == -20).all()
    each = np.stack([table, table])
    np.testing.assert_array_equal(
        product.epilogue(acc, each, r if with_residual else None, **fields), got
    )


def test_epilogue_float_and_errors():
    acc = np.ones((2, 16), np.float32)
    table = np.arange(16, dtype=np.float32)
    fields = {"acc_type": "f32", "rows": 2, "channels": 10, "acc_pitch": 16, "out_pitch": 16,
              "table_pitch": 16, "clamp_high": 6.0}  # fmt: skip
    got = product.epilogue(acc, table, type="f16", **fields)
    assert got.dtype == np.float16
    assert got[1].tolist() == [1, 2, 3, 4, 5, 6, 6, 6, 6, 6] + [0] * 6
    with pytest.raises(ValueError, match="cannot be stored"):
        product.epilogue(acc, table, type="i8", **fields)
    with pytest.raises(ValueError, match="holds float64"):
        product.epilogue(acc.astype(np.float64), table, type="f16", **fields)
    with pytest.raises(ValueError, match="table has shape"):
        product.epilogue(acc, table[:8], type="f16", **fields)


@pytest.mark.parametrize("rows", [4, 300])
def test_convert(rows):
    rng = _rng()
    x = rng.integers(-128, 128, (2, rows, 16)).astype(np.int8)
    shape = {"rows": rows, "columns": 10, "in_pitch": 16, "out_pitch": 32}
    m, s = (int(v) for v in quantization.quantize_multiplier(0.37))
    got = pointwise.convert(x, in_type="i8", out_type="u8", multiplier=m, shift=s, zero_point_in=4,
                         zero_point_out=100, clamp_high=120.0, **shape)  # fmt: skip
    expected = quantization.requantize(x[..., :10].astype(np.int32) - 4, m, s, 100, "u8", (0, 120))
    np.testing.assert_array_equal(got[..., :10], expected)
    assert (got[..., 10:] == 100).all()
    real = pointwise.convert(x, in_type="i8", out_type="f32", scale=0.25, zero_point_in=4, **shape)
    np.testing.assert_array_equal(real[..., :10], (x[..., :10].astype(np.float32) - 4) * 0.25)
    assert not real[..., 10:].any()
    back = pointwise.convert(real, in_type="f32", out_type="i8", scale=0.25, zero_point_out=4,
                          rows=rows, columns=10, in_pitch=32, out_pitch=16)  # fmt: skip
    np.testing.assert_array_equal(back[..., :10], x[..., :10])
    half = pointwise.convert(real, in_type="f32", out_type="bf16", clamp_low=0.0,
                          rows=rows, columns=32, in_pitch=32, out_pitch=32)  # fmt: skip
    np.testing.assert_array_equal(half.astype(np.float32), np.maximum(real, 0))


def test_binary_reads_with_strides():
    rng = _rng()
    a = rng.integers(-128, 128, (2, 3, 4, 16)).astype(np.int8)
    b = rng.integers(-128, 128, (2, 16)).astype(np.int8)
    ma, mb, shift = quantization.add_parameters(0.3, 0.2, 0.4)
    fields = {
        "type": "i8", "size1": 3, "size2": 4, "size3": 16, "a_stride1": 64, "a_stride2": 16,
        "a_stride3": 1, "b_stride3": 1, "a_zero_point": 1, "b_zero_point": 2, "zero_point": 3,
    }  # fmt: skip
    got = pointwise.binary(a.reshape(2, -1), b, kind="add", a_multiplier=ma, b_multiplier=mb,
                        shift=shift, clamp_low=0.0, **fields)  # fmt: skip
    zeros = {"zero_point_a": 1, "zero_point_b": 2, "zero_point": 3, "storage": "i8"}
    expected = elementwise.add_int(a, b[:, None, None], multiplier_a=ma, multiplier_b=mb,
                                   shift=shift, clamp=(0, 127), **zeros)  # fmt: skip
    np.testing.assert_array_equal(got, expected[:, None])
    m, s = (int(v) for v in quantization.quantize_multiplier(0.011))
    got = pointwise.binary(a.reshape(2, -1), b, kind="mul", a_multiplier=m, shift=s, **fields)
    expected = elementwise.mul_int(a, b[:, None, None], multiplier=m, shift=s, **zeros)
    np.testing.assert_array_equal(got, expected[:, None])
    real = pointwise.binary(a.reshape(2, -1).astype(np.float32), b.astype(np.float32), kind="sub",
                         **{**fields, "type": "f32"})  # fmt: skip
    np.testing.assert_array_equal(real[:, 0], a.astype(np.float32) - b[:, None, None])
    with pytest.raises(ValueError, match="no operation 'div'"):
        pointwise.binary(a.reshape(2, -1), b, kind="div", **fields)
    with pytest.raises(ValueError, match="reads 192 elements"):
        pointwise.binary(a.reshape(2, -1)[:, :-1], b, kind="add", **fields)


def test_pool_reduce_resample_softmax_and_fill():
    rng = _rng()
    x = rng.integers(-128, 128, (2, 1, 5, 5, 16)).astype(np.int8)
    window = {"type": "i8", "in_height": 5, "in_width": 5, "out_height": 3, "out_width": 3,
              "pitch": 16, "kernel_height": 2, "kernel_width": 2, "stride_height": 2,
              "stride_width": 2}  # fmt: skip
    best = pooling.pool(x, kind="max", **window)  # the last windows reach past the image
    assert best.shape == (2, 1, 3, 3, 16)
    np.testing.assert_array_equal(best[:, :, 2, 2], x[:, :, 4, 4])
    mean = pooling.pool(x, kind="average", multiplier=2**30, shift=30, **window)
    np.testing.assert_array_equal(mean[:, :, 2, 2], x[:, :, 4, 4])
    expected = np.rint(x[:, :, :2, :2].astype(float).mean(axis=(2, 3)))
    np.testing.assert_array_equal(mean[:, :, 0, 0], expected)

    whole = reduction.reduce(x.reshape(2, -1), kind="mean", type="i8", outer=1, length=25, inner=10,
                          outer_stride=400, length_stride=16, out_pitch=16, multiplier=2**30,
                          shift=30, zero_point_in=5, zero_point_out=5)  # fmt: skip
    expected = np.rint(x[..., :10].astype(float).mean(axis=(2, 3)))
    np.testing.assert_array_equal(whole[..., :10], expected)
    assert (whole[..., 10:] == 5).all()
    real = reduction.reduce(x.reshape(2, -1).astype(np.float32), kind="mean", type="f32", outer=1,
                         length=25, inner=16, outer_stride=400, length_stride=16,
                         out_pitch=16)  # fmt: skip
    np.testing.assert_allclose(real, x.astype(float).mean(axis=(2, 3)), rtol=1e-5, atol=1e-5)

    index = np.array([0, 0, 4], np.int32)
    taken = resampling.resample(x.reshape(2, -1), index, type="i8", outer=5, in_length=5,
                            out_length=3, inner=16, gather=1)  # fmt: skip
    np.testing.assert_array_equal(taken, x.reshape(2, 5, 5, 16)[:, :, index])
    rows = x.reshape(2, 5, 5, 16).astype(np.float32)
    index, weight = np.array([[0, 1]], np.int32), np.array([[0.25, 0.75]], np.float32)
    mixed = resampling.resample(rows.reshape(2, -1), index, weight, type="f32", outer=5, in_length=5,
                            out_length=1, inner=16, taps=2)  # fmt: skip
    np.testing.assert_allclose(mixed[:, :, 0], 0.25 * rows[:, :, 0] + 0.75 * rows[:, :, 1])

    z = rng.standard_normal((2, 3, 16)).astype(np.float32)
    soft = normalization.softmax(z, type="f32", rows=3, columns=10, in_pitch=16, out_pitch=16)
    np.testing.assert_allclose(soft[..., :10].sum(axis=-1), 1, rtol=1e-6)
    assert not soft[..., 10:].any()
    assert movement.fill(count=3, type="i8", value=-200.0).tolist() == [-128] * 3
    assert movement.fill(count=2, type="bf16", value=0.5).astype(float).tolist() == [0.5, 0.5]


@settings(max_examples=50)
@given(
    st.sampled_from(PERMUTED_NAMES),
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_permute_is_numpys_transpose(type, tiles, rows, columns, in_padding, out_padding):
    rng, samples = _rng(), 2
    # From 1 on: the exponents of f8E8M0FNU have no 0.
    x = rng.integers(1, 100, (samples, tiles, rows, columns + in_padding)).astype(dtype_of(type))
    got = permutation.permute(
        x.reshape(samples, -1), type=type, tiles=tiles, rows=rows, columns=columns,
        in_pitch=columns + in_padding, out_pitch=rows + out_padding, zero_point=1,
    )  # fmt: skip
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got[..., :rows], x[..., :columns].transpose(0, 1, 3, 2))
    assert (got[..., rows:] == 1).all()
