"""The inferences that wait for a device, in the order in which they shall start."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from .inference import Inference

_LAST = float("inf")


class WaitingLine:
    """Inferences by priority, and of one priority in the order of their arrival.

    Every operation takes time with the number of priorities, not with that of inferences.
    """

    def __init__(self) -> None:
        self._levels: dict[float, dict[Inference, None]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Inference]:
        for level in sorted(self._levels):
            yield from self._levels[level]

    def __contains__(self, inference: Inference) -> bool:
        return any(inference in level for level in self._levels.values())

    def add(self, inference: Inference, *, last: bool = False) -> None:
        """Put an inference behind those of its priority, or behind all."""
        level = _LAST if last else inference.priority
        self._levels.setdefault(level, {})[inference] = None
        self._length += 1

    def remove(self, inference: Inference) -> bool:
        """Take an inference out; tell whether it was there."""
        for key, level in self._levels.items():
            if inference in level:
                self._take(key, [inference])
                return True
        return False

    def take(self, count: int) -> list[Inference]:
        """Take out the first ones, as many as there are up to `count`."""
        taken: list[Inference] = []
        for key in sorted(self._levels):
            first = list(islice(self._levels[key], count - len(taken)))
            self._take(key, first)
            taken += first
            if len(taken) == count:
                break
        return taken

    @property
    def oldest(self) -> int:
        """The time at which the one that waits longest arrived. Raises ValueError if none waits."""
        return min(next(iter(level)).arrived for level in self._levels.values())

    def _take(self, key: float, inferences: list[Inference]) -> None:
        level = self._levels[key]
        for inference in inferences:
            del level[inference]
        self._length -= len(inferences)
        if not level:
            del self._levels[key]
