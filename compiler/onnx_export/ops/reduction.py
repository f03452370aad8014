"""Exports the reductions."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

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


def reduction(
    graph: GraphWriter, kind: str, value: SSAValue, axes: Sequence[int], keepdims: bool
) -> str:
    """Append the reduction `kind` of a tensor over axes, and return the name of its result."""
    if axes:
        listed = graph.integers(axes, "axes")
        return graph.node(_KINDS[kind], value, listed, keepdims=int(keepdims))
    # Each reduction is of a single element: ONNX takes a list of no axes for all of them.
    if kind == "sum_square":
        return graph.node("Mul", value, value)
    return graph.node({"l1": "Abs", "l2": "Abs", "log_sum": "Log"}.get(kind, "Identity"), value)


def _reduce(op: top.ReduceOp, graph: GraphWriter) -> str:
    keepdims = op.keepdims is not None
    return reduction(graph, op.kind.data, op.input, op.axes.get_values(), keepdims)


EXPORTERS = {top.ReduceOp: _reduce}
"""The exporters of this family."""
