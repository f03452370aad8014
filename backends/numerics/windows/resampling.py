"""Resampling along an axis (Resize): finds which elements each output mixes with which weights, and mixes them.

Resize is separable: an N-dimensional one is a `resample` per axis. `resize_taps` follows ONNX's
reference implementation (onnx/reference/ops/op_resize.py) and the operator's specification of
coordinates and coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..matmul import is_float_dtype

Taps = tuple[np.ndarray, np.ndarray]
"""Index int32 [out, taps] and weight f32 [out, taps]."""

RESIZE_MODES = ("nearest", "linear", "cubic")
"""How Resize finds a value between elements: its attribute `mode`."""
COORDINATE_MODES = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_half_pixel_for_nn",
    "tf_crop_and_resize",
)
"""How Resize finds the place of a result in its input: its attribute `coordinate_transformation_mode`."""
NEAREST_MODES = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
"""How mode nearest rounds a place: its attribute `nearest_mode`."""


def resize_taps(
    mode: str,
    in_size: int,
    out_size: int,
    scale: float,
    roi: tuple[float, float] | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    nearest_mode: str = "round_prefer_floor",
    cubic_coeff_a: float = -0.75,
    exclude_outside: bool = False,
    antialias: bool = False,
    dtype: type[np.floating] = np.float32,
) -> Taps:
    """Find the taps of ONNX Resize along one axis: out[i] = Σ_t weight[i, t] · in[index[i, t]].

    `mode` is nearest, linear or cubic; `scale` is out / in as the node says it; `roi` (start, end) is used by
    tf_crop_and_resize only. `dtype` is the type of the weights and, but for mode nearest, of the coordinates. With
    tf_crop_and_resize an output outside the input has only zero weights (`extrapolated` finds such outputs) and takes
    the node's extrapolation value. Raises ValueError if a mode is unknown, a size is below 1 (an output of 0 is fine),
    or a scale is not positive.
    """
    _check(mode, in_size, out_size, scale, coordinate_transformation_mode, nearest_mode, antialias)
    precision = np.float32 if mode == "nearest" else dtype
    at = _coordinates(in_size, out_size, scale, roi, coordinate_transformation_mode, precision)
    at = at.astype(np.float64, copy=False)
    if mode == "nearest":
        index = _nearest(at, nearest_mode)[:, None]
        weight = np.ones((out_size, 1))
    else:
        index, weight = _neighbors(mode, at, scale, cubic_coeff_a, antialias)
        if exclude_outside:
            weight = np.where((index < 0) | (index >= in_size), 0.0, weight)
            total = weight.sum(axis=1, keepdims=True)
            weight = weight / np.where(total == 0, 1.0, total)
    if coordinate_transformation_mode == "tf_crop_and_resize":
        outside = (at < 0) | (at > in_size - 1)
        weight = np.where(outside[:, None], 0.0, weight)
    return np.clip(index, 0, in_size - 1).astype(np.int32), weight.astype(dtype)


def taps_by_axis(
    mode: str,
    sizes: Sequence[int],
    results: Sequence[int],
    scales: Sequence[float],
    roi: Sequence[float] | None = None,
    **modes: Any,
) -> dict[int, Taps]:
    """Return the taps of each axis that a resize from `sizes` to `results` changes; `scales` has a number for each
    axis, `roi` two, and `modes` are the other arguments of `resize_taps`.
    """
    taps: dict[int, Taps] = {}
    for axis, (size, result, scale) in enumerate(zip(sizes, results, scales, strict=True)):
        region = None if roi is None else (roi[2 * axis], roi[2 * axis + 1])
        if size == result and scale == 1.0 and region in (None, (0.0, 1.0)):
            continue
        taps[axis] = resize_taps(mode, size, result, scale, region, **modes)
    return taps


def extrapolated(weight: np.ndarray) -> np.ndarray:
    """Return which outputs lie outside the input (all their weights are 0): bool [out]."""
    return np.logical_not(weight.any(axis=-1, keepdims=True))[..., 0]


def is_gather(index: np.ndarray, weight: np.ndarray) -> bool:
    """Return whether the taps only copy elements: one tap of weight 1 for each output."""
    return index.shape[-1] == 1 and bool(np.all(weight == 1))


def resample(x: np.ndarray, axis: int, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Compute out[..., i, ...] = Σ_t weight[i, t] · x[..., index[i, t], ...] along the negative `axis`, in `x`'s type.

    `index` is int [out, taps] within the axis, `weight` f32 [out, taps]. With one tap of weight 1 it is a gather, for
    any type; otherwise `x` is a float array, summed in f32 in tap order and rounded once. Raises ValueError if an index
    lies outside the axis, or if integers would have to be mixed.
    """
    if index.shape != weight.shape or index.ndim != 2:
        raise ValueError(f"index {index.shape} and weight {weight.shape} must both be [out, taps]")
    if index.size and not (int(index.min()) >= 0 and int(index.max()) < x.shape[axis]):
        raise ValueError(f"an index lies outside an axis of {x.shape[axis]} elements")
    if is_gather(index, weight):
        return np.take(x, index[:, 0], axis=axis)
    if not is_float_dtype(x.dtype):
        raise ValueError(f"elements of {x.dtype} can be gathered, but not mixed")
    return _mix(x, axis, index, weight).astype(x.dtype, copy=False)


def _mix(x: np.ndarray, axis: int, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    shape = list(x.shape)
    shape[axis] = index.shape[0]
    total = np.zeros(shape, np.float32)
    along = [1] * x.ndim
    along[axis] = -1
    with np.errstate(over="ignore", invalid="ignore"):
        for tap in range(index.shape[1]):
            part = np.take(x, index[:, tap], axis=axis).astype(np.float32, copy=False)
            factor = weight[:, tap].astype(np.float32, copy=False).reshape(along)
            total += part * factor
    return total


def _check(
    mode: str,
    in_size: int,
    out_size: int,
    scale: float,
    coordinates: str,
    nearest: str,
    antialias: bool,
) -> None:
    if mode not in RESIZE_MODES:
        raise ValueError(f"unknown resize mode '{mode}' (known: {', '.join(RESIZE_MODES)})")
    if coordinates not in COORDINATE_MODES:
        raise ValueError(f"unknown coordinate transformation '{coordinates}'")
    if mode == "nearest" and nearest not in NEAREST_MODES:
        raise ValueError(f"unknown nearest mode '{nearest}' (known: {', '.join(NEAREST_MODES)})")
    if in_size < 1 or out_size < 0:
        raise ValueError(f"cannot resize {in_size} elements to {out_size}")
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"a resize scale must be positive and finite, not {scale}")
    if antialias and mode == "nearest":
        raise ValueError("antialias needs mode linear or cubic")


def _coordinates(
    in_size: int,
    out_size: int,
    scale: float,
    roi: tuple[float, float] | None,
    mode: str,
    dtype: type[np.floating],
) -> np.ndarray:
    """Return where each output element lies on the input's axis: [out] (ONNX, Resize, coordinate_transformation_mode).

    Coordinates of f32 are computed as ONNX Runtime does: the nearest element changes with the last bit, and linear
    weights are differences of coordinates, so that they add up to exactly 1 in f32.
    """
    x = np.arange(out_size, dtype=dtype)
    # As ONNX Runtime has it: length_resized of the specification is the whole size of the output.
    length = out_size
    if mode == "asymmetric":
        return x / scale
    if mode == "align_corners":
        return np.zeros(out_size) if length == 1 else x * (in_size - 1) / (length - 1)
    if mode == "tf_half_pixel_for_nn":  # opset 11 and 12
        return (x + 0.5) / scale
    if mode == "tf_crop_and_resize":
        if roi is None:
            raise ValueError("tf_crop_and_resize needs a region of interest")
        start, end = (dtype(each) for each in roi)
        first = start * dtype(in_size - 1)
        if length == 1:
            return np.full(1, np.float64(start + end) * 0.5 * (in_size - 1), dtype)
        return first + x * (end - start) * (in_size - 1) / (length - 1)
    if mode == "pytorch_half_pixel" and length == 1:
        return np.zeros(out_size)
    offset = 0.0
    if mode == "half_pixel_symmetric":
        offset = in_size / 2 * (1 - out_size / (scale * in_size))
    # Compute in this order, since floor and ceil make a difference in the last bit visible.
    return offset + (x + 0.5) / scale - 0.5


def _nearest(at: np.ndarray, mode: str) -> np.ndarray:
    """Return the whole coordinate nearest to each of `at`, by ONNX's nearest_mode."""
    if mode == "floor":
        return np.floor(at)
    if mode == "ceil":
        return np.ceil(at)
    if mode == "round_prefer_ceil":
        return np.floor(at + 0.5)
    return np.ceil(at - 0.5)


def _neighbors(
    mode: str, at: np.ndarray, scale: float, a: float, antialias: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return neighboring coordinates (some outside the axis) and their weights: [out, taps] each.

    The kernel has radius 1 (linear) or 2 (cubic); with antialias, and when shrinking, it is
    stretched by 1 / scale.
    """
    radius = 1 if mode == "linear" else 2
    stretch = min(scale, 1.0) if antialias else 1.0
    if antialias:
        at = _rounded_centers(at) - 0.5
    first = math.floor(-radius / stretch) + 1
    taps = 2 - 2 * first
    base = np.ceil(at) - 1  # below `at` by more than 0 and at most 1, as the reference has it
    offsets = first + np.arange(taps, dtype=np.float64)
    index = base[:, None] + offsets[None, :]
    distance = np.abs(index - at[:, None]) * stretch
    weight = np.maximum(1 - distance, 0) if mode == "linear" else _cubic(distance, a)
    if antialias:
        weight = np.where(_in_window(index, at, radius, stretch), weight, 0.0)
        weight = weight / weight.sum(axis=1, keepdims=True)
    return index, weight


def _rounded_centers(at: np.ndarray) -> np.ndarray:
    """Return `at` in coordinates whose elements have their centers at halves, rounded to f32 as ONNX Runtime does
    before it computes the weights of antialias.
    """
    return (at.astype(np.float32) + np.float32(0.5)).astype(np.float64)


def _in_window(index: np.ndarray, at: np.ndarray, radius: int, stretch: float) -> np.ndarray:
    """Return which elements antialias mixes: those whose centers lie in the window as ONNX Runtime finds it in f32,
    which may leave out an element at its edge, of a weight near 0.
    """
    center = (at + 0.5).astype(np.float32)[:, None]
    reach = np.float32(radius) * (np.float32(1) / np.float32(stretch))
    first = np.floor((center - reach).astype(np.float64) + 0.5)
    end = np.floor((center + reach).astype(np.float64) + 0.5)
    return (index >= first) & (index < end)


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """Compute the cubic convolution kernel (Keys, 1981, equation 15, with a free parameter)."""
    x = distance
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
