"""Networks that end in more than a class: a detector with boxes and scores, and a segmenter with vectors."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto

from . import weights
from .graph import Graph, tensor

DETECTION_SIZE, SEGMENTATION_SIZE = 128, 96
CLASSES, KINDS, VECTOR = 20, 12, 16
_PICTURE = 640
"""Height and width, in pixels, of the picture of which the detector sees a reduced image."""
_STRIDES = (8, 16)
"""Pixels of the reduced image for each cell of the detector's two grids."""


def detector(seed: int = 0) -> ModelProto:
    """A detector without anchor boxes, as YOLOv8's exporter writes it (Jocher et al. 2023), small: `image` [batch, 3,
    128, 128] → `detections` [batch, 4 + 20, 320], the boxes in pixels of a picture of 640x640, the scores in 0..1.

    The heads of both grids are joined by cells, taken apart into distances and scores, and joined again as boxes
    (center and size) and probabilities.
    """
    graph = Graph(seed)
    x, channels = "image", 3
    levels: list[tuple[str, int]] = []
    for stage, outputs in enumerate((16, 32, 64, 96)):
        x = _convolution(graph, x, f"stage{stage}.0", channels, outputs, stride=2)
        y = _convolution(graph, x, f"stage{stage}.1", outputs, outputs)
        x, channels = graph.op("Add", [x, y], f"stage{stage}/Add"), outputs
        levels.append((x, channels))
    flat = graph.integers("flat", 0, 4 + CLASSES, -1)
    rows = [
        graph.op("Reshape", [_head(graph, *level, f"head{index}"), flat], f"head{index}/Reshape")
        for index, level in enumerate(levels[-len(_STRIDES) :])
    ]
    joined = graph.op("Concat", rows, "heads/Concat", axis=2)
    parts = ["distances", "classes"]
    graph.split(joined, graph.integers("parts", 4, CLASSES), parts, "heads/Split", axis=1)
    boxes = _boxes(graph, "distances")
    scores = graph.op("Sigmoid", ["classes"], "scores")
    graph.op("Concat", [boxes, scores], "detections", axis=1)
    cells = sum((DETECTION_SIZE // stride) ** 2 for stride in _STRIDES)
    image = tensor("image", "batch", 3, DETECTION_SIZE, DETECTION_SIZE)
    detections = tensor("detections", "batch", 4 + CLASSES, cells)
    return graph.model("detector", [image], [detections], opset=17)


def segmenter(seed: int = 0) -> ModelProto:
    """A segmenter (as DeepLab's, Chen et al. 2017, small) with a vector for each pixel: `image` [batch, 3, 96, 96] →
    `shares` [batch, 12, 96, 96] of the kinds, their logarithms `log_shares`, and `vectors` [batch, 16, 24, 24], each of
    length 1.

    Dilated convolutions and the mean of the image are joined. The softmax is written out, its logarithm is that of a
    clip, and the vectors are divided by their length.
    """
    graph = Graph(seed)
    x = _convolution(graph, "image", "stem.0", 3, 24, stride=2)
    x = _convolution(graph, x, "stem.1", 24, 48, stride=2)
    branches = [
        _convolution(graph, x, f"pyramid{rate}", 48, 24, dilation=rate) for rate in (1, 2, 4)
    ]
    mean = graph.op("GlobalAveragePool", [x], "pool/GlobalAveragePool")
    mean = _convolution(graph, mean, "pool", 48, 24, kernel=1)
    grid = SEGMENTATION_SIZE // 4
    spread = graph.integers("pool.sizes", 1, 1, grid, grid)
    branches.append(graph.op("Tile", [mean, spread], "pool/Tile"))
    x = graph.op("Concat", branches, "pyramid/Concat", axis=1)
    x = _convolution(graph, x, "project", 96, 48, kernel=1)
    logits = _convolution(graph, x, "kinds", 48, KINDS, kernel=1, gain=1.0)
    scales = graph.constant("scales", np.array([1, 1, 4, 4], np.float32))
    logits = graph.op("Resize", [logits, "", scales], "logits", mode="linear")
    _shares(graph, logits)
    _vectors(graph, _convolution(graph, x, "embed", 48, VECTOR, kernel=1, gain=1.0))
    size = SEGMENTATION_SIZE
    return graph.model(
        "segmenter",
        [tensor("image", "batch", 3, size, size)],
        [
            tensor("shares", "batch", KINDS, size, size),
            tensor("log_shares", "batch", KINDS, size, size),
            tensor("vectors", "batch", VECTOR, grid, grid),
        ],
        opset=17,
    )


def _convolution(
    graph: Graph, x: str, name: str, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1,
    dilation: int = 1, gain: float | None = None,
) -> str:  # fmt: skip
    """A convolution with a bias that keeps the size of the image (at stride 1), and a Relu; without one if the gain of
    its weights is given, which with a Relu is that of He et al. 2015.
    """
    shape, fan_in = (outputs, inputs, kernel, kernel), inputs * kernel**2
    deviation = (2 / fan_in) ** 0.5 if gain is None else gain / fan_in**0.5
    weight = graph.add(weights.normal(graph.seed, f"{name}.weight", shape, deviation))
    bias = graph.add(weights.bias(graph.seed, f"{name}.bias", (outputs,)))
    y = graph.op(
        "Conv", [x, weight, bias], f"{name}/Conv", kernel_shape=[kernel, kernel], strides=[stride, stride],
        dilations=[dilation, dilation], pads=[kernel // 2 * dilation] * 4,
    )  # fmt: skip
    return graph.op("Relu", [y], f"{name}/Relu") if gain is None else y


def _head(graph: Graph, x: str, channels: int, name: str) -> str:
    """Distances to the four sides and scores of the classes, for each cell of a grid."""
    parts = []
    for part, outputs, gain in (("box", 4, 0.25), ("class", CLASSES, 0.5)):
        y = _convolution(graph, x, f"{name}.{part}.0", channels, 32)
        parts.append(_convolution(graph, y, f"{name}.{part}.1", 32, outputs, kernel=1, gain=gain))
    return graph.op("Concat", parts, f"{name}/Concat", axis=1)


def _boxes(graph: Graph, distances: str) -> str:
    """Center and size, in pixels of the picture, of boxes whose sides are given in cells from the middle of theirs."""
    middles, pixels = [], []
    for stride in _STRIDES:
        side = DETECTION_SIZE // stride
        rows, columns = np.mgrid[:side, :side].reshape(2, -1) + 0.5
        middles.append(np.stack([columns, rows]))
        pixels.append(np.full((1, side * side), stride * _PICTURE / DETECTION_SIZE))
    middle = graph.constant("middles", np.concatenate(middles, 1).astype(np.float32)[None])
    scale = graph.constant("cell_pixels", np.concatenate(pixels, 1).astype(np.float32)[None])
    sides = graph.op("Softplus", [distances], "sides/Softplus")
    corners = ["to_first", "to_second"]
    graph.split(sides, graph.integers("corners", 2, 2), corners, "sides/Split", axis=1)
    first = graph.op("Sub", [middle, corners[0]], "first/Sub")
    second = graph.op("Add", [middle, corners[1]], "second/Add")
    total = graph.op("Add", [first, second], "center/Add")
    center = graph.op("Div", [total, graph.scalar("two", 2.0)], "center/Div")
    size = graph.op("Sub", [second, first], "size/Sub")
    box = graph.op("Concat", [center, size], "boxes/Concat", axis=1)
    return graph.op("Mul", [box, scale], "boxes")


def _shares(graph: Graph, logits: str) -> None:
    """The softmax over the kinds, written out, and the logarithm of what is at least 1e-6 of it."""
    channels = graph.integers("channels", 1)
    greatest = graph.op("ReduceMax", [logits], "shares/ReduceMax", axes=[1])
    power = graph.op("Exp", [graph.op("Sub", [logits, greatest], "shares/Sub")], "shares/Exp")
    total = graph.op("ReduceSum", [power, channels], "shares/ReduceSum")
    shares = graph.op("Div", [power, total], "shares")
    least, most = graph.scalar("least_share", 1e-6), graph.scalar("most_share", 1.0)
    clipped = graph.op("Clip", [shares, least, most], "log_shares/Clip")
    graph.op("Log", [clipped], "log_shares")


def _vectors(graph: Graph, x: str) -> None:
    """The vector of each pixel divided by its length, which counts as at least 1e-6."""
    square = graph.op("Mul", [x, x], "vectors/Mul")
    total = graph.op("ReduceSum", [square, "channels"], "vectors/ReduceSum")
    length = graph.op("Sqrt", [total], "vectors/Sqrt")
    least = graph.scalar("least_length", 1e-6)
    graph.op("Div", [x, graph.op("Max", [length, least], "vectors/Max")], "vectors")
