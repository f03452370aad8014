"""Runs onnx's checker on a model without its weights; where that refuses it, finds each wrong node and constant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from .op_name import is_default_domain
from .subgraphs import captured, subgraphs

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

_LARGE_TENSOR_BYTES = 4096
_UNREGISTERED = "smalti.unregistered"
"""The domain that nodes of unknown ops get while the checker runs, which ignores domains that are not ONNX's own.
"""
_HINT = "export the model again, or correct it until onnx.checker accepts it"


@dataclass
class Faults:
    """What is wrong with nodes, by their index in the graph, and with initializers, by their names."""

    nodes: dict[int, list[DiagnosticError]] = field(default_factory=dict)
    tensors: dict[str, DiagnosticError] = field(default_factory=dict)


def faults_of(model: ModelProto, opset: int, file: str) -> Faults:
    """Return what onnx's checker has against the nodes and the initializers of a model.

    Raises DiagnosticError if it refuses the model without these, too.
    """
    faults = Faults()
    if _refusal(_checker_view(model, opset, faults)) is None:
        return faults
    for tensor in model.graph.initializer:
        alone = type(model)()
        alone.CopyFrom(_bare(model))
        if not _is_large(tensor):
            alone.graph.initializer.append(tensor)
            if error := _refusal(alone):
                place = Place(file=file, name=f"initializer '{tensor.name}'")
                faults.tensors[tensor.name] = _as_diagnostic(error, place)
    for index, (node, message) in enumerate(_wrong_links(model.graph)):
        name = node.name or f"{node.op_type}_{index}"
        place = Place(file=file, name=f"node '{name}' ({node.op_type})")
        messages = [message] if message else []
        if _refusal(_node_view(model, node, opset)):
            messages += _node_faults(model, node, opset)
        if messages:
            faults.nodes[index] = [DiagnosticError(each, place, hint=_HINT) for each in messages]
    if error := _refusal(_checker_view(model, opset, faults)):
        error = _as_diagnostic(error, Place(file=file))
        error.message = f"the model is not valid ONNX: {error.message}"
        raise error
    return faults


def _refusal(view: ModelProto) -> Exception | None:
    """Return what the checker raises for a model; None if it accepts it."""
    import onnx

    try:
        onnx.checker.check_model(view)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, UnicodeError) as error:
        return error
    return None


def _node_faults(model: ModelProto, node: NodeProto, opset: int) -> list[str]:
    """Return what the checker has against a node: against those of its subgraphs, else against itself."""
    inner = [each for graph in subgraphs(node) for each in graph.node]
    refused = [each for each in inner if _refusal(_node_view(model, each, opset))]
    if refused:
        found = [message for each in refused for message in _node_faults(model, each, opset)]
        return list(dict.fromkeys(found))
    error = _refusal(_node_view(model, node, opset))
    return [_first_line(error)] if error else []


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _as_diagnostic(error: Exception, place: Place) -> DiagnosticError:
    others = [line for line in str(error).splitlines()[1:] if line.strip()]
    return DiagnosticError(_first_line(error), place, others[:6], _HINT)


def _wrong_links(graph: GraphProto) -> Iterator[tuple[NodeProto, str]]:
    """Yield each node with what is wrong with the tensors that it reads and makes; mostly nothing."""
    made = {value.name for value in graph.input}
    made.update(tensor.name for tensor in graph.initializer)
    made.update(sparse.values.name for sparse in graph.sparse_initializer)
    makers = {name for node in graph.node for name in node.output}
    for node in graph.node:
        message = ""
        for name in filter(None, (*node.input, *captured(node))):
            if name not in made:
                message = f"no node makes its input '{name}'"
                if name in makers:
                    message = (
                        f"its input '{name}' is made of its own results: the graph has a cycle"
                    )
                break
        for index, name in enumerate(node.output):
            if name and (name in made or name in node.output[:index]):
                message = message or f"its output '{name}' is made elsewhere, too"
        made.update(node.output)
        yield node, message


def _bare(model: ModelProto) -> ModelProto:
    """Return a model of the same versions with an empty graph."""
    import onnx

    view = onnx.ModelProto()
    # Since IR version 4 initializers need not be inputs as well; the checker must not demand it of
    # older models.
    view.ir_version = max(model.ir_version, 4)
    view.opset_import.extend(model.opset_import)
    for entry in view.opset_import:
        entry.domain = _checked_domain(entry.domain)
    view.opset_import.add(domain=_UNREGISTERED, version=1)
    view.graph.name = model.graph.name or "graph"
    return view


def _add_node(view: ModelProto, node: NodeProto, opset: int) -> None:
    added = view.graph.node.add()
    added.CopyFrom(node)
    _set_unregistered(added, opset)


def _checked_domain(domain: str) -> str:
    """Return a domain as the checker knows it: ONNX's own has two names, and it takes them for two."""
    return "" if domain == "ai.onnx" else domain


def _set_unregistered(node: NodeProto, opset: int) -> None:
    """Let the checker ignore a node, or those of its subgraphs, if it would refuse the op itself."""
    node.domain = _checked_domain(node.domain)
    if not is_registered(node, opset) or _is_only_deprecated(node, opset):
        node.domain = _UNREGISTERED
    for graph in subgraphs(node):
        for inner in graph.node:
            _set_unregistered(inner, opset)


def _node_view(model: ModelProto, node: NodeProto, opset: int) -> ModelProto:
    """Return a model of one node, whose inputs are the graph's."""
    view = _bare(model)
    _add_node(view, node, opset)
    _declare(view.graph, dict.fromkeys(filter(None, (*node.input, *captured(node)))))
    return view


def _declare(graph: GraphProto, names: Iterable[str]) -> None:
    """Add inputs of any type: the checker compares none."""
    import onnx

    for name in names:
        graph.input.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, []))


def _checker_view(model: ModelProto, opset: int, faults: Faults) -> ModelProto:
    """Return a copy for the checker in which big initializers are graph inputs of their type; inputs stand for what is
    faulty, too.

    The checker gets the model as one serialized message. With the weights in it, the message would be copied twice, and
    external data would be looked up relative to the working directory.
    """
    import onnx

    view = _bare(model)
    graph, source = view.graph, model.graph
    for index, node in enumerate(source.node):
        if index not in faults.nodes:
            _add_node(view, node, opset)
    graph.input.extend(source.input)
    graph.output.extend(source.output)
    for value in (*graph.input, *graph.output):
        # The checker demands a type and a shape, but none are needed of outputs: they are inferred here, and in ONNX
        # Runtime too. The importer reports inputs without them.
        if value.type.WhichOneof("value") is None:
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
        if value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape"):
            value.type.tensor_type.shape.SetInParent()
    inputs = {value.name for value in source.input}
    for sparse in source.sparse_initializer:
        tensor = sparse.values
        if tensor.name not in inputs:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(sparse.dims))
            )
    for tensor in source.initializer:
        if not _is_large(tensor) and tensor.name not in faults.tensors:
            graph.initializer.append(tensor)
        elif tensor.name not in inputs:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    lost = {name: None for index in faults.nodes for name in source.node[index].output if name}
    made = {name for node in graph.node for name in node.output} | inputs
    made.update(tensor.name for tensor in source.initializer)
    _declare(graph, (name for name in lost if name not in made))
    return view


def _is_large(tensor: TensorProto) -> bool:
    import onnx

    external = tensor.data_location == onnx.TensorProto.EXTERNAL
    return external or tensor.ByteSize() > _LARGE_TENSOR_BYTES


def is_registered(node: NodeProto, opset: int) -> bool:
    """Return whether the onnx package knows the node's op in version `opset` of its operator set."""
    import onnx

    return is_default_domain(node) and onnx.defs.has(node.op_type, opset, "")


def _is_only_deprecated(node: NodeProto, opset: int) -> bool:
    """Return whether an op was deprecated by the very version that defined it, as GroupNormalization 18 was later: the
    checker refuses all of its nodes, which are valid in opsets 18 to 20 nevertheless.
    """
    import onnx

    schema = onnx.defs.get_schema(node.op_type, opset, "")
    return schema.deprecated and not onnx.defs.has(node.op_type, schema.since_version - 1, "")
