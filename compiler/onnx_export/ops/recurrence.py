"""Exports the recurrent layers: ops that differ in which result they give share a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....backends.numerics.recurrence import ACTIVATIONS
from ....dialects import top
from ..exporter_function import ExportFunction
from ..graph_writer import GraphWriter


def activation_attributes(
    kinds: Sequence[str], alpha: Sequence[float], beta: Sequence[float]
) -> dict[str, Any]:
    """Return ONNX's attributes for activations and their parameters, which are empty if no activation has them."""
    given: dict[str, Any] = {
        "activations": ["".join(map(str.capitalize, kind.split("_"))) for kind in kinds]
    }
    for name, numbers in (("alpha", alpha), ("beta", beta)):
        if numbers:
            # ONNX has a number for those activations only that take one.
            pairs = zip(kinds, numbers, strict=True)
            own = [number for kind, number in pairs if name in ACTIVATIONS[kind]]
            given[f"activation_{name}"] = own
    return given


def _attributes(op: top.RecurrentOp) -> dict[str, Any]:
    alpha, beta = ([] if each is None else each.get_values() for each in (op.alpha, op.beta))
    given: dict[str, Any] = {
        "hidden_size": op.sizes[3],
        "direction": op.direction.data,
        **activation_attributes(op.activations.data.split(), alpha, beta),
        "clip": None if op.clip is None else op.clip.value.data,
    }
    if isinstance(op, top.GruOp):
        given["linear_before_reset"] = int(op.linear_before_reset is not None)
    if isinstance(op, top.LstmOp) and op.input_forget is not None:
        given["input_forget"] = 1
    return given


def _recurrent(kind: str) -> ExportFunction:
    def export(op: top.RecurrentOp, graph: GraphWriter) -> str:
        operands = [op.input, op.weights, op.recurrence, op.bias, op.lengths, op.hidden]
        if isinstance(op, top.LstmOp):
            operands += [op.cell, op.peepholes]
        while operands[-1] is None:
            operands.pop()
        attributes = _attributes(op)
        names = tuple(None if each is None else graph.tensor(each) for each in operands)
        key = (kind, names, str(attributes))
        if key not in graph.shared:
            elements = [graph.element(op.input)] * len(op.RESULTS)
            graph.shared[key] = graph.node_of_several(kind, operands, elements, **attributes)
        return graph.shared[key][op.RESULTS.index(op.result.data)]

    return export


EXPORTERS = {
    top.LstmOp: _recurrent("LSTM"),
    top.GruOp: _recurrent("GRU"),
    top.RnnOp: _recurrent("RNN"),
}
"""The exporters of this family."""
