"""Imports Conv: any groups, strides, dilations and padding, over any number of spatial axes, with weights that are
constant or computed at run time.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.call import is_for_engines
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Constant, Value, shape_of
from .movement import concat_of, gather, slice_of
from .padding import padded
from .window_attributes import WindowAttributes, read_window, window_positions

_MAX_TAPS = 1024
"""The most elements of a window that becomes a product or a reduction: each costs a copy of the image."""


def _conv(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    image, weight, bias = node.input(0), node.input(1), node.optional(2)
    shape, weight_shape = shape_of(image), shape_of(weight)
    if len(weight_shape) != len(shape):
        raise node.error(f"input {list(shape)} and weight {list(weight_shape)} differ in rank")
    kernel = node.integers("kernel_shape") or list(weight_shape[2:])
    if tuple(kernel) != weight_shape[2:]:
        raise node.error(f"kernel_shape is {kernel}, the weight's is {list(weight_shape[2:])}")
    window = read_window(node, shape, kernel)
    groups = node.integer("group", 1)
    if takes_bias(weight):
        return [convolve(node, builder, image, weight, bias, window, groups, node.output)]
    name = node.output if bias is None else builder.derived(node.output, "product")
    result = convolve(node, builder, image, weight, None, window, groups, name)
    return [result if bias is None else add_bias(node, builder, result, bias)]


def takes_bias(weight: Value) -> bool:
    """Tell whether `convolve` adds a bias itself: it does with constant weights of a type that engines multiply."""
    return isinstance(weight, Constant) and is_for_engines(weight)


def convolve(
    node: Node,
    builder: GraphBuilder,
    image: Value,
    weight: Value,
    bias: Value | None,
    window: WindowAttributes,
    groups: int,
    name: str,
) -> Value:
    """Emit the convolution of `image` [N, C, spatial...] with `weight` [O, C/groups, kernel...] and `bias` [O] under
    the name `name`. There must be no bias unless `takes_bias`.

    Raises:
        DiagnosticError: if the shapes do not fit together.
        UnsupportedNodeError: if a kernel that is computed at run time, or of f64, has too many elements.
    """
    shape, weight_shape = shape_of(image), shape_of(weight)
    if window.rank == 1:
        n, c, length = shape
        wide = builder.reshape(image, (n, c, 1, length), builder.derived(name, "input_2d"))
        taps = (*weight_shape[:2], 1, *weight_shape[2:])
        weight = builder.reshape(weight, taps, builder.derived(name, "weight_2d"))
        flat = window.of_axes(None, 0)
        inner = builder.derived(name, "2d")
        result = convolve(node, builder, wide, weight, bias, flat, groups, inner)
        n, o, _, length = shape_of(result)
        return builder.reshape(result, (n, o, length), name)
    if window.rank > 2:
        return _over_first_axis(node, builder, image, weight, bias, window, groups, name)
    if not takes_bias(weight):
        return _by_product(node, builder, image, weight, window, groups, name)
    return builder.emit(
        top.Conv2dOp,
        name,
        image,
        weight,
        bias,
        strides=window.strides,
        pads=window.pads,
        dilations=window.dilations,
        groups=groups,
    )


def _over_first_axis(
    node: Node,
    builder: GraphBuilder,
    image: Value,
    weight: Value,
    bias: Value | None,
    window: WindowAttributes,
    groups: int,
    name: str,
) -> Value:
    """Emit a convolution with the first spatial axis turned into samples, one for each position of the window, and its
    taps into channels: [N, C, D, rest...] becomes [N·OD, C·KD, rest...].
    """
    n, c, _, *rest = shape_of(image)
    count = window_positions(node, window.of_axes(0), shape_of(image)[2:3])[0]
    taps, (o, inputs) = window.kernel[0], shape_of(weight)[:2]
    low, high = window.pads[0], window.pads[window.rank]
    frames = swapped(builder, image, 1, 2, builder.derived(name, "frames"))
    if low or high:
        around = [(0, 0), (low, high), *[(0, 0)] * (len(rest) + 1)]
        frames = padded(builder, frames, around, builder.derived(name, "padded"))
    offsets = np.arange(taps) * window.dilations[0]
    indices = (np.arange(count)[:, None] * window.strides[0] + offsets).reshape(-1)
    windows = gather(node, builder, frames, 1, indices, builder.derived(name, "windows"))
    # Channels are (tap, channel) where weights can be permuted for that; groups need them together.
    if groups == 1:
        weight = swapped(builder, weight, 1, 2, builder.derived(name, "weight_taps"))
    else:
        split = builder.reshape(windows, (n * count, taps, c, *rest), builder.derived(name, "taps"))
        windows = swapped(builder, split, 1, 2, builder.derived(name, "grouped"))
    samples = builder.reshape(
        windows, (n * count, taps * c, *rest), builder.derived(name, "samples")
    )
    kernel = window.kernel[1:]
    weight = builder.reshape(
        weight, (o, inputs * taps, *kernel), builder.derived(name, "weight_rest")
    )
    others = window.of_axes(*range(1, window.rank))
    inner = builder.derived(name, "rest")
    made = convolve(node, builder, samples, weight, bias, others, groups, inner)
    sizes = shape_of(made)[2:]
    made = builder.reshape(made, (n, count, o, *sizes), builder.derived(name, "unfolded"))
    return swapped(builder, made, 1, 2, name)


def _by_product(
    node: Node,
    builder: GraphBuilder,
    image: Value,
    weight: Value,
    window: WindowAttributes,
    groups: int,
    name: str,
) -> Value:
    """Emit a 2-D convolution, whose weights are computed at run time or of f64, as a matrix product with what its
    windows see: [N, G, O/G, H·W] = weight [G, O/G, taps·C/G] · windows [N, G, taps·C/G, H·W].
    """
    n, c, *sizes = shape_of(image)
    o, inputs, *kernel = shape_of(weight)
    if groups < 1 or c % groups or o % groups or inputs * groups != c:
        raise node.error(f"{groups} groups of {inputs} channels do not fit {c} to {o} channels")
    height, width = window_positions(node, window, sizes)
    split = (n, groups, inputs, height * width)
    seen = [
        builder.reshape(tap, split, builder.derived(name, "tap_rows"))
        for tap in taps_of(node, builder, image, window, name)
    ]
    windows = concat_of(builder, seen, 2, builder.derived(name, "windows"))
    by_tap = (groups, o // groups, inputs, prod(kernel))
    rows = builder.reshape(weight, by_tap, builder.derived(name, "weight_taps"))
    rows = swapped(builder, rows, 2, 3, builder.derived(name, "weight_swapped"))
    depth = (groups, o // groups, prod(kernel) * inputs)
    rows = builder.reshape(rows, depth, builder.derived(name, "weight_rows"))
    product = builder.emit(top.MatmulOp, builder.derived(name, "product"), rows, windows)
    return builder.reshape(product, (n, o, height, width), name)


def taps_of(
    node: Node, builder: GraphBuilder, image: Value, window: WindowAttributes, name: str
) -> list[Value]:
    """Return what each element of a 2-D window sees of an image, at all its positions: [N, C, H, W] each.

    Raises UnsupportedNodeError if the window has too many elements.
    """
    n, c, *sizes = shape_of(image)
    if prod(window.kernel) > _MAX_TAPS:
        raise UnsupportedNodeError(
            f"its kernel {list(window.kernel)} has more than {_MAX_TAPS} elements, "
            "and is computed at run time or of f64"
        )
    height, width = window_positions(node, window, sizes)
    if any(window.pads):
        around = [(0, 0), (0, 0), *zip(window.pads[:2], window.pads[2:], strict=True)]
        image = padded(builder, image, around, builder.derived(name, "padded"))
    seen: list[Value] = []
    for row in range(window.kernel[0]):
        for column in range(window.kernel[1]):
            start = (0, 0, row * window.dilations[0], column * window.dilations[1])
            kept, steps = (n, c, height, width), (1, 1, *window.strides)
            tap = builder.derived(name, "tap")
            seen.append(slice_of(builder, image, start, kept, steps, tap))
    return seen


def add_bias(node: Node, builder: GraphBuilder, value: Value, bias: Value) -> Value:
    """Emit `value` [N, O, spatial...] + `bias` [O] as the output of the node.

    Raises DiagnosticError for a bias of another shape.
    """
    if shape_of(bias) != shape_of(value)[1:2]:
        raise node.error(
            f"its bias must have shape {list(shape_of(value)[1:2])}, it has {list(shape_of(bias))}"
        )
    channels = (shape_of(bias)[0], *(1,) * (len(shape_of(value)) - 2))
    along = builder.reshape(bias, channels, builder.derived(node.output, "bias"))
    return builder.emit(top.AddOp, node.output, value, along)


def swapped(builder: GraphBuilder, value: Value, first: int, second: int, name: str) -> Value:
    """Emit `value` with two of its axes exchanged."""
    order = list(range(len(shape_of(value))))
    order[first], order[second] = second, first
    return builder.transpose(value, order, name)


OPERATORS = {"Conv": Operator(_conv, "matrix (depthwise: vector)")}
"""The ops of this family."""
