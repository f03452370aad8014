"""Imports MaxPool, AveragePool and LpPool over any number of spatial axes, and GlobalLpPool.

LpPool is the p-norm of each window, (Σ |x|^p)^(1/p), GlobalLpPool that of each image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from ....backends.numerics.windows.sliding_windows import window_extent
from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.call import HOST_FOR_INTEGERS, call, is_f64, is_for_engines, reduced
from ..graph.node import Node
from ..graph.operator import Operator
from ..graph.value import Constant, Value, shape_of
from .convolution import taps_of
from .movement import concat_of
from .reduction import check_image, over_image
from .window_attributes import WindowAttributes, read_window, window_positions


def read_pool_window(node: Node, shape: Sequence[int]) -> WindowAttributes:
    """Return the window of a pool over an image of `shape`. Raises the errors of `read_window`."""
    kernel = node.integers("kernel_shape")
    if kernel is None:
        raise node.error("the attribute kernel_shape is missing")
    check_image(node, shape)
    return read_window(node, shape, kernel)


def _pooled(
    node: Node,
    builder: GraphBuilder,
    image: Value,
    kind: type,
    window: WindowAttributes,
    name: str,
    **more: bool,
) -> Value:
    """Emit the pool `kind` of `image` [N, C, spatial...] under the name `name`.

    Maxima, and means, of a window are those along one axis after the other (the elements that a mean divides by are a
    product of numbers for the axes): the last two axes are pooled first, then each of the others that is not whole.
    """
    rank = window.rank
    last = [None, 0] if rank == 1 else [rank - 2, rank - 1]
    steps = [last, *([axis, None] for axis in range(rank - 3, -1, -1))]
    covered = [each for each in steps if not window.of_axes(*each).is_whole] or [last]
    for number, axes in enumerate(covered, 1):
        own = name if number == len(covered) else builder.derived(name, "pooled")
        image = _pooled_2d(node, builder, image, kind, window, axes, own, **more)
    return image


def _pooled_2d(
    node: Node,
    builder: GraphBuilder,
    image: Value,
    kind: type,
    window: WindowAttributes,
    axes: Sequence[int | None],
    name: str,
    **more: bool,
) -> Value:
    """Emit the pool over two neighboring spatial axes, or one beside None; the axes around them are joined."""
    n, c, *sizes = shape_of(image)
    known = [axis for axis in axes if axis is not None]
    first, end = known[0], known[-1] + 1
    if len(known) == 2:
        pair = sizes[first:end]
    elif axes[0] is None:
        pair = [1, sizes[first]]
    else:
        pair = [sizes[first], prod(sizes[end:])]
    lead = prod(sizes[:first])
    is_flat = len(sizes) == 2
    flat = builder.reshape(image, (n, c * lead, *pair), builder.derived(name, "input_2d"))
    chosen = window.of_axes(*axes)
    own = name if is_flat else builder.derived(name, "2d")
    if is_f64(flat) and kind is top.AvgPoolOp:
        made = _mean_of_f64(node, builder, flat, chosen, own, **more)
    else:
        made = builder.emit(
            kind,
            own,
            flat,
            kernel=chosen.kernel,
            strides=chosen.strides,
            pads=chosen.pads,
            dilations=chosen.dilations,
            ceil_mode=chosen.ceil_mode,
            **more,
        )
    height, width = shape_of(made)[2:]
    found = [height, width] if len(known) == 2 else [width if axes[0] is None else height]
    return builder.reshape(made, (n, c, *sizes[:first], *found, *sizes[end:]), name)


def _mean_of_f64(
    node: Node,
    builder: GraphBuilder,
    image: Value,
    window: WindowAttributes,
    name: str,
    *,
    count_include_pad: bool,
) -> Value:
    """Emit the mean of each window of `image` [N, C, H, W] of f64 as the sum of what its elements see, divided by how
    many of them lie inside. Raises UnsupportedNodeError if the window has too many elements.
    """
    n, c, *sizes = shape_of(image)
    positions = window_positions(node, window, sizes)
    floor = _in_floor_mode(node, window, sizes) if window.ceil_mode else window
    apart = (n, c, 1, *positions)
    seen = [
        builder.reshape(tap, apart, builder.derived(name, "tap_apart"))
        for tap in taps_of(node, builder, image, floor, name)
    ]
    windows = concat_of(builder, seen, 2, builder.derived(name, "windows"))
    total = reduced(
        node, builder, "sum", windows, (2,), keepdims=False, name=builder.derived(name, "sum")
    )
    margins = window.pads if count_include_pad else (0,) * 4
    rows, columns = (
        _taps_inside(window, axis, size, count, (margins[axis], margins[2 + axis]))
        for axis, (size, count) in enumerate(zip(sizes, positions, strict=True))
    )
    counts = np.multiply.outer(rows, columns)
    divisor = Constant(counts.astype(np.float64), builder.derived(name, "count"))
    return builder.emit(top.DivOp, name, total, divisor)


def _taps_inside(
    window: WindowAttributes, axis: int, size: int, positions: int, margins: tuple[int, int]
) -> np.ndarray:
    """Count how many elements of the window lie inside an image of `size` with margins, along an axis: [positions]."""
    begin = np.arange(positions) * window.strides[axis] - window.pads[axis]
    at = begin[:, None] + np.arange(window.kernel[axis]) * window.dilations[axis]
    return ((at >= -margins[0]) & (at < size + margins[1])).sum(axis=1)


def _max_pool(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    """Import MaxPool; of integers, and with the places of the greatest elements, as calls."""
    image = node.input(0)
    window = read_pool_window(node, shape_of(image))
    if is_for_engines(image) and not node.uses_output(1):
        made = _pooled(node, builder, image, top.MaxPoolOp, window, node.output)
        return [made, *[None] * (len(node.proto.output) - 1)]
    return [
        call(
            node,
            builder,
            "max_pool",
            image,
            name=name,
            result=result,
            kernel=window.kernel,
            strides=window.strides,
            dilations=window.dilations,
            pads=window.pads,
            ceil_mode=window.ceil_mode,
            column_major=bool(node.integer("storage_order", 0)),
        )
        if used
        else None
        for result, (name, used) in enumerate(
            zip(node.proto.output, node.used_outputs, strict=True)
        )
    ]


def _average_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    image = node.input(0)
    window = read_pool_window(node, shape_of(image))
    include = bool(node.integer("count_include_pad", 0))
    return [
        _pooled(node, builder, image, top.AvgPoolOp, window, node.output, count_include_pad=include)
    ]


def _lp_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import LpPool as count^(1/p) · (mean |x|^p)^(1/p): the mean, which counts pads as zeros, keeps numbers small."""
    image, p = node.input(0), _exponent(node)
    window = read_pool_window(node, shape_of(image))
    powers = _power(node, builder, image, p)
    if window.ceil_mode:
        window = _in_floor_mode(node, window, shape_of(powers)[2:])
    name = builder.derived(node.output, "mean")
    mean = _pooled(node, builder, powers, top.AvgPoolOp, window, name, count_include_pad=True)
    root = _root(node, builder, mean, p, builder.derived(node.output, "root"))
    factor = builder.scalar(prod(window.kernel) ** (1 / p), node.output, "factor")
    return [builder.emit(top.MulOp, node.output, root, factor)]


def _in_floor_mode(node: Node, window: WindowAttributes, sizes: Sequence[int]) -> WindowAttributes:
    """Return a window in floor mode for one in ceil mode, by padding the image up to the end of the last window.

    All windows then have all of their elements, where ceil mode cuts off those of the last windows. Raises
    DiagnosticError if no window fits.
    """
    begins, ends = window.pads[: window.rank], []
    for axis, count in enumerate(window_positions(node, window, sizes)):
        span = window_extent(window.kernel[axis], window.dilations[axis])
        last = (count - 1) * window.strides[axis] + span
        ends.append(max(last - begins[axis] - sizes[axis], 0))
    return replace(window, pads=(*begins, *ends), ceil_mode=False)


def _global_lp_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import GlobalLpPool: the p-norm over all spatial axes."""
    p = _exponent(node)
    if p in (1, 2):
        return [over_image(node, builder, node.input(0), f"l{p:g}", node.output)]
    powers = _power(node, builder, node.input(0), p)
    total = over_image(node, builder, powers, "sum", builder.derived(node.output, "sum"))
    return [_root(node, builder, total, p, node.output)]


def _exponent(node: Node) -> float:
    """Return the attribute p, which is a real number before opset 2."""
    p = node.integer("p", 2) if node.opset >= 2 else node.real("p", 2.0)
    if not (math.isfinite(p) and p > 0):
        raise node.error(f"p must be positive, it is {p:g}")
    return p


def _power(node: Node, builder: GraphBuilder, value: Value, p: float) -> Value:
    """Emit |value|^p."""
    name = builder.derived(node.output, "power")
    if p == 2:
        return builder.emit(top.MulOp, name, value, value)
    if p == 1:
        return builder.emit(top.UnaryOp, name, value, kind="abs")
    if p % 2:
        magnitude = builder.derived(node.output, "magnitude")
        value = builder.emit(top.UnaryOp, magnitude, value, kind="abs")
    return builder.emit(top.UnaryOp, name, value, kind="power", alpha=float(p))


def _root(node: Node, builder: GraphBuilder, value: Value, p: float, name: str) -> Value:
    """Emit value^(1/p) under the name `name`; return the value itself if p is 1."""
    if p == 1:
        return value
    if p == 2:
        return builder.emit(top.UnaryOp, name, value, kind="sqrt")
    return builder.emit(top.UnaryOp, name, value, kind="power", alpha=1 / p)


OPERATORS = {
    "MaxPool": Operator(_max_pool, HOST_FOR_INTEGERS),
    "AveragePool": Operator(_average_pool, "vector"),
    "LpPool": Operator(_lp_pool, "vector"),
    "GlobalLpPool": Operator(_global_lp_pool, "vector"),
}
"""The ops of this family."""
