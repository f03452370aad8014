"""Softmax and its logarithm, in f32."""

from __future__ import annotations

import numpy as np


def softmax(x: np.ndarray, axis: int, *, log: bool = False) -> np.ndarray:
    """Compute exp(x − max) / Σ exp(x − max) along `axis` of floats `x`, in f32 (ONNX, Softmax since opset 13); with
    `log` its logarithm, x − max − log Σ exp(x − max) (LogSoftmax).

    The axis is brought to the end of a contiguous array first, so that a row's result depends on
    that row alone. A row of only -inf, or with NaN, gives NaN.
    """
    rows = np.ascontiguousarray(np.moveaxis(x, axis, -1), dtype=np.float32)
    if not rows.size:
        return np.moveaxis(rows, -1, axis)
    with np.errstate(all="ignore"):
        shifted = rows - rows.max(axis=-1, keepdims=True)
        if log:
            total = np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float32)
            return np.moveaxis(shifted - np.log(total), -1, axis)
        np.exp(shifted, out=shifted)
        shifted /= shifted.sum(axis=-1, keepdims=True, dtype=np.float32)
    return np.moveaxis(shifted, -1, axis)
