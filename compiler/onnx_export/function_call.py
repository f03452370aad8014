"""What exporters of named functions have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...dialects import top
from ...dialects.quant.element_type import element_storage
from .exporter_function import ExportFunction
from .graph_writer import GraphWriter
from .schema import element_type


def element_of_result(op: top.CallOp) -> int:
    """Return ONNX's number for the elements of the result of a call."""
    return element_type(element_storage(op.output.type))


def attributes_of(op: top.CallOp) -> Mapping[str, Any]:
    """Return all attributes of the function of a call, those that it leaves out at their defaults."""
    call = op.call()
    return call.known.complete(dict(call.attributes))


def plain(kind: str) -> ExportFunction:
    """Return the exporter to an op of the same operands, without attributes."""
    return lambda op, graph: graph.node(kind, *op.inputs, element=element_of_result(op))


def along_axis(kind: str) -> ExportFunction:
    """Return the exporter to an op of the same operands, with the attribute axis."""
    return lambda op, graph: graph.node(
        kind, *op.inputs, element=element_of_result(op), axis=attributes_of(op)["axis"]
    )


def of_several(
    op: top.CallOp, graph: GraphWriter, kind: str, inputs: Sequence[Any], **attributes: Any
) -> str:
    """Return the result of a call of a function of several results, each of which is an op of its own: the node of the
    first such op serves the others, too.
    """
    call = op.call()
    key = (call.function, call.attributes, tuple(graph.tensor(each) for each in op.inputs))
    if key not in graph.shared:
        elements = [element_type(each.storage) for each in call.results]
        graph.shared[key] = graph.node_of_several(kind, inputs, elements, **attributes)
    return graph.shared[key][call.result]


def lists_of(op: top.CallOp, *names: str) -> dict[str, Any]:
    """Return attributes that are lists, None for those that are empty: ONNX has their defaults then."""
    given = attributes_of(op)
    return {name: given[name] or None for name in names}
