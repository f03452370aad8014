"""Exports running sums and products."""

from __future__ import annotations

import numpy as np

from ....dialects import top
from ..exporter_function import ExportFunction
from ..function_call import attributes_of
from ..graph_writer import GraphWriter


def _running(kind: str) -> ExportFunction:
    """Return the exporter to an op along an axis, which is its second operand."""

    def export(op: top.CallOp, graph: GraphWriter) -> str:
        given, operands = attributes_of(op), list(map(graph.tensor, op.inputs))
        if len(operands) == 1:
            operands.append(graph.constant(np.array(given["axis"], np.int64), "axis"))
        exclusive, reverse = int(given["exclusive"]), int(given["reverse"])
        return graph.node(kind, *operands, exclusive=exclusive, reverse=reverse)

    return export


EXPORTERS = {"cumsum": _running("CumSum"), "cumprod": _running("CumProd")}
"""The exporters of this family, by the function's name."""
