"""Imports functions along one axis: ArgMax, ArgMin, CumSum, CumProd, TopK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node, UnsupportedNodeError
from ...graph.operator import ImportFunction, Operator
from ...graph.value import Constant, Value, shape_of


def _extreme(kind: str) -> ImportFunction:
    """Return the import function of ArgMax or ArgMin; the attribute select_last_index exists since opset 12."""

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        value = node.input(0)
        (axis,) = node.axes([node.integer("axis", 0)], len(shape_of(value)))
        if shape_of(value)[axis] == 0:
            raise node.error(
                f"axis {axis} of {list(shape_of(value))} has no elements to choose from"
            )
        return [
            call(
                node,
                builder,
                kind,
                value,
                axis=axis,
                keepdims=bool(node.integer("keepdims", 1)),
                last=bool(node.integer("select_last_index", 0)),
            )
        ]

    return lower


def _running(function: str) -> ImportFunction:
    """Return the import function of CumSum or CumProd, whose axis may be computed."""

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        value, given = node.input(0), node.input(1)
        options: dict[str, Any] = {
            name: bool(node.integer(name, 0)) for name in ("exclusive", "reverse")
        }
        if not isinstance(given, Constant):
            return [call(node, builder, function, value, given, **options)]
        axes = node.integers_of(1, "axis")
        if axes is None or len(axes) != 1:
            raise node.error("its axis must be one number")
        (axis,) = node.axes(axes, len(shape_of(value)))
        return [call(node, builder, function, value, axis=axis, **options)]

    return lower


def _top_k(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    """Import TopK: values and positions. k is an attribute before opset 10; results are sorted even if they need not
    be.
    """
    value = node.input(0)
    (axis,) = node.axes([node.integer("axis", -1)], len(shape_of(value)))
    given = [node.integer("k", 0)] if node.opset < 10 else node.integers_of(1, "its k")
    if given is None or len(given) != 1:
        raise node.error("its k must be one number")
    (count,) = given
    if not 0 <= count <= shape_of(value)[axis]:
        raise UnsupportedNodeError(
            f"its k is {count}, of an axis of {shape_of(value)[axis]} elements"
        )
    return [
        call(
            node,
            builder,
            "top_k",
            value,
            name=name,
            result=result,
            axis=axis,
            count=count,
            largest=bool(node.integer("largest", 1)),
        )
        if used
        else None
        for result, (name, used) in enumerate(
            zip(node.proto.output, node.used_outputs, strict=True)
        )
    ]


OPERATORS = {
    "ArgMax": Operator(_extreme("argmax"), "host"),
    "ArgMin": Operator(_extreme("argmin"), "host"),
    "CumSum": Operator(_running("cumsum"), "host"),
    "CumProd": Operator(_running("cumprod"), "host"),
    "TopK": Operator(_top_k, "host"),
}
"""The ops of this family."""
