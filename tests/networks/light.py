"""The nine light_*.onnx topologies of the `onnx` package, with seeded weights in place of their constant ones.

Nearly all of their own weights are 0.02 (a ConstantOfShape each), and a compiler that computes nonsense would pass on
them; the few small ones that are stored are replaced as well, to fit. The nodes stay as they are: opset 9, IR 3,
weights among the graph's inputs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from . import weights
from .images import smooth_images

TOPOLOGIES = (
    "bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet", "vgg19",
    "zfnet512",
)  # fmt: skip


def light_model(topology: str, seed: int = 0) -> ModelProto:
    """One of `TOPOLOGIES` with seeded weights: He-normal products, batch norms with statistics of a seeded image."""
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    model = onnx.load(folder / f"light_{topology}.onnx")
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    users = _users(list(graph.node))
    shapes: dict[str, tuple[int, ...]] = {}
    kept: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "ConstantOfShape":
            shapes[node.output[0]] = tuple(numpy_helper.to_array(stored.pop(node.input[0])))
        else:
            kept.append(node)
    for name, tensor in stored.items():
        if tensor.data_type == TensorProto.FLOAT and name in users:
            shapes[name] = tuple(tensor.dims)
    others = [tensor for name, tensor in stored.items() if name not in shapes]
    del graph.node[:]
    graph.node.extend(kept)
    made = [_weight(seed, name, shape, users) for name, shape in shapes.items()]
    _set_initializers(graph, [*others, *made])
    image = image_input(model)
    weights.set_batch_norm_statistics(model, {image[0]: smooth_images(*image[1], seed=seed)})
    return model


def image_input(model: ModelProto) -> tuple[str, tuple[int, int, int, int]]:
    """Name and shape of the one input that is no weight."""
    known = {tensor.name for tensor in model.graph.initializer}
    (value,) = [value for value in model.graph.input if value.name not in known]
    n, c, h, w = (dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
    return value.name, (n, c, h, w)


def _users(nodes: list[NodeProto]) -> dict[str, tuple[str, int]]:
    """The op that reads a tensor, and as which of its operands; what Unsqueeze reads counts as read by its user."""
    users = {name: (node.op_type, index) for node in nodes for index, name in enumerate(node.input)}
    for node in nodes:
        if node.op_type == "Unsqueeze":
            users[node.input[0]] = users[node.output[0]]
    return users


def _weight(
    seed: int, name: str, shape: tuple[int, ...], users: dict[str, tuple[str, int]]
) -> TensorProto:
    kind, operand = users[name]
    if kind in ("Conv", "Gemm") and operand == 1:
        # A convolution's weights are [out, in / groups, kernel...], those of these models' Gemms (transB) [out, in].
        return weights.he_normal(seed, name, shape, int(np.prod(shape[1:])))
    if (kind, operand) in (("BatchNormalization", 1), ("BatchNormalization", 4), ("Mul", 1)):
        return weights.factor(seed, name, shape)
    return weights.bias(seed, name, shape)


def _set_initializers(graph: onnx.GraphProto, tensors: list[TensorProto]) -> None:
    """Replaces the initializers; in IR 3 each is an input of the graph too."""
    old = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in old]
    inputs += [
        helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
        for tensor in tensors
    ]
    del graph.initializer[:]
    del graph.input[:]
    graph.initializer.extend(tensors)
    graph.input.extend(inputs)
