"""Imports Conv: any groups, strides, dilations and padding, over one or two spatial axes."""

from __future__ import annotations

from collections.abc import Sequence

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.node import Node
from ..graph.operator import Operator
from ..graph.value import Value, shape_of
from .window_attributes import emit_over_2d, read_window, spatial_2d


def _conv(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    image, weight, bias = node.input(0), node.input(1), node.optional(2)
    shape, weight_shape = shape_of(image), shape_of(weight)
    groups = node.integer("group", 1)
    if len(weight_shape) != len(shape):
        raise node.error(f"input {list(shape)} and weight {list(weight_shape)} differ in rank")
    kernel = node.integers("kernel_shape") or list(weight_shape[2:])
    if tuple(kernel) != weight_shape[2:]:
        raise node.error(f"kernel_shape is {kernel}, the weight's is {list(weight_shape[2:])}")
    window = read_window(node, shape, kernel).as_2d()
    if len(shape) == 3:
        outputs, inputs, taps = weight_shape
        name = builder.derived(node.output, "weight_2d")
        weight = builder.reshape(weight, (outputs, inputs, 1, taps), name)
    result = emit_over_2d(
        node,
        builder,
        len(shape),
        top.Conv2dOp,
        spatial_2d(node, builder, image),
        weight,
        bias,
        strides=window.strides,
        pads=window.pads,
        dilations=window.dilations,
        groups=groups,
    )
    return [result]


OPERATORS = {"Conv": Operator(_conv, "matrix (depthwise: vector)")}
"""The ops of this family."""
