"""Finds the files that hold a model's external data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .large_tensors import OWN_FILE
from .tensors import TensorReader

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto


def external_data_files(model: ModelProto, folder: Path | None) -> list[Path]:
    """Return the files beside a model that hold data of its tensors, each once, in the order in which it names them.

    `folder` is that of the model, None for a model in memory. Raises DiagnosticError if a file is missing or outside of
    the folder.
    """
    reader = TensorReader("" if folder is None else str(folder), folder)
    return list(dict.fromkeys(map(reader.file_of, _external_tensors(model))))


def external_locations(model: ModelProto) -> set[str]:
    """Return where a model says that data of its tensors are, relative to its folder, right or wrong."""
    return {
        entry.value
        for tensor in _external_tensors(model)
        for entry in tensor.external_data
        if entry.key == "location"
    }


def _external_tensors(model: ModelProto) -> Iterator[TensorProto]:
    import onnx

    functions = [node for function in model.functions for node in function.node]
    for tensor in (*_of_graph(model.graph), *_of_nodes(functions)):
        keys = {entry.key for entry in tensor.external_data}
        if tensor.data_location == onnx.TensorProto.EXTERNAL and OWN_FILE not in keys:
            yield tensor


def _of_graph(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _of_nodes(graph.node)


def _of_nodes(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
            if attribute.HasField("g"):
                yield from _of_graph(attribute.g)
            for graph in attribute.graphs:
                yield from _of_graph(graph)
