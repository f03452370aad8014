"""The methods aciq-gauss and aciq-laplace: the best clip of a distribution of known form.

R. Banner, Y. Nahshan, D. Soudry, Post-training 4-bit quantization of convolutional networks for rapid deployment,
NeurIPS 2019: the mean squared error of clipping at ±α around the mean and rounding to 2^bits steps is least where its
derivative is 0 (from their equations 3 to 6, both tails counted). Numbers on one side of 0 only, as after a ReLU, are
the half of a distribution around 0, and have one bit more for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .log_histogram import LogHistogram
from .statistics import Clip, Statistics, within


def aciq_gauss(statistics: Statistics, bits: int = 8) -> Clip:
    """Saturate where it is best if the numbers are normally distributed."""

    def slope(alpha: float, steps: float) -> float:
        beyond = alpha * math.erfc(alpha / math.sqrt(2))
        edge = math.sqrt(2 / math.pi) * math.exp(-alpha * alpha / 2)
        return 2 * (beyond - edge) + 2 * alpha / (3 * steps * steps)

    return _clip(statistics, slope, bits, lambda each: math.sqrt(each.squares))


def aciq_laplace(statistics: Statistics, bits: int = 8) -> Clip:
    """Saturate where it is best if the numbers have a Laplace distribution."""

    def slope(alpha: float, steps: float) -> float:
        return 2 * alpha / (3 * steps * steps) - 2 * math.exp(-alpha)

    return _clip(statistics, slope, bits, lambda each: each.magnitudes)


class _Spread:
    """The mean of a distribution, and the means of squares and magnitudes of the distance from it."""

    def __init__(self, statistics: Statistics) -> None:
        histogram = statistics.histogram
        assert isinstance(histogram, LogHistogram)
        self.one_sided = statistics.low >= 0 or statistics.high <= 0
        low, high, counts = histogram.bins()
        numbers = (low + high) / 2
        if self.one_sided:
            # Zeros are what the other half became.
            counts = np.where(numbers == 0, 0, counts)
        shares = counts / max(counts.sum(), 1)
        self.mean = 0.0 if self.one_sided else float(numbers @ shares)
        distances = np.abs(numbers - self.mean)
        self.squares = float(distances**2 @ shares)
        self.magnitudes = float(distances @ shares)


def _clip(
    statistics: Statistics,
    slope: Callable[[float, float], float],
    bits: int,
    scale: Callable[[_Spread], float],
) -> Clip:
    spread = _Spread(statistics)
    steps = 2.0 ** (bits + 1 if spread.one_sided else bits)
    reach = _root(lambda alpha: slope(alpha, steps)) * scale(spread)
    around = Clip(
        min(abs(spread.mean) + reach, statistics.largest),
        min(max(statistics.low, spread.mean - reach), statistics.high),
        max(min(statistics.high, spread.mean + reach), statistics.low),
    )
    return within(statistics, reach) if spread.one_sided else around


def _root(function: Callable[[float], float]) -> float:
    """Return where an increasing function is 0, between 0 and 64, by bisection."""
    low, high = 0.0, 64.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return (low + high) / 2
