"""Maximum and average pooling of channel-last images; integer averages are exact.

`pads` are the declared ones. `output` (oh, ow) may name more windows than fit (ONNX's ceil_mode,
see `pool_output_size`): taps of theirs past the padded image add nothing, and the divisor does not count them.
"""

from __future__ import annotations

import numpy as np

from ..fixed_point import rescale_quotient
from ..matmul import is_float_dtype, is_half, magnitude
from ..quantization import ClampRange, storage_limits
from ..storage import dtype_of
from .sliding_windows import Pads, Pair, WindowGeometry, pool_output_size

__all__ = [
    "POOL_KINDS",
    "average_pool2d_f32",
    "average_pool2d_int",
    "max_pool2d",
    "pool_output_size",
]

POOL_KINDS = ("max", "average")
"""What pooling makes of a window; instructions have their positions as codes."""
_SLAB_BYTES = 512 << 10


def max_pool2d(
    x: np.ndarray,
    *,
    kernel: Pair,
    strides: Pair = (1, 1),
    dilations: Pair = (1, 1),
    pads: Pads = (0, 0, 0, 0),
    output: Pair | None = None,
) -> np.ndarray:
    """Return the greatest value under each window of x[..., h, w, c], any storage type: [..., oh, ow, c], same type.

    Padding is never the greatest value; a window wholly outside the image gives the type's least value (-inf for
    floats). NaN propagates.
    """
    geometry, images = _geometry(x, kernel, strides, dilations, pads, output)
    if x.dtype == np.bool_:
        least: float = 0
    else:
        least = -np.inf if is_float_dtype(x.dtype) else int(np.iinfo(x.dtype).min)
    # NumPy compares f16 thirty times slower than f32, which holds the same numbers.
    compute = np.dtype(np.float32) if is_half(x.dtype) else x.dtype
    result = np.empty((len(images), *geometry.output, x.shape[-1]), dtype=x.dtype)
    _combine(np.maximum, images, geometry, least, compute, least, result)
    return result.reshape(*x.shape[:-3], *result.shape[1:])


def average_pool2d_f32(
    x: np.ndarray,
    *,
    kernel: Pair,
    strides: Pair = (1, 1),
    dilations: Pair = (1, 1),
    pads: Pads = (0, 0, 0, 0),
    count_include_pad: bool = False,
    output: Pair | None = None,
) -> np.ndarray:
    """Return the mean under each window of x[..., h, w, c] (any float), summed and divided in f32: f32 [..., oh, ow,
    c].

    The divisor is the number of taps inside the image, or with `count_include_pad` inside the padded image. If it is 0,
    the result is NaN.
    """
    geometry, images = _geometry(x, kernel, strides, dilations, pads, output)
    total = _window_sums(images, geometry, 0, np.dtype(np.float32))
    counts = geometry.counts(pads if count_include_pad else (0, 0, 0, 0))
    with np.errstate(invalid="ignore", over="ignore"):
        mean = total / counts[:, :, None].astype(np.float32)
    return mean.reshape(*x.shape[:-3], *mean.shape[1:])


def average_pool2d_int(
    x: np.ndarray,
    *,
    kernel: Pair,
    strides: Pair = (1, 1),
    dilations: Pair = (1, 1),
    pads: Pads = (0, 0, 0, 0),
    count_include_pad: bool = False,
    zero_point_in: int,
    multiplier: int,
    shift: int,
    zero_point_out: int,
    storage: str,
    clamp: ClampRange = None,
    output: Pair | None = None,
) -> np.ndarray:
    """Compute clamp(saturate(round_half_even(Σ(x − zero_point_in) · multiplier / (count · 2^shift)) + zero_point_out)),
    exact.

    `x` is an integer array [..., h, w, c]; the result [..., oh, ow, c] is in integer `storage`.
    `count` as in `average_pool2d_f32`. Raises ValueError if it is 0.
    """
    geometry, images = _geometry(x, kernel, strides, dilations, pads, output)
    taps = kernel[0] * kernel[1]
    bound = taps * max(magnitude(x.dtype), abs(zero_point_in))
    exact = np.dtype(np.float32 if bound <= 2**24 else np.int64)
    # Padding holds the zero point, so that the same number of zero points is subtracted from every
    # window.
    total = _window_sums(images, geometry, zero_point_in, exact).astype(np.int64)
    total -= taps * zero_point_in
    counts = geometry.counts(pads if count_include_pad else (0, 0, 0, 0))[:, :, None]
    limits = storage_limits(storage, clamp)
    mean = rescale_quotient(
        total, counts, multiplier, shift, zero_point_out, limits, dtype_of(storage)
    )
    return mean.reshape(*x.shape[:-3], *mean.shape[1:])


def _geometry(
    x: np.ndarray, kernel: Pair, strides: Pair, dilations: Pair, pads: Pads, output: Pair | None
) -> tuple[WindowGeometry, np.ndarray]:
    """Return the windows over x[..., h, w, c] and its images [n, h, w, c]."""
    if x.ndim < 3:
        raise ValueError(f"expected x[..., h, w, c], got {x.shape}")
    height, width, channels = x.shape[-3:]
    geometry = WindowGeometry.of(height, width, kernel, strides, dilations, pads, output)
    count = int(np.prod(x.shape[:-3], dtype=np.int64))
    return geometry, x.reshape(count, height, width, channels)


def _window_sums(
    images: np.ndarray, geometry: WindowGeometry, pad_value: int, dtype: np.dtype
) -> np.ndarray:
    """Compute Σ over the taps of each window of images[n, h, w, c], in tap order, in `dtype`: [n, oh, ow, c]."""
    result = np.zeros((len(images), *geometry.output, images.shape[-1]), dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        _combine(np.add, images, geometry, pad_value, dtype, 0, result)
    return result


def _combine(
    operation: np.ufunc,
    images: np.ndarray,
    geometry: WindowGeometry,
    pad_value: float,
    compute: np.dtype,
    start: float,
    result: np.ndarray,
) -> None:
    """Apply `operation` to `start` and the taps of each window of images[n, h, w, c], in tap order and in the data type
    `compute`, and write what it gives to result[n, oh, ow, c].
    """
    channels = images.shape[-1]
    row_bytes = compute.itemsize * channels * geometry.output[1]
    for which, rows in geometry.slabs(len(images), row_bytes, _SLAB_BYTES):
        count = rows.stop - rows.start
        source = geometry.source(images[which], rows.start, count, pad_value, compute)
        found = np.full((len(source), count, geometry.output[1] * channels), start, compute)
        for _, _, seen in geometry.taps(source, count):
            operation(found, seen, out=found)
        result[which, rows] = found.reshape(len(source), count, geometry.output[1], channels)
