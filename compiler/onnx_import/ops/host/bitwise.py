"""Imports the functions of the bits of integers: BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot, BitShift."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node
from ...graph.operator import ImportFunction, Operator
from ...graph.value import Value


def _bitwise(function: str) -> ImportFunction:
    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        operands = (node.input(index) for index in range(len(node.inputs)))
        return [call(node, builder, function, *operands)]

    return lower


def _shift(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    direction = node.string("direction", "").lower()
    if direction not in ("left", "right"):
        raise node.error(f"direction must be LEFT or RIGHT, it is '{direction}'")
    return [call(node, builder, "bit_shift", node.input(0), node.input(1), direction=direction)]


OPERATORS = {
    "BitwiseAnd": Operator(_bitwise("bitwise_and"), "host"),
    "BitwiseOr": Operator(_bitwise("bitwise_or"), "host"),
    "BitwiseXor": Operator(_bitwise("bitwise_xor"), "host"),
    "BitwiseNot": Operator(_bitwise("bitwise_not"), "host"),
    "BitShift": Operator(_shift, "host"),
}
"""The ops of this family."""
