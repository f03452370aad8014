"""The memories of the tile interpreter: the bytes of several samples, and which buffer wrote each byte.

Every buffer has a number, and a memory notes for each byte through which buffer it was last written. A read through
another buffer is a mistake: nobody wrote the bytes, or another buffer was given the same address too early and
overwrote them. Both are found where they happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ....dialects.tile.checks import row_strides
from ...numerics.strided_view import strided_view


class Memory:
    """`size_bytes` bytes for each of `samples` samples.

    Values that do not depend on the sample (weights) are kept once, in a plane of their own. Each buffer knows which
    plane holds its values.
    """

    def __init__(self, size_bytes: int, samples: int, *, private: bool = False) -> None:
        """Make a memory; a `private` one holds a single buffer, whose number is 1."""
        self.size_bytes = size_bytes
        self.samples = samples
        self.writer = np.zeros(size_bytes, dtype=np.uint8 if private else np.int32)
        """The number of the buffer through which each byte was last written; 0: nobody wrote it."""
        self._shared: np.ndarray | None = None
        self._samples: np.ndarray | None = None

    @staticmethod
    def holding(data: np.ndarray, samples: int) -> Memory:
        """Return a private memory that holds the bytes of `data`, all of them written, without copying them."""
        memory = Memory(data.nbytes, samples, private=True)
        memory.writer[...] = 1
        memory._shared = np.ascontiguousarray(data).reshape(1, -1).view(np.uint8)
        return memory

    def plane(self, shared: bool) -> np.ndarray:
        """Return the bytes as u8 [1, size] (shared by the samples) or [samples, size]."""
        if shared:
            if self._shared is None:
                self._shared = np.zeros((1, self.size_bytes), dtype=np.uint8)
            return self._shared
        if self._samples is None:
            self._samples = np.zeros((self.samples, self.size_bytes), dtype=np.uint8)
        return self._samples


@dataclass
class Buffer:
    """A typed, shaped piece of a memory; `number` > 0 is unique among all buffers of a run, but views have that of
    their buffer.
    """

    number: int
    label: str
    memory: Memory
    address: int
    shape: tuple[int, ...]
    dtype: np.dtype
    writable: bool = True
    whole: Buffer | None = None
    """The buffer of which this is a view; None for one that is no view."""
    pitch: int | None = None
    """From which element to which rows begin, if there are gaps between them."""
    _shared: bool = field(default=True, init=False)

    def view(self, offset: int, shape: Sequence[int], pitch: int | None = None) -> Buffer:
        """Return the elements from `offset` on as a buffer of that shape, whose bytes are those of this one; with a
        `pitch`, rows begin every so many elements.
        """
        return Buffer(
            self.number,
            f"{self.label} + {offset}",
            self.memory,
            self.address + offset * self.dtype.itemsize,
            tuple(shape),
            self.dtype,
            self.writable,
            self,
            pitch,
        )

    @property
    def shared(self) -> bool:
        """Whether all values written so far, to the whole buffer, are the same for every sample."""
        return self._shared if self.whole is None else self.whole.shared

    @property
    def elements(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def span(self) -> int:
        """Number of elements from the first one to the last one, gaps included."""
        if self.pitch is None:
            return self.elements
        return (self.elements // self.shape[-1] - 1) * self.pitch + self.shape[-1]

    @property
    def size_bytes(self) -> int:
        """Bytes of one sample, gaps included."""
        return self.span * self.dtype.itemsize

    def flat(self) -> np.ndarray:
        """Return a view [1 or samples, elements], gaps included."""
        plane = self.memory.plane(self.shared)
        return plane[:, self.address : self.address + self.size_bytes].view(self.dtype)

    def rows(self) -> np.ndarray:
        """Return the elements as instructions read them, [1 or samples, rows · pitch]: a view, or a copy with zeros in
        the gaps.
        """
        if self.pitch is None:
            return self.flat()
        values = self.values()
        result = np.zeros((*values.shape[:-1], self.pitch), self.dtype)
        result[..., : self.shape[-1]] = values
        return result.reshape(len(result), -1)

    def values(self) -> np.ndarray:
        """Return a view [1 or samples, *shape]."""
        flat = self.flat()
        if self.pitch is None:
            return flat.reshape(flat.shape[0], *self.shape)
        return self._in_rows(flat, (flat.shape[0],))

    def writers(self) -> np.ndarray:
        """Return the number of the buffer that wrote each byte, a view [elements, gaps included, bytes of an
        element].
        """
        writer = self.memory.writer[self.address : self.address + self.size_bytes]
        return writer.reshape(self.span, self.dtype.itemsize)

    def _in_rows(self, flat: np.ndarray, lead: tuple[int, ...]) -> np.ndarray:
        """Return the elements of [*lead, span] as a view [*lead, *shape]; rows begin at the pitch."""
        assert self.pitch is not None
        strides = np.array(row_strides(self.shape, self.pitch)) * flat.strides[-1]
        return strided_view(flat, (*lead, *self.shape), (*flat.strides[: len(lead)], *strides))

    def unwritten(self, first: int = 0, last: int | None = None) -> int | None:
        """Return the offset of the first byte in [first, last) that this buffer did not write last, or None."""
        end = self.size_bytes if last is None else last
        writer = self.memory.writer[self.address + first : self.address + end]
        other = writer != self.number
        return first + int(np.argmax(other)) if other.any() else None

    def prepare_write(self, shared: bool) -> None:
        """Choose the plane for values that are the same for every sample (`shared`) or not, keeping those written so
        far.
        """
        if self.whole is not None:
            self.whole.prepare_write(shared)
        elif self._shared and not shared:
            kept = self.flat()
            self._shared = False
            self.flat()[...] = kept

    def write(self, values: np.ndarray) -> None:
        """Write the whole buffer from [1 or samples, *shape]."""
        self.prepare_write(values.shape[0] == 1)
        self.values()[...] = values
        if self.pitch is None:
            self.writers()[...] = self.number
            return
        for byte in self.writers().T:
            self._in_rows(byte, ())[...] = self.number
