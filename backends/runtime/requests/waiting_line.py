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

    def add(self, inference: Inference, *, last: bool = False) -> None:
        """Put an inference behind those of its priority that arrived before it, or so behind all of them."""
        key = _LAST if last else inference.priority
        level = self._levels.setdefault(key, {})
        if level and next(reversed(level)).arrived > inference.arrived:
            # One that comes back from elsewhere. Of equal times it is the first.
            everyone = sorted([inference, *level], key=lambda each: each.arrived)
            self._levels[key] = dict.fromkeys(everyone)
        else:
            level[inference] = None
        self._length += 1

    def put_back(self, inferences: list[Inference]) -> None:
        """Put inferences that were taken to where they were, in the order in which they were taken."""
        for each in reversed(inferences):
            level = self._levels.get(each.priority, {})
            self._levels[each.priority] = {each: None, **level}
        self._length += len(inferences)

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
