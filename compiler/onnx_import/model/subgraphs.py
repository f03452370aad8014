"""Reads the subgraphs of nodes (branches of If, bodies of Loop and Scan): which tensors they take from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """Yield the graphs among the attributes of a node."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def captured(node: NodeProto) -> list[str]:
    """Return the names of the tensors outside that the subgraphs of a node read, each once, in order."""
    return list(dict.fromkeys(name for graph in subgraphs(node) for name in _free(graph)))


def _free(graph: GraphProto) -> Iterator[str]:
    made = {value.name for value in graph.input} | {each.name for each in graph.initializer}
    made.update(each.values.name for each in graph.sparse_initializer)
    for node in graph.node:
        for name in (*node.input, *captured(node)):
            if name and name not in made:
                yield name
        made.update(node.output)
    for value in graph.output:
        if value.name not in made:
            yield value.name
