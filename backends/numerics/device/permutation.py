"""Computes the instruction that exchanges two axes; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from .tile_buffer import padded, shaped


def permute(
    x: np.ndarray,
    *,
    type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    out_columns: int = 0,
    tiles: int = 1,
    zero_point: int = 0,
) -> np.ndarray:
    """Return out[tiles, columns, written]: the transpose of the last two axes of x[tiles, rows, in_pitch], of which
    the first `columns` of each row count; what follows the `rows` elements of an output row is `zero_point`.
    """
    values = shaped(x, (tiles, rows, in_pitch), "x", type)[..., :columns]
    return padded(np.swapaxes(values, -1, -2), out_columns or out_pitch, zero_point)
