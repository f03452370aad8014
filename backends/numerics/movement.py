"""Moving elements without looking at them: concatenation, slices, padding and gathers of arrays of
any type, whose leading axes (samples) are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .quantization import quantize


def concat(parts: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """The parts one after the other along the negative `axis`; leading axes of size 1 repeat where
    another part's are longer.
    """
    lead = max(len(part) for part in parts)
    same = [np.broadcast_to(part, (lead, *part.shape[1:])) for part in parts]
    return np.concatenate(same, axis)


def slice_of(
    x: np.ndarray, starts: Sequence[int], sizes: Sequence[int], steps: Sequence[int]
) -> np.ndarray:
    """x[..., start + i·step, ...] for 0 <= i < size along each of the last axes; a view."""
    index: list[slice] = []
    for start, size, step in zip(starts, sizes, steps, strict=True):
        end = start + size * step
        # Backwards down to element 0: an end of -1 would count from the axis' end.
        index.append(slice(start, None if end < 0 else end, step) if size else slice(0, 0))
    return x[(..., *index)]


def pad(x: np.ndarray, low: Sequence[int], high: Sequence[int], value: float) -> np.ndarray:
    """`x` with `low` and `high` elements of `value` (in x's type) around it along the last axes."""
    lead = x.ndim - len(low)
    widths = [(0, 0)] * lead + list(zip(low, high, strict=True))
    return np.pad(x, widths, constant_values=np.asarray(value).astype(x.dtype))


def stored_number(number: float, scale: float, zero_point: int, storage: str) -> float:
    """A real number that pads a quantized tensor as its storage value."""
    return float(quantize(np.asarray(number, np.float32), scale, zero_point, storage))


def gather(x: np.ndarray, axis: int, indices: Sequence[int]) -> np.ndarray:
    """x[..., indices, ...] along the negative `axis`."""
    return np.take(x, np.asarray(indices, np.intp), axis=axis)
