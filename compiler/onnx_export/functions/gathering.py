"""Exports functions that take elements by indices."""

from __future__ import annotations

from ....dialects import top
from ..function_call import along_axis, attributes_of
from ..graph_writer import GraphWriter


def _gather_nd(op: top.CallOp, graph: GraphWriter) -> str:
    return graph.node("GatherND", *op.inputs, batch_dims=attributes_of(op)["batch_dims"])


EXPORTERS = {
    "gather": along_axis("Gather"),
    "gather_elements": along_axis("GatherElements"),
    "gather_nd": _gather_nd,
}
"""The exporters of this family, by the function's name."""
