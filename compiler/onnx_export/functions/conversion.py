"""Exports conversions of elements."""

from __future__ import annotations

from ....dialects import top
from ..function_call import element_of_result
from ..graph_writer import GraphWriter


def _cast(op: top.CallOp, graph: GraphWriter) -> str:
    element = element_of_result(op)
    return graph.node("Cast", *op.inputs, element=element, to=element)


EXPORTERS = {"cast": _cast}
"""The exporters of this family, by the function's name."""
