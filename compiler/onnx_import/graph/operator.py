"""How an op of ONNX is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.ir import SSAValue

from ....backends.diagnostics.diagnostic import contained
from .builder import GraphBuilder
from .node import Node
from .value import Constant, Value

ImportFunction: TypeAlias = Callable[[Node, GraphBuilder], Sequence[Value | None]]
"""Emits the top ops of a node and returns its outputs; None stands for an output that nobody may use."""


@dataclass(frozen=True)
class Operator:
    """How one op of ONNX is imported, and where it will mostly run (for `smalti ops`)."""

    lower: ImportFunction
    engine: str

    def outputs_of(self, node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
        """Emit the top ops of a node and return its outputs.

        Raises DiagnosticError if the import function (of a plugin) returns something else than the node's outputs.
        """
        with contained(f"in the importer of node '{node.label}' ({node.op_type})"):
            outputs = self.lower(node, builder)
        count = max(
            (i + 1 for i in range(len(node.used_outputs)) if node.uses_output(i)), default=0
        )
        if not isinstance(outputs, list | tuple) or not all(
            each is None or isinstance(each, Constant | SSAValue) for each in outputs
        ):
            kind = type(outputs).__name__
            raise node.error(
                f"its importer returns a {kind}, not the values of its outputs",
                "return a list of values: [builder.emit(...)]",
            )
        if len(outputs) < count:
            raise node.error(
                f"its importer returns {len(outputs)} values, the model uses {count} outputs",
                "return a value for each output, None for one that nothing may use",
            )
        return outputs
