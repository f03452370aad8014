"""OpenVINO's policy: wait for a full batch, but not longer than a timeout."""

from __future__ import annotations

from dataclasses import dataclass

from ..requests.waiting_line import WaitingLine


@dataclass
class FixedSize:
    """A batch is due when `batch` inferences wait, or `timeout` nanoseconds after the first of them arrived.

    Both may be changed at any time. The time runs from an arrival, and never by itself: a lone inference waits for the
    timeout and no longer, and a full batch does not wait at all.
    """

    batch: int
    timeout: int

    def due(self, line: WaitingLine, now: int) -> int:
        """Return the present if the batch is full, else when the timeout is over."""
        return now if len(line) >= self.batch else line.oldest + self.timeout

    def size(self, line: WaitingLine) -> int:
        """Return all that wait, up to a batch."""
        return min(len(line), self.batch)
