"""The groups that the search for them considers, and finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....dialects import tile

LEAST_GAIN = 0.08
"""By which share of its time a range must gain to become a group: the estimate is no better, and what it keeps on chip
takes room from the layers around it. Found with the simulator: with 0.03, ResNet-50 on `edge-1c` takes 2% more cycles.
"""


@dataclass(frozen=True)
class FoundGroup:
    """A group of the layers number `first` to `last`, and the cycles that it is estimated to gain: these are a `share`
    of those that the layers take otherwise.
    """

    first: int
    last: int
    group: tile.Group
    gain: float
    share: float

    def shares(self, first: int, last: int) -> bool:
        """Tell whether it has a layer of a range."""
        return self.first <= last and first <= self.last


@dataclass
class ConsideredRange:
    """The layers number `first` to `last`, which might be a group: the cycles that they take as they are, and the
    groups that were tried, each with its cycles; None for what was not played, as it cannot be carried out or too much
    was played before. `best` is the one that gains enough.
    """

    first: int
    last: int
    alone: float | None
    tried: list[tuple[tile.Group, float | None]] = field(default_factory=list)
    best: FoundGroup | None = None
