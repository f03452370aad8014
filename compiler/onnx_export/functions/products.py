"""Exports matrix products and sums of products."""

from __future__ import annotations

from ....dialects import top
from ..function_call import attributes_of, plain
from ..graph_writer import GraphWriter


def _einsum(op: top.CallOp, graph: GraphWriter) -> str:
    return graph.node("Einsum", *op.inputs, equation=attributes_of(op)["equation"])


EXPORTERS = {"matmul": plain("MatMul"), "einsum": _einsum}
"""The exporters of this family, by the function's name."""
