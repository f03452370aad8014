"""Imports comparisons, the logic of bools, and Where."""

from __future__ import annotations

from collections.abc import Sequence

from ....dialects import top
from ..builder import GraphBuilder
from ..node import ImportFunction, Node, Operator, Value
from .elementwise import legacy_operands


def _compare(kind: str, *, swapped: bool = False) -> ImportFunction:
    """A comparison; a > b is b < a."""

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        lhs, rhs = legacy_operands(node, builder)
        operands = (rhs, lhs) if swapped else (lhs, rhs)
        return [builder.emit(top.CompareOp, node.output, *operands, kind=kind)]

    return lower


def _logical(kind: str) -> ImportFunction:
    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        operands = legacy_operands(node, builder)
        return [builder.emit(top.LogicalOp, node.output, *operands, kind=kind)]

    return lower


def _where(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    operands = (node.input(index) for index in range(3))
    return [builder.emit(top.SelectOp, node.output, *operands)]


OPERATORS = {
    "Equal": Operator(_compare("equal"), "vector"),
    "Less": Operator(_compare("less"), "vector"),
    "LessOrEqual": Operator(_compare("less_or_equal"), "vector"),
    "Greater": Operator(_compare("less", swapped=True), "vector"),
    "GreaterOrEqual": Operator(_compare("less_or_equal", swapped=True), "vector"),
    "And": Operator(_logical("and"), "vector"),
    "Or": Operator(_logical("or"), "vector"),
    "Xor": Operator(_logical("xor"), "vector"),
    "Where": Operator(_where, "vector"),
}
"""The ops of this family."""
