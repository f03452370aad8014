"""The table of ONNX ops that can be imported: each family of ops is a module of the folder `ops` with a table
`OPERATORS`, and plugins add theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics.module_tables import module_tables
from .function_table import FUNCTIONS
from .graph.operator import ImportFunction, Operator
from .model.op_name import op_name
from .ops import constant, reshape

if TYPE_CHECKING:
    from onnx import NodeProto

_PLUGIN = "plugin"
_MICROSOFT = "com.microsoft."

OPERATORS: dict[str, Operator] = {
    name: operator
    for family in module_tables(f"{__package__}.ops", "OPERATORS")
    for name, operator in family.items()
}
"""How each op is imported, by name: those of ONNX's default operator set, and those of plugins with the domain before
the name ("com.me.MySwish").
"""

HANDLES_CONSTANTS = frozenset(
    {
        "Dropout",
        "DequantizeLinear",
        "com.microsoft.DequantizeLinear",
        *constant.OPERATORS,
        *reshape.OPERATORS,
    }
)
"""Ops whose import function handles constants without arithmetic, which is cheaper than folding.
"""


def register_importers(importers: Mapping[str, ImportFunction]) -> None:
    """Add the import functions of some ops, by "DOMAIN.OP", or "OP" for an op of ONNX's own domain.

    Raises DiagnosticError if an op can be imported already.
    """
    for name, lower in importers.items():
        if name in OPERATORS:
            raise DiagnosticError(
                f"the ONNX op {name} is imported already",
                hint="rewrite its top ops with a pass of the plugin instead",
            )
        OPERATORS[name] = Operator(lower, _PLUGIN)


def imported_by_plugins() -> set[str]:
    """Return the names of the ops that plugins import."""
    return {name for name, operator in OPERATORS.items() if operator.engine == _PLUGIN}


def operator_of(node: NodeProto) -> Operator | None:
    """Return how the op of a node is imported; None if it cannot be."""
    return OPERATORS.get(op_name(node.domain, node.op_type))


def supported_operators() -> list[tuple[str, tuple[int, ...], str]]:
    """List the ops: name, the opset versions in which the op began or changed, and where it runs.

    "matrix", "vector" and "transfers" are engines of the target; "folded" and "removed" ops do not reach it, and those
    of a "plugin" run where its conversions say. All versions of an op are accepted. Any other op is accepted too if
    ONNX defines it by a function of such ops, or if all of its inputs are constants; so are If, Loop and Scan of known
    length.
    """
    import onnx

    engines = {name: definition.engine for name, definition in FUNCTIONS.items()}
    engines |= {name: operator.engine for name, operator in OPERATORS.items()}
    versions: dict[str, set[int]] = {name: set() for name in engines}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and schema.name in versions and not schema.deprecated:
            versions[schema.name].add(schema.since_version)
    for name in versions:
        if name.startswith(_MICROSOFT) or name in FUNCTIONS:
            versions[name].add(1)  # of their own operator set, which has one version
    return [(name, tuple(sorted(versions[name])), engines[name]) for name in sorted(engines)]
