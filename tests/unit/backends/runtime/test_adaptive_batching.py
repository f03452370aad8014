"""Batches without a timeout to tune, against the best timeout of a grid, in virtual time."""

import random

import pytest
from smalti.backends.runtime.batching.adaptive import Adaptive
from smalti.backends.runtime.batching.fixed_size import FixedSize

from .timed_model import traffic

SINGLE = 100_000
"""How long an inference alone takes."""
GRID = (0.1, 0.25, 0.5, 1.0)
"""Timeouts, in times of an inference alone."""


def times(batch: int, share: float) -> dict[int, int]:
    """Return the times of batches of powers of two, of which `share` does not depend on the size."""
    sizes = [1 << power for power in range(batch.bit_length())]
    return {size: round(SINGLE * (share + (1 - share) * size)) for size in sizes}


def poisson(rate: float, count: int) -> list[int]:
    """Return arrivals that know nothing of each other."""
    chances, time, arrivals = random.Random(1), 0.0, []
    for _ in range(count):
        time += chances.expovariate(rate)
        arrivals.append(round(time))
    return arrivals


@pytest.mark.parametrize(("batch", "within"), [(4, 1.05), (8, 1.02)])
@pytest.mark.parametrize("load", [0.1, 0.5, 0.95])
def test_it_is_as_good_as_the_best_timeout(batch: int, within: float, load: float):
    """For arrivals by Poisson, whatever the load, where batches of `batch` do the most at saturation."""
    took = times(batch, share=0.8)
    arrivals = poisson(load * batch / took[batch], 1000)
    adaptive = sum(traffic(Adaptive(batch), took, arrivals).latencies)
    fixed = [
        sum(traffic(FixedSize(batch, round(each * SINGLE)), took, arrivals).latencies)
        for each in GRID
    ]
    assert adaptive <= within * min(fixed)


def test_at_saturation_it_has_the_throughput_of_full_batches():
    took = times(8, share=0.8)
    found = traffic(Adaptive(8), took, [0] * 801)
    assert max(found.latencies) == took[1] + 100 * took[8], "the first one starts alone"


def test_where_waiting_pays():
    """Pairs that arrive shortly after each other: who takes the first at once makes the second wait for it."""
    took = times(2, share=0.95)
    arrivals = [base + late for base in range(0, 100 * SINGLE, 4 * SINGLE) for late in (0, 10_000)]
    adaptive = sum(traffic(Adaptive(2), took, arrivals).latencies)
    waiting = sum(traffic(FixedSize(2, 20_000), took, arrivals).latencies)
    assert waiting < 0.8 * adaptive
