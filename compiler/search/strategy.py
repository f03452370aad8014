"""Strategies: which points of a space are measured next.

A strategy proposes a round of points and learns of all of them together, in the order in which it proposed them. So
what it does depends on measurements alone, and neither on the executor nor on how often the search was interrupted.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .evaluator import Measurement
from .space import Point, Space


class Strategy(Protocol):
    """Proposes points, round by round."""

    @property
    def most_points(self) -> int:
        """How many points are proposed at most, in all rounds, for showing progress."""
        ...

    def propose(self) -> Sequence[Point]:
        """Return the points of the next round; none if the search is over."""
        ...

    def learn(self, measured: Sequence[tuple[Point, Measurement]]) -> None:
        """Take in the measurements of the round that was proposed last, in the order of its points."""
        ...


@dataclass
class GivenPoints:
    """Proposes the points of a list, all in one round."""

    points: Sequence[Point]
    _is_proposed: bool = field(default=False, init=False)

    @property
    def most_points(self) -> int:
        """The number of points."""
        return len(self.points)

    def propose(self) -> Sequence[Point]:
        """Return all points, and none the next time."""
        points = [] if self._is_proposed else self.points
        self._is_proposed = True
        return points

    def learn(self, measured: Sequence[tuple[Point, Measurement]]) -> None:
        """Learn nothing."""


def exhaustive(space: Space) -> GivenPoints:
    """Return the strategy that measures every point of a space."""
    return GivenPoints(list(space))


def random_sample(space: Space, count: int, seed: int) -> GivenPoints:
    """Return the strategy that measures `count` different points of a space, or all if it has no more, chosen by
    chance; the same ones for the same seed.
    """
    chosen = random.Random(seed).sample(range(len(space)), min(count, len(space)))
    return GivenPoints([space.point(each) for each in chosen])
