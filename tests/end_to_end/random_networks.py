"""Random small ONNX networks for property tests: every op that the compiler takes, with odd shapes and attributes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnx.helper as oh
from hypothesis import strategies as st
from onnx import TensorProto

from .random_graph import Graph
from .random_movement import concat, cut, gather, pad, shuffle


def windows(
    graph: Graph, shape: tuple[int, ...], kernel: tuple[int, int], *, dilate: bool
) -> dict[str, Any]:
    """Strides, dilations and padding of a window op, as ONNX attributes."""
    attributes: dict[str, Any] = {"kernel_shape": kernel}
    attributes["strides"] = [graph.integer(1, 3), graph.integer(1, 3)]
    if dilate and graph.choose(True, False):
        attributes["dilations"] = [graph.integer(1, 2), graph.integer(1, 2)]
    # ONNX Runtime, which the results are compared with, refuses auto_pad where windows are dilated or far apart.
    plain = "dilations" not in attributes and all(
        s <= k for s, k in zip(attributes["strides"], kernel, strict=True)
    )
    padding = graph.choose(
        "pads", "pads", *(("SAME_UPPER", "SAME_LOWER", "VALID") if plain else ())
    )
    if padding != "pads":
        return attributes | {"auto_pad": padding}
    pads = [graph.integer(0, kernel[i % 2] - 1) for i in range(4)]
    for axis, dilation in enumerate(attributes.get("dilations", ())):
        reach = dilation * (kernel[axis] - 1) + 1
        pads[axis + 2] += max(0, reach - shape[axis + 2] - pads[axis] - pads[axis + 2])
    return attributes | {"pads": pads}


def conv(graph: Graph, x: str) -> str:
    """A convolution: dense, grouped or depthwise, with or without bias."""
    n, c, h, w = graph.values[x]
    divisors = [g for g in range(1, c + 1) if c % g == 0]
    groups = graph.choose(1, 1, *divisors, c)
    out = groups * graph.choose(1, 2, 3, 5 if groups == 1 else 1, 17 if groups == 1 else 1)
    kernel = (graph.integer(1, min(4, h)), graph.integer(1, min(4, w)))
    fan_in = c // groups * kernel[0] * kernel[1]
    inputs = [x, graph.weight(out, c // groups, *kernel, scale=fan_in**-0.5)]
    if graph.choose(True, False):
        inputs.append(graph.weight(out))
    return graph.infer(
        "Conv", inputs, group=groups, **windows(graph, (n, c, h, w), kernel, dilate=True)
    )


def pool(graph: Graph, x: str) -> str:
    """Max or average pooling."""
    shape = graph.values[x]
    h, w = shape[2:]
    op = graph.choose("MaxPool", "AveragePool")
    kernel = (graph.integer(1, min(3, h)), graph.integer(1, min(3, w)))
    attributes = windows(graph, shape, kernel, dilate=op == "MaxPool")
    # ONNX leaves open what ceil_mode means beside auto_pad, and its shape inference keeps windows past the end.
    dense = all(s <= k for s, k in zip(attributes["strides"], kernel, strict=True))
    if dense and not any(attributes.get("pads", [1])):
        attributes["ceil_mode"] = graph.choose(0, 1)
    if op == "AveragePool":
        attributes["count_include_pad"] = graph.choose(0, 1)
    return graph.infer(op, [x], **attributes)


def batch_norm(graph: Graph, x: str) -> str:
    """Batch normalization with plain statistics."""
    shape = graph.values[x]
    c = shape[1]
    positive = graph.constant(graph.rng.uniform(0.5, 2, c), np.float32)
    inputs = [x, graph.weight(c), graph.weight(c), graph.weight(c), positive]
    return graph.node("BatchNormalization", inputs, shape)


def activation(graph: Graph, x: str) -> str:
    """Relu or Clip."""
    shape = graph.values[x]
    if graph.choose(True, False):
        return graph.node("Relu", [x], shape)
    low, high = graph.choose((0.0, 6.0), (-1.0, 1.0), (-0.5, 0.25), (0.0, None))
    inputs = [x, graph.constant(low, np.float32)]
    if high is not None:
        inputs.append(graph.constant(high, np.float32))
    return graph.node("Clip", inputs, shape)


def add(graph: Graph, x: str) -> str:
    """Sum with a value of the same shape (a residual), a constant that broadcasts, or itself."""
    shape = graph.values[x]
    same = [name for name, other in graph.values.items() if other == shape and name != x]
    kind = graph.choose("residual", "residual", "constant", "self", "broadcast")
    if kind == "residual" and same:
        other = graph.choose(*same)
        return graph.node("Add", graph.choose([x, other], [other, x]), shape)
    if kind == "self":
        return graph.node("Add", [x, x], shape)
    if kind == "broadcast" and len(shape) == 4:
        mean = graph.infer("GlobalAveragePool", [x])
        return graph.node("Add", graph.choose([x, mean], [mean, x]), shape)
    small = tuple(graph.choose(1, size) for size in shape)
    drop = graph.integer(0, len(shape) - 1)
    small = small[drop:] if all(size == 1 for size in small[:drop]) else small
    other = graph.weight(*small)
    return graph.node("Add", graph.choose([x, other], [other, x]), shape)


def function(graph: Graph, x: str) -> str:
    """A function of each element, without jumps."""
    op = graph.choose(
        "Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "LeakyRelu", "Softplus", "Elu", "Erf", "Abs", "Neg"
    )  # fmt: skip
    return graph.node(op, [x], graph.values[x])


def extreme(graph: Graph, x: str) -> str:
    """The smaller or larger of a value and a constant that broadcasts, or PRelu."""
    shape = graph.values[x]
    other = graph.weight(*(graph.choose(1, size) for size in shape))
    return graph.node(graph.choose("Min", "Max", "PRelu"), [x, other], shape)


def resize(graph: Graph, x: str) -> str:
    """Resize of the spatial axes, by scales or sizes."""
    n, c, h, w = graph.values[x]
    attributes: dict[str, Any] = {"mode": graph.choose("nearest", "linear", "cubic")}
    # ONNX Runtime departs from the standard for pytorch_half_pixel, and for align_corners where a size is rounded.
    coordinates = graph.choose("half_pixel", "asymmetric", "align_corners")
    attributes["coordinate_transformation_mode"] = coordinates
    if attributes["mode"] == "nearest":
        attributes["nearest_mode"] = graph.choose("floor", "round_prefer_floor")
    sizes = [n, c, graph.integer(1, 2 * h + 1), graph.integer(1, 2 * w + 1)]
    # Not nearest: f32 and f64 may round a coordinate to different elements.
    if attributes["mode"] != "nearest" and graph.choose(True, False):
        inputs = [x, "", "", graph.constant(sizes, np.int64)]
    else:
        scales = [
            1,
            1,
            graph.choose(1.0, 2.0, 1.0 if coordinates == "align_corners" or h < 2 else 0.5),
            graph.choose(1.0, 2.0),
        ]
        inputs = [x, "", graph.constant(scales, np.float32)]
    return graph.infer("Resize", inputs, **attributes)


def reshape(graph: Graph, x: str) -> str:
    """Reshape to some grouping of the factors, or Flatten."""
    shape = graph.values[x]
    if graph.choose(True, False):
        return graph.infer("Flatten", [x], axis=graph.integer(0, len(shape)))
    target = list(shape)
    at = graph.integer(0, len(target) - 1)
    for factor in (2, 3, 5):
        if target[at] % factor == 0 and len(target) < 4:
            target[at : at + 1] = graph.choose(
                [factor, target[at] // factor], [target[at] // factor, factor]
            )
            break
    else:
        if len(target) > 2:
            target[-2:] = [target[-2] * target[-1]]
        if graph.choose(True, False):
            target[::] = target[::-1]
    return graph.infer("Reshape", [x, graph.constant(target, np.int64)])


def reduction(graph: Graph, x: str) -> str:
    """A pool over the whole image, or a reduction over some axes.

    Not ReduceLogSum, which is defined on positive numbers, nor ReduceProd, whose results differ by
    orders of magnitude.
    """
    rank = len(graph.values[x])
    if rank == 4 and graph.choose(True, False):
        return graph.infer(graph.choose("GlobalAveragePool", "GlobalMaxPool"), [x])
    axes = graph.draw(st.sets(st.integers(0, rank - 1), min_size=1))
    amplifying = ("SumSquare",) if graph.amplifies else ()
    kind = graph.choose("Mean", "Mean", "Sum", "Max", "Min", "L1", "L2", "LogSumExp", *amplifying)
    keepdims = graph.choose(0, 1)
    if kind == "Sum":
        return graph.infer(
            "ReduceSum", [x, graph.constant(sorted(axes), np.int64)], keepdims=keepdims
        )
    return graph.infer(f"Reduce{kind}", [x], axes=sorted(axes), keepdims=keepdims)


def product(graph: Graph, x: str) -> str:
    """MatMul or Gemm with constant weights."""
    shape = graph.values[x]
    depth, columns = shape[-1], graph.choose(1, 3, 10, 17, 33)
    if len(shape) == 2 and graph.choose(True, False):
        transposed = graph.choose(0, 1)
        w = graph.weight(*((columns, depth) if transposed else (depth, columns)), scale=depth**-0.5)
        bias = (
            [graph.weight(*graph.choose((columns,), (1, columns), (1,)))]
            if graph.choose(True, False)
            else []
        )
        return graph.infer("Gemm", [x, w, *bias], transB=transposed, alpha=graph.choose(1.0, 0.5))
    return graph.infer("MatMul", [x, graph.weight(depth, columns, scale=depth**-0.5)])


def softmax(graph: Graph, x: str) -> str:
    """Softmax or its logarithm along any axis."""
    shape = graph.values[x]
    return graph.node(
        graph.choose("Softmax", "LogSoftmax"),
        [x],
        shape,
        axis=graph.integer(-len(shape), len(shape) - 1),
    )


def normalization(graph: Graph, x: str) -> str:
    """A normalization by statistics of the input, with constant scale and bias where it has them."""
    shape = graph.values[x]
    images = (
        ("InstanceNormalization", "MeanVarianceNormalization", "LRN") if len(shape) == 4 else ()
    )
    op = graph.choose("LayerNormalization", "LayerNormalization", "LpNormalization", *images)
    if op == "LayerNormalization":
        axis = graph.integer(0, len(shape) - 1)
        inputs = [x, graph.weight(*shape[axis:])]
        if graph.choose(True, False):
            inputs.append(graph.weight(*shape[axis:]))
        return graph.node(op, inputs, shape, axis=axis, epsilon=0.1)
    if op == "LpNormalization":
        axis = graph.integer(0, len(shape) - 1)
        return graph.node(op, [x], shape, axis=axis, p=graph.integer(1, 2))
    if op == "InstanceNormalization":
        inputs = [x, graph.weight(shape[1]), graph.weight(shape[1])]
        return graph.node(op, inputs, shape, epsilon=0.1)
    if op == "LRN":
        return graph.node(op, [x], shape, size=graph.choose(1, 3, 5), alpha=0.5)
    axes = sorted(graph.draw(st.sets(st.integers(0, 3), min_size=1)))
    if math.prod(shape[axis] for axis in axes) < 8:
        # ONNX's variance, E[x²] - E[x]², of few numbers is what rounding left, and may be below 0.
        return graph.node("LRN", [x], shape, size=3, alpha=0.5)
    return graph.node(op, [x], shape, axes=axes)


def attention(graph: Graph, x: str) -> str:
    """A product of two activations: x times its own transpose, or x times what that gives."""
    shape = graph.values[x]
    rank = len(shape)
    if rank < 2:
        return activation(graph, x)
    swapped = [*range(rank - 2), rank - 1, rank - 2]
    turned = graph.infer("Transpose", [x], perm=swapped)
    scores = graph.infer("MatMul", [x, turned])
    if scores == x or graph.choose(True, False):
        return scores
    return graph.infer("MatMul", [scores, x])


def step(graph: Graph, x: str) -> str:
    """One more op on `x`."""
    images = (conv, conv, conv, pool, resize, batch_norm)
    anything = (
        function,
        extreme,
        activation,
        activation,
        add,
        add,
        reshape,
        reduction,
        softmax,
        product,
    )
    moves = (concat, concat, cut, cut, pad, gather, shuffle)
    amplifying = (normalization, attention) if graph.amplifies else ()
    anything = (*anything, *moves, *amplifying)
    options = [*images, *anything] if len(graph.values[x]) == 4 else [*anything, product]
    return graph.choose(*options)(graph, x)


@st.composite
def networks(
    draw: Callable[..., Any], max_nodes: int = 6, amplifies: bool = True
) -> onnx.ModelProto:
    """A model with input `x`, its last value and perhaps an inner one as outputs.

    Without `amplifies` it has no op that makes much more of its input's rounding errors, as the
    normalizations do where the deviations are small.
    """
    graph = Graph(draw, np.random.default_rng(draw(st.integers(0, 1000))), amplifies)
    shape = (
        graph.choose(1, 1, 2), graph.choose(1, 2, 3, 4, 6, 16, 17, 24), graph.integer(1, 11), graph.integer(1, 11)
    )  # fmt: skip
    graph.values["x"] = shape
    value = "x"
    for _ in range(graph.integer(1, max_nodes)):
        value = step(graph, value)
    if not graph.nodes:
        value = activation(graph, value)
    outputs = list(
        dict.fromkeys([value, *([graph.choose(*graph.values)] if graph.choose(0, 0, 1) else [])])
    )
    outputs = [name for name in outputs if name != "x"] or [graph.nodes[-1].output[0]]
    proto = oh.make_graph(
        graph.nodes,
        "random",
        [oh.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [
            oh.make_tensor_value_info(name, TensorProto.FLOAT, graph.values[name])
            for name in outputs
        ],
        graph.weights,
    )
    return oh.make_model(proto, opset_imports=[oh.make_opsetid("", 17)], ir_version=8)
