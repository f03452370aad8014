"""Simulated memory that holds the values of several samples, with one copy of the bytes that they share.

Every sample runs the same program on its own inputs: activations differ, weights and tables do not. A memory therefore
has a *shared plane* [size] and, as soon as bytes differ between samples, a *private plane* [samples, size]. A flag for
each block of 64 bytes says which plane holds it. With one
sample there is only the shared plane.
"""

from __future__ import annotations

import numpy as np

from ...numerics.rounding_up import ceil_div

BLOCK_BYTES = 64


class Memory:
    """`size` bytes for `samples` samples, zeros at first.

    Arrays that are read and written are u8 [1, ...] (the same for all samples) or [samples, ...].
    """

    def __init__(self, size: int, samples: int, contents: np.ndarray | None = None) -> None:
        """Make a memory of zeros, or of the bytes `contents`, u8 [size], which all samples share, uncopied and
        read-only.
        """
        self.size, self.samples = size, samples
        self._shared = np.zeros(size, np.uint8) if contents is None else contents
        self._private: np.ndarray | None = None
        self._flags: np.ndarray | None = None

    def _state(self, start: int, end: int) -> int:
        """Return 0 if all bytes are shared, 1 if all are private, 2 if there are both."""
        if self._flags is None:
            return 0
        flags = self._flags[start // BLOCK_BYTES : ceil_div(end, BLOCK_BYTES)]
        count = int(np.count_nonzero(flags))
        return 0 if not count else 1 if count == len(flags) else 2

    def _privatize(self, start: int, end: int, keep: bool = True) -> np.ndarray:
        """Make the blocks of a range private, and return the private plane.

        Unless `keep` is set, the bytes of blocks that lie wholly inside are about to be overwritten and are not copied.
        """
        if self._private is None or self._flags is None:
            self._private = np.zeros((self.samples, self.size), np.uint8)
            self._flags = np.zeros(ceil_div(self.size, BLOCK_BYTES), np.bool_)
        first, last = start // BLOCK_BYTES, ceil_div(end, BLOCK_BYTES)
        flags = self._flags[first:last]
        if flags.all():
            return self._private
        blocks = np.flatnonzero(~flags) + first
        if not keep:
            edges = (blocks * BLOCK_BYTES < start) | ((blocks + 1) * BLOCK_BYTES > end)
            blocks = blocks[edges]
        if len(blocks):
            gaps = np.flatnonzero(np.diff(blocks) > 1)
            for low, high in zip(
                blocks[np.r_[0, gaps + 1]].tolist(),
                blocks[np.r_[gaps, len(blocks) - 1]].tolist(),
                strict=True,
            ):
                span = slice(low * BLOCK_BYTES, min((high + 1) * BLOCK_BYTES, self.size))
                self._private[:, span] = self._shared[span]
        flags[:] = True
        return self._private

    def read(self, start: int, end: int) -> np.ndarray:
        """Return bytes [start, end) as [1 or samples, end - start], if possible a view: use it before the next write.

        Bytes past the end of the memory (padding of a last row, which has no meaning) read as 0.
        """
        if end > self.size:
            inside = self.read(start, self.size)
            return np.pad(inside, ((0, 0), (0, end - self.size)))
        state = self._state(start, end)
        if state == 0:
            return self._shared[None, start:end]
        plane = self._private if state == 1 else self._privatize(start, end)
        assert plane is not None
        return plane[:, start:end]

    def write(self, start: int, values: np.ndarray) -> None:
        """Write u8 [1 or samples, n] to the bytes from `start` on."""
        end = start + values.shape[-1]
        if len(values) == 1:
            if self._state(start, end):
                self._share(start, end)
            if self._flags is None or self._state(start, end) == 0:
                self._shared[start:end] = values[0]
                return
            # The blocks at the edges also hold other private bytes.
            self._privatize(start, end, keep=False)[:, start:end] = values
            return
        self._privatize(start, end, keep=False)[:, start:end] = values

    def _share(self, start: int, end: int) -> None:
        """Hand whole blocks that are about to be overwritten with shared bytes back to the shared plane."""
        assert self._flags is not None
        whole = slice(ceil_div(start, BLOCK_BYTES), end // BLOCK_BYTES)
        first, last = start // BLOCK_BYTES, ceil_div(end, BLOCK_BYTES)
        outside = self._flags[first : whole.start], self._flags[whole.stop : last]
        if whole.start <= whole.stop and not any(edge.any() for edge in outside):
            self._flags[whole] = False

    def strided(
        self,
        start: int,
        end: int,
        address: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        write: bool,
    ) -> np.ndarray:
        """Return a view [1 or samples, *shape] of bytes at `address` + Σ index · stride, all of them in [start, end).

        For writing it is a view of the plane that then holds the range: [samples, ...] if `write` is set (the values
        differ between samples) or if any block of the range is private already.
        """
        state = self._state(start, end)
        if write or state:
            plane = self._private if state == 1 else self._privatize(start, end)
            assert plane is not None
        else:
            plane = self._shared[None]
        base = plane[:, address:]
        return np.lib.stride_tricks.as_strided(
            base, (len(plane), *shape), (plane.strides[0], *strides)
        )
