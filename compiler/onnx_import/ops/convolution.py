"""Imports Conv and ConvTranspose: any groups, strides, dilations and padding, over one to three spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Value, shape_of
from .convolution_2d import Convolution2d
from .movement import concat_of, windows_along
from .transposed_convolution import Kernel, transposed
from .window_attributes import WindowAttributes, read_window, spatial_2d


def _conv(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    image, weight, bias = node.input(0), node.input(1), node.optional(2)
    shape, weight_shape = shape_of(image), shape_of(weight)
    groups = node.integer("group", 1)
    _check_weight(node, shape, weight_shape)
    window = read_window(node, shape, weight_shape[2:], most_axes=3)
    if len(shape) == 5:
        return [_conv_3d(node, builder, window, groups)]
    if len(shape) == 3:
        outputs, inputs, taps = weight_shape
        name = builder.derived(node.output, "weight_2d")
        weight = builder.reshape(weight, (outputs, inputs, 1, taps), name)
    convolution = Convolution2d(spatial_2d(node, builder, image), weight, bias, groups)
    return [_over_2d(node, builder, len(shape), convolution, window.as_2d())]


def _check_weight(node: Node, shape: Sequence[int], weight: Sequence[int]) -> None:
    if len(weight) != len(shape):
        raise node.error(f"input {list(shape)} and weight {list(weight)} differ in rank")
    kernel = node.integers("kernel_shape") or list(weight[2:])
    if kernel != list(weight[2:]):
        raise node.error(f"kernel_shape is {kernel}, the weight's is {list(weight[2:])}")


def _over_2d(
    node: Node,
    builder: GraphBuilder,
    rank: int,
    convolution: Convolution2d,
    window: WindowAttributes,
) -> Value:
    """Emit a 2-D convolution as the node's output, which has no second spatial axis if its rank is 3."""
    if rank == 4:
        return convolution.emit(node, builder, window, node.output)
    wide = convolution.emit(node, builder, window, builder.derived(node.output, "2d"))
    n, c, _, length = shape_of(wide)
    return builder.reshape(wide, (n, c, length), node.output)


def _conv_3d(node: Node, builder: GraphBuilder, window: WindowAttributes, groups: int) -> Value:
    """Emit a convolution over frames: a 2-D one for each frame of the result, whose channels are those of all the
    frames that its window covers.
    """
    image, weight, bias = node.input(0), node.input(1), node.optional(2)
    (n, c, _, h, w), (m, inputs, taps, *kernel) = shape_of(image), shape_of(weight)
    if inputs * groups != c:
        raise node.error(f"{c} channels do not fit {groups} groups of {inputs}")

    def name(suffix: str) -> str:
        return builder.derived(node.output, suffix)

    frames = builder.transpose(image, (0, 2, 1, 3, 4), name("frames"))
    seen = windows_along(
        builder,
        frames,
        1,
        taps,
        window.strides[0],
        window.dilations[0],
        (window.pads[0], window.pads[3]),
        name("taps"),
    )
    count = shape_of(seen[0])[1]
    # The channels of a group stay together: [N, frames, groups, channels of a group, H, W].
    split = [
        builder.reshape(each, (n, count, groups, inputs, h, w), name("groups")) for each in seen
    ]
    joined = concat_of(builder, split, 3, name("joined"))
    joined = builder.reshape(joined, (n * count, c * taps, h, w), name("images"))
    weight = builder.transpose(weight, (0, 2, 1, 3, 4), name("weight_taps"))
    weight = builder.reshape(weight, (m, taps * inputs, *kernel), name("weight_2d"))
    flat = replace(
        window,
        kernel=window.kernel[1:],
        strides=window.strides[1:],
        dilations=window.dilations[1:],
        pads=(*window.pads[1:3], *window.pads[4:]),
    )
    result = Convolution2d(joined, weight, bias, groups).emit(node, builder, flat, name("2d"))
    result = builder.reshape(result, (n, count, *shape_of(result)[1:]), name("result_frames"))
    return builder.transpose(result, (0, 2, 1, 3, 4), node.output)


def _conv_transpose(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    image, weight, bias = node.input(0), node.input(1), node.optional(2)
    shape, weight_shape = shape_of(image), shape_of(weight)
    _check_weight(node, shape, weight_shape)
    rank = len(shape) - 2
    if rank not in (1, 2):
        raise UnsupportedNodeError(f"it has {rank} spatial axes; 1 and 2 are supported")
    kernel = Kernel.read(node, shape[2:], weight_shape[2:])
    if rank == 1:
        channels, outputs, taps = weight_shape
        name = builder.derived(node.output, "weight_2d")
        weight = builder.reshape(weight, (channels, outputs, 1, taps), name)
        kernel = kernel.as_2d()
    groups = node.integer("group", 1)
    name = node.output if rank == 2 else builder.derived(node.output, "2d")
    image = spatial_2d(node, builder, image)
    wide = transposed(node, builder, Convolution2d(image, weight, bias, groups), kernel, name)
    if rank == 2:
        return [wide]
    n, c, _, length = shape_of(wide)
    return [builder.reshape(wide, (n, c, length), node.output)]


OPERATORS = {
    "Conv": Operator(_conv, "matrix (depthwise: vector)"),
    "ConvTranspose": Operator(_conv_transpose, "matrix"),
}
"""The ops of this family."""
