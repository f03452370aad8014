"""The knapsack of layers: the least loss with at least a share of the work, by dynamic programming."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_MOST_UNITS = 100_000
"""Work is counted in units, so many at most; what is left of a unit is not counted, so that no share is missed."""


def least_loss(losses: Sequence[float], work: Sequence[int], share: float) -> list[bool]:
    """Return which items have at least a share, from 0 to 1, of the work of all, and lose least of all such sets.

    `losses` are at least 0, `work` positive. Where there is more work than 100,000, the result may be a set that is
    beaten by one with less than a hundred-thousandth of the work more for each item.
    """
    unit = -(-sum(work) // _MOST_UNITS)
    units = [each // unit for each in work]
    least = np.ceil(np.float64(share) * sum(work) / unit - 1e-9).astype(int)
    if least > sum(units):
        return [True] * len(work)
    # best[w]: the least loss of items so far with work of at least w.
    best = np.full(least + 1, np.inf)
    best[0] = 0.0
    taken = np.zeros((len(work), least + 1), np.bool_)
    for item, (loss, size) in enumerate(zip(losses, units, strict=True)):
        before = np.maximum(np.arange(least + 1) - size, 0)
        with_it = best[before] + loss
        taken[item] = with_it < best
        best = np.minimum(best, with_it)
    chosen, left = [False] * len(work), int(least)
    for item in reversed(range(len(work))):
        if left and taken[item, left]:
            chosen[item] = True
            left = max(left - units[item], 0)
    return chosen
