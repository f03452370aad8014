"""Imports MaxPool and AveragePool over one or two spatial axes."""

from __future__ import annotations

from collections.abc import Sequence

from ....dialects import top
from ..builder import GraphBuilder
from ..node import Node, Operator, Value, shape_of
from .sliding_windows import Window, emit_over_2d, read_window, spatial_2d


def read_pool_window(node: Node, shape: Sequence[int]) -> Window:
    """The 2-D window of a pool over an image of `shape`; diagnostics as `read_window`."""
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
    window = read_pool_window(node, shape_of(node.input(0)))
    return [_emit(node, builder, top.MaxPoolOp, window), *[None] * (len(node.proto.output) - 1)]


def _average_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    window = read_pool_window(node, shape_of(node.input(0)))
    include = bool(node.integer("count_include_pad", 0))
    return [_emit(node, builder, top.AvgPoolOp, window, count_include_pad=include)]


OPERATORS = {
    "MaxPool": Operator(_max_pool, "vector"),
    "AveragePool": Operator(_average_pool, "vector"),
}
"""The ops of this family."""
