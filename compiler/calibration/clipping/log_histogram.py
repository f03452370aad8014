"""A histogram whose bins are as fine for small numbers as for large ones."""

from __future__ import annotations

import numpy as np

_DROPPED_BITS = 15
"""Of the 23 bits of an f32 number's fraction 8 tell bins apart: there are 256 between a power of two and the next."""
_KEYS = 1 << 32 - _DROPPED_BITS
_STEP = 1 << 20
"""How many numbers are counted at a time, so that memory stays small."""


class LogHistogram:
    """How many f32 numbers share their sign, their exponent and the first 8 bits of their fraction; zeros are counted
    apart.

    One outlier of any size leaves the bins of all other numbers as they are. The counts do not depend on the order in
    which numbers come, or on how they are cut into parts. Only bins that are not empty take memory.
    """

    def __init__(self) -> None:
        self.zeros = 0
        self._keys = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.int64)

    def add(self, values: np.ndarray) -> None:
        """Count the finite f32 numbers of an array of any shape."""
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        for start in range(0, flat.size, _STEP):
            self._add(flat[start : start + _STEP])

    def _add(self, values: np.ndarray) -> None:
        size = values.size
        values = values[values != 0]
        self.zeros += size - values.size
        counts = np.bincount(values.view(np.uint32) >> _DROPPED_BITS, minlength=_KEYS)
        keys = np.flatnonzero(counts)
        merged = np.union1d(self._keys, keys)
        total = np.zeros(merged.size, np.int64)
        total[np.searchsorted(merged, self._keys)] += self._counts
        total[np.searchsorted(merged, keys)] += counts[keys]
        self._keys, self._counts = merged, total

    def bins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the bins in the order of their numbers, that of the zeros among them: the least and the greatest
        number of each in f64, and the counts in i64.
        """
        sides = np.stack([self._keys, self._keys + 1]) << _DROPPED_BITS
        # The last bin before infinity ends there.
        edges = sides.astype(np.uint32).view(np.float32).astype(np.float64)
        edges = np.sort(np.clip(edges, -_GREATEST, _GREATEST), axis=0)
        low, high = np.append(edges, np.zeros((2, 1)), axis=1)
        counts = np.append(self._counts, self.zeros)
        filled = counts > 0
        order = np.argsort(low[filled] + high[filled], kind="stable")
        return low[filled][order], high[filled][order], counts[filled][order]


_GREATEST = float(np.finfo(np.float32).max)
