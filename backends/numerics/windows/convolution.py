"""Two-dimensional convolution of channel-last images: exact for integers, f32 for floats.

Dense convolutions are matrix products over slabs of unfolded windows (im2col), pointwise ones over
the pixels themselves; depthwise ones multiply and add shifted images. Memory beyond the result is
bounded by the slabs.
"""

from __future__ import annotations

import numpy as np

from ..matmul import (
    ProductPlan,
    is_float_dtype,
    magnitude,
    plan_for,
    product_into,
    rows_product,
    to_accumulator,
)
from .sliding_windows import Pads, Pair, WindowGeometry, conv_output_size

__all__ = ["conv2d", "conv_output_size", "window_rows"]

_DENSE_SLAB_BYTES = 8 << 20
_DEPTHWISE_SLAB_BYTES = 512 << 10


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    *,
    strides: Pair = (1, 1),
    dilations: Pair = (1, 1),
    pads: Pads = (0, 0, 0, 0),
    groups: int = 1,
    pad_value: float = 0,
    accumulator: str,
    output: Pair | None = None,
) -> np.ndarray:
    """Compute acc[..., y, x, o] = Σ x[..., y·s + i·d − p, x·s + j·d − p, c] · w[i, j, c, o], over i, j and the c of o's
    group.

    `x` is [..., h, w, c], `w` [kh, kw, c / groups, o]; the result is [..., oh, ow, o] in the
    accumulator's type (i32 and i64 wrap; f32). `pads` is (top, left, bottom, right), possibly
    negative; pixels outside hold `pad_value` (a value of x's storage). `output` (oh, ow) overrides
    the number of windows that fit. Raises ValueError if shapes, groups or types do not fit.
    """
    _check(x, w, groups)
    height, width, channels = x.shape[-3:]
    kernel = (w.shape[0], w.shape[1])
    geometry = WindowGeometry.of(height, width, kernel, strides, dilations, pads, output)
    lead = x.shape[:-3]
    images = x.reshape(int(np.prod(lead, dtype=np.int64)), height, width, channels)
    depthwise = groups == channels
    depth = kernel[0] * kernel[1] * w.shape[2]
    plan = _plan(x, w, depth, pad_value, accumulator)
    with np.errstate(over="ignore", invalid="ignore"):
        if depthwise:
            result = _depthwise(images, w, geometry, pad_value, plan)
        elif _is_pointwise(geometry):
            result = _pointwise(images, w, geometry, groups, plan)
        else:
            result = _dense(images, w, geometry, groups, pad_value, plan)
    return result.reshape(*lead, *result.shape[1:])


def window_rows(
    x: np.ndarray,
    kernel: Pair,
    *,
    strides: Pair = (1, 1),
    dilations: Pair = (1, 1),
    pads: Pads = (0, 0, 0, 0),
) -> np.ndarray:
    """Return the windows of images [n, h, w, c] as rows, [n · oh · ow, kh, kw, c]: those numbers that a convolution
    multiplies by its weights; pixels outside are 0.
    """
    _, height, width, channels = x.shape
    geometry = WindowGeometry.of(height, width, kernel, strides, dilations, pads, None)
    rows = geometry.output[0]
    source = geometry.source(x, 0, rows, 0, x.dtype)
    return _unfold(source, geometry, rows).reshape(-1, *kernel, channels)


def _check(x: np.ndarray, w: np.ndarray, groups: int) -> None:
    if x.ndim < 3 or w.ndim != 4:
        raise ValueError(
            f"expected x[..., h, w, c] and w[kh, kw, c, o], got {x.shape} and {w.shape}"
        )
    channels, outputs = x.shape[-1], w.shape[3]
    if groups < 1 or channels % groups or outputs % groups:
        raise ValueError(
            f"{groups} groups do not divide {channels} input and {outputs} output channels"
        )
    if w.shape[2] * groups != channels:
        raise ValueError(
            f"weights {w.shape} in {groups} groups are for {w.shape[2] * groups} channels, "
            f"not {channels}"
        )


def _plan(
    x: np.ndarray, w: np.ndarray, depth: int, pad_value: float, accumulator: str
) -> ProductPlan:
    plan = plan_for(x, w, depth, accumulator)
    if is_float_dtype(x.dtype):
        return plan
    bound = max(magnitude(x.dtype), abs(int(pad_value)))
    return ProductPlan.of(accumulator, bound, magnitude(w.dtype), depth, is_float=False)


def _is_pointwise(geometry: WindowGeometry) -> bool:
    """Return whether every window is one pixel inside the image."""
    inside = (
        (geometry.output[0] - 1) * geometry.strides[0] < geometry.height,
        (geometry.output[1] - 1) * geometry.strides[1] < geometry.width,
    )
    return geometry.kernel == (1, 1) and geometry.pad_begin == (0, 0) and all(inside)


def _pointwise(
    images: np.ndarray, w: np.ndarray, geometry: WindowGeometry, groups: int, plan: ProductPlan
) -> np.ndarray:
    (sh, sw), (oh, ow) = geometry.strides, geometry.output
    pixels = images[:, ::sh, ::sw][:, :oh, :ow]
    weights = w[0, 0].astype(plan.compute, copy=False)
    if groups == 1:
        return rows_product(pixels, weights, plan)
    outputs = w.shape[3]
    result = np.empty((*pixels.shape[:-1], outputs), plan.accumulator)
    for group in range(groups):
        inner, outer = _group_slices(group, groups, images.shape[-1], outputs)
        result[..., outer] = rows_product(pixels[..., inner], weights[:, outer], plan)
    return result


def _group_slices(group: int, groups: int, channels: int, outputs: int) -> tuple[slice, slice]:
    """Return the input and the output channels of a group."""
    c, o = channels // groups, outputs // groups
    return slice(group * c, (group + 1) * c), slice(group * o, (group + 1) * o)


def _dense(
    images: np.ndarray,
    w: np.ndarray,
    geometry: WindowGeometry,
    groups: int,
    pad_value: float,
    plan: ProductPlan,
) -> np.ndarray:
    kh, kw, group_channels, outputs = w.shape
    depth = kh * kw * group_channels
    weights = w.reshape(depth, outputs).astype(plan.compute, copy=False)
    result = np.zeros((len(images), *geometry.output, outputs), plan.accumulator)
    row_bytes = plan.compute.itemsize * geometry.output[1] * (depth + outputs // groups)
    for which, rows in geometry.slabs(len(images), row_bytes, _DENSE_SLAB_BYTES):
        row_count = rows.stop - rows.start
        for group in range(groups):
            inner, outer = _group_slices(group, groups, images.shape[-1], outputs)
            seen = images[which, ..., inner]
            source = geometry.source(seen, rows.start, row_count, pad_value, plan.compute)
            unfolded = _unfold(source, geometry, row_count)
            shape = (unfolded.shape[0], outputs // groups)
            part = np.empty(shape, plan.accumulator)
            product_into(part, unfolded, weights[:, outer], plan)
            target = result[which, rows]
            target[..., outer] = part.reshape(*target.shape[:-1], outputs // groups)
    return result


def _unfold(source: np.ndarray, geometry: WindowGeometry, rows: int) -> np.ndarray:
    """Return the windows over a contiguous source[n, hs, ws, c] as rows: [n * rows * out width, kh * kw * c]."""
    count, _, _, channels = source.shape
    (kh, kw), (sh, sw), (dh, dw) = geometry.kernel, geometry.strides, geometry.dilations
    image, line, pixel, element = source.strides
    shape: tuple[int, ...] = (count, rows, geometry.output[1], kh, kw, channels)
    strides: tuple[int, ...] = (image, sh * line, sw * pixel, dh * line, dw * pixel, element)
    if dw == 1:  # the taps of a kernel row lie side by side: copy them as one run
        shape = (*shape[:4], kw * channels)
        strides = (*strides[:4], element)
    windows = np.lib.stride_tricks.as_strided(source, shape, strides, writeable=False)
    return windows.reshape(count * rows * geometry.output[1], kh * kw * channels)


def _depthwise(
    images: np.ndarray,
    w: np.ndarray,
    geometry: WindowGeometry,
    pad_value: float,
    plan: ProductPlan,
) -> np.ndarray:
    """Compute a depthwise convolution, each output channel from one input channel.

    It is Σ over taps of the shifted image times the weight, in tap order.
    """
    kh, kw, _, outputs = w.shape
    multiple = outputs // max(images.shape[-1], 1)
    out_height, out_width = geometry.output
    result = np.zeros((len(images), out_height, out_width, outputs), plan.accumulator)
    compute = _depthwise_dtype(plan, kh * kw)
    weights = np.tile(
        w[:, :, 0, :].astype(compute), out_width
    )  # a weight for every element of a row
    row_bytes = compute.itemsize * outputs * out_width
    for which, rows in geometry.slabs(len(images), row_bytes, _DEPTHWISE_SLAB_BYTES):
        row_count = rows.stop - rows.start
        source = geometry.source(images[which], rows.start, row_count, pad_value, compute)
        if multiple != 1:
            source = np.repeat(source, multiple, axis=-1)
        total = np.zeros((len(source), row_count, out_width * outputs), compute)
        product = np.empty_like(total)
        for i, j, seen in geometry.taps(source, row_count):
            np.multiply(seen, weights[i, j], out=product)
            total += product
        shaped = total.reshape(len(source), row_count, out_width, outputs)
        result[which, rows] = to_accumulator(shaped, plan.accumulator)
    return result


def _depthwise_dtype(plan: ProductPlan, taps: int) -> np.dtype:
    """Return the type in which the sum over all taps, which is not cut into blocks, is exact."""
    return plan.compute if taps <= plan.block else np.dtype(np.int64)
