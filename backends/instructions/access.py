"""Describes which bytes of which memory an instruction reads or writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..numerics.storage import bytes_of, elements_in


class Access(NamedTuple):
    """A set of bytes that an instruction reads or writes: equal runs at regular strides.

    The runs start at `address + Σ i_d * strides[d]` for every index `i_d < counts[d]` and are
    `run_bytes` long. `core` None means the core that runs the instruction; `segment` counts in
    space "global" only.
    """

    space: str
    core: int | None
    segment: int
    address: int
    run_bytes: int
    counts: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    write: bool = False

    def extent(self) -> tuple[int, int]:
        """Return the first byte and the byte past the last."""
        low, high = self.address, self.address + self.run_bytes
        for count, stride in zip(self.counts, self.strides, strict=True):
            if count < 1:
                return self.address, self.address
            if stride < 0:
                low += (count - 1) * stride
            else:
                high += (count - 1) * stride
        return low, high

    def joined(self) -> Access:
        """Return the same access as one run, if its runs follow one another in order without a gap."""
        run = self.run_bytes
        for count, stride in zip(reversed(self.counts), reversed(self.strides), strict=True):
            if count > 1 and stride != run:
                return self
            run *= count
        return self._replace(run_bytes=run, counts=(), strides=())

    def overlap(self) -> tuple[int, int] | None:
        """Return the first bytes (first, past the last) that two of the runs share; None if no two share any."""
        reach = self.run_bytes
        nested = True
        for stride, count in sorted(zip(map(abs, self.strides), self.counts, strict=True)):
            if count > 1:
                nested = nested and stride >= reach
                reach += (count - 1) * stride
        if nested:
            return None
        starts = np.array([self.address], dtype=np.int64)
        for count, stride in zip(self.counts, self.strides, strict=True):
            steps = np.arange(count, dtype=np.int64) * stride
            starts = (starts[None, :] + steps[:, None]).ravel()
        starts.sort()
        shared = np.flatnonzero(starts[1:] < starts[:-1] + self.run_bytes)
        if not len(shared):
            return None
        at = int(shared[0])
        return int(starts[at + 1]), int(starts[at]) + self.run_bytes

    def elements(self, storage: str) -> int:
        """Count the elements of a storage type from the first byte to the last."""
        low, high = self.extent()
        return elements_in(high - low, storage)

    def intervals(self) -> np.ndarray:
        """Return the runs as int64 [n, 2] (first byte, byte past the last), ascending; runs that touch are merged."""
        starts = np.array([self.address], dtype=np.int64)
        run = self.run_bytes
        for count, stride in sorted(
            zip(self.counts, self.strides, strict=True), key=lambda d: d[1]
        ):
            if count == 1:
                continue
            if stride == run and len(starts) == 1:
                run *= count
                continue
            steps = np.arange(count, dtype=np.int64) * stride
            starts = (starts[None, :] + steps[:, None]).ravel()
        starts.sort()
        if len(starts) > 1:
            new = np.concatenate(([True], starts[1:] > starts[:-1] + run))
            first = starts[new]
            last = np.concatenate((starts[:-1][new[1:]], starts[-1:])) + run
            return np.stack((first, last), axis=1)
        return np.array([[starts[0], starts[0] + run]], dtype=np.int64)


class Operand(NamedTuple):
    """An operand that an instruction's function takes as an array.

    It has the name of the field with its address, the number of its elements, their storage type, and the memory
    ("local" or "acc" of the core, or "global").
    """

    name: str
    elements: int
    storage: str
    space: str = "local"


def local(address: int, size_bytes: int, write: bool = False) -> Access:
    """Return the access to a range of this core's local memory."""
    return Access("local", None, 0, address, size_bytes, write=write)


def accumulators(address: int, size_bytes: int, write: bool = False) -> Access:
    """Return the access to a range of this core's accumulator memory."""
    return Access("acc", None, 0, address, size_bytes, write=write)


def local_rows(
    address: int, rows: int, pitch: int, columns: int, storage: str, write: bool = False
) -> Access:
    """Return the access to the first `columns` elements of each row of `pitch` elements in local memory."""
    run, stride = bytes_of(columns, storage), bytes_of(pitch, storage)
    return Access("local", None, 0, address, run, (rows,), (stride,), write)
