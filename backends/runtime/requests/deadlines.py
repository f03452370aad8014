"""What becomes of inferences that can no longer be through before their deadline (Triton's `timeout_action`)."""

from __future__ import annotations

import heapq
from enum import Enum

from .inference import Inference
from .waiting_line import WaitingLine


class TooLate(Exception):
    """An inference was rejected, since it could no longer meet its deadline."""


class LateAction(Enum):
    """Reject it, at the moment when it is certain; or delay it until all others have started."""

    REJECT = "REJECT"
    DELAY = "DELAY"


class Deadlines:
    """Watches the deadlines of a line whose inferences take at least `least_time` nanoseconds once they start."""

    def __init__(self, action: LateAction, least_time: int) -> None:
        self.action, self.least_time = action, least_time
        self._latest_starts: list[tuple[int, int, Inference]] = []
        self._watched = 0

    def watch(self, inference: Inference) -> None:
        """Note the deadline of one that waits, if it has one."""
        if inference.deadline is not None:
            start = inference.deadline - self.least_time
            heapq.heappush(self._latest_starts, (start, self._watched, inference))
            self._watched += 1

    @property
    def next(self) -> int | None:
        """The time from which on the next one is late; None if there is none. It may have left the line."""
        return self._latest_starts[0][0] + 1 if self._latest_starts else None

    def apply(self, line: WaitingLine, now: int) -> list[Inference]:
        """Take those that are late out of the line, or behind all others; return those to reject."""
        rejected: list[Inference] = []
        while self._latest_starts and self._latest_starts[0][0] < now:
            inference = heapq.heappop(self._latest_starts)[2]
            if line.remove(inference):
                if self.action is LateAction.DELAY:
                    line.add(inference, last=True)
                else:
                    rejected.append(inference)
        return rejected
