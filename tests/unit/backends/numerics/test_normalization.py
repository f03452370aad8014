"""Normalizations: against plain loops, against ONNX Runtime, and against themselves in other layouts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.numerics.device import normalization
from smalti.backends.numerics.normalization import KINDS, local_response_norm, normalize

from tests.unit.backends.numerics import onnxruntime_model as ort_model


def plain(kind, values, epsilon):
    """One row, element by element."""
    n = len(values)
    mean = math.fsum(values) / n if kind == "mean_variance" else 0.0
    shifted = [v - mean for v in values]
    squares = math.fsum(v * v for v in shifted)
    divisor = {
        "mean_variance": math.sqrt(squares / n + epsilon),
        "rms": math.sqrt(squares / n + epsilon),
        "l1": math.fsum(abs(v) for v in shifted) + epsilon,
        "l2": math.sqrt(squares + epsilon),
    }[kind]
    return [v / divisor if divisor else 0.0 for v in shifted]


def sample(seed, rank=4):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 7, rank))
    return rng, rng.standard_normal(shape).astype(np.float32) * 3 + 1


@given(
    st.integers(0, 2**32 - 1),
    st.sets(st.integers(-4, -1), min_size=1),
    st.sampled_from(KINDS),
    st.sampled_from([0.0, 1e-5, 0.5]),
)
@settings(max_examples=60)
def test_every_kind_against_a_plain_loop(seed, axes, kind, epsilon):
    rng, x = sample(seed)
    scale = rng.standard_normal(x.shape[-1]).astype(np.float32)
    bias = rng.standard_normal((x.shape[1], 1, 1)).astype(np.float32)
    got = normalize(kind, x, tuple(axes), epsilon)
    kept = [axis for axis in range(-4, 0) if axis not in axes]
    order = [*kept, *sorted(axes)]
    rows, found = x.transpose(order), got.transpose(order)
    for at in np.ndindex(rows.shape[: len(kept)]):
        expected = plain(kind, rows[at].ravel().tolist(), epsilon)
        np.testing.assert_allclose(found[at].ravel(), expected, rtol=2e-5, atol=2e-6)
    scaled = normalize(kind, x, tuple(axes), epsilon, scale, bias)
    np.testing.assert_array_equal(scaled, got * scale + bias)


@pytest.mark.parametrize("axis", [-1, 1])
def test_layer_normalization_equals_onnxruntime(axis):
    rng, x = sample(3)
    shape = x.shape[axis:]
    scale, bias = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
    expected = ort_model.run("LayerNormalization", [x, scale, bias], axis=axis)
    axes = tuple(range(-len(shape), 0))
    got = normalize("mean_variance", x, axes, 1e-5, scale, bias)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_instance_normalization_equals_onnxruntime():
    rng, x = sample(4)
    scale, bias = (rng.standard_normal(x.shape[1]).astype(np.float32) for _ in range(2))
    expected = ort_model.run("InstanceNormalization", [x, scale, bias])
    columns = (v[:, None, None] for v in (scale, bias))
    got = normalize("mean_variance", x, (-2, -1), 1e-5, *columns)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_rows_do_not_depend_on_their_neighbors():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((5, 37, 1003)).astype(np.float32)
    for kind in KINDS:
        rows = normalize(kind, x, (-1,), 1e-5)
        np.testing.assert_array_equal(normalize(kind, np.asfortranarray(x), (-1,), 1e-5), rows)
        np.testing.assert_array_equal(normalize(kind, x[3:4, 5:6], (-1,), 1e-5), rows[3:4, 5:6])
        across = np.ascontiguousarray(np.moveaxis(x, -1, 0))
        got = np.moveaxis(normalize(kind, across, (-3,), 1e-5), 0, -1)
        np.testing.assert_array_equal(got, rows)


def test_a_divisor_of_zero_gives_zero():
    zeros = np.zeros((2, 3), np.float32)
    for kind in KINDS:
        np.testing.assert_array_equal(normalize(kind, zeros, (-1,), 0.0), zeros)


def test_wrong_arguments():
    x = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match="unknown normalization 'l3'"):
        normalize("l3", x, (-1,), 0.0)
    for axes in [(), (0,), (-3,), (-1, -1)]:
        with pytest.raises(ValueError, match="distinct, negative"):
            normalize("l2", x, axes, 0.0)
    with pytest.raises(ValueError, match="at least 1"):
        local_response_norm(x, -1, size=0, alpha=1.0, beta=1.0, bias=1.0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
@settings(max_examples=30)
def test_local_response_norm(seed, size):
    _, x = sample(seed)
    got = local_response_norm(x, 1, size=size, alpha=0.3, beta=0.75, bias=2.0)
    channels = x.shape[1]
    for n, c, h, w in np.ndindex(x.shape):
        first, last = c - (size - 1) // 2, c + -(-(size - 1) // 2)
        window = x[n, max(first, 0) : min(last, channels - 1) + 1, h, w].astype(np.float64)
        divisor = (2.0 + 0.3 / size * (window**2).sum()) ** 0.75
        assert got[n, c, h, w] == pytest.approx(float(x[n, c, h, w]) / divisor, rel=1e-6)
    if size % 2:  # ONNX Runtime knows odd sizes only
        expected = ort_model.run("LRN", [x], size=size, alpha=0.3, beta=0.75, bias=2.0)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_parameters_of_the_instruction():
    """Rows of [length, inner]: parameters that repeat over rows, runs of the length, or inner."""
    rng = np.random.default_rng(2)
    x = np.zeros((3, 12, 32), np.float32)
    x[..., :24] = rng.standard_normal((3, 12, 24))
    fields = {"kind": "rms", "type": "f32", "rows": 12, "length": 6, "inner": 4, "pitch": 32,
              "epsilon": 1e-3, "parameter_rows": 4, "parameter_length": 3, "parameter_inner": 4}  # fmt: skip
    table = rng.standard_normal((2, 4, 3, 4)).astype(np.float32)
    got = normalization.normalize(x, table, **fields)
    rows = x[..., :24].reshape(3, 12, 6, 4)
    scale, bias = (np.tile(np.repeat(each, 2, axis=1), (3, 1, 1)) for each in table)
    expected = normalize("rms", rows, (-2,), 1e-3, scale, bias)
    np.testing.assert_array_equal(got[..., :24].reshape(rows.shape), expected)
    assert not got[..., 24:].any()
    flat = normalization.normalize(x.reshape(3, -1), table.ravel(), **fields)
    np.testing.assert_array_equal(flat, got)
    each = normalization.normalize(x.reshape(3, -1), np.stack([table.ravel()] * 3), **fields)
    np.testing.assert_array_equal(each, got)
