"""Brings local functions into forms that onnx's inliner takes: it refuses outputs that are inputs, and to convert a
function between opsets it must know the types of the arguments of its calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .op_name import is_default_domain
from .subgraphs import subgraphs

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto

_LARGE_TENSOR_BYTES = 4096
"""Initializers that are larger are no shapes or axes, which the inference of types would read."""


def with_own_outputs(model: ModelProto) -> None:
    """Make an output of a function that is one of its inputs, or another output, a tensor of its own, in place."""
    for function in model.functions:
        seen = set(function.input)
        names = {*seen, *(each for node in _nodes(function.node) for each in node.output)}
        for index, name in enumerate(function.output):
            if name in seen:
                own = f"{name}_output_{index}"
                while own in names:
                    own += "_"
                names.add(own)
                function.node.add(op_type="Identity", input=[name], output=[own])
                function.output[index] = own
                if _default_opset(function.opset_import) is None:
                    function.opset_import.add(domain="", version=_version(model))
            seen.add(name)


def with_one_opset(model: ModelProto) -> None:
    """Give functions the model's opset, in place, where all ops of their bodies are the same in both opsets.

    Those have nothing to convert, for which the types of their arguments would have to be known.
    """
    version = _version(model)
    for function in model.functions:
        entry = _default_opset(function.opset_import)
        if entry is None or entry.version == version:
            continue
        nodes = [each for each in _nodes(function.node) if is_default_domain(each)]
        if all(_is_same(each.op_type, entry.version, version) for each in nodes):
            entry.version = version


def needs_types(model: ModelProto) -> bool:
    """Return whether a function has another opset than the model, so that it must be converted."""
    entries = [_default_opset(each.opset_import) for each in model.functions]
    return any(entry is not None and entry.version != _version(model) for entry in entries)


def known_types(model: ModelProto) -> list[ValueInfoProto]:
    """Return the types of the graph's initializers, and of other tensors where they are declared or can be inferred.

    Those of tensors of subgraphs, which the inliner does not look up there, are among them, unless two have one name.
    """
    import onnx

    view, source = onnx.ModelProto(), model.graph
    view.ir_version = model.ir_version
    view.opset_import.extend(model.opset_import)
    view.functions.extend(model.functions)
    graph = view.graph
    graph.name = source.name or "graph"
    graph.node.extend(source.node)
    graph.input.extend(source.input)
    graph.output.extend(source.output)
    graph.value_info.extend(source.value_info)
    declared = {each.name for each in (*source.input, *source.value_info)}
    for tensor in source.initializer:
        if tensor.name not in declared:
            info = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            graph.value_info.append(info)
        external = tensor.data_location == onnx.TensorProto.EXTERNAL
        if not external and tensor.ByteSize() <= _LARGE_TENSOR_BYTES:
            graph.initializer.append(tensor)
    for sparse in source.sparse_initializer:
        tensor = sparse.values
        if tensor.name not in declared:
            info = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, sparse.dims)
            graph.value_info.append(info)
    graph = onnx.shape_inference.infer_shapes(view).graph
    outside = {each.name for each in (*graph.input, *graph.value_info)}
    inside = [
        each
        for node in _nodes(graph.node)
        for branch in subgraphs(node)
        for each in (*branch.input, *branch.value_info, *branch.output)
    ]
    count = Counter(each.name for each in inside)
    return [
        *graph.value_info,
        *(each for each in inside if count[each.name] == 1 and each.name not in outside),
    ]


def names_of_tensors(graph: GraphProto) -> set[str]:
    """Return the names of the inputs and initializers of a graph, and of what its nodes and their subgraphs compute."""
    given = {each.name for each in (*graph.input, *graph.initializer)}
    return given | {name for node in _nodes(graph.node) for name in node.output}


def set_conversions_apart(graph: GraphProto, known: set[str]) -> None:
    """Rename tensors of an inlined graph, in place, that several conversions made under one name.

    The inliner converts a function for each call, and does not tell apart the tensors that this adds, such as axes.
    Names in `known` are those that the model had before, which stay.
    """
    _set_apart(graph.node, known, set(), {})


def _set_apart(
    nodes: Iterable[NodeProto], known: set[str], made: set[str], renamed: dict[str, str]
) -> None:
    """Rename in nodes of one graph; `renamed` are the present names of tensors around it, `made` all names so far."""
    for node in nodes:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
        for graph in subgraphs(node):
            _set_apart(graph.node, known, made, dict(renamed))
        for index, name in enumerate(node.output):
            if not name or name in known:
                continue
            own, count = name, 1
            while own in made or (own in known and own != name):
                count += 1
                own = f"{name}_{count}"
            made.add(own)
            renamed[name] = node.output[index] = own


def _is_same(op_type: str, version: int, other: int) -> bool:
    """Return whether an op of ONNX's own operator set has one definition in two versions of that."""
    import onnx

    if max(version, other) > onnx.defs.onnx_opset_version():
        return False
    if not all(onnx.defs.has(op_type, each, "") for each in (version, other)):
        return False
    first, second = (onnx.defs.get_schema(op_type, each, "") for each in (version, other))
    return first.since_version == second.since_version


def _version(model: ModelProto) -> int:
    entry = _default_opset(model.opset_import)
    return 1 if entry is None else entry.version


def _default_opset(entries: Iterable[OperatorSetIdProto]) -> OperatorSetIdProto | None:
    """Return the entry of ONNX's own operator set."""
    return next((each for each in entries if each.domain in ("", "ai.onnx")), None)


def _nodes(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """Yield nodes and those of their subgraphs."""
    for node in nodes:
        yield node
        for graph in subgraphs(node):
            yield from _nodes(graph.node)
