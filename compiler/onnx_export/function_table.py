"""The table of exporters of named functions: each family is a module of the folder `functions` with a table
`EXPORTERS`, and plugins add theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics.module_tables import module_tables
from .exporter_function import ExportFunction

FUNCTION_EXPORTERS: dict[str, ExportFunction] = {
    name: exporter
    for family in module_tables(f"{__package__}.functions", "EXPORTERS")
    for name, exporter in family.items()
}
"""How a call of each function is exported, by the function's name. ONNX need not have a function."""


def register_function_exporters(exporters: Mapping[str, ExportFunction]) -> None:
    """Add the exporters of some functions. Raises DiagnosticError if a function has one already."""
    for name, exporter in exporters.items():
        if name in FUNCTION_EXPORTERS:
            raise DiagnosticError(f"there is an exporter of the function '{name}' already")
        FUNCTION_EXPORTERS[name] = exporter
