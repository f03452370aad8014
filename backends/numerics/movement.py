"""Moves elements without looking at them: concatenation, slices, padding and gathers, of arrays of any type.

Leading axes (samples) are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .quantization import quantize


def concat(parts: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """Join the parts along the negative `axis`; a leading axis of size 1 is repeated if that of another part is
    longer.
    """
    lead = max(len(part) for part in parts)
    same = [np.broadcast_to(part, (lead, *part.shape[1:])) for part in parts]
    return np.concatenate(same, axis)


def slice_of(
    x: np.ndarray, starts: Sequence[int], sizes: Sequence[int], steps: Sequence[int]
) -> np.ndarray:
    """Return the view x[..., start + i·step, ...] with 0 <= i < size along each of the last axes."""
    index: list[slice] = []
    for start, size, step in zip(starts, sizes, steps, strict=True):
        end = start + size * step
        # Backwards down to element 0: an end of -1 would count from the axis' end.
        index.append(slice(start, None if end < 0 else end, step) if size else slice(0, 0))
    return x[(..., *index)]


def pad(x: np.ndarray, low: Sequence[int], high: Sequence[int], value: float) -> np.ndarray:
    """Put `low` elements of `value` (in x's type) before `x` and `high` after it, along each of the last axes."""
    lead = x.ndim - len(low)
    widths = [(0, 0)] * lead + list(zip(low, high, strict=True))
    return np.pad(x, widths, constant_values=np.asarray(value).astype(x.dtype))


def stored_number(number: float, scale: float, zero_point: int, storage: str) -> float:
    """Return the storage value of a real number that pads a quantized tensor."""
    return float(quantize(np.asarray(number, np.float32), scale, zero_point, storage))


def gather(x: np.ndarray, axis: int, indices: Sequence[int]) -> np.ndarray:
    """Return x[..., indices, ...], with the indices along the negative `axis`."""
    return np.take(x, np.asarray(indices, np.intp), axis=axis)
