"""Imports windows that are put back into images, and those that are moved: Col2Im, MaxUnpool, DeformConv."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node
from ...graph.operator import Operator
from ...graph.value import Constant, Value, dtype_of_value, shape_of


def _lists(node: Node, *names: str) -> dict[str, Any]:
    """Return those of some attributes that the node has."""
    found = ((name, node.integers(name)) for name in names)
    return {name: values for name, values in found if values}


def _col2im(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    image, block = node.integers_of(1, "its image_shape"), node.integers_of(2, "its block_shape")
    if not image or not block:
        raise node.error("image_shape and block_shape must be given")
    given = _lists(node, "strides", "dilations", "pads")
    return [call(node, builder, "col2im", node.input(0), image=image, kernel=block, **given)]


def _max_unpool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import MaxUnpool; a greater output_shape adds zeros at the ends."""
    kernel = node.integers("kernel_shape")
    if not kernel:
        raise node.error("the attribute kernel_shape is missing")
    shape = node.integers_of(2, "its output_shape")
    given = _lists(node, "strides", "pads")
    if shape:
        given["shape"] = shape
    operands = (node.input(0), node.input(1))
    return [call(node, builder, "max_unpool", *operands, kernel=kernel, **given)]


def _deform_conv(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import DeformConv; a mask without a bias gets a bias of zeros."""
    x, weight, offset = (node.input(index) for index in range(3))
    kernel = node.integers("kernel_shape")
    if kernel is not None and tuple(kernel) != shape_of(weight)[2:]:
        raise node.error(
            f"kernel_shape {kernel} is not that of its weight {list(shape_of(weight))}"
        )
    bias, mask = node.optional(3), node.optional(4)
    if mask is not None and bias is None:
        zeros = np.zeros(shape_of(weight)[:1], dtype_of_value(x))
        bias = Constant(zeros, builder.derived(node.output, "bias"))
    operands = [each for each in (x, weight, offset, bias, mask) if each is not None]
    return [
        call(
            node,
            builder,
            "deform_conv",
            *operands,
            group=node.integer("group", 1),
            offset_group=node.integer("offset_group", 1),
            **_lists(node, "strides", "dilations", "pads"),
        )
    ]


OPERATORS = {
    "Col2Im": Operator(_col2im, "host"),
    "MaxUnpool": Operator(_max_unpool, "host"),
    "DeformConv": Operator(_deform_conv, "host"),
}
"""The ops of this family."""
