"""Exports conversions of elements."""

from __future__ import annotations

from ....backends.numerics.functions.families.conversion import SATURATING
from ....backends.numerics.storage import EXPONENTS
from ....dialects import top
from ....dialects.quant.element_type import element_storage
from ..function_call import attributes_of, element_of_result
from ..graph_writer import GraphWriter


def _cast(op: top.CallOp, graph: GraphWriter) -> str:
    given, storage = attributes_of(op), element_storage(op.output.type)
    element = element_of_result(op)
    return graph.node(
        "Cast",
        *op.inputs,
        element=element,
        to=element,
        saturate=None if given["saturate"] or storage not in SATURATING else 0,
        round_mode=given["round_mode"] if storage == EXPONENTS else None,
    )


def _bit_cast(op: top.CallOp, graph: GraphWriter) -> str:
    element = element_of_result(op)
    return graph.node("BitCast", *op.inputs, element=element, to=element)


EXPORTERS = {"cast": _cast, "bit_cast": _bit_cast}
"""The exporters of this family, by the function's name."""
