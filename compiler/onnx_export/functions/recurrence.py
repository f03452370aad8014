"""Exports recurrent layers that the host computes, such as those of f64."""

from __future__ import annotations

from ....dialects import top
from ....dialects.quant.element_type import shape_of
from ..exporter_function import ExportFunction
from ..function_call import attributes_of, of_several
from ..graph_writer import GraphWriter
from ..ops.recurrence import activation_attributes


def _recurrent(kind: str, *flags: str) -> ExportFunction:
    def export(op: top.CallOp, graph: GraphWriter) -> str:
        given = attributes_of(op)
        return of_several(
            op,
            graph,
            kind,
            op.inputs,
            hidden_size=shape_of(op.inputs[2])[2],
            direction=given["direction"],
            **activation_attributes(given["activations"], given["alpha"], given["beta"]),
            clip=given["clip"] or None,
            **{flag: int(given[flag]) for flag in flags},
        )

    return export


EXPORTERS = {
    "lstm": _recurrent("LSTM", "input_forget"),
    "gru": _recurrent("GRU", "linear_before_reset"),
    "rnn": _recurrent("RNN"),
}
"""The exporters of this family, by the function's name."""
