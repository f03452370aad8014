"""Tells which tensors of an ONNX model depend on the values of its inputs; the others are constants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_SHAPE_ONLY = frozenset({"Shape", "Size"})
"""Ops that read the shape of their input, which is known at import."""


def computed_from_inputs(model: str | Path | ModelProto) -> set[str]:
    """Return the names of all tensors outside of subgraphs whose values depend on those of the inputs.

    An input with an initializer of the same name is a constant.
    """
    import onnx

    if isinstance(model, str | Path):
        model = onnx.load(str(model), load_external_data=False)
    graph = model.graph
    readers: dict[str, list[NodeProto]] = defaultdict(list)
    for node in graph.node:
        if node.op_type not in _SHAPE_ONLY:
            for name in _reads(node):
                readers[name].append(node)
    constants = {tensor.name for tensor in graph.initializer}
    found = {value.name for value in graph.input} - constants
    open_names = list(found)
    while open_names:
        for node in readers[open_names.pop()]:
            new = set(node.output) - found - {""}
            found |= new
            open_names += new
    return found


def _reads(node: NodeProto) -> Iterator[str]:
    """Yield what a node reads, and what its subgraphs read (their own names, too, which do no harm)."""
    yield from node.input
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            for inner in graph.node:
                yield from _reads(inner)
