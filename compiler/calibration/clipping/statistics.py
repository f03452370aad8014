"""What is kept of a tensor while samples stream through a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .histogram import Histogram
from .log_histogram import LogHistogram


@dataclass
class Statistics:
    """Of all numbers that a tensor held: the least and the greatest, and a histogram if it is asked for."""

    histogram: Histogram | LogHistogram | None = None
    low: float = np.inf
    high: float = -np.inf

    def add(self, values: np.ndarray) -> None:
        """Take in f32 numbers, an array of any shape with at least one."""
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        if self.histogram is not None and np.isfinite(self.low) and np.isfinite(self.high):
            self.histogram.add(values)

    @property
    def largest(self) -> float:
        """The greatest magnitude."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class Clip:
    """Where a tensor saturates: at ±`threshold` if it is quantized symmetrically, else below `low` and above `high`."""

    threshold: float
    low: float
    high: float


def within(statistics: Statistics, threshold: float) -> Clip:
    """Return the clip at a magnitude; bounds that no number reaches stay where the numbers end."""
    threshold = min(threshold, statistics.largest)
    return Clip(
        threshold,
        min(max(statistics.low, -threshold), threshold),
        max(min(statistics.high, threshold), -threshold),
    )
