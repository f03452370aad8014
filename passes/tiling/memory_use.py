"""How much of a memory is in use while steps are placed one after the other in time: pure mathematics, no IR."""

from __future__ import annotations

from bisect import bisect_right, insort
from math import inf


class MemoryUse:
    """The bytes of a memory of `capacity` bytes that are in use as far as steps are placed, and, of those, what is free
    again from some time on: (time, bytes), ascending.
    """

    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self.used = 0
        self._freed: list[tuple[float, int]] = []

    def time_of(self, size_bytes: int) -> float:
        """Return from when on so many bytes more are free; infinity if that is not known yet."""
        excess = self.used + size_bytes - self.capacity
        if excess <= 0:
            return 0.0
        for end, size in self._freed:
            excess -= size
            if excess <= 0:
                return end
        return inf

    def take(self, size_bytes: int, start: float) -> None:
        """Note that so many bytes are in use from `start` on; what was free by then is not in use any more."""
        self.used += size_bytes
        over = bisect_right(self._freed, (start, inf))
        if over:
            self.used -= sum(size for _, size in self._freed[:over])
            del self._freed[:over]

    def free(self, size_bytes: int, end: float) -> None:
        """Note that so many of the bytes in use are free from `end` on."""
        insort(self._freed, (end, size_bytes))
