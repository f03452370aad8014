"""Exports functions that find the greatest and least elements."""

from __future__ import annotations

from ....dialects import top
from ..exporter_function import ExportFunction
from ..function_call import attributes_of, element_of_result, of_several
from ..graph_writer import GraphWriter


def _extreme(kind: str) -> ExportFunction:
    def export(op: top.CallOp, graph: GraphWriter) -> str:
        given = attributes_of(op)
        return graph.node(
            kind,
            *op.inputs,
            element=element_of_result(op),
            axis=given["axis"],
            keepdims=int(given["keepdims"]),
            select_last_index=int(given["last"]),
        )

    return export


def _top_k(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    operands = [*op.inputs, graph.integers([given["count"]], "count")]
    largest = int(given["largest"])
    return of_several(op, graph, "TopK", operands, axis=given["axis"], largest=largest, sorted=1)


EXPORTERS = {
    "argmax": _extreme("ArgMax"),
    "argmin": _extreme("ArgMin"),
    "top_k": _top_k,
}
"""The exporters of this family, by the function's name."""
