"""The mathematics of learned rounding: of all integers next to a layer's weights, those whose results are nearest to
the float layer's.

A layer computes y = x · w in floats. In the quantized network it reads x' and has weights w', so that its error is
E|x · w − x' · w' − b'|². With b' at its best, this is a quadratic form of w' whose coefficients are the second moments
of x', and of x' with y: they are all that is kept of the samples (asymmetric reconstruction, M. Nagel et al.: Up or
Down? Adaptive Rounding for Post-Training Quantization, 2020, equations 15 and 25 without the activation function).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SWEEPS = 10
_BLOCK = 64
_DAMPING = 1e-6
"""What is added to the variance of each input, as a share of their mean: the weights of constant inputs stay put."""


class Moments:
    """Sums over rows of what a layer reads and of what it should compute, for each group of channels; those of products
    only if they `covary`, which costs more than the layer itself.
    """

    def __init__(self, *, covary: bool = True) -> None:
        self.covary = covary
        self.rows = 0
        self._sums: list[np.ndarray] = []

    def add(self, factors: np.ndarray, sums: np.ndarray) -> None:
        """Take in rows: `factors` [groups, rows, depth] of the quantized network, `sums` [groups, rows, outputs] of the
        float one.
        """
        self.rows += factors.shape[1]
        part = [factors.sum(1, dtype=np.float64), sums.sum(1, dtype=np.float64)]
        if self.covary:
            transposed = np.ascontiguousarray(factors.transpose(0, 2, 1))
            part += [np.matmul(transposed, each).astype(np.float64) for each in (factors, sums)]
        if self._sums:
            part = [a + b for a, b in zip(self._sums, part, strict=True)]
        self._sums = part

    @property
    def inputs(self) -> np.ndarray:
        """The mean of each input: [groups, depth]."""
        return self._sums[0] / self.rows

    @property
    def results(self) -> np.ndarray:
        """The mean that each result should have: [groups, outputs]."""
        return self._sums[1] / self.rows

    def covariances(self) -> tuple[np.ndarray, np.ndarray]:
        """Return those of the inputs, [groups, depth, depth], and those of inputs and results, [groups, depth,
        outputs].
        """
        inputs, results = self.inputs, self.results
        gram = self._sums[2] / self.rows - inputs[:, :, None] * inputs[:, None, :]
        cross = self._sums[3] / self.rows - inputs[:, :, None] * results[:, None, :]
        return gram, cross

    def bias(self, weights: np.ndarray) -> np.ndarray:
        """Return the bias [groups · outputs] with which weights [groups, depth, outputs] give results whose means are
        those of the float network: empirical bias correction (M. Nagel et al.: Data-Free Quantization Through Weight
        Equalization and Bias Correction, 2019).
        """
        means = self.results - np.einsum("gk,gko->go", self.inputs, weights)
        return means.reshape(-1)


@dataclass(frozen=True)
class Grid:
    """What integers may stand for weights: those within ±`limit`, with a scale for each output, or one for all, that is
    a power of two if `power_of_two`.
    """

    limit: int
    per_output: bool = True
    power_of_two: bool = False

    def scales(self, greatest: np.ndarray) -> np.ndarray:
        """Return f32 scales, as f64, with which the integers reach `greatest` magnitudes; 1 where that is 0."""
        scales = np.where(greatest > 0, greatest / self.limit, 1.0)
        if self.power_of_two:
            scales = np.exp2(np.rint(np.log2(scales)))
        smallest = np.finfo(np.float32).tiny
        return np.maximum(scales.astype(np.float32), smallest).astype(np.float64)

    def nearest(self, weights: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """Return the integers nearest to weights / scales."""
        return np.clip(np.rint(weights / scales), -self.limit, self.limit)


@dataclass(frozen=True)
class Rounded:
    """`integers` f64 [groups, depth, outputs] of a grid; `scales` f64 [groups, 1, outputs] holding f32 values."""

    integers: np.ndarray
    scales: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """What the integers stand for: f64."""
        return self.integers * self.scales


def reconstruction_error(weights: np.ndarray, moments: Moments) -> np.ndarray:
    """Return, for each output of each group, the mean squared error of results with `weights` [groups, depth, outputs]
    and the best bias, less what no weights change: [groups, outputs].
    """
    return _error(weights, *moments.covariances())


def _error(weights: np.ndarray, gram: np.ndarray, cross: np.ndarray) -> np.ndarray:
    return (weights * (gram @ weights - 2 * cross)).sum(1)


def round_to_nearest(weights: np.ndarray, grid: Grid) -> Rounded:
    """Return `weights` [groups, depth, outputs] rounded to nearest, with scales at which nothing saturates."""
    scales = grid.scales(_greatest(weights, grid))
    return Rounded(grid.nearest(weights, scales), scales)


def round_at_best_scales(weights: np.ndarray, moments: Moments, grid: Grid) -> Rounded:
    """Return `weights` [groups, depth, outputs] rounded to nearest, with the scales at which that reconstructs best.

    Among the scales are those at which nothing saturates.
    """
    gram, cross = moments.covariances()
    greatest = _greatest(weights, grid)
    best = grid.scales(greatest)
    least = np.full(np.delete(best.shape, 1), np.inf)
    for share in _shares(grid):
        scales = grid.scales(greatest * share)
        error = _error(grid.nearest(weights, scales) * scales, gram, cross)
        if not grid.per_output:
            error = np.full(error.shape, error.sum())
        best = np.where((error < least)[:, None], scales, best)
        least = np.minimum(error, least)
    return Rounded(grid.nearest(weights, best), best)


def _greatest(weights: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the greatest magnitude of the weights that share a scale: [groups, 1, outputs]."""
    greatest = np.abs(weights).max(1, keepdims=True, initial=0)
    return greatest if grid.per_output else np.full(greatest.shape, greatest.max(initial=0))


def _shares(grid: Grid) -> np.ndarray:
    """Return at which parts of the greatest weight integers may saturate, 1 first: the fewer there are, the more."""
    least, count = (0.4, 25) if grid.limit < 32 else (0.7, 7)
    return np.linspace(1.0, least, count)


def round_adaptively(weights: np.ndarray, moments: Moments, grid: Grid) -> Rounded:
    """Return `weights` [groups, depth, outputs] rounded up or down so that results are nearest to the float layer's:
    never farther than with the nearest integers of the same scales.

    The quadratic form is minimized one input after the other, for all outputs at once, until nothing changes; the
    paper relaxes it and descends along its gradient instead.
    """
    start = round_at_best_scales(weights, moments, grid)
    gram, cross = moments.covariances()
    steps = weights / start.scales
    low = np.clip(np.floor(steps), -grid.limit, grid.limit)
    high = np.clip(np.ceil(steps), -grid.limit, grid.limit)
    integers = start.integers.copy()
    for group in range(len(weights)):
        _descend(
            integers[group], start.scales[group], low[group], high[group], gram[group], cross[group]
        )
    return Rounded(integers, start.scales)


def _descend(
    integers: np.ndarray,
    scales: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    gram: np.ndarray,
    cross: np.ndarray,
) -> None:
    """Change `integers` [depth, outputs] within `low` and `high` to what minimizes the error, block by block of
    inputs.
    """
    depth = len(integers)
    variance = np.diagonal(gram)
    floor = _DAMPING * max(float(variance.mean()), 0.0) if depth else 0.0
    rest = cross - gram @ (integers * scales)
    for _ in range(_SWEEPS):
        changed = False
        for start in range(0, depth, _BLOCK):
            block = slice(start, min(start + _BLOCK, depth))
            before = integers[block].copy()
            near = rest[block].copy()
            for row in range(block.stop - start):
                at = start + row
                if variance[at] <= floor:
                    continue
                wanted = integers[at] + near[row] / (variance[at] * scales[0])
                moved = np.clip(np.rint(wanted), low[at], high[at])
                step = (moved - integers[at]) * scales[0]
                if step.any():
                    integers[at] = moved
                    near -= gram[block, at, None] * step
            moves = (integers[block] - before) * scales
            if moves.any():
                changed = True
                rest -= gram[:, block] @ moves
        if not changed:
            return
