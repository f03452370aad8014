"""Finds how many bytes of each core's memories hold something that is still needed, over the time of a run.

A byte is in use from the start of the first write of a value to the end of its last read (or of its last write, if
nobody reads the value). An access counts with all bytes from its first to its last, gaps included.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from .timing.timing_result import Timing

MemoryKey = tuple[str, int]
"""A memory: "local" or "acc", and the core."""
_Touch = tuple[float, float, bool, int, int]
"""An access: start and end in cycles, whether it writes, first byte and the byte past the last."""


def memory_use(timing: Timing) -> dict[MemoryKey, tuple[np.ndarray, np.ndarray]]:
    """Return for each used memory times in cycles, f64 [t] ascending, and the bytes in use from then on, int64 [t]."""
    touches: dict[MemoryKey, list[_Touch]] = defaultdict(list)
    streams, history, size = timing.streams, timing.history, len(timing.streams)
    for number in range(size):
        for access in streams.accesses(number):
            low, high = access.extent()
            if access.core is None or access.space == "global" or low >= high:
                continue
            for occurrence in range(number, size * timing.repeat, size):
                start, end = history.move[occurrence], history.end[occurrence]
                touches[access.space, access.core].append((start, end, access.write, low, high))
    return {key: _use(touched) for key, touched in sorted(touches.items())}


@dataclass
class _Pieces:
    """A memory cut at the ends of all accesses, int64 `bounds`: each piece is touched whole or not at all.

    `since`: when the value in a piece began to be written, nan where there is none; `until`: the
    end of its last access; `read`: whether it has been read.
    """

    bounds: np.ndarray
    since: np.ndarray
    until: np.ndarray
    read: np.ndarray
    changes: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def close(self, chosen: np.ndarray) -> None:
        """End the values in the pieces `chosen` (indices): note when their bytes came into use and when they were
        free again.
        """
        chosen = chosen[~np.isnan(self.since[chosen])]
        sizes = self.bounds[chosen + 1] - self.bounds[chosen]
        self.changes += [(self.since[chosen], sizes), (self.until[chosen], -sizes)]
        self.since[chosen] = np.nan

    def touch(self, pieces: slice, start: float, end: float, write: bool) -> None:
        """Note an access to some pieces; accesses must come in the order of their start."""
        if write:
            self.close(np.arange(pieces.start, pieces.stop)[self.read[pieces]])
            self.read[pieces] = False
        else:
            self.read[pieces] = True
        since = self.since[pieces]
        self.since[pieces] = np.where(np.isnan(since), start, since)
        self.until[pieces] = np.maximum(self.until[pieces], end)


def _use(touches: list[_Touch]) -> tuple[np.ndarray, np.ndarray]:
    bounds = np.unique([end for touch in touches for end in touch[3:]])
    count = len(bounds) - 1
    pieces = _Pieces(bounds, np.full(count, np.nan), np.zeros(count), np.zeros(count, bool))
    for start, end, write, low, high in sorted(touches, key=lambda touch: touch[:3]):
        first, last = np.searchsorted(bounds, (low, high))
        pieces.touch(slice(int(first), int(last)), start, end, write)
    pieces.close(np.arange(count))
    times = np.concatenate([times for times, _ in pieces.changes])
    sizes = np.concatenate([sizes for _, sizes in pieces.changes])
    order = np.argsort(times, kind="stable")
    times, level = times[order], np.cumsum(sizes[order])
    last = np.append(times[1:] != times[:-1], True)
    return times[last], level[last]
