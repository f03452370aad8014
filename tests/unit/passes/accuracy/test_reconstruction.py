"""Learned rounding as mathematics: against plain loops, and what it promises whatever the numbers are."""

import numpy as np
import pytest
from smalti.passes.accuracy.reconstruction import (
    Grid,
    Moments,
    reconstruction_error,
    round_adaptively,
    round_at_best_scales,
    round_to_nearest,
)

GRIDS = [
    Grid(7),
    Grid(127),
    Grid(7, per_output=False),
    Grid(7, power_of_two=True),
]


def layer(
    seed: int, groups: int = 2, rows: int = 60, depth: int = 9, outputs: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Moments]:
    """Correlated inputs of both networks, weights, float results, and the moments, taken in in two parts."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(1, 1, (groups, rows, depth)) @ rng.normal(0, 1, (groups, depth, depth))
    weights = rng.normal(0, 1, (groups, depth, outputs))
    results = inputs @ weights + rng.normal(0, 1, (groups, 1, outputs))
    seen = (inputs + rng.normal(0, 0.05, inputs.shape)).astype(np.float32)
    moments = Moments()
    for part in (slice(0, 25), slice(25, None)):
        moments.add(seen[:, part], results[:, part].astype(np.float32))
    return seen, weights, results, moments


def squared_error(seen: np.ndarray, weights: np.ndarray, results: np.ndarray) -> np.ndarray:
    """The mean squared error with the best bias, from the rows themselves: [groups, outputs]."""
    error = results - seen @ weights
    return ((error - error.mean(1, keepdims=True)) ** 2).mean(1)


def test_the_error_is_that_of_the_rows():
    """The moments give the error from the rows, up to a part that depends on no weights."""
    seen, weights, results, moments = layer(0)
    others = round_to_nearest(weights, Grid(3)).weights
    difference = reconstruction_error(others, moments) - reconstruction_error(weights, moments)
    expected = squared_error(seen, others, results) - squared_error(seen, weights, results)
    np.testing.assert_allclose(difference, expected, rtol=1e-3)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_adaptive_rounding_is_never_worse_than_nearest(grid: Grid, seed: int):
    """On the rows that it saw its error is at most that of the nearest integers, also at full range."""
    seen, weights, results, moments = layer(seed, depth=70 if seed == 3 else 9)
    adaptive = round_adaptively(weights, moments, grid)
    found = squared_error(seen, adaptive.weights, results)
    for nearest in (
        grid.nearest(weights, adaptive.scales) * adaptive.scales,
        round_at_best_scales(weights, moments, grid).weights,
        round_to_nearest(weights, grid).weights,
    ):
        assert found.sum() <= squared_error(seen, nearest, results).sum() * (1 + 1e-5)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_integers_are_within_one_step(grid: Grid):
    """Each is the next integer below or above the weight, or the limit, and scales are numbers of f32."""
    _, weights, _, moments = layer(7)
    found = round_adaptively(weights, moments, grid)
    steps = np.clip(weights / found.scales, -grid.limit, grid.limit)
    assert np.all(np.abs(found.integers - steps) < 1)
    assert np.array_equal(found.integers, np.rint(found.integers))
    assert np.array_equal(found.scales, found.scales.astype(np.float32))
    if not grid.per_output:
        assert len(np.unique(found.scales)) == 1
    if grid.power_of_two:
        assert np.array_equal(np.log2(found.scales), np.rint(np.log2(found.scales)))


def test_the_bias_gives_the_means_of_the_float_results():
    """With it, results have the means of the float network on the rows."""
    seen, weights, results, moments = layer(2)
    rounded = round_to_nearest(weights, Grid(7)).weights
    bias = moments.bias(rounded).reshape(2, 1, -1)
    np.testing.assert_allclose((seen @ rounded + bias).mean(1), results.mean(1), atol=1e-4)


def test_weights_of_constant_inputs_are_rounded_to_nearest():
    """Where nothing varies, a bias makes up for everything: no weight is moved, and zeros stay zero."""
    moments = Moments()
    moments.add(np.ones((1, 8, 3), np.float32), np.ones((1, 8, 2), np.float32))
    weights = np.array([[[0.3, 0.0], [-0.9, 0.0], [0.5, 0.0]]])
    found = round_adaptively(weights, moments, Grid(7))
    assert np.array_equal(found.integers, Grid(7).nearest(weights, found.scales))
    assert not found.integers[..., 1].any()
