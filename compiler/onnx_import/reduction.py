"""Imports ReduceMean, its axes given as an attribute (before opset 18) or as a constant input."""

from __future__ import annotations

from collections.abc import Sequence

from ...dialects import top
from .builder import GraphBuilder
from .node import Node, Operator, Value, shape_of


def _reduce_mean(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    rank = len(shape_of(value))
    given = node.integers("axes") if node.opset < 18 else node.integers_of(1, "input axes")
    if not given and node.opset >= 18 and node.integer("noop_with_empty_axes", 0):
        return [value]
    axes = node.axes(given, rank) if given else tuple(range(rank))
    if not axes:
        return [value]
    keepdims = bool(node.integer("keepdims", 1))
    return [builder.emit(top.ReduceMeanOp, node.output, value, axes=axes, keepdims=keepdims)]


OPERATORS = {"ReduceMean": Operator(_reduce_mean, "vector")}
"""The ops of this family."""
