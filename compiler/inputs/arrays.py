"""Reads tensors from .npz files, checking every size first, and writes them atomically."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import write_bytes_atomically
from ...backends.numerics.ports.small_numbers import as_plain
from .array_stream import open_arrays

MAX_BYTES = 1 << 33
"""The most bytes that the arrays of one file may have together (8 GiB).

A few kilobytes of a zip file can expand to any size.
"""


_LONGEST_NAME_BYTES = 65_535
"""The longest name that the header of a zip file's member can say."""


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file, by name; only numbers, no pickled objects.

    Raises:
        DiagnosticError: if the file does not exist, is not an .npz or is damaged, or if an array holds objects or
            claims more bytes than it has.
    """
    arrays = open_arrays(path)
    total = sum(each.dtype.itemsize * math.prod(each.shape) for each in arrays.values())
    if total > MAX_BYTES:
        raise DiagnosticError(
            f"not a readable .npz file: its arrays have {total} bytes, more than {MAX_BYTES} at once",
            Place(file=str(path)),
            hint="write fewer samples to it",
        )
    return {name: each.whole() for name, each in arrays.items()}


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name to an .npz file, whole or not at all.

    The format knows no bf16 and no small elements: such arrays are written as f32, i8 or u8, which hold the same
    numbers.
    """
    for name in arrays:
        if len(f"{name}.npy".encode()) > _LONGEST_NAME_BYTES:
            raise DiagnosticError(
                f"the name of array '{name[:40]}…' has {len(name):,} characters, too many for an .npz file",
                Place(file=str(path)),
                hint="give the model's output a shorter name",
            )
    buffer = io.BytesIO()
    np.savez(buffer, **{name: as_plain(np.asarray(value)) for name, value in arrays.items()})  # pyright: ignore[reportArgumentType]
    write_bytes_atomically(Path(path), buffer.getvalue())
