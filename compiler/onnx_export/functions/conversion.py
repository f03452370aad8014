"""Exports conversions of elements."""

from __future__ import annotations

from ..exporter_function import ExportFunction
from ..function_call import element_of_result


def _to(kind: str) -> ExportFunction:
    """Return the exporter to an op that names the elements of its result."""
    return lambda op, graph: graph.node(
        kind, *op.inputs, element=element_of_result(op), to=element_of_result(op)
    )


EXPORTERS = {"cast": _to("Cast"), "bit_cast": _to("BitCast")}
"""The exporters of this family, by the function's name."""
