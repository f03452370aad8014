"""Reads the bytes of large arrays in pieces, and lets pieces of mapped files leave memory again once they are read."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np

PIECE_BYTES = 1 << 24
"""How many bytes of an array are in use at one time: 16 MiB."""


def memory_of(array: np.ndarray) -> object:
    """Return what owns the memory that an array is a view of: an array, bytes, a mapped file, or None if it owns it
    itself.
    """
    memory: object = array
    while isinstance(memory, (np.ndarray, memoryview)):
        memory = memory.base if isinstance(memory, np.ndarray) else memory.obj
    return memory


def pieces_of(array: np.ndarray) -> Iterator[memoryview]:
    """Yield the bytes of an array, in row-major order, in pieces of at most `PIECE_BYTES`.

    Pages of a file that is mapped for reading leave memory after each piece: they are read again when they are asked
    for. A piece is to be used before the next one is taken.
    """
    # The view gives the bytes without a copy: not every data type offers the buffer protocol itself.
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    memory = memory_of(flat)
    file = memory if isinstance(memory, mmap.mmap) and memoryview(memory).readonly else None
    for start in range(0, flat.size, PIECE_BYTES):
        piece = flat[start : start + PIECE_BYTES]
        yield piece.data
        if file is not None:
            release(file, piece)


def release(file: mmap.mmap, part: np.ndarray) -> None:
    """Let the pages that hold `part`, a view of a mapped file, leave memory, where the system can be asked to."""
    advice = getattr(mmap, "MADV_DONTNEED", None)
    if advice is None or not part.size:
        return
    begin = int(np.frombuffer(file, np.uint8).ctypes.data)
    first = int(part.ctypes.data) - begin
    page = first // mmap.PAGESIZE * mmap.PAGESIZE
    file.madvise(advice, page, first + part.nbytes - page)
