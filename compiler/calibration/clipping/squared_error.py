"""The method mse: the least mean squared error of the quantized numbers."""

from __future__ import annotations

import numpy as np

from .statistics import Clip, Statistics

_SHARES = np.linspace(0.01, 1.0, 100)
"""The parts of the range at which either end may lie."""


def mse(statistics: Statistics, bits: int = 8) -> Clip:
    """Saturate where the squared error of rounding and of saturation together is least.

    Numbers beyond a bound are wrong by their distance from it, those inside by step² / 12 on average (rounding errors
    that are spread evenly; B. Widrow, 1956), and zeros not at all, since every grid has 0.
    """
    histogram = statistics.histogram
    assert histogram is not None
    if not histogram.counts.size:
        return Clip(statistics.largest, statistics.low, statistics.high)
    moments = _Moments(histogram.centers, histogram.counts)
    steps = 2**bits - 1
    lows, highs = min(statistics.low, 0.0) * _SHARES, max(statistics.high, 0.0) * _SHARES
    losses = moments.error(lows[:, None], highs[None, :], steps)
    row, column = np.unravel_index(int(np.argmin(losses)), losses.shape)
    sizes = statistics.largest * _SHARES
    symmetric = moments.error(-sizes, sizes, steps - 1)
    # An end at 0 keeps that of the numbers where all of them lie on the other side.
    return Clip(
        float(sizes[int(np.argmin(symmetric))]),
        float(lows[row]) if statistics.low < 0 else statistics.low,
        float(highs[column]) if statistics.high > 0 else statistics.high,
    )


class _Moments:
    """Sums over the bins of a histogram up to each of them."""

    def __init__(self, centers: np.ndarray, counts: np.ndarray) -> None:
        self.centers = centers
        powers = [counts, counts * centers, counts * centers * centers]
        self.sums = np.stack([np.append(0.0, np.cumsum(each, dtype=np.float64)) for each in powers])

    def error(self, low: np.ndarray, high: np.ndarray, steps: int) -> np.ndarray:
        """Return the sums of squared errors between bounds, arrays that broadcast, in `steps` steps."""
        below = np.searchsorted(self.centers, low)
        above = np.searchsorted(self.centers, high, side="right")
        count, total, squares = self.sums
        error = squares[below] - 2 * low * total[below] + low * low * count[below]
        rest = self.sums[:, -1:].reshape(3, *[1] * high.ndim) - self.sums[:, above]
        error = error + rest[2] - 2 * high * rest[1] + high * high * rest[0]
        step = (high - low) / steps
        return error + (count[above] - count[below]) * step * step / 12
