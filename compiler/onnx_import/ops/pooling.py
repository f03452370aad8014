"""Imports MaxPool and AveragePool over one to three spatial axes, LpPool over one or two, and GlobalLpPool.

LpPool is the p-norm of each window, (Σ |x|^p)^(1/p), GlobalLpPool that of each image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ....dialects import top
from ....dialects.network.shape import ShapeError, pool_shape
from ..graph.builder import GraphBuilder
from ..graph.node import Node
from ..graph.operator import Operator
from ..graph.value import Value, shape_of
from .reduction import check_image, over_image
from .window_attributes import WindowAttributes, emit_over_2d, read_window, spatial_2d


def read_pool_window(node: Node, shape: Sequence[int], *, most_axes: int = 2) -> WindowAttributes:
    """Return the window of a pool over an image of `shape`. Raises the errors of `read_window`."""
    kernel = node.integers("kernel_shape")
    if kernel is None:
        raise node.error("the attribute kernel_shape is missing")
    check_image(node, shape)
    return read_window(node, shape, kernel, most_axes=most_axes)


def _emit(node: Node, builder: GraphBuilder, kind: type, **more: bool) -> Value:
    image = node.input(0)
    window = read_pool_window(node, shape_of(image), most_axes=3)
    if len(shape_of(image)) == 5:
        return _emit_3d(node, builder, kind, window, **more)
    window = window.as_2d()
    return emit_over_2d(
        node,
        builder,
        len(shape_of(image)),
        kind,
        spatial_2d(node, builder, image),
        kernel=window.kernel,
        strides=window.strides,
        pads=window.pads,
        dilations=window.dilations,
        ceil_mode=window.ceil_mode,
        **more,
    )


def _emit_3d(
    node: Node, builder: GraphBuilder, kind: type, window: WindowAttributes, **more: bool
) -> Value:
    """Emit a pool over frames as one over frames alone and one over pixels.

    The greatest element of a box is the greatest of those of its rows, and so is the mean: the elements that count, of
    which pads are none, are as many in every frame that a box meets.
    """
    image = node.input(0)
    n, c, frames, height, width = shape_of(image)

    def new(suffix: str) -> str:
        return builder.derived(node.output, suffix)

    over_frames = {
        "kernel": (window.kernel[0], 1),
        "strides": (window.strides[0], 1),
        "pads": (window.pads[0], 0, window.pads[3], 0),
        "dilations": (window.dilations[0], 1),
    }
    rows = builder.reshape(image, (n, c, frames, height * width), new("rows"))
    back = builder.emit(
        kind, new("over_frames"), rows, **over_frames, ceil_mode=window.ceil_mode, **more
    )
    count = shape_of(back)[2]
    images = builder.reshape(back, (n, c * count, height, width), new("images"))
    over_pixels = {
        "kernel": window.kernel[1:],
        "strides": window.strides[1:],
        "pads": (*window.pads[1:3], *window.pads[4:]),
        "dilations": window.dilations[1:],
    }
    flat = builder.emit(kind, new("2d"), images, **over_pixels, ceil_mode=window.ceil_mode, **more)
    return builder.reshape(flat, (n, c, count, *shape_of(flat)[2:]), node.output)


def _max_pool(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    node.only_first_output("its output Indices is used")
    return [_emit(node, builder, top.MaxPoolOp), *[None] * (len(node.proto.output) - 1)]


def _average_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    include = bool(node.integer("count_include_pad", 0))
    return [_emit(node, builder, top.AvgPoolOp, count_include_pad=include)]


def _lp_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import LpPool as count^(1/p) · (mean |x|^p)^(1/p): the mean, which counts pads as zeros, keeps numbers small."""
    image, p = node.input(0), _exponent(node)
    window = read_pool_window(node, shape_of(image)).as_2d()
    powers = spatial_2d(node, builder, _power(node, builder, image, p))
    if window.ceil_mode:
        window = _in_floor_mode(node, window, shape_of(powers))
    mean = builder.emit(
        top.AvgPoolOp,
        builder.derived(node.output, "mean"),
        powers,
        kernel=window.kernel,
        strides=window.strides,
        pads=window.pads,
        dilations=window.dilations,
        count_include_pad=True,
    )
    root = _root(node, builder, mean, p, builder.derived(node.output, "root"))
    factor = builder.scalar(math.prod(window.kernel) ** (1 / p), node.output, "factor")
    return [emit_over_2d(node, builder, len(shape_of(image)), top.MulOp, root, factor)]


def _in_floor_mode(node: Node, window: WindowAttributes, shape: Sequence[int]) -> WindowAttributes:
    """Return a window in floor mode for one in ceil mode, by padding the image up to the end of the last window.

    All windows then have all of their elements, where ceil mode cuts off those of the last windows. Raises
    DiagnosticError if no window fits.
    """
    try:
        ceil = pool_shape(
            tuple(shape),
            kernel=window.kernel,
            strides=window.strides,
            pads=window.pads,
            dilations=window.dilations,
            ceil_mode=True,
        )
    except ShapeError as error:
        raise node.error(str(error)) from None
    begins, ends = window.pads[:2], []
    for axis, begin in enumerate(begins):
        span = window.dilations[axis] * (window.kernel[axis] - 1) + 1
        last = (ceil[axis + 2] - 1) * window.strides[axis] + span
        ends.append(max(last - begin - shape[axis + 2], 0))
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
    "MaxPool": Operator(_max_pool, "vector"),
    "AveragePool": Operator(_average_pool, "vector"),
    "LpPool": Operator(_lp_pool, "vector"),
    "GlobalLpPool": Operator(_global_lp_pool, "vector"),
}
"""The ops of this family."""
