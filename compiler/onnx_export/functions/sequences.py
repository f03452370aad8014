"""Exports functions of sequences of several lengths."""

from __future__ import annotations

from ....dialects import top
from ..function_call import attributes_of
from ..graph_writer import GraphWriter


def _reverse_sequence(op: top.CallOp, graph: GraphWriter) -> str:
    return graph.node("ReverseSequence", *op.inputs, **attributes_of(op))


def _tensor_scatter(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    mode = "circular" if given["circular"] else "linear"
    return graph.node("TensorScatter", *op.inputs, axis=given["axis"], mode=mode)


EXPORTERS = {"reverse_sequence": _reverse_sequence, "tensor_scatter": _tensor_scatter}
"""The exporters of this family, by the function's name."""
