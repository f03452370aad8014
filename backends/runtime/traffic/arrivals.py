"""When inferences arrive: in equal steps, by chance, or whenever another one ends."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, repeat

from ..clocks.clock import SECOND


@dataclass(frozen=True)
class Interval:
    """One inference every `nanoseconds`; with `most`, at most so many under way: who finds no request free waits for
    one, and those behind come so much later.
    """

    nanoseconds: int
    most: int | None = None

    def gaps(self) -> Iterator[int]:
        """Yield the nanoseconds from each arrival to the next."""
        return repeat(self.nanoseconds)


@dataclass(frozen=True)
class Poisson:
    """`per_second` inferences on average, each by chance, as those of many callers who know nothing of each other."""

    per_second: float
    seed: int = 0

    def gaps(self) -> Iterator[int]:
        """Yield the nanoseconds from each arrival to the next, which are exponentially distributed."""
        chance = random.Random(self.seed)
        return (max(1, round(chance.expovariate(self.per_second) * SECOND)) for _ in count())


@dataclass(frozen=True)
class Pool:
    """`size` inferences under way at any time: when one ends, the next one is asked for."""

    size: int


Arrivals = Interval | Poisson | Pool
