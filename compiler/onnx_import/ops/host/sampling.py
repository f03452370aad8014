"""Imports images sampled at computed places: GridSample, and AffineGrid, which computes the places."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from .....dialects import top
from ...graph.builder import GraphBuilder
from ...graph.call import call, is_for_engines
from ...graph.node import Node
from ...graph.operator import Operator
from ...graph.value import Constant, Value, dtype_of_value, shape_of

_MODES = {"bilinear": "linear", "bicubic": "cubic"}
"""The names of modes before opset 20."""


def _grid_sample(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    mode = node.string("mode", "linear")
    return [
        call(
            node,
            builder,
            "grid_sample",
            node.input(0),
            node.input(1),
            mode=_MODES.get(mode, mode),
            padding=node.string("padding_mode", "zeros"),
            align_corners=bool(node.integer("align_corners", 0)),
        )
    ]


def _affine_grid(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import AffineGrid: the coordinates of all pixels, which are constant, times the matrices theta [N, d, d + 1]."""
    theta = node.input(0)
    size = node.integers_of(1, "its size") or []
    n, axes = shape_of(theta)[0] if shape_of(theta) else 0, len(size) - 2
    if axes not in (2, 3) or min(size) < 1 or shape_of(theta) != (size[0], axes, axes + 1):
        raise node.error(
            f"theta {list(shape_of(theta))} and size {size} are not [N, d, d + 1] and [N, C, d sizes] of 2 or 3 axes"
        )
    builder.budget.spend(8 * (axes + 1) * prod(size[2:]), size, node.place)
    pixels = _pixels(size[2:], bool(node.integer("align_corners", 0)))
    matrix = Constant(pixels.astype(dtype_of_value(theta)), builder.derived(node.output, "pixels"))
    name = builder.derived(node.output, "coordinates")
    if is_for_engines(theta):
        rows = builder.reshape(
            theta, (n * axes, axes + 1), builder.derived(node.output, "theta_rows")
        )
        product = builder.emit(top.MatmulOp, name, rows, matrix)
    else:
        product = call(node, builder, "matmul", theta, matrix, name=name)
    apart = builder.reshape(
        product, (n, axes, *size[2:]), builder.derived(node.output, "coordinates_apart")
    )
    return [builder.transpose(apart, (0, *range(2, axes + 2), 1), node.output)]


def _pixels(sizes: Sequence[int], align_corners: bool) -> np.ndarray:
    """Return the coordinates of all pixels, from -1 to 1, the last axis first, and ones: f64 [d + 1, pixels]."""
    coordinates = []
    for size in sizes:
        if align_corners:
            coordinates.append(np.linspace(-1, 1, size))
        else:
            coordinates.append((2 * np.arange(size) + 1) / size - 1)
    grids = np.meshgrid(*coordinates, indexing="ij")
    return np.stack([*(each.reshape(-1) for each in grids[::-1]), np.ones(prod(sizes))])


OPERATORS = {
    "GridSample": Operator(_grid_sample, "host"),
    "AffineGrid": Operator(_affine_grid, "matrix"),
}
"""The ops of this family."""
