"""How much of a tensor's energy saturation takes away."""

from __future__ import annotations

import numpy as np

from .statistics import Clip, Statistics


def lost_energy(statistics: Statistics, clip: Clip) -> float:
    """Return which part of the energy Σx² of a tensor's numbers is lost where they saturate at the bounds of a clip:
    Σ(x − saturated x)² / Σx², from 0 to 1. 0 if the statistics have no histogram, as then nothing saturates.
    """
    if statistics.histogram is None:
        return 0.0
    low, high, counts = statistics.histogram.bins()
    # The outermost bins reach beyond the numbers in them.
    numbers = np.clip((low + high) / 2, statistics.low, statistics.high)
    numbers = numbers / (statistics.largest or 1.0)
    bounds = np.array([clip.low, clip.high]) / (statistics.largest or 1.0)
    energy = float(counts @ numbers**2)
    lost = float(counts @ (numbers - np.clip(numbers, *bounds)) ** 2)
    return lost / energy if energy else 0.0
