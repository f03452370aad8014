"""Exports functions of one operand, in the kinds that `top.unary` has, and prelu."""

from __future__ import annotations

from ....backends.numerics.unary import UNARY_KINDS
from ....dialects import top
from ..function_call import attributes_of, plain
from ..graph_writer import GraphWriter
from ..ops.pointwise import unary
from . import arithmetic


def _unary(op: top.CallOp, graph: GraphWriter) -> str:
    return unary(graph, op.function.data, op.inputs[0], **attributes_of(op))


EXPORTERS = {
    **{kind: _unary for kind in UNARY_KINDS if kind not in arithmetic.EXPORTERS},
    "prelu": plain("PRelu"),
}
"""The exporters of this family, by the function's name."""
