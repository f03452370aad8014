"""Exports the arithmetic of two operands."""

from __future__ import annotations

from typing import Any

from ....dialects import top
from ....dialects.quant.element_type import shape_of
from ..exporter_function import ExportFunction
from ..graph_writer import GraphWriter


def _binary(kind: str, **attributes: Any) -> ExportFunction:
    """Return the exporter to an op of two operands."""
    return lambda op, graph: graph.node(kind, op.lhs, op.rhs, **attributes)


def _prelu(op: top.PreluOp, graph: GraphWriter) -> str:
    """Export to PRelu, whose slope broadcasts to the other operand, and not the reverse."""
    value = graph.tensor(op.lhs)
    wanted = shape_of(op.output)
    if shape_of(op.lhs) != wanted:
        value = graph.node("Expand", value, graph.integers(wanted, "shape"))
    return graph.node("PRelu", value, op.rhs)


EXPORTERS = {
    top.AddOp: _binary("Add"),
    top.SubOp: _binary("Sub"),
    top.MulOp: _binary("Mul"),
    top.DivOp: _binary("Div"),
    top.MinOp: _binary("Min"),
    top.MaxOp: _binary("Max"),
    top.PowerOp: _binary("Pow"),
    top.ModuloOp: _binary("Mod", fmod=1),
    top.PreluOp: _prelu,
}
"""The exporters of this family."""
