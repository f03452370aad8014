"""Makes an ONNX model smaller: parts of its graph, shortcuts, smaller shapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper, shape_inference

from .experiment import OnnxExperiment

_SHAPE_CONSTANT_ELEMENTS = 16
"""An integer constant of no more elements may hold sizes of axes, for Reshape and its like."""


def count(experiment: OnnxExperiment) -> int:
    """Return the number of nodes."""
    return len(experiment.model.graph.node)


def keep(experiment: OnnxExperiment, kept: Sequence[int]) -> OnnxExperiment | None:
    """Return the graph of these nodes only, by number, or None if the type of a new input is not known.

    Tensors that removed nodes made become inputs. Outputs are those of before, and what nobody uses any more.
    """
    graph = experiment.model.graph
    return _part(experiment, [graph.node[number] for number in kept], {})


def bypass(experiment: OnnxExperiment, number: int) -> OnnxExperiment | None:
    """Return the graph without one node, whose output is replaced by an input of the same type and shape.

    Returns None if the node has no such input.
    """
    graph = experiment.model.graph
    node, types = graph.node[number], _types(experiment.model)
    if len(node.output) != 1 or node.output[0] not in types:
        return None
    result = types[node.output[0]]
    same = [i for i in node.input if i in types and types[i].type == result.type]
    if not same:
        return None
    nodes = [other for position, other in enumerate(graph.node) if position != number]
    return _part(experiment, nodes, {node.output[0]: same[0]})


def _part(
    experiment: OnnxExperiment, nodes: Iterable[NodeProto], renamed: dict[str, str]
) -> OnnxExperiment | None:
    """Return the graph of `nodes`, which read the tensors in `renamed` under other names."""
    old, types = experiment.model.graph, _types(experiment.model)
    model = _without_graph(experiment.model)
    for node in nodes:
        copy = model.graph.node.add()
        copy.CopyFrom(node)
        for position, name in enumerate(copy.input):
            copy.input[position] = renamed.get(name, name)
    made = [name for node in model.graph.node for name in node.output if name]
    read = list(dict.fromkeys(n for node in model.graph.node for n in _reads(node)))
    before = {output.name for output in old.output}
    constants = {tensor.name: tensor for tensor in old.initializer}
    results = [name for name in made if name in before or name not in read]
    inputs = [name for name in read if name not in made and name not in constants]
    if any(name not in types for name in [*results, *inputs]):
        return None
    model.graph.initializer.extend(constants[name] for name in read if name in constants)
    model.graph.input.extend(types[name] for name in inputs)
    model.graph.output.extend(types[name] for name in results)
    return replace(experiment, model=model)


def _reads(node: NodeProto) -> Iterable[str]:
    """Return the tensors that a node, or a graph inside it, reads."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from _reads(inner)


def _without_graph(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    name = copy.graph.name
    copy.graph.Clear()
    copy.graph.name = name
    return copy


def _types(model: ModelProto) -> dict[str, ValueInfoProto]:
    """Return type and shape of each tensor for which they are known."""
    try:
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
    except onnx.shape_inference.InferenceError:
        graph = model.graph
    infos = [*graph.input, *graph.output, *graph.value_info]
    return {info.name: info for info in infos if info.type.tensor_type.elem_type}


def sizes(experiment: OnnxExperiment) -> set[int]:
    """Return the sizes of all axes of inputs and constants."""
    graph = experiment.model.graph
    found = {size for tensor in graph.initializer for size in tensor.dims}
    for info in graph.input:
        found.update(dim.dim_value for dim in info.type.tensor_type.shape.dim)
    return found


def shrink(experiment: OnnxExperiment, size: int, smaller: int) -> OnnxExperiment | None:
    """Return the model with every axis of `size` elements cut to `smaller`.

    Returns None if ONNX's shape inference finds that the nodes do not fit together then. Cuts constants to their
    first elements; in short integer constants, which hold shapes, replaces the number as well.
    """
    model = ModelProto()
    model.CopyFrom(experiment.model)
    graph = model.graph
    for tensor in graph.initializer:
        _cut(tensor, size, smaller)
    for info in graph.input:
        for dim in info.type.tensor_type.shape.dim:
            if dim.dim_value == size:
                dim.dim_value = smaller
    del graph.value_info[:]
    for info in graph.output:
        info.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError:
        return None
    for info, known in zip(graph.output, inferred.graph.output, strict=True):
        info.CopyFrom(known)
    return replace(experiment, model=model)


def _cut(tensor: TensorProto, size: int, smaller: int) -> None:
    array = numpy_helper.to_array(tensor)
    cut = array[tuple(slice(0, smaller if axis == size else axis) for axis in array.shape)]
    if array.dtype == np.int64 and array.size <= _SHAPE_CONSTANT_ELEMENTS:
        cut = np.where(cut == size, smaller, cut)
    if cut.shape != array.shape or not np.array_equal(cut, array):
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(cut), tensor.name))
