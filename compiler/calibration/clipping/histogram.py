"""A histogram of a stream of numbers whose range is not known before."""

from __future__ import annotations

import math

import numpy as np

BINS = 16384
"""The most bins of a histogram, so that at least two reach over one of the 2,048 that the Kullback-Leibler method looks
at, on either side of 0.
"""
_STEP = 1 << 20
"""How many numbers are counted at a time, so that memory stays small."""


class Histogram:
    """How many numbers lie in each of at most `BINS` bins [i · width, (i + 1) · width); zeros are left out.

    The width is the least power of two with which the bins reach from the least to the greatest number: bins of a
    narrow range are joined in pairs when a number lies beyond them. So the counts do not depend on the order in which
    numbers come, or on how they are cut into parts.
    """

    def __init__(self) -> None:
        self._exponent: int | None = None
        self._first = 0
        self._counts = np.zeros(0, np.int64)

    def add(self, values: np.ndarray) -> None:
        """Count the finite f32 numbers of an array of any shape."""
        flat = values.reshape(-1)
        for start in range(0, flat.size, _STEP):
            self._add(flat[start : start + _STEP])

    def _add(self, values: np.ndarray) -> None:
        values = values[values != 0]
        if not values.size:
            return
        self._reach(float(values.min()), float(values.max()))
        assert self._exponent is not None
        # Powers of two scale f64 without an error, f32 not below the least normal number.
        places = np.floor(values * np.float64(2.0**-self._exponent)).astype(np.int64)
        self._counts += np.bincount(places - self._first, minlength=self._counts.size)

    def _reach(self, low: float, high: float) -> None:
        """Widen the bins until they hold [low, high] and 0."""
        low, high = min(low, 0.0), max(high, 0.0)
        if self._exponent is not None:
            low = min(low, self._first * 2.0**self._exponent)
            high = max(high, (self._first + self._counts.size - 1) * 2.0**self._exponent)
        exponent = -1074 if self._exponent is None else self._exponent
        exponent = max(exponent, math.frexp(max(high, -low) / BINS)[1] - 2)
        while math.floor(high * 2.0**-exponent) - math.floor(low * 2.0**-exponent) >= BINS:
            exponent += 1
        first = math.floor(low * 2.0**-exponent)
        counts = np.zeros(math.floor(high * 2.0**-exponent) - first + 1, np.int64)
        if self._exponent is not None:
            places = np.arange(self._counts.size) + self._first >> exponent - self._exponent
            np.add.at(counts, places - first, self._counts)
        self._exponent, self._first, self._counts = exponent, first, counts

    def bins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the bins that are not empty, in order: the least and the greatest number of each in f64, and the
        counts in i64.
        """
        filled, edges = self._counts > 0, self.edges
        return edges[:-1][filled], edges[1:][filled], self._counts[filled]

    @property
    def counts(self) -> np.ndarray:
        """The numbers in each bin: i64 [bins]."""
        return self._counts

    @property
    def edges(self) -> np.ndarray:
        """The ends of the bins: f64 [bins + 1]."""
        width = 2.0 ** (self._exponent or 0)
        return (np.arange(self._counts.size + 1) + self._first) * width
