"""Imports single nodes: by their import function, as the function that defines them, or by computing them from their
constant inputs; nodes inside of functions and subgraphs, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from .control_flow import import_control_flow, is_control_flow
from .folding import can_fold, fold
from .function_body import function_body, has_function
from .graph.builder import GraphBuilder
from .graph.node import BodyFaultError, Node, UnsupportedNodeError
from .graph.value import Constant, Value
from .model.limits import FoldingBudget
from .model.op_name import op_name
from .model.sparse_tensors import dense
from .model.subgraphs import captured, subgraphs
from .model.tensors import TensorReader
from .operator_table import HANDLES_CONSTANTS, operator_of
from .ops.float_types import in_one_float_type, with_wide_indices

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


@dataclass
class NodeImporter:
    """Imports nodes whose inputs are known; `budget` bounds what is computed from constants, `reader` reads those of
    subgraphs.
    """

    budget: FoldingBudget
    reader: TensorReader

    def lower(self, node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
        """Import a node and return its outputs; None stands for one that nobody may use.

        Raises:
            DiagnosticError: if the node is wrong.
            UnsupportedNodeError: if it cannot be imported.
        """
        builder.enter(node)
        operator = operator_of(node.proto)
        known = all(value is None or isinstance(value, Constant) for value in node.inputs)
        if known and op_name(node.proto.domain, node.op_type) not in HANDLES_CONSTANTS:
            folded = fold(node, self.budget, lambda: self._computed_by_function(node, builder))
            if folded is not None:
                return folded
            builder.enter(node)
        try:
            if is_control_flow(node.proto):
                return import_control_flow(
                    node, builder, lambda *body: self._body(*body, builder=builder)
                )
            if operator is None:
                known_size = "the size of its constant result is unknown"
                raise UnsupportedNodeError(
                    known_size if known and can_fold(node.proto, node.opset) else ""
                )
            return operator.outputs_of(node, builder)
        except UnsupportedNodeError as error:
            outputs = self._by_function(node, builder, error)
            if outputs is None:
                raise
            return outputs

    def _computed_by_function(self, node: Node, builder: GraphBuilder) -> list[Any] | None:
        """Return the arrays that the function of a node of constants computes; None stands for an output that nobody
        reads. Return None if no function defines the node, or not all it computes is known.
        """
        try:
            outputs = self._by_function(node, builder, UnsupportedNodeError())
        except UnsupportedNodeError:
            return None
        if outputs is None:
            return None
        used = [value if node.uses_output(index) else None for index, value in enumerate(outputs)]
        if any(isinstance(value, SSAValue) for value in used):
            return None
        return [value.array if isinstance(value, Constant) else None for value in used]

    def _by_function(
        self, node: Node, builder: GraphBuilder, refused: UnsupportedNodeError
    ) -> list[Value | None] | None:
        """Import a node as the function that defines it; return None if there is none.

        Raises UnsupportedNodeError if a node of the function cannot be imported: `refused`, if that says why.
        """
        made = in_one_float_type(lambda node, builder: self._of_function(node, builder, refused))
        outputs = made(with_wide_indices(node), builder)
        return list(outputs) or None

    def _of_function(
        self, node: Node, builder: GraphBuilder, refused: UnsupportedNodeError
    ) -> list[Value | None]:
        """Import a node as `_by_function` does; return an empty list if there is no function."""
        first = next((name for name in node.proto.output if name), node.label)
        body = function_body(node, lambda name: builder.derived(first, name))
        if body is None:
            return []
        tensors: dict[str, Value | None] = dict(zip(node.proto.input, node.inputs, strict=True))
        try:
            self._nested(body.nodes, body.opset, tensors, node, builder)
        except (
            BodyFaultError
        ) as error:  # it is the node that is wrong, and the first fault says how
            raise error.faults[0] from error
        except UnsupportedNodeError as error:
            if str(refused):
                raise refused from error
            reason = f"the function that defines it needs {error}"
            raise UnsupportedNodeError(reason) from error
        return [tensors.get(name) for name in node.proto.output]

    def _body(
        self, graph: GraphProto, inputs: Sequence[Value], node: Node, builder: GraphBuilder
    ) -> list[Value]:
        """Import a subgraph of a node, of which all that it reads is known, and return its outputs.

        Raises UnsupportedNodeError if a node of it cannot be imported.
        """
        tensors: dict[str, Value | None] = dict(node.scope)
        for tensor in graph.initializer:
            tensors[tensor.name] = Constant(self.reader.read(tensor), tensor.name)
        for sparse in graph.sparse_initializer:
            name = sparse.values.name
            tensors[name] = Constant(dense(sparse, self.reader, self.budget), name)
        if len(inputs) != len(graph.input):
            raise node.error(f"its body has {len(graph.input)} inputs, {len(inputs)} are needed")
        tensors.update(zip((value.name for value in graph.input), inputs, strict=True))
        try:
            self._nested(graph.node, node.opset, tensors, node, builder)
        except UnsupportedNodeError as error:
            raise UnsupportedNodeError(f"its body needs {error}") from error
        except BodyFaultError as error:
            needs = f"its body needs {error.needs}" if error.needs else ""
            raise BodyFaultError(error.faults, needs) from error
        outputs = [tensors.get(value.name) for value in graph.output]
        return [node.given(value, "an output of its body") for value in outputs]

    def _nested(
        self,
        protos: Iterable[NodeProto],
        opset: int,
        tensors: dict[str, Value | None],
        outer: Node,
        builder: GraphBuilder,
    ) -> None:
        """Import nodes that are inside another one, and add their outputs to `tensors`.

        Raises:
            UnsupportedNodeError: it names the op of each node that cannot be imported, and says why. Of nodes behind
                such ones, only ops that nothing imports are named.
            BodyFaultError: nodes are wrong.
        """
        tensors[""] = None
        refused: dict[str, None] = {}
        faults: list[DiagnosticError] = []
        lost: set[str] = set()
        for proto in protos:
            read = [*proto.input, *captured(proto)]
            if not lost.isdisjoint(read):
                lost.update(filter(None, proto.output))
                refused.update(dict.fromkeys(ops_that_nothing_imports(proto, opset)))
                continue
            inputs = [tensors[name] for name in proto.input]
            used = [bool(name) for name in proto.output]
            scope = {name: tensors[name] for name in captured(proto)}
            node = Node(proto, opset, outer.label, inputs, used, outer.file, outer.reader, scope)
            try:
                outputs = self.lower(node, builder)
            except UnsupportedNodeError as error:
                refused[f"{proto.op_type}: {error}" if str(error) else proto.op_type] = None
                lost.update(filter(None, proto.output))
                continue
            except DiagnosticError as error:
                if isinstance(error, BodyFaultError) and error.needs:
                    refused[f"{proto.op_type}: {error.needs}"] = None
                faults += error.faults if isinstance(error, BodyFaultError) else [error]
                lost.update(filter(None, proto.output))
                continue
            tensors.update(zip(proto.output, outputs, strict=False))
            tensors[""] = None
        if faults:
            raise BodyFaultError(faults, "; ".join(refused))
        if refused:
            raise UnsupportedNodeError("; ".join(refused))


def ops_that_nothing_imports(proto: NodeProto, opset: int) -> list[str]:
    """Return the node's op if no node of it can be imported, else those of its subgraphs' nodes, each once."""
    if is_control_flow(proto):
        inner = [node for graph in subgraphs(proto) for node in graph.node]
        # What a body computes from constants alone is not known here: they may be in it.
        return list(
            dict.fromkeys(
                op
                for node in inner
                if not can_fold(node, opset)
                for op in ops_that_nothing_imports(node, opset)
            )
        )
    if operator_of(proto) or has_function(proto, opset):
        return []
    return [proto.op_type]
