"""Methods that look at the ends of a tensor's numbers: max, min-max and percentile."""

from __future__ import annotations

import numpy as np

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
    """Keep `percent` of the numbers: of the rest one half is cut off at either end, and all of it at ±threshold."""
    histogram = statistics.histogram
    assert histogram is not None
    if not histogram.counts.size:
        return min_max(statistics)
    centers, counts = histogram.centers, histogram.counts
    numbers = np.append(centers, 0.0)
    order = np.argsort(numbers, kind="stable")
    weights = np.append(counts, histogram.zeros)
    cut = 1 - percent / 100
    low = _quantile(numbers[order], weights[order], cut / 2)
    high = _quantile(numbers[order], weights[order], 1 - cut / 2)
    sizes = np.abs(numbers)
    by_size = np.argsort(sizes, kind="stable")
    threshold = _quantile(sizes[by_size], weights[by_size], 1 - cut)
    # Numbers stand for their bins: the ends lie no farther than the numbers themselves.
    half = float(centers[1] - centers[0]) / 2 if centers.size > 1 else statistics.largest
    return Clip(
        min(threshold + half, statistics.largest),
        min(max(low - half, statistics.low), statistics.high),
        max(min(high + half, statistics.high), statistics.low),
    )


def _quantile(numbers: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the first of sorted numbers up to which lies a share of the weight."""
    sums = np.cumsum(weights)
    place = int(np.searchsorted(sums, share * sums[-1]))
    return float(numbers[min(place, numbers.size - 1)])
