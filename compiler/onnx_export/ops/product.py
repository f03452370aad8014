"""Exports the matrix product."""

from __future__ import annotations

from ....dialects import top
from ....dialects.quant.element_type import shape_of
from ..graph_writer import GraphWriter


def _matmul(op: top.MatmulOp, graph: GraphWriter) -> str:
    """Export to MatMul; with a bias to Gemm, or to MatMul and Add where there are more axes than two."""
    if op.bias is None:
        return graph.node("MatMul", op.lhs, op.rhs)
    if len(shape_of(op.lhs)) == len(shape_of(op.rhs)) == 2:
        return graph.node("Gemm", op.lhs, op.rhs, op.bias)
    return graph.node("Add", graph.node("MatMul", op.lhs, op.rhs), op.bias)


EXPORTERS = {top.MatmulOp: _matmul}
"""The exporters of this family."""
