"""Normalizations by statistics of a tensor's own elements, computed in f64 and rounded to f32.

Statistics first bring their axes together at the end of a contiguous array, so that each result
depends on its own elements alone and not on what is beside them.
"""

from __future__ import annotations

import numpy as np

KINDS = ("mean_variance", "rms", "l1", "l2")
"""What each kind divides by: the standard deviation (after it has subtracted the mean), the root mean square, the sum
of magnitudes, the root of the sum of squares.
"""


def normalize(
    kind: str,
    x: np.ndarray,
    axes: tuple[int, ...],
    epsilon: float,
    scale: np.ndarray | None = None,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """Normalize floats `x` over the negative `axes`, times `scale`, plus `bias` (which broadcast to `x`); f32 in x's
    shape.

        mean_variance: (x − mean) / √(mean((x − mean)²) + ε)
        rms:           x / √(mean(x²) + ε)
        l1:            x / (Σ|x| + ε)
        l2:            x / √(Σx² + ε)

    (ONNX LayerNormalization, InstanceNormalization, GroupNormalization and MeanVarianceNormalization; RMSNormalization;
    LpNormalization.) The result is 0 where the divisor is 0. Raises ValueError if axes are out of range or the kind is
    unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown normalization '{kind}' (known: {', '.join(KINDS)})")
    if not axes or any(not -x.ndim <= axis < 0 for axis in axes) or len(set(axes)) != len(axes):
        raise ValueError(f"axes {axes} must be distinct, negative and within rank {x.ndim}")
    kept = [axis for axis in range(-x.ndim, 0) if axis not in axes]
    order = [*kept, *sorted(axes)]
    moved = np.transpose(x, order)
    rows = np.ascontiguousarray(moved, dtype=np.float64)
    rows = rows.reshape(*moved.shape[: len(kept)], -1)
    with np.errstate(all="ignore"):
        if kind == "mean_variance":
            rows = rows - rows.mean(axis=-1, keepdims=True)
        divisor = _divisor(kind, rows, epsilon)
        rows = rows * np.where(divisor == 0, 0.0, 1 / divisor)
        result = rows.astype(np.float32).reshape(moved.shape).transpose(np.argsort(order))
        if scale is not None:
            result = result * scale.astype(np.float32, copy=False)
        if bias is not None:
            result = result + bias.astype(np.float32, copy=False)
    return result


def _divisor(kind: str, rows: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the divisor of each row [..., length]: f64 [..., 1]."""
    if kind == "l1":
        return np.abs(rows).sum(axis=-1, keepdims=True) + epsilon
    squares = np.square(rows).sum(axis=-1, keepdims=True)
    return np.sqrt((squares if kind == "l2" else squares / rows.shape[-1]) + epsilon)


def local_response_norm(
    x: np.ndarray, axis: int, *, size: int, alpha: float, beta: float, bias: float
) -> np.ndarray:
    """Compute x / (bias + alpha/size · Σ x²)^beta in f32, the sum over the `size` neighbors along `axis`.

    The neighbors of position c are c − ⌊(size−1)/2⌋ to c + ⌈(size−1)/2⌉, those outside the axis left out (ONNX LRN;
    Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", 2012, section 3.3). Raises
    ValueError if the size is below 1.
    """
    if size < 1:
        raise ValueError(f"a neighborhood has at least 1 element, not {size}")
    rows = np.moveaxis(x, axis, -1).astype(np.float64)
    length = rows.shape[-1]
    squares = np.square(rows)
    total = squares.copy()
    before, after = (size - 1) // 2, size // 2
    with np.errstate(all="ignore"):
        for step in range(1, min(max(before, after), length - 1) + 1):
            if step <= before:
                total[..., step:] += squares[..., :-step]
            if step <= after:
                total[..., :-step] += squares[..., step:]
        result = rows / np.power(bias + alpha / size * total, beta)
    return np.moveaxis(result.astype(np.float32), -1, axis)
