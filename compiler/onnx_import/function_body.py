"""Defines ops by others: the functions by which ONNX itself says what some of its ops compute, and those of the folder
`functions`.

Attention, for one, is a function of matrix products, a Softmax and arithmetic on shapes. An op that no import function
is for, or a form of an op that its import function refuses, is imported as the nodes of its function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .function_table import FUNCTIONS
from .functions.function_graph import OPSET, FunctionGraph
from .graph.node import Node
from .graph.value import Value, dtype_of_value, shape_of
from .model.op_name import is_default_domain, op_name
from .model.subgraphs import captured, subgraphs

if TYPE_CHECKING:
    from onnx import AttributeProto, FunctionProto, NodeProto, TypeProto


@dataclass(frozen=True)
class FunctionBody:
    """The nodes that compute what a node does, in order, with the opset that they are of.

    They read and write the node's own tensors; the names of others are new. Nodes and outputs that nothing needs are
    left out.
    """

    nodes: list[NodeProto]
    opset: int


def has_function(proto: NodeProto, opset: int) -> bool:
    """Return whether the op of a node is defined by a function."""
    if op_name(proto.domain, proto.op_type) in FUNCTIONS:
        return True
    schema = _schema(proto, opset)
    return schema is not None and (schema.has_function or schema.has_context_dependent_function)


def function_body(node: Node, new_name: Callable[[str], str]) -> FunctionBody | None:
    """Return the function of a node's op, or None if it is not defined by one.

    `new_name` makes a name for a tensor inside from that in the function.

    Raises UnsupportedNodeError if a function of ours does not have this form of the op.
    """
    ours = FUNCTIONS.get(op_name(node.proto.domain, node.op_type))
    if ours is not None:
        graph = FunctionGraph(node, new_name)
        ours.write(graph)
        return FunctionBody(_needed(graph.nodes, node), OPSET)
    schema = _schema(node.proto, node.opset)
    if schema is None:
        return None
    proto = _with_defaults(node.proto, schema)
    function = _function(schema, proto, node)
    if function is None:
        return None
    names = {"": ""}
    names.update(zip(function.input, [*proto.input, *[""] * len(function.input)], strict=False))
    # A result that the node leaves out may still be read inside the function.
    results = zip(function.output, proto.output, node.used_outputs, strict=False)
    outputs = {inner: outer for inner, outer, used in results if outer and used}
    names.update(outputs)
    attributes = {attribute.name: attribute for attribute in proto.attribute}
    needed, nodes = set(outputs), []
    for inner in reversed(function.node):
        if needed.isdisjoint(inner.output):
            continue
        needed.update(inner.input, captured(inner))
        renamed = _renamed(inner, names, attributes, new_name)
        for index, name in enumerate(inner.output):
            if name not in needed:
                renamed.output[index] = ""
        nodes.append(renamed)
    opset = next((each.version for each in function.opset_import if not each.domain), node.opset)
    return FunctionBody(nodes[::-1], opset)


def _needed(nodes: list[NodeProto], node: Node) -> list[NodeProto]:
    """Return the nodes that the used outputs of a node need, in their order."""
    needed = {name for name, used in zip(node.proto.output, node.used_outputs, strict=True) if used}
    kept = []
    for inner in reversed(nodes):
        if not needed.isdisjoint(inner.output):
            needed.update(inner.input)
            kept.append(inner)
    return kept[::-1]


def _schema(proto: NodeProto, opset: int) -> Any:
    """Return onnx's OpSchema of a node's op, or None; its stubs lack the attributes for functions."""
    import onnx

    if not is_default_domain(proto) or not onnx.defs.has(proto.op_type, opset, ""):
        return None
    return onnx.defs.get_schema(proto.op_type, opset, "")


def _with_defaults(proto: NodeProto, schema: Any) -> NodeProto:
    """Return the node with the attributes that it leaves to their defaults, which the function's nodes refer to."""
    import onnx

    copied = onnx.NodeProto()
    copied.CopyFrom(proto)
    given = {attribute.name for attribute in proto.attribute}
    for name, attribute in schema.attributes.items():
        if name not in given and attribute.default_value.name:
            copied.attribute.append(attribute.default_value)
    return copied


def _function(schema: Any, proto: NodeProto, node: Node) -> FunctionProto | None:
    """Return the function of the newest opset up to the node's, or the oldest there is."""
    import onnx

    types = [_type(value).SerializeToString() for value in node.inputs]
    encoded = proto.SerializeToString()
    makers: dict[int, Callable[[int], bytes]] = {}
    for version in schema.function_opset_versions:
        makers[version] = schema.get_function_with_opset_version
    for version in schema.context_dependent_function_opset_versions:
        makers[version] = lambda version: schema.get_context_dependent_function_with_opset_version(
            version, encoded, types
        )
    if not makers:
        return None
    version = max((v for v in makers if v <= node.opset), default=min(makers))
    function = onnx.FunctionProto()
    function.ParseFromString(makers[version](version))
    return function


def _type(value: Value | None) -> TypeProto:
    from onnx import TypeProto
    from onnx.helper import make_tensor_type_proto, np_dtype_to_tensor_dtype

    if value is None:
        return TypeProto()
    return make_tensor_type_proto(
        np_dtype_to_tensor_dtype(dtype_of_value(value)), list(shape_of(value))
    )


def _renamed(
    inner: NodeProto,
    names: dict[str, str],
    attributes: Mapping[str, AttributeProto],
    new_name: Callable[[str], str],
) -> NodeProto:
    """Return a node of a function with the caller's names of tensors, and the attributes that it refers to."""
    import onnx

    renamed = onnx.NodeProto()
    renamed.CopyFrom(inner)

    def rename(name: str) -> str:
        if name not in names:
            names[name] = new_name(name)
        return names[name]

    for field in (renamed.input, renamed.output):
        for index, name in enumerate(field):
            field[index] = rename(name)
    del renamed.attribute[:]
    for attribute in inner.attribute:
        if not attribute.ref_attr_name:
            renamed.attribute.append(attribute)
        elif attribute.ref_attr_name in attributes:
            given = renamed.attribute.add()
            given.CopyFrom(attributes[attribute.ref_attr_name])
            given.name = attribute.name
    for graph in subgraphs(renamed):
        for tensor in (*graph.input, *graph.output, *graph.initializer):
            tensor.name = rename(tensor.name)
        bodies = [_renamed(each, names, attributes, new_name) for each in graph.node]
        del graph.node[:]
        graph.node.extend(bodies)
    return renamed
