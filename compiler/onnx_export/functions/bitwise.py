"""Exports functions of the bits of integers."""

from __future__ import annotations

from ....dialects import top
from ..function_call import attributes_of, plain
from ..graph_writer import GraphWriter


def _bit_shift(op: top.CallOp, graph: GraphWriter) -> str:
    direction = attributes_of(op)["direction"].upper()
    return graph.node("BitShift", *op.inputs, direction=direction)


EXPORTERS = {
    "bitwise_and": plain("BitwiseAnd"),
    "bitwise_or": plain("BitwiseOr"),
    "bitwise_xor": plain("BitwiseXor"),
    "bitwise_not": plain("BitwiseNot"),
    "bit_shift": _bit_shift,
}
"""The exporters of this family, by the function's name."""
