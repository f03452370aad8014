"""Integer weights and biases, and the bound that chooses the accumulator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.passes.top_to_tpu.precision.schemes import SCHEMES
from smalti.passes.top_to_tpu.quantized_product import accumulator_for, quantize_product

INT8 = SCHEMES["int8"]


@pytest.mark.parametrize("axis", [0, 3])
def test_weights_are_symmetric_per_channel(axis):
    weight = np.random.default_rng(0).normal(size=(4, 3, 2, 5)).astype(np.float32)
    product = quantize_product(weight, axis, None, 0.1, 0, INT8)
    others = tuple(a for a in range(4) if a != axis)
    assert product.weight.dtype == np.int8 and product.bias is None and product.accumulator == "i32"
    assert (np.abs(product.weight.astype(int)).max(axis=others) == 127).all()
    np.testing.assert_allclose(product.scales, np.abs(weight).max(axis=others) / 127, rtol=1e-6)
    scales = product.scales.reshape([-1 if a == axis else 1 for a in range(4)])
    assert (np.abs(product.weight * scales - weight) <= scales / 2 * 1.0001).all()


def test_biases_are_in_units_of_the_accumulator():
    weight = np.array([[1.27, -0.5], [0.0, 0.0]], np.float32)
    product = quantize_product(weight, 0, np.array([0.5, -3.0], np.float32), 0.02, 5, INT8)
    assert product.scales.tolist() == [np.float32(0.01), 1.0]
    assert product.bias is not None and product.bias.tolist() == [2500, -150]


def test_a_bias_that_dwarfs_its_weights_coarsens_their_scale():
    weight = np.array([[1e-9, 2e-9], [1.0, 1.0]], np.float32)
    bias = np.array([100.0, 1.0], np.float32)
    product = quantize_product(weight, 0, bias, 0.01, 0, INT8)
    assert product.bias is not None
    np.testing.assert_allclose(product.bias * product.scales * 0.01, bias, rtol=1e-6)
    assert np.abs(product.bias).max() <= 2**30
    assert product.weight[0].tolist() == [0, 0] and product.weight[1].tolist() == [127, 127]


@pytest.mark.parametrize("what", ["weight", "bias"])
def test_numbers_that_are_not_finite_are_refused(what):
    weight, bias = np.ones((2, 2), np.float32), np.ones(2, np.float32)
    (weight if what == "weight" else bias)[0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        quantize_product(weight, 0, bias, 1.0, 0, INT8)


def test_long_sums_take_a_wide_accumulator():
    assert accumulator_for(np.full((1, 132_000), 127, np.int8), 0, None, 0, "i8") == "i32"
    assert accumulator_for(np.full((1, 132_000), 127, np.int8), 0, None, -128, "i8") == "i64"
    assert accumulator_for(np.full((1, 133_000), 127, np.int8), 0, None, 0, "i8") == "i64"
    assert (
        accumulator_for(np.zeros((1, 0), np.int8), 0, np.array([2**31 - 1], np.int32), 0, "i8")
        == "i32"
    )


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(-128, 127), st.integers(1, 12))
def test_no_partial_sum_passes_the_bound(seed, zero_point, depth):
    """Whatever the input and the order, sums with the folded bias stay within the bound."""
    random = np.random.default_rng(seed)
    weight = random.integers(-127, 128, (1, depth))
    bias = random.integers(-(2**20), 2**20, 1)
    bound = int(np.abs(weight).sum() * (128 + abs(zero_point)) + abs(bias[0]))
    worst = np.where(weight[0] > 0, 127, -128)
    folded = bias[0] - zero_point * weight.sum()
    for inputs in (worst, -1 - worst, random.integers(-128, 128, depth)):
        sums = np.cumsum(np.concatenate([[folded], inputs * weight[0]]))
        assert np.abs(sums).max() <= bound
        assert np.abs(np.cumsum(inputs * weight[0])).max() <= bound
