"""Exports one-hot vectors."""

from __future__ import annotations

import numpy as np

from ....dialects import top
from ..function_call import attributes_of, element_of_result
from ..graph_writer import GraphWriter


def _one_hot(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    indices, values = op.inputs
    depth = graph.constant(np.array(given["depth"], np.int64), "depth")
    element = element_of_result(op)
    return graph.node("OneHot", indices, depth, values, element=element, axis=given["axis"])


EXPORTERS = {"one_hot": _one_hot}
"""The exporters of this family, by the function's name."""
