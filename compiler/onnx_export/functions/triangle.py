"""Exports triangles of matrices."""

from __future__ import annotations

import numpy as np

from ....dialects import top
from ..function_call import attributes_of
from ..graph_writer import GraphWriter


def _trilu(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    diagonal = graph.constant(np.array(given["k"], np.int64), "k")
    return graph.node("Trilu", *op.inputs, diagonal, upper=int(given["upper"]))


EXPORTERS = {"trilu": _trilu}
"""The exporters of this family, by the function's name."""
