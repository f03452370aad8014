"""Pools of regions of images: each region becomes an image of one size (ONNX, RoiAlign and MaxRoiPool)."""

from __future__ import annotations

import numpy as np

from ....storage import name_of
from ...function import (
    FLOATS,
    INDICES,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_rank,
    check_shape,
    check_storage,
    stored,
    taken,
)

_MAX_SAMPLES = 2**24
"""The most samples that are taken of one region along an axis: far more than images have pixels."""


def _output(x: TensorKind, regions: TensorKind, attributes: Attributes, columns: int) -> TensorKind:
    check_storage("x", x, FLOATS)
    check_storage("regions", regions, FLOATS)
    check_rank("x", x, 4)
    check_shape("regions", regions, (*regions.shape[:1], columns))
    height, width = attributes["height"], attributes["width"]
    if min(height, width) < 1:
        raise FunctionError(f"height {height} and width {width} must be positive")
    if 0 in x.shape[2:]:
        raise FunctionError(f"x {list(x.shape)} has no pixels")
    return TensorKind((regions.shape[0], x.shape[1], height, width), x.storage)


def _infer_align(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    x, regions, batch = taken(operands, "x", "regions", "batch")
    check_storage("batch", batch, INDICES)
    check_shape("batch", batch, regions.shape[:1])
    if attributes["samples"] < 0:
        raise FunctionError(f"samples must not be negative, got {attributes['samples']}")
    return [_output(x, regions, attributes, 4)]


def _infer_pool(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    x, regions = taken(operands, "x", "regions")
    return [_output(x, regions, attributes, 5)]


def _roi_align(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Pool samples between pixels. Where they are is computed in the precision of the regions, f32 at least.

    The greatest sample is, as in ONNX Runtime, the greatest of the four pixels' shares of it.
    """
    x, regions, batch = arrays
    precise = np.float64 if regions.dtype == np.float64 else np.float32
    scaled = regions.astype(precise) * precise(attributes["scale"])
    if attributes["half_pixel"]:
        scaled = scaled - precise(0.5)
    counts = (attributes["height"], attributes["width"])
    result = np.zeros((len(regions), x.shape[1], *counts), np.float64)
    for number, (left, top, right, bottom) in enumerate(scaled):
        image = x[_sample(batch[number], len(x))]
        (rows, tall), (columns, broad) = (
            _samples(start, end, count, size, attributes)
            for start, end, count, size in zip(
                (top, left), (bottom, right), counts, image.shape[1:], strict=True
            )
        )
        if not tall or not broad:
            continue
        total = np.zeros((x.shape[1], *counts)) if attributes["mode"] == "avg" else None
        parts = [
            image[:, row[:, None], column[None, :]].astype(np.float64)
            * (row_share[:, None] * column_share[None, :])
            for row, row_share in rows
            for column, column_share in columns
        ]
        grouped = [part.reshape(x.shape[1], counts[0], tall, counts[1], broad) for part in parts]
        if total is not None:
            result[number] = sum(part.sum(axis=(2, 4)) for part in grouped) / (tall * broad)
        else:
            result[number] = np.maximum.reduce(grouped).max(axis=(2, 4))
    return [stored(result, name_of(x.dtype))]


def _samples(
    start: np.floating, end: np.floating, count: int, size: int, attributes: Attributes
) -> tuple[list[tuple[np.ndarray, np.ndarray]], int]:
    """Return along one axis, for each sample, its two pixels and their shares; and how many samples a bin has."""
    precise = type(start)
    extent = end - start
    if not attributes["half_pixel"]:
        extent = max(extent, precise(1))  # a region without extent is one pixel
    of_bin = extent / precise(count)
    if not abs(float(of_bin)) < _MAX_SAMPLES / count:
        raise FunctionError(f"a region is {float(extent)} pixels long")
    samples = attributes["samples"] or max(int(np.ceil(of_bin)), 0)
    if not samples:
        return [], 0
    within = (np.arange(samples, dtype=precise) + precise(0.5)) * of_bin / precise(samples)
    place = (start + np.arange(count, dtype=precise)[:, None] * of_bin + within).reshape(-1)
    inside = (place >= -1) & (place <= size)
    place = np.clip(place, 0, size - 1)
    low = np.floor(place).astype(np.int64)
    rest = (place - low).astype(np.float64)
    high = np.minimum(low + 1, size - 1)
    return [(low, np.where(inside, 1 - rest, 0)), (high, np.where(inside, rest, 0))], samples


def _max_roi_pool(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Return the greatest pixel of each bin, 0 of a bin without pixels; corners are rounded away from zero."""
    x, regions = arrays
    height, width = attributes["height"], attributes["width"]
    result = np.zeros((len(regions), x.shape[1], height, width), x.dtype)
    precise = np.float64 if regions.dtype == np.float64 else np.float32
    scaled = regions[:, 1:].astype(precise) * precise(attributes["scale"])
    corners = np.trunc(scaled + np.copysign(precise(0.5), scaled))
    for number, (left, top, right, bottom) in enumerate(corners):
        image = x[_sample(regions[number, 0], len(x))]
        rows = _bins(top, bottom, height, image.shape[1])
        columns = _bins(left, right, width, image.shape[2])
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                pixels = image[:, row, column]
                if pixels.size:
                    result[number, :, i, j] = pixels.max(axis=(1, 2))
    return [result]


def _bins(start: float, end: float, count: int, size: int) -> list[slice]:
    """Return the pixels of each bin along one axis, which may share pixels."""
    if not (np.isfinite(start) and np.isfinite(end)):
        raise FunctionError(f"a region is from {start} to {end}")
    of_bin = type(start)(max(end - start + 1, 1)) / type(start)(count)
    edges = (
        (np.floor(number * of_bin) + start, np.ceil((number + 1) * of_bin) + start)
        for number in range(count)
    )
    return [slice(*(int(np.clip(edge, 0, size)) for edge in pair)) for pair in edges]


def _sample(number: np.generic, count: int) -> int:
    """Return which image a region is of. Raises FunctionError if there is no such image."""
    found = int(number) if np.isfinite(float(number)) else -1
    if not 0 <= found < count:
        raise FunctionError(f"a region is of image {number}, there are {count}")
    return found


_SIZE = {
    "height": Parameter(int, 1),
    "width": Parameter(int, 1),
    "scale": Parameter(float, 1.0),
}
FUNCTIONS = (
    Function(
        "roi_align",
        "The regions [left, top, right, bottom] of the images x [N, C, H, W] that batch names, each as `height` by "
        "`width` bins: the mean or the greatest of `samples` by `samples` samples (as many as it has pixels if 0).",
        _infer_align,
        _roi_align,
        {
            **_SIZE,
            "mode": Parameter(str, "avg", ("avg", "max")),
            "samples": Parameter(int, 0),
            "half_pixel": Parameter(bool, True),
        },
        example=(
            (TensorKind((3, 3, 8, 8), "f32"), TensorKind((4, 4), "f32"), TensorKind((4,), "i64")),
            {"height": 2, "width": 2, "samples": 2},
        ),
    ),
    Function(
        "max_roi_pool",
        "The regions [image, left, top, right, bottom] of the images x [N, C, H, W], each as the greatest pixels of "
        "`height` by `width` bins.",
        _infer_pool,
        _max_roi_pool,
        _SIZE,
        example=(
            (TensorKind((3, 3, 8, 8), "f32"), TensorKind((4, 5), "f32")),
            {"height": 2, "width": 2},
        ),
    ),
)
"""The functions of this family."""
