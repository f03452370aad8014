"""Exports running sums."""

from __future__ import annotations

import numpy as np

from ....dialects import top
from ..function_call import attributes_of
from ..graph_writer import GraphWriter


def _cumsum(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    return graph.node(
        "CumSum",
        *op.inputs,
        graph.constant(np.array(given["axis"], np.int64), "axis"),
        exclusive=int(given["exclusive"]),
        reverse=int(given["reverse"]),
    )


EXPORTERS = {"cumsum": _cumsum}
"""The exporters of this family, by the function's name."""
