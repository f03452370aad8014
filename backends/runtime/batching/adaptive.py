"""The policy without a parameter to tune: a device that is free takes what waits."""

from __future__ import annotations

from dataclasses import dataclass

from ..requests.waiting_line import WaitingLine


@dataclass
class Adaptive:
    """A free device starts at once with all that wait, up to `batch`: the size from which a greater one pays no more.

    While the load is low inferences run alone; as it rises more of them wait when the device becomes free, and batches
    grow by themselves. The device is never idle while something waits.
    """

    batch: int

    def due(self, line: WaitingLine, now: int) -> int:
        """Return the present."""
        return now

    def size(self, line: WaitingLine) -> int:
        """Return all that wait, up to a batch."""
        return min(len(line), self.batch)
