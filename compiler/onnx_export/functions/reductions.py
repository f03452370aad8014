"""Exports reductions, and functions that weigh the elements along an axis."""

from __future__ import annotations

from ....dialects import top
from ..function_call import along_axis, attributes_of
from ..graph_writer import GraphWriter
from ..ops.reduction import reduction


def _reduce(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    return reduction(graph, given["kind"], op.inputs[0], given["axes"], given["keepdims"])


EXPORTERS = {
    "reduce": _reduce,
    "softmax": along_axis("Softmax"),
    "log_softmax": along_axis("LogSoftmax"),
    "hardmax": along_axis("Hardmax"),
}
"""The exporters of this family, by the function's name."""
