"""The method mse: the least mean squared error of the quantized numbers."""

from __future__ import annotations

import numpy as np

from .log_histogram import LogHistogram
from .statistics import Clip, Statistics

_SHARES = np.concatenate([np.geomspace(1e-6, 0.3, 60, endpoint=False), np.linspace(0.3, 1.0, 71)])
"""The parts of the range at which either end may lie; 1 is among them, which cuts off nothing."""


def mse(statistics: Statistics, bits: int = 8) -> Clip:
    """Saturate where the squared error of rounding and of saturation together is least.

    Numbers beyond a bound are wrong by their distance from it; those inside by step² / 12 on average (rounding errors
    that are spread evenly; B. Widrow, 1956), but no more than by their own magnitude, since 0 is on every grid.
    """
    histogram = statistics.histogram
    assert isinstance(histogram, LogHistogram)
    moments = _Moments(histogram)
    steps = 2**bits - 1
    # Bounds lie where there are numbers: both of them also where all numbers have one sign.
    lows = np.minimum(min(statistics.low, 0.0) * _SHARES, statistics.high)
    highs = np.maximum(max(statistics.high, 0.0) * _SHARES, statistics.low)
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
    """Sums over the bins of a histogram up to each of them: of counts, numbers and squares."""

    def __init__(self, histogram: LogHistogram) -> None:
        low, high, counts = histogram.bins()
        self.centers = (low + high) / 2
        powers = [counts, counts * self.centers, counts * self.centers**2]
        self.sums = np.stack([np.append(0.0, np.cumsum(each, dtype=np.float64)) for each in powers])

    def error(self, low: np.ndarray, high: np.ndarray, steps: int) -> np.ndarray:
        """Return the sums of squared errors between bounds, arrays that broadcast, in `steps` steps."""
        count, total, squares = self.sums
        below, above = self._place(low), self._place(high, "right")
        error = squares[below] - 2 * low * total[below] + low * low * count[below]
        rest = self.sums[:, -1:].reshape(3, *[1] * high.ndim) - self.sums[:, above]
        error = error + rest[2] - 2 * high * rest[1] + high * high * rest[0]
        step = (high - low) / steps
        # Below half a step numbers become 0; from step/√12 on rounding is what they lose.
        small = step / np.sqrt(12)
        first = np.maximum(self._place(-small), below)
        last = np.minimum(self._place(small, "right"), above)
        near = np.maximum(squares[last] - squares[first], 0)
        others = count[above] - count[below] - (count[last] - count[first])
        return error + near + others * step * step / 12

    def _place(self, bounds: np.ndarray, side: str = "left") -> np.ndarray:
        return np.searchsorted(self.centers, bounds, side=side)  # pyright: ignore[reportCallIssue, reportArgumentType]
