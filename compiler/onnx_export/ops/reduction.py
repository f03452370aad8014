"""Exports the reductions."""

from __future__ import annotations

from ....dialects import top
from ..graph_writer import GraphWriter

_KINDS = {
    "mean": "ReduceMean",
    "sum": "ReduceSum",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "prod": "ReduceProd",
    "l1": "ReduceL1",
    "l2": "ReduceL2",
    "sum_square": "ReduceSumSquare",
    "log_sum": "ReduceLogSum",
    "log_sum_exp": "ReduceLogSumExp",
}
"""The op of ONNX for each kind."""


def _reduce(op: top.ReduceOp, graph: GraphWriter) -> str:
    kind, axes = op.kind.data, op.axes.get_values()
    if not axes:
        return _of_single_elements(op, graph)
    keepdims = 0 if op.keepdims is None else 1
    return graph.node(_KINDS[kind], op.input, graph.integers(axes, "axes"), keepdims=keepdims)


def _of_single_elements(op: top.ReduceOp, graph: GraphWriter) -> str:
    """Export a reduction over no axes, each of a single element: ONNX takes a list of no axes for all of them."""
    kind = op.kind.data
    if kind == "sum_square":
        return graph.node("Mul", op.input, op.input)
    return graph.node({"l1": "Abs", "l2": "Abs", "log_sum": "Log"}.get(kind, "Identity"), op.input)


EXPORTERS = {top.ReduceOp: _reduce}
"""The exporters of this family."""
