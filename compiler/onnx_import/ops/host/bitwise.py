"""Imports functions of bits: BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot and BitShift of integers, and BitCast."""

from __future__ import annotations

from collections.abc import Sequence

from .....backends.numerics.storage import dtype_of
from .....dialects.quant.element_type import element_storage
from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node, UnsupportedNodeError
from ...graph.operator import ImportFunction, Operator
from ...graph.value import Value, dtype_of_value, element_of_onnx


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


def _bit_cast(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    element = element_of_onnx(node.integer("to", 0))
    if element is None:
        raise UnsupportedNodeError(
            "it reads bits as other elements than bools, integers and floats of 8 to 64 bits"
        )
    storage = element_storage(element)
    if dtype_of_value(node.input(0)) == dtype_of(storage):
        return [node.input(0)]
    return [call(node, builder, "bit_cast", node.input(0), to=storage)]


OPERATORS = {
    "BitCast": Operator(_bit_cast, "host"),
    "BitwiseAnd": Operator(_bitwise("bitwise_and"), "host"),
    "BitwiseOr": Operator(_bitwise("bitwise_or"), "host"),
    "BitwiseXor": Operator(_bitwise("bitwise_xor"), "host"),
    "BitwiseNot": Operator(_bitwise("bitwise_not"), "host"),
    "BitShift": Operator(_shift, "host"),
}
"""The ops of this family."""
