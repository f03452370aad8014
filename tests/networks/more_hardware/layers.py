"""Eighteen kinds of layer, each as a network of one layer with seeded weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto

from .. import weights
from ..graph import Graph, tensor

_OPSET = 17
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A network of one layer: the shapes of its inputs and of its output, and what adds its nodes to a graph and
    returns the name of the last one's result.
    """

    inputs: Mapping[str, Shape]
    output: Shape
    add: Callable[[Graph], str]

    def model(self, name: str) -> ModelProto:
        """The network."""
        graph = Graph(0)
        result = self.add(graph)
        inputs = [tensor(name, *shape) for name, shape in self.inputs.items()]
        return graph.model(name, inputs, [tensor(result, *self.output)], _OPSET)

    def calibration(self) -> dict[str, np.ndarray]:
        """Normal numbers for the inputs."""
        rng = np.random.default_rng(0)
        return {
            name: rng.standard_normal(shape, dtype=np.float32)
            for name, shape in self.inputs.items()
        }


def _convolution(
    image: tuple[int, int, int], channels: int, kernel: int, stride: int = 1, group: int = 1
) -> Layer:
    """A convolution with bias of an image (channels, height, width), padded so that the stride divides its size."""
    depth, height, width = image
    shape = channels, depth // group, kernel, kernel

    def add(graph: Graph) -> str:
        weight = graph.add(weights.he_normal(0, "weight", shape, depth // group * kernel**2))
        operands = ["x", weight, graph.add(weights.bias(0, "bias", (channels,)))]
        pads = [kernel // 2] * 2 + [(kernel - 1) // 2] * 2
        strides = [stride] * 2
        return graph.op("Conv", operands, "y", strides=strides, pads=pads, group=group)

    return Layer({"x": (1, *image)}, (1, channels, height // stride, width // stride), add)


def _linear(rows: int, inputs: int, outputs: int) -> Layer:
    """A product with constant weights, and a bias."""
    add: Callable[[Graph], str] = lambda graph: graph.linear("x", "linear", inputs, outputs)  # noqa: E731
    return Layer({"x": (rows, inputs)}, (rows, outputs), add)


def _node(kind: str, inputs: Mapping[str, Shape], output: Shape, **attributes: Any) -> Layer:
    """A node without constants."""
    return Layer(inputs, output, lambda graph: graph.op(kind, [*inputs], "z", **attributes))


def _resize() -> Layer:
    """An image made twice as large, with linear interpolation."""

    def add(graph: Graph) -> str:
        scales = graph.constant("scales", np.array([1, 1, 2, 2], np.float32))
        return graph.op("Resize", ["x", "", scales], "y", mode="linear")

    return Layer({"x": (1, 64, 28, 28)}, (1, 64, 56, 56), add)


_IMAGE = (1, 64, 56, 56)

LAYERS: Mapping[str, Layer] = {
    "conv_3x3": _convolution((64, 28, 28), 64, 3),
    "conv_3x3_stride_2": _convolution((32, 56, 56), 64, 3, stride=2),
    "conv_1x1_large_image": _convolution((32, 56, 56), 64, 1),
    "conv_1x1_small_image": _convolution((256, 7, 7), 512, 1),
    "conv_7x7_first": _convolution((3, 112, 112), 32, 7, stride=2),
    "conv_depthwise": _convolution((96, 56, 56), 96, 3, group=96),
    "conv_grouped": _convolution((64, 28, 28), 64, 3, group=4),
    "product": _linear(128, 256, 512),
    "product_of_vector": _linear(1, 1024, 1000),
    "product_of_activations": _node(
        "MatMul", {"x": (4, 128, 64), "y": (4, 64, 128)}, (4, 128, 128)
    ),
    "add": _node("Add", {"x": _IMAGE, "y": _IMAGE}, _IMAGE),
    "sigmoid": _node("Sigmoid", {"x": _IMAGE}, _IMAGE),
    "max_pool": _node(
        "MaxPool", {"x": _IMAGE}, (1, 64, 28, 28),
        kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0],
    ),
    "global_average_pool": _node("GlobalAveragePool", {"x": (1, 256, 14, 14)}, (1, 256, 1, 1)),
    "softmax": _node("Softmax", {"x": (4, 128, 128)}, (4, 128, 128), axis=-1),
    "layer_norm": Layer(
        {"x": (128, 512)}, (128, 512), lambda graph: graph.layer_norm("x", "norm", 512)
    ),
    "transpose": _node("Transpose", {"x": (4, 96, 128)}, (4, 128, 96), perm=[0, 2, 1]),
    "resize": _resize(),
}  # fmt: skip
