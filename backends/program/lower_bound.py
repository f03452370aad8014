"""The least number of cycles in which any schedule could run a program's network on its target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LowerBound:
    """The cycles that each resource of the target needs for a network at least; the largest of them is the bound.

    `parts` gives the cycles by resource: "matrix unit", "vector unit", "global memory" (what must cross it once),
    "on-chip memory" (what cannot cross it earlier, because nowhere is room for it) and "latency" (of the longest chain
    of layers).
    """

    parts: Mapping[str, int]

    @property
    def resource(self) -> str:
        """The resource that bounds the network."""
        return max(sorted(self.parts), key=lambda name: self.parts[name])

    @property
    def cycles(self) -> int:
        """The least cycles in which the network can run."""
        return max(self.parts.values())

    def ratio(self, cycles: int) -> float:
        """Return how many times the bound `cycles` are."""
        return cycles / max(self.cycles, 1)

    def times(self, cycles: int) -> str:
        """Return the ratio as text: `3.2 times`."""
        ratio = self.ratio(cycles)
        return f"{ratio:.2f} times" if ratio < 2 else f"{ratio:,.1f} times"

    def compare(self, cycles: int) -> str:
        """Return how far `cycles` are from the bound, as text."""
        return f"{self.times(cycles)} the lower bound ({self.cycles:,}), bound by {self.resource}"
