"""Ops that read images between their elements, and regions of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.onnx_fuzz.draw import Draw


def resize(draw: Draw) -> None:
    """All modes and coordinates, by scales or sizes."""
    operand = draw.operand(None, (3, 5), lambda array: array.size < 300)
    shape = draw.arrays[operand].shape
    mode = draw.choice(("nearest", "linear", "cubic" if len(shape) == 4 else "linear"))
    coordinates = draw.choice(("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"))
    spatial = len(shape) - 2 if mode != "cubic" else 2
    factors = [1.0] * (len(shape) - spatial) + [
        draw.choice((0.5, 1.0, 1.5, 2.0)) for _ in range(spatial)
    ]
    if draw.chance(0.5):
        operands = ["", draw.constant(factors, np.float32)]
    else:
        sizes = [max(1, int(size * factor)) for size, factor in zip(shape, factors, strict=True)]
        operands = ["", "", draw.constant(sizes)]
    nearest = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    draw.node(
        "Resize",
        [operand, *operands],
        mode=mode,
        coordinate_transformation_mode=coordinates,
        nearest_mode=draw.choice(nearest) if mode == "nearest" else None,
        cubic_coeff_a=draw.choice((None, -0.5)) if mode == "cubic" else None,
        exclude_outside=draw.choice((None, 1)) if mode == "cubic" else None,
    )


def grid_sample(draw: Draw) -> None:
    """All modes and borders, points outside the image among them."""
    if draw.opset < 16:
        return
    shape = (draw.integer(1, 2), draw.integer(1, 3), draw.integer(2, 5), draw.integer(2, 5))
    grid = draw.rng.uniform(-1.4, 1.4, (shape[0], draw.integer(1, 4), draw.integer(1, 4), 2))
    modes = (
        ("linear", "nearest", "cubic") if draw.opset >= 20 else ("bilinear", "nearest", "bicubic")
    )
    draw.node(
        "GridSample",
        [draw.operand(np.float32, shape=shape), draw.new(grid.astype(np.float32))],
        mode=draw.choice(modes),
        padding_mode=draw.choice((None, "zeros", "border", "reflection")),
        align_corners=draw.choice((None, 0, 1)),
    )


def affine_grid(draw: Draw) -> None:
    """The points of a plane or of a space."""
    if draw.opset < 20:
        return
    rank = draw.choice((2, 3))
    samples = draw.integer(1, 2)
    theta = draw.operand(np.float32, shape=(samples, rank, rank + 1))
    sizes = [samples, draw.integer(1, 2), *(draw.integer(2, 4) for _ in range(rank))]
    draw.node("AffineGrid", [theta, draw.constant(sizes)], align_corners=draw.choice((None, 0, 1)))


def region_align(draw: Draw) -> None:
    """Boxes inside an image, averaged or the largest."""
    image = draw.operand(np.float32, shape=(2, draw.integer(1, 3), 6, 7))
    count = draw.integer(1, 3)
    corners = draw.rng.uniform(0, 3, (count, 2))
    boxes = np.concatenate([corners, corners + draw.rng.uniform(1, 3, (count, 2))], axis=1)
    samples = draw.rng.integers(0, 2, count).astype(np.int64)
    draw.node(
        "RoiAlign",
        [image, draw.new(boxes.astype(np.float32)), draw.new(samples)],
        mode=draw.choice((None, "avg")),
        output_height=draw.integer(1, 3),
        output_width=draw.integer(1, 3),
        sampling_ratio=draw.integer(1, 2),
        coordinate_transformation_mode=draw.choice((None, "half_pixel", "output_half_pixel"))
        if draw.opset >= 16
        else None,
    )


def fourier(draw: Draw) -> None:
    """Of real or complex signals, whole or half, forward or back."""
    if draw.opset < 20:
        return
    parts = draw.choice((1, 2))
    operand = draw.operand(
        np.float32, shape=(draw.integer(1, 2), draw.integer(2, 8), draw.integer(1, 3), parts)
    )
    inverse = draw.choice((None, 0, 1)) if parts == 2 else None
    inputs = [operand, "", draw.constant(draw.choice((1, -3)))]
    draw.node(
        "DFT", inputs, inverse=inverse, onesided=1 if parts == 1 and draw.chance(0.5) else None
    )


DRAWS: dict[str, Callable[[Draw], None]] = {
    "AffineGrid": affine_grid,
    "DFT": fourier,
    "GridSample": grid_sample,
    "Resize": resize,
    "RoiAlign": region_align,
}
