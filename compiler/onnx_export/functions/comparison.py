"""Exports comparisons."""

from __future__ import annotations

from ....dialects import top
from ..function_call import element_of_result, plain
from ..graph_writer import GraphWriter


def _not_equal(op: top.CallOp, graph: GraphWriter) -> str:
    return graph.node("Not", graph.node("Equal", *op.inputs, element=element_of_result(op)))


EXPORTERS = {
    "equal": plain("Equal"),
    "not_equal": _not_equal,
    "less": plain("Less"),
    "less_or_equal": plain("LessOrEqual"),
    "greater": plain("Greater"),
    "greater_or_equal": plain("GreaterOrEqual"),
}
"""The exporters of this family, by the function's name."""
