"""Exports functions that put updates where indices say."""

from __future__ import annotations

from ....dialects import top
from ..exporter_function import ExportFunction
from ..function_call import attributes_of
from ..graph_writer import GraphWriter

_EXTREMES_SINCE = 18
"""Since which opset the reductions min and max exist."""


def _scatter(kind: str, *names: str) -> ExportFunction:
    def export(op: top.CallOp, graph: GraphWriter) -> str:
        given = attributes_of(op)
        own = {name: given[name] for name in ("reduction", *names)}
        since = _EXTREMES_SINCE if given["reduction"] in ("min", "max") else None
        return graph.node(kind, *op.inputs, since=since, **own)

    return export


EXPORTERS = {
    "scatter_elements": _scatter("ScatterElements", "axis"),
    "scatter_nd": _scatter("ScatterND"),
}
"""The exporters of this family, by the function's name."""
