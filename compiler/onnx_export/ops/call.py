"""Exports calls of named functions: those that ONNX has as an op, or as several."""

from __future__ import annotations

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....dialects import top
from ....dialects.ir.location import place_of
from ..function_table import FUNCTION_EXPORTERS
from ..graph_writer import GraphWriter


def _call(op: top.CallOp, graph: GraphWriter) -> str:
    function = op.function.data
    exporter = FUNCTION_EXPORTERS.get(function)
    if exporter is None:
        raise DiagnosticError(
            f"{op.name} '{op.result_name.data}' cannot be exported: ONNX has no op for the function '{function}'",
            place_of(op),
            hint=f'a plugin can say how: Plugin(exporters={{"{function}": export}})',
        )
    return exporter(op, graph)


EXPORTERS = {top.CallOp: _call}
"""The exporters of this family."""
