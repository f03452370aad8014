"""CUMULATIVE_THROUGHPUT in turn."""

from __future__ import annotations

from collections.abc import Sequence

from .device_choice import ReadyDevice


class RoundRobin:
    """Takes one device after the other."""

    def __init__(self) -> None:
        self._chosen = 0

    def choose(self, ready: Sequence[ReadyDevice]) -> int:
        """Return the place after that of the last choice."""
        place = self._chosen % len(ready)
        self._chosen += 1
        return place
