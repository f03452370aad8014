"""The table of ops of other domains that are defined by functions of ONNX's ops: each family is a module of the folder
`functions` with a table `FUNCTIONS`.
"""

from __future__ import annotations

from ...backends.numerics.module_tables import module_tables
from .functions.function_graph import FunctionDefinition

FUNCTIONS: dict[str, FunctionDefinition] = {
    name: definition
    for family in module_tables(f"{__package__}.functions", "FUNCTIONS")
    for name, definition in family.items()
}
"""The functions by the name of the op, with its domain before it."""
