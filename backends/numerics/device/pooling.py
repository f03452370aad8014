"""Computes the instruction of pooling; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from .. import elementwise
from ..storage import is_float
from ..windows import pooling
from .tile_buffer import integer_clamp, padded, shaped

_INFINITE = float("inf")


def pool(
    x: np.ndarray,
    *,
    kind: str,
    type: str,
    count_include_pad: int = 0,
    batch: int = 1,
    in_height: int,
    in_width: int,
    out_height: int,
    out_width: int,
    pitch: int,
    columns: int = 0,
    out_pitch: int = 0,
    out_columns: int = 0,
    kernel_height: int = 1,
    kernel_width: int = 1,
    stride_height: int = 1,
    stride_width: int = 1,
    dilation_height: int = 1,
    dilation_width: int = 1,
    pad_top: int = 0,
    pad_left: int = 0,
    pad_bottom: int = 0,
    pad_right: int = 0,
    multiplier: int = 0,
    shift: int = 0,
    zero_point_in: int = 0,
    zero_point_out: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
) -> np.ndarray:
    """Compute out[batch, out_height, out_width, written] of the first `columns` elements of each pixel of x[batch,
    in_height, in_width, pitch]; `kind` is max or average. `columns` and `out_pitch` are `pitch` if they are 0.

    The pads are the declared ones: with `count_include_pad` an average counts them, and nothing
    beyond. A maximum keeps its input's quantization. Padding lanes among the columns are pooled like channels.
    """
    images = shaped(x, (batch, in_height, in_width, pitch), "x", type)[..., : columns or pitch]
    written, fill = out_columns or out_pitch or pitch, 0 if is_float(type) else zero_point_out
    window: dict[str, tuple[int, int]] = {
        "kernel": (kernel_height, kernel_width),
        "strides": (stride_height, stride_width),
        "dilations": (dilation_height, dilation_width),
        "output": (out_height, out_width),
    }
    pads = (pad_top, pad_left, pad_bottom, pad_right)
    if kind == "max":
        best = pooling.max_pool2d(images, pads=pads, **window)
        unbounded = clamp_low == -_INFINITE and clamp_high == _INFINITE
        best = best if unbounded else elementwise.clamp(best, clamp_low, clamp_high)
        return padded(best, written, fill)
    if kind not in pooling.POOL_KINDS:
        raise ValueError(f"unknown pooling '{kind}' (known: {', '.join(pooling.POOL_KINDS)})")
    include = bool(count_include_pad)
    if is_float(type):
        mean = pooling.average_pool2d_f32(images, pads=pads, count_include_pad=include, **window)
        return padded(elementwise.store_float(mean, type, (clamp_low, clamp_high)), written, fill)
    mean = pooling.average_pool2d_int(
        images,
        pads=pads,
        count_include_pad=include,
        zero_point_in=zero_point_in,
        multiplier=multiplier,
        shift=shift,
        zero_point_out=zero_point_out,
        storage=type,
        clamp=integer_clamp(type, clamp_low, clamp_high),
        **window,
    )
    return padded(mean, written, fill)
