"""How the nodes of the ONNX domain com.me become ops."""

from __future__ import annotations

from smalti.compiler.onnx_import.graph.builder import GraphBuilder
from smalti.compiler.onnx_import.graph.node import Node
from smalti.compiler.onnx_import.graph.value import Value

from .dialect import LeakyClampOp, RowScaleOp


def import_leaky_clamp(node: Node, builder: GraphBuilder) -> list[Value]:
    """com.me.LeakyClamp(x, low, high; shift = 3)."""
    operands = (node.input(index) for index in range(3))
    shift = node.integer("shift", 3)
    return [builder.emit(LeakyClampOp, node.output, *operands, shift=shift)]


def import_row_scale(node: Node, builder: GraphBuilder) -> list[Value]:
    """com.me.RowScale(x)."""
    return [builder.emit(RowScaleOp, node.output, node.input(0))]
