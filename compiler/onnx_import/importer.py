"""Imports an ONNX model as a module of the top dialect.

The model is checked, and its nodes are walked once in order: nodes that depend on constants only are computed, shapes
are settled, and each remaining node becomes the top ops that the module of its family emits. Ops that cannot be
imported are collected and reported together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from numpy.typing import ArrayLike
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr, TensorType, f32
from xdsl.ir import Block, Region, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.progress import Progress, silent
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.text.value_name import value_name
from .graph.builder import GraphBuilder
from .graph.node import BodyFaultError, Node, UnsupportedNodeError
from .graph.value import Constant, Value, dtype_of_value, element_of_onnx, shape_of
from .lost_results import ASSUMPTIONS, Assumption, Facts, LostResults, Missing, declared_facts
from .model.checker import Faults
from .model.declarations import TensorFacts, check_declarations
from .model.input_constants import constant_inputs
from .model.input_shapes import BatchChange, GivenSizes, empty_inputs, resolve_input_shapes
from .model.limits import FoldingBudget, ImportLimits
from .model.model_file import open_model
from .model.op_name import is_default_domain, op_name
from .model.sparse_tensors import dense
from .model.subgraphs import captured
from .model.tensors import TensorReader
from .model.validation import validate
from .node_import import NodeImporter, ops_that_nothing_imports
from .operator_table import imported_by_plugins, supported_operators
from .problems import Problems, Unsupported

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

__all__ = ["import_onnx", "supported_operators"]


_MOST_TRIED_NODES = 2000
"""Graphs with more nodes are not tried with assumed types, so that an error comes soon."""


_Tensor: TypeAlias = "Value | Missing | None"


def import_onnx(
    model: str | Path | ModelProto,
    ctx: SmaltiContext,
    *,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    symbols: Mapping[str, int] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    limits: ImportLimits | None = None,
    progress: Progress = silent,
) -> ModuleOp:
    """Import a model as a module with one function `main` of top ops; its constants go to `ctx.weights`.

    Args:
        model: the path of a binary .onnx file, or a model in memory (without external data).
        ctx: weights are added to its store, under the names of their tensors made unique.
        input_shapes: shapes by input name, in place of the declared ones of the same rank. An initializer that is an
            input too becomes an input that is fed.
        batch: the size of axis 0 of every input. Constant shapes that repeat the old size are changed with it.
        symbols: sizes of the dimensions that the inputs declare by name.
        constants: values by input name; these inputs become constants, of the types and shapes that they declare.
        limits: how much work and memory the import may take on the word of the model.
        progress: told how many nodes are imported.

    Raises:
        DiagnosticError: if the file cannot be read or is not a valid model, a shape is unknown or does not fit, a
            declared type or shape contradicts the graph's, or ops are not supported (all of them are named).
    """
    if isinstance(model, str | Path):
        file, folder = str(model), Path(model).parent
        proto, data = open_model(model)
    else:
        file, folder, data = model.graph.name or "model", None, None
        proto = model
    limits = limits or ImportLimits()
    proto, opset, faults = validate(proto, file, limits, imported_by_plugins())
    reader = TensorReader(file, folder, data)
    domains = {entry.domain: entry.version for entry in proto.opset_import}
    sizes = GivenSizes(input_shapes or {}, batch, symbols or {})
    declared = declared_facts(proto.graph, with_shapes=not sizes.shapes and sizes.batch is None)
    lost = LostResults(declared, infers=len(proto.graph.node) <= _MOST_TRIED_NODES)
    importer = _GraphImporter(
        proto.graph, opset, domains, ctx, reader, FoldingBudget(limits), progress, lost, faults
    )
    return importer.run(sizes, constants or {})


@dataclass
class _GraphImporter:
    """Walks the nodes of one graph; `values` holds every tensor that is known so far, by name.

    `opset` is the version of ONNX's own operator set, `domains` has the versions of all sets. `lost` makes what stands
    for the results of nodes that cannot be imported. `faults` are those that onnx's checker finds. Where shapes are
    unknown, of inputs or of such results, trials with assumed ones find the problems of nodes that do not depend on
    them.
    """

    graph: GraphProto
    opset: int
    domains: Mapping[str, int]
    ctx: SmaltiContext
    reader: TensorReader
    budget: FoldingBudget
    progress: Progress
    lost: LostResults
    faults: Faults
    values: dict[str, _Tensor] = field(default_factory=dict)
    problems: Problems = field(init=False)
    nodes: NodeImporter = field(init=False)

    def __post_init__(self):
        self.nodes = NodeImporter(self.budget, self.reader)
        self.problems = Problems(self.file)

    @property
    def file(self) -> str:
        return self.reader.file

    def run(self, sizes: GivenSizes, given: Mapping[str, ArrayLike]) -> ModuleOp:
        """Import the graph as a module; see `import_onnx`."""
        count = len(self.graph.node)
        self.progress("import", 0, count)
        fed = {value.name for value in self.graph.input if value.name in sizes.shapes}
        for name, array in constant_inputs(self.graph.input, given, sizes, self.file).items():
            self.values[name] = Constant(array, name)
        for tensor in self.graph.initializer:
            if tensor.name not in fed and tensor.name not in self.values:
                self.values[tensor.name] = self._constant(tensor)
        for sparse in self.graph.sparse_initializer:
            name = sparse.values.name
            self.values[name] = Constant(dense(sparse, self.reader, self.budget), name)
        inputs = [value for value in self.graph.input if value.name not in self.values]
        constants = [tensor.name for tensor in self.graph.initializer if tensor.name not in fed]
        resolved = resolve_input_shapes(self._tensors_among(inputs), sizes, self.file, constants)
        self.problems.shapes, self.problems.shape_hint = resolved.errors, resolved.hint
        shapes = resolved.shapes
        inputs = [value for value in inputs if value.name in shapes]
        for warning in empty_inputs(inputs, shapes, self.file):
            self.ctx.on_report(warning)
        block = self._add_inputs(inputs, shapes)
        builder = self._builder(block, resolved.change, shapes)
        used = self._used_tensors()
        for index, proto in enumerate(self.graph.node):
            self._import_node(proto, index, builder, used)
            self.progress("import", index + 1, count)
        results = self._outputs(builder)
        is_unknown = bool(self.problems.shapes) or self.lost.is_any_unknown
        if is_unknown and self.lost.assumption is None and count <= _MOST_TRIED_NODES:
            self.problems.add_common(
                [
                    self._problems_with(each, resolved.assumed(sizes, each.size), given)
                    for each in ASSUMPTIONS
                ]
            )
        self.problems.report()
        check_declarations(self.graph, self._facts(), self.file, self.ctx.on_report, fed)
        return _module(block, list(shapes), results)

    def _problems_with(
        self, assumption: Assumption, sizes: GivenSizes, given: Mapping[str, ArrayLike]
    ) -> Problems:
        """Return the problems that the graph has with inputs of these sizes, and what is assumed of lost results."""
        ctx = self.ctx.fork()
        ctx.on_report = lambda _: None
        budget = FoldingBudget(self.budget.limits)
        lost = replace(self.lost, assumption=assumption)
        trial = _GraphImporter(
            self.graph,
            self.opset,
            self.domains,
            ctx,
            self.reader,
            budget,
            silent,
            lost,
            self.faults,
        )
        with suppress(DiagnosticError):
            trial.run(sizes, given)
        return trial.problems

    def _builder(
        self, block: Block, change: BatchChange | None, inputs: dict[str, tuple[int, ...]]
    ) -> GraphBuilder:
        names = {*self.values, *(name for node in self.graph.node for name in node.output)}
        builder = GraphBuilder(self.ctx, block, names, change, self.budget)
        for name in inputs:
            builder.claim(name)
        return builder

    def _constant(self, tensor: TensorProto) -> Constant | Missing:
        """Read an initializer; one that is wrong or cannot be read is a problem, and missing."""
        try:
            if tensor.name in self.faults.tensors:
                raise self.faults.tensors[tensor.name]
            return Constant(self.reader.read(tensor), tensor.name)
        except DiagnosticError as error:
            self.problems.constants.append(error)
            return Missing(is_constant=True, facts=Facts(element_of_onnx(tensor.data_type)))

    def _tensors_among(self, inputs: Sequence[ValueInfoProto]) -> list[ValueInfoProto]:
        """Return the inputs that are tensors; no input is there before its type and shape are known."""
        tensors = []
        for value in inputs:
            self.values[value.name] = Missing()
            if value.type.HasField("tensor_type"):
                tensors.append(value)
                continue
            kind = value.type.WhichOneof("value")
            told = (
                f"is of type {kind.removesuffix('_type')}, not a tensor" if kind else "has no type"
            )
            error = DiagnosticError(
                f"the input {told}",
                Place(file=self.file, name=f"input '{value.name}'"),
            )
            self.problems.inputs.append(error)
        return tensors

    def _add_inputs(
        self, inputs: Sequence[ValueInfoProto], shapes: dict[str, tuple[int, ...]]
    ) -> Block:
        from onnx import TensorProto

        elements = [element_of_onnx(value.type.tensor_type.elem_type) for value in inputs]
        block = Block(
            arg_types=[
                TensorType(element or f32, shapes[value.name])
                for value, element in zip(inputs, elements, strict=True)
            ]
        )
        for value, argument, known in zip(inputs, block.args, elements, strict=True):
            argument.name_hint = value_name(value.name)
            self.values[value.name] = argument
            if known is None:
                element = value.type.tensor_type.elem_type
                names = TensorProto.DataType
                kind = names.Name(element) if element in names.values() else str(element)
                self.values[value.name] = Missing()
                reason = f"element type {kind}; bools, integers and floats are supported"
                self.problems.unsupported.append(Unsupported("graph input", value.name, reason))
        return block

    def _used_tensors(self) -> set[str]:
        used = {name for node in self.graph.node for name in (*node.input, *captured(node))}
        used.update(value.name for value in self.graph.output)
        return used

    def _import_node(
        self, proto: NodeProto, index: int, builder: GraphBuilder, used: set[str]
    ) -> None:
        label = proto.name or f"{proto.op_type}_{index}"
        if index in self.faults.nodes:
            self.problems.nodes += self.faults.nodes[index]
            self._pass_over(proto, label, is_constant=False)
            return
        tensors = [self._lookup(name, label) for name in proto.input]
        scope = {name: self._lookup(name, label) for name in captured(proto)}
        read = [*tensors, *scope.values()]
        if any(isinstance(tensor, Missing) for tensor in read):
            self._skip(proto, label, read)
            return
        inputs = [tensor for tensor in tensors if not isinstance(tensor, Missing)]
        outputs_used = [bool(name) and name in used for name in proto.output]
        opset = self._opset_of(proto)
        known = {k: each for k, each in scope.items() if not isinstance(each, Missing)}
        node = Node(proto, opset, label, inputs, outputs_used, self.file, self.reader, known)
        is_known = all(value is None or isinstance(value, Constant) for value in inputs)
        try:
            outputs = self.nodes.lower(node, builder)
        except UnsupportedNodeError as error:
            self._reject(proto, label, str(error), is_constant=is_known and bool(inputs))
            return
        except BodyFaultError as error:
            self.problems.nodes += error.faults
            if error.needs:
                self._reject(proto, label, error.needs, is_constant=is_known)
            self._lose(proto, Missing(is_known, is_constant=is_known))
            return
        except DiagnosticError as error:
            self.problems.nodes.append(error)
            self._lose(proto, Missing(is_known, is_constant=is_known))
            return
        for name, value in zip(proto.output, outputs, strict=False):
            if name:
                self.values[name] = value
                if isinstance(value, SSAValue) and value.name_hint is None:
                    value.name_hint = value_name(name)

    def _opset_of(self, proto: NodeProto) -> int:
        return self.opset if is_default_domain(proto) else self.domains.get(proto.domain, 1)

    def _lookup(self, name: str, label: str) -> _Tensor:
        if not name:
            return None
        if name not in self.values:
            raise DiagnosticError(
                f"no node before this one makes its input '{name}'",
                Place(file=self.file, name=f"node '{label}'"),
                hint="sort the graph topologically, or export the model again",
            )
        return self.values[name]

    def _skip(
        self,
        proto: NodeProto,
        label: str,
        tensors: Sequence[_Tensor],
    ) -> None:
        """Skip a node that lacks an input; report it if it would be unsupported even with all its inputs."""
        missing = [tensor for tensor in tensors if isinstance(tensor, Missing)]
        known = all(tensor is None or isinstance(tensor, Constant | Missing) for tensor in tensors)
        is_foldable = known and all(tensor.is_shape_arithmetic for tensor in missing)
        is_constant = known and all(tensor.is_constant for tensor in missing)
        if is_default_domain(proto) and (proto.op_type in ("Shape", "Size") or is_foldable):
            self._lose(proto, Missing(is_shape_arithmetic=True, is_constant=True))
        else:
            self._pass_over(proto, label, is_constant)

    def _pass_over(self, proto: NodeProto, label: str, is_constant: bool) -> None:
        """Lose the results of a node, and report it if no node of its op or of those in its bodies can be imported."""
        needed = ops_that_nothing_imports(proto, self._opset_of(proto))
        if not needed:
            self._lose(proto, Missing(is_constant=is_constant))
        elif proto.op_type in needed:
            self._reject(proto, label, "", is_constant)
        else:
            self._reject(proto, label, f"its body needs {'; '.join(needed)}", is_constant)

    def _reject(self, proto: NodeProto, label: str, reason: str, is_constant: bool) -> None:
        op = op_name(proto.domain, proto.op_type)
        self.problems.unsupported.append(Unsupported(op, label, reason, self._opset_of(proto)))
        self._lose(proto, Missing(is_constant=is_constant))

    def _lose(self, proto: NodeProto, lost: Missing) -> None:
        """Let something stand for the results of a node that cannot be imported."""
        inputs = {name: self.values.get(name, Missing()) for name in proto.input if name}
        known = {name: value for name, value in inputs.items() if value is not None}
        made = self.lost.stand_ins(proto, self._opset_of(proto), known, lost)
        self.values.update({name: each for name, each in made.items() if name not in self.values})

    def _outputs(self, builder: GraphBuilder) -> dict[str, SSAValue]:
        if not self.graph.output:
            raise DiagnosticError("the model has no outputs", Place(file=self.file))
        results = {}
        for value in self.graph.output:
            place = Place(file=self.file, name=f"output '{value.name}'")
            if value.name in results:
                continue  # the same tensor, listed twice
            if value.name not in self.values:
                self.problems.outputs.append(DiagnosticError("no node makes this output", place))
                continue
            tensor = self.values[value.name]
            if isinstance(tensor, Missing):
                continue
            if tensor is None:
                error = DiagnosticError("this output of its node is not supported", place)
                self.problems.outputs.append(error)
                continue
            try:
                results[value.name] = builder.plain(tensor)
            except UnsupportedNodeError:
                assert isinstance(tensor, Constant)
                reason = f"a constant of element type {tensor.array.dtype}; bools, integers and floats are supported"
                self.problems.unsupported.append(Unsupported("graph output", value.name, reason))
        return results

    def _facts(self) -> dict[str, TensorFacts]:
        """Return what is known of every tensor that was imported."""
        return {
            name: TensorFacts(dtype_of_value(value), shape_of(value))
            for name, value in self.values.items()
            if value is not None and not isinstance(value, Missing)
        }


def _module(block: Block, inputs: Sequence[str], results: dict[str, SSAValue]) -> ModuleOp:
    block.add_op(func.ReturnOp(*results.values()))
    arguments = [argument.type for argument in block.args]
    main = func.FuncOp(
        "main", (arguments, [value.type for value in results.values()]), Region([block])
    )
    main.attributes["smalti.inputs"] = ArrayAttr([StringAttr(name) for name in inputs])
    main.attributes["smalti.outputs"] = ArrayAttr([StringAttr(name) for name in results])
    return ModuleOp([main])
