"""Computes what the instructions that fill memory and gather rows write; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from ..functions.families.gathering import positions
from ..storage import SMALL_FLOAT_NAMES, dtype_of, integer_range, is_float, round_to


def fill(*, count: int, type: str, value: float) -> np.ndarray:
    """Return [count] elements of `value`, saturated (integers) or rounded (floats) to storage `type`."""
    dtype = dtype_of(type)
    if is_float(type) or type in SMALL_FLOAT_NAMES:
        return np.full(count, round_to(np.asarray(value, np.float64), type), dtype)
    if type == "bool":
        return np.full(count, value != 0)
    low, high = integer_range(type)
    return np.full(count, min(max(round(value), low), high), dtype)


def gather(
    table: np.ndarray,
    index: np.ndarray,
    *,
    table_segment: str,
    index_space: str,
    index_segment: str,
    table_rows: int,
    row_offset: int,
    row_bytes: int,
    pitch: int,
    index_type: str,
    rows: int,
) -> np.ndarray:
    """Return the bytes u8 [S, rows, row_bytes] of the rows of `table` [S, bytes] that `index` [S, rows] names. The
    spaces and segments say where table and indices lie. The table may hold any elements, whose bytes are taken.

    Raises FunctionError if an index names no row.
    """
    places = positions(index.reshape(-1, rows), table_rows, "the table", "rows")
    data = table.reshape(len(table) if table.ndim > 1 else 1, -1).view(np.uint8)
    taken = np.lib.stride_tricks.as_strided(
        data[:, row_offset:],
        (len(data), table_rows, row_bytes),
        (data.strides[0], pitch, 1),
        writeable=False,
    )
    if len(taken) == 1:
        return taken[0][places]
    return np.stack(
        [
            rows_of[each]
            for rows_of, each in zip(
                taken, np.broadcast_to(places, (len(taken), rows)), strict=True
            )
        ]
    )
