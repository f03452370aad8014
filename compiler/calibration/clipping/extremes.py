"""Methods that look at the ends of a tensor's numbers: max, min-max and percentile."""

from __future__ import annotations

import numpy as np

from .log_histogram import LogHistogram
from .statistics import Clip, Statistics


def min_max(statistics: Statistics) -> Clip:
    """Cut off nothing."""
    return Clip(statistics.largest, statistics.low, statistics.high)


def maximum(statistics: Statistics) -> Clip:
    """Cut off nothing, with bounds that lie as far below 0 as above it if there are numbers on both sides."""
    largest = statistics.largest
    if statistics.low < 0 < statistics.high:
        return Clip(largest, -largest, largest)
    return min_max(statistics)


def percentile(statistics: Statistics, percent: float) -> Clip:
    """Keep `percent` of the numbers: of the rest one half is cut off at either end, and all of it at ±threshold.

    Bounds lie at the outer ends of bins, which are 1/256 of the numbers wide at most.
    """
    histogram = statistics.histogram
    assert isinstance(histogram, LogHistogram)
    low, high, counts = histogram.bins()
    cut = 1 - percent / 100
    sizes = np.maximum(np.abs(low), np.abs(high))
    by_size = np.argsort(sizes, kind="stable")
    return Clip(
        min(_quantile(sizes[by_size], counts[by_size], 1 - cut), statistics.largest),
        max(_quantile(low, counts, cut / 2), statistics.low),
        min(_quantile(high, counts, 1 - cut / 2), statistics.high),
    )


def _quantile(numbers: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the first of sorted numbers up to which lies a share of the weight."""
    sums = np.cumsum(weights)
    place = int(np.searchsorted(sums, share * sums[-1]))
    return float(numbers[min(place, numbers.size - 1)])
