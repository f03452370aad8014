"""Stacks buffers over time from the bottom up: the best-fit skyline heuristic, without IR.

The skyline is the height of what is placed at each moment: segments of time with one height each. The lowest segment
takes the best buffer, by a priority, whose lifetime lies inside it; where none does, it is lifted to its lower
neighbor, and the bytes below stay empty (Sekiyama et al., "Profile-guided memory optimization for deep neural
networks", 2018, section 3; after Burke, Kendall and Whitwell, "A New Placement Heuristic for the Orthogonal
Stock-Cutting Problem", 2004).
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

_COMPACTED = 64
"""Numbers of placed buffers are dropped from the arrays that are searched once there are so many, and they are half."""


def skyline(
    sizes: np.ndarray, first: np.ndarray, last: np.ndarray, priority: np.ndarray
) -> np.ndarray:
    """Return the addresses of buffers that are in use from moment `first` to moment `last`, both included.

    Moments count from zero. All arrays are of int64 and in the order of the buffers, but for `priority`: their
    numbers, best first.
    """
    line = _Skyline(int(last.max()) + 1)
    heights, begins, ends = sizes.tolist(), first.tolist(), (last + 1).tolist()
    addresses = np.zeros(len(priority), np.int64)
    numbers, begin, end = priority, first[priority], last[priority] + 1
    left, dropped = len(priority), 0
    while left:
        height, low, high = line.lowest()
        at = int(((begin >= low) & (end <= high)).argmax())
        # Where no buffer lies inside, the first one does not either.
        if begin[at] < low or end[at] > high:
            line.lift(low)
            continue
        number = int(numbers[at])
        addresses[number] = height
        line.put(low, begins[number], ends[number], height + heights[number])
        begin[at] = -1
        left -= 1
        dropped += 1
        if dropped >= _COMPACTED and 2 * dropped >= len(begin):
            kept = begin >= 0
            numbers, begin, end, dropped = numbers[kept], begin[kept], end[kept], 0
    return addresses


class _Skyline:
    """Segments of time up to `end`, by where they begin; neighbors differ in height."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._height = {0: 0}
        self._until = {0: end}
        self._before: dict[int, int] = {}
        """For each segment but the first the one before it."""
        self._queue = [(0, 0)]
        """Heights and begins of segments, lowest first, among them those of segments that have gone."""

    def lowest(self) -> tuple[int, int, int]:
        """Return the height of the lowest segment, the earliest of equals, and where it begins and ends."""
        while self._height.get(self._queue[0][1]) != self._queue[0][0]:
            heappop(self._queue)
        height, begin = self._queue[0]
        return height, begin, self._until[begin]

    def lift(self, segment: int) -> None:
        """Raise a segment to the height of its lower neighbor, which it joins."""
        end = self._until[segment]
        neighbors = [self._height[end]] if end < self._end else []
        if segment:
            neighbors.append(self._height[self._before[segment]])
        self._set(segment, end, min(neighbors))

    def put(self, segment: int, begin: int, end: int, height: int) -> None:
        """Raise the part of a segment from `begin` to `end` to that height."""
        old, until = self._height[segment], self._until[segment]
        if end < until:
            self._add(end, until, old)
        if begin > segment:
            self._add(segment, begin, old)
        self._set(begin, end, height)

    def _set(self, begin: int, end: int, height: int) -> None:
        """Give a segment this height, and join it with neighbors of the same height."""
        if begin and self._height[self._before[begin]] == height:
            self._height.pop(begin, None)
            begin = self._before[begin]
        if end < self._end and self._height[end] == height:
            del self._height[end]
            end = self._until[end]
        self._add(begin, end, height)

    def _add(self, begin: int, end: int, height: int) -> None:
        self._height[begin], self._until[begin] = height, end
        if end < self._end:
            self._before[end] = begin
        heappush(self._queue, (height, begin))
