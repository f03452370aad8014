"""Exports triangles of matrices."""

from __future__ import annotations

import numpy as np

from ....dialects import top
from ..function_call import attributes_of
from ..graph_writer import GraphWriter


def _trilu(op: top.CallOp, graph: GraphWriter) -> str:
    given, operands = attributes_of(op), list(map(graph.tensor, op.inputs))
    if len(operands) == 1:
        operands.append(graph.constant(np.array(given["k"], np.int64), "k"))
    return graph.node("Trilu", *operands, upper=int(given["upper"]))


EXPORTERS = {"trilu": _trilu}
"""The exporters of this family, by the function's name."""
