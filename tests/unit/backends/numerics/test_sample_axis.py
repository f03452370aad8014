"""Values of several samples side by side: broadcasting, vectors in matrix products, weights that
differ between samples.
"""

import numpy as np
import pytest
from smalti.backends.numerics.sample_axis import (
    aligned,
    as_matrices,
    as_rows,
    broadcastable,
    channel_first,
    channel_last,
    per_sample,
)

RNG = np.random.default_rng(3)


def test_unit_axes_stand_after_the_sample_axis():
    assert aligned(np.zeros((5, 3)), 3).shape == (5, 1, 1, 3)
    assert aligned(np.zeros((5, 3)), 1).shape == (5, 3)
    lhs, rhs = broadcastable(np.zeros((5, 2, 3)), np.zeros((1, 3)))
    assert (lhs + rhs).shape == (5, 2, 3) and rhs.shape == (1, 1, 3)


def test_channels_go_last_and_come_back_as_views():
    value = RNG.standard_normal((2, 1, 3, 4, 5))
    assert channel_last(value).shape == (2, 1, 4, 5, 3)
    again = channel_first(channel_last(value))
    assert np.shares_memory(again, value)
    np.testing.assert_array_equal(again, value)


@pytest.mark.parametrize("weights", [1, 3])
def test_a_weight_shared_by_all_samples_or_each_sample_its_own(weights: int):
    weight, x = RNG.standard_normal((weights, 4)), RNG.standard_normal((3, 2, 4))
    got = per_sample(lambda w, x: x * w, weight, x)
    np.testing.assert_array_equal(got, x * weight[:, None, :])


def test_an_operand_that_all_samples_share_meets_weights_of_each():
    weight, x = RNG.standard_normal((3, 4)), RNG.standard_normal((1, 2, 4))
    got = per_sample(lambda w, x: x * w, weight, x)
    np.testing.assert_array_equal(got, x * weight[:, None, :])


@pytest.mark.parametrize(
    ("left", "right"),
    [((4,), (4,)), ((4,), (4, 5)), ((2, 4), (4,)), ((6, 2, 4), (4, 5)), ((6, 2, 4), (6, 4, 5))],
)
def test_matrices_multiply_as_numpy_multiplies_each_sample(
    left: tuple[int, ...], right: tuple[int, ...]
):
    lhs, rhs = RNG.standard_normal((3, *left)), RNG.standard_normal((1, *right))
    expected = np.stack([np.matmul(one, rhs[0]) for one in lhs])
    a, b = as_rows(*as_matrices(lhs, rhs))
    np.testing.assert_allclose(np.matmul(a, b).reshape(expected.shape), expected)
