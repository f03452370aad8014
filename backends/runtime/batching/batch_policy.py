"""What a policy of batching decides."""

from __future__ import annotations

from typing import Protocol

from ..requests.waiting_line import WaitingLine


class BatchPolicy(Protocol):
    """Says when a batch is due, and how large it is. Due batches start as soon as the device takes them."""

    def due(self, line: WaitingLine, now: int) -> int:
        """Return when what waits is due if nothing more arrives; `line` is not empty. What is past is due now."""
        ...

    def size(self, line: WaitingLine) -> int:
        """Return how many of those that wait start together when they are due: at least one."""
        ...
