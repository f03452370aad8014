"""CUMULATIVE_THROUGHPUT by priority: the next device helps once those before it are busy."""

from __future__ import annotations

from collections.abc import Sequence

from .device_choice import ReadyDevice


class DevicePriority:
    """Takes the first device that has room, and if none has, the one with the least work for its size."""

    def choose(self, ready: Sequence[ReadyDevice]) -> int:
        """Return the place of the first with room."""
        for place, device in enumerate(ready):
            if device.under_way < device.capacity:
                return place
        return min(range(len(ready)), key=lambda at: ready[at].under_way / ready[at].capacity)
