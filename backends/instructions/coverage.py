"""Regular boxes of a buffer, and which part of the buffer a number of them cover."""

from __future__ import annotations

from math import gcd, prod
from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """A part of a buffer: runs of `run` elements (or bytes) side by side, at regular strides."""

    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    run: int

    @property
    def end(self) -> int:
        """The element past the last one of the box."""
        last = [(n - 1) * stride for n, stride in zip(self.sizes, self.strides, strict=True)]
        return self.offset + sum(last) + self.run

    def grain(self) -> int:
        """Return the size of the largest blocks in which the box begins, ends and steps."""
        steps = [stride for stride, n in zip(self.strides, self.sizes, strict=True) if n > 1]
        return gcd(self.offset, self.run, *steps)

    def scaled(self, factor: int) -> Box:
        """Return the box in units of which one of its own has `factor`, as bytes for elements."""
        strides = tuple([stride * factor for stride in self.strides])
        return Box(self.offset * factor, self.sizes, strides, self.run * factor)

    def of(self, mask: np.ndarray, grain: int) -> np.ndarray:
        """Return the box as a view of a mask bool [blocks]."""
        strides = [stride // grain for stride in self.strides]
        return np.ndarray(
            (*self.sizes, self.run // grain), np.bool_, mask, self.offset // grain, (*strides, 1)
        )


class Coverage:
    """Which elements (or bytes) of a buffer are covered by the boxes that were added.

    They are noted by block. Inside of a block no box so far begins or ends, so that a buffer has few of them.
    """

    def __init__(self, size: int) -> None:
        """Make the coverage of a buffer of `size` > 0 elements, none of which is covered."""
        self._size = self._grain = size
        self._mask = np.zeros(1, np.bool_)

    def add(self, box: Box) -> None:
        """Cover a box."""
        self._blocks(box)[...] = True

    @property
    def is_whole(self) -> bool:
        """Whether the whole buffer is covered."""
        return bool(self._mask.all())

    def covers(self, box: Box) -> bool:
        """Return whether the whole of a box is covered."""
        return bool(self._blocks(box).all())

    def touches(self, box: Box) -> bool:
        """Return whether any of a box is covered."""
        return bool(self._blocks(box).any())

    def part(self, box: Box, covered: bool) -> np.ndarray:
        """Return which elements of a box are covered, or are not: bool [size], False outside of the box."""
        inside = np.zeros(self._size, np.bool_)
        box.of(inside, 1)[...] = True
        return inside & (np.repeat(self._mask, self._grain) == covered)

    def _blocks(self, box: Box) -> np.ndarray:
        """Return a box as a view of the mask, whose blocks are made smaller where the box needs it."""
        grain = gcd(self._grain, box.grain())
        if grain != self._grain:
            self._mask = np.repeat(self._mask, self._grain // grain)
            self._grain = grain
        return box.of(self._mask, grain)


def window_around(elements: np.ndarray) -> str:
    """Name the smallest window that holds the elements of a mask (bool, at least one of them True), and say how many
    there are if it holds others, too.
    """
    indices = np.nonzero(elements) if elements.ndim else ()
    window = [bound for axis in indices for bound in (int(axis.min()), int(axis.max()) + 1)]
    size = prod(end - begin for begin, end in zip(window[::2], window[1::2], strict=True))
    count = int(elements.sum())
    return f"{'' if size == count else f'{count} elements in '}window {window}"
