"""The table of exporters, by the op of `top`: each family of ops is a module of the folder `ops` with a table
`EXPORTERS`, and plugins add theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xdsl.ir import Operation

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics.module_tables import module_tables
from .exporter_function import ExportFunction
from .function_table import register_function_exporters

_EXPORTERS: dict[type[Operation], ExportFunction] = {
    op: exporter
    for family in module_tables(f"{__package__}.ops", "EXPORTERS")
    for op, exporter in family.items()
}


def register_exporters(exporters: Mapping[Any, ExportFunction]) -> None:
    """Add the exporters of some ops, by their classes, and of some functions, by their names.

    Raises DiagnosticError if an op or function has an exporter already.
    """
    for op, exporter in exporters.items():
        if isinstance(op, str):
            register_function_exporters({op: exporter})
        elif op in _EXPORTERS:
            raise DiagnosticError(f"there is an exporter of {op.name} already")
        else:
            _EXPORTERS[op] = exporter


def exporter_of(op: Operation) -> ExportFunction | None:
    """Return the function that exports `op`; None if there is none."""
    return _EXPORTERS.get(type(op))
