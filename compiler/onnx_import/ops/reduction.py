"""Imports the reductions: ReduceMean, ReduceSum and the others, and the pools over all of an image.

A reduction's axes are an attribute (before opset 18; of ReduceSum before 13) or a constant input.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.builder import GraphBuilder
from ..graph.call import HOST_FOR_INTEGERS, reduced
from ..graph.node import Node
from ..graph.operator import ImportFunction, Operator
from ..graph.value import Value, shape_of

_KINDS = {
    "ReduceMean": "mean",
    "ReduceSum": "sum",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceProd": "prod",
    "ReduceL1": "l1",
    "ReduceL2": "l2",
    "ReduceSumSquare": "sum_square",
    "ReduceLogSum": "log_sum",
    "ReduceLogSumExp": "log_sum_exp",
}


def _reduce(kind: str) -> ImportFunction:
    """Return the import function of a reduction; without axes it is over all of them, or over none if the node says
    so.
    """

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        value = node.input(0)
        rank = len(shape_of(value))
        axes_since = 13 if kind == "sum" else 18
        if node.opset < axes_since:
            given = node.integers("axes")
        else:
            given = node.integers_of(1, "input axes")
        if given:
            axes = node.axes(given, rank)
        elif node.opset >= axes_since and node.integer("noop_with_empty_axes", 0):
            axes = ()
        else:
            axes = tuple(range(rank))
        keepdims = bool(node.integer("keepdims", 1))
        return [reduced(node, builder, kind, value, axes, keepdims=keepdims)]

    return lower


def _global_pool(kind: str) -> ImportFunction:
    """Return the import function of a pool over all spatial axes, which is a reduction."""

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        return [over_image(node, builder, node.input(0), kind, node.output)]

    return lower


def over_image(node: Node, builder: GraphBuilder, image: Value, kind: str, name: str) -> Value:
    """Emit the reduction `kind` of `image` [N, C, spatial...] over its spatial axes, which stay as axes of size 1."""
    axes = tuple(range(2, len(shape_of(image))))
    if not axes:
        raise node.error("its input must have at least 3 axes")
    check_image(node, shape_of(image))
    return reduced(node, builder, kind, image, axes, keepdims=True, name=name)


def check_image(node: Node, shape: Sequence[int]) -> None:
    """Raise DiagnosticError if an image [N, C, spatial...] has no pixels: a pool has nothing to choose from then, and
    ONNX Runtime refuses it.
    """
    if 0 in shape[2:]:
        raise node.error(f"its input {list(shape)} has no pixels to pool")


OPERATORS = {
    **{name: Operator(_reduce(kind), HOST_FOR_INTEGERS) for name, kind in _KINDS.items()},
    "GlobalAveragePool": Operator(_global_pool("mean"), "vector"),
    "GlobalMaxPool": Operator(_global_pool("max"), "vector"),
}
"""The ops of this family."""
