"""Imports MaxPool, AveragePool and their global forms, over one or two spatial axes."""

from __future__ import annotations

from collections.abc import Sequence

from ...dialects import top
from .builder import GraphBuilder
from .node import Node, Operator, UnsupportedNodeError, Value, shape_of
from .windows import Window, emit_over_2d, read_window, spatial_2d


def _window(node: Node, shape: Sequence[int]) -> Window:
    kernel = node.integers("kernel_shape")
    if kernel is None:
        raise node.error("the attribute kernel_shape is missing")
    return read_window(node, shape, kernel).as_2d()


def _emit(node: Node, builder: GraphBuilder, kind: type, window: Window, **more: bool) -> Value:
    image = node.input(0)
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


def _max_pool(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    node.only_first_output("its output Indices is used")
    window = _window(node, shape_of(node.input(0)))
    return [_emit(node, builder, top.MaxPoolOp, window), *[None] * (len(node.proto.output) - 1)]


def _average_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    window = _window(node, shape_of(node.input(0)))
    include = bool(node.integer("count_include_pad", 0))
    return [_emit(node, builder, top.AvgPoolOp, window, count_include_pad=include)]


def _global_average_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    image = node.input(0)
    axes = tuple(range(2, len(shape_of(image))))
    if not axes:
        raise node.error("its input must have at least 3 axes")
    return [builder.emit(top.ReduceMeanOp, node.output, image, axes=axes, keepdims=True)]


def _global_max_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    sizes = shape_of(node.input(0))[2:]
    if len(sizes) not in (1, 2):
        raise UnsupportedNodeError(f"it has {len(sizes)} spatial axes; 1 and 2 are supported")
    ones = (1,) * len(sizes)
    window = Window(sizes, ones, ones, (0,) * (2 * len(sizes))).as_2d()
    return [_emit(node, builder, top.MaxPoolOp, window)]


OPERATORS = {
    "MaxPool": Operator(_max_pool, "vector"),
    "AveragePool": Operator(_average_pool, "vector"),
    "GlobalAveragePool": Operator(_global_average_pool, "vector"),
    "GlobalMaxPool": Operator(_global_max_pool, "vector"),
}
"""The ops of this family."""
