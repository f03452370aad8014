"""Transposes large constants without holding them in memory: into a temporary file that is mapped, tile by tile."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence

import numpy as np

from ....dialects.ir.array_bytes import memory_of, release

LEAST_BYTES = 1 << 24
"""The least size of a matrix that is transposed into a file: 16 MiB."""
_ROWS, _COLUMNS = 4096, 1024
"""The tiles of the source: of f32 16 MiB, whose rows are whole pages."""


def transposed(array: np.ndarray, permutation: Sequence[int]) -> np.ndarray:
    """Return an array with its axes permuted, in row-major order and read-only.

    A large matrix goes to a file that has no name and is gone with the array; if the disk has no room for it, it stays
    in memory.
    """
    is_matrix = array.ndim == 2 and tuple(permutation) == (1, 0)
    if is_matrix and array.nbytes >= LEAST_BYTES and hasattr(os, "posix_fallocate"):
        try:
            return _transposed_in_file(array)
        except OSError:
            pass
    result = np.asarray(array.transpose(permutation), order="C")
    result.flags.writeable = False
    return result


def _transposed_in_file(array: np.ndarray) -> np.ndarray:
    """Return the transpose of a matrix in a mapped file. Raises OSError if there cannot be such a file."""
    rows, columns = array.shape
    source = memory_of(array)
    with tempfile.TemporaryFile() as file:
        # A page of a file without room would end the process when it is written.
        os.posix_fallocate(file.fileno(), 0, array.nbytes)
        target = mmap.mmap(file.fileno(), array.nbytes)
        written = np.frombuffer(target, array.dtype).reshape(columns, rows)
        for top in range(0, rows, _ROWS):
            for left in range(0, columns, _COLUMNS):
                tile = array[top : top + _ROWS, left : left + _COLUMNS]
                written[left : left + _COLUMNS, top : top + _ROWS] = tile.T
                release(target, written)
                if isinstance(source, mmap.mmap) and array.flags.c_contiguous:
                    release(source, array)
        mapped = mmap.mmap(file.fileno(), array.nbytes, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, array.dtype).reshape(columns, rows)
