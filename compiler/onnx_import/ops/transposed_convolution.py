"""Emits 2-D transposed convolutions as convolutions whose channels are then spread over the pixels.

Of the result's rows, those that stride·q + p names for one p (its phase) are a convolution of the image with every
stride-th row of the kernel from p on. One convolution computes all phases as channels of their own, and multiplies
nothing by zeros that stand between pixels; a transpose then puts the phases side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ....backends.numerics.rounding_up import ceil_div
from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.node import Node
from ..graph.value import Constant, Value, shape_of
from .convolution_2d import Convolution2d
from .movement import concat_of, slice_of
from .window_attributes import WindowAttributes, positive_list


@dataclass(frozen=True)
class Kernel:
    """Strides and dilations by axis, and of the result of every pixel's whole kernel, the part that is kept: the first
    row and how many.
    """

    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    starts: tuple[int, ...]
    sizes: tuple[int, ...]

    def as_2d(self) -> Kernel:
        """Return a kernel over [length] as one over [1, length]."""
        return Kernel((1, *self.strides), (1, *self.dilations), (0, *self.starts), (1, *self.sizes))

    @staticmethod
    def read(node: Node, sizes: Sequence[int], kernel: Sequence[int]) -> Kernel:
        """Read the attributes of a ConvTranspose (ONNX, ConvTranspose: output shape and pads).

        Raises DiagnosticError if a list has the wrong length or the result would be empty.
        """
        rank = len(sizes)
        strides = positive_list(node, "strides", node.integers("strides"), rank)
        dilations = positive_list(node, "dilations", node.integers("dilations"), rank)
        extra = node.integers("output_padding") or [0] * rank
        pads = node.integers("pads") or [0] * (2 * rank)
        wanted = node.integers("output_shape")
        mode = node.string("auto_pad", "NOTSET") or "NOTSET"
        if len(extra) != rank or len(pads) != 2 * rank or min(extra) < 0:
            raise node.error(f"pads {pads} and output_padding {extra} do not fit {rank} axes")
        if wanted is not None:
            wanted = wanted[-rank:]
        elif mode.startswith("SAME"):
            wanted = [size * stride for size, stride in zip(sizes, strides, strict=True)]
        starts, lengths = [], []
        for axis, (size, taps) in enumerate(zip(sizes, kernel, strict=True)):
            whole = strides[axis] * (size - 1) + dilations[axis] * (taps - 1) + 1 + extra[axis]
            if wanted is None:
                begin, length = pads[axis], whole - pads[axis] - pads[axis + rank]
            else:
                total, length = whole - wanted[axis], wanted[axis]
                begin = total // 2 if mode == "SAME_UPPER" else total - total // 2
            if length < 1:
                raise node.error(f"its result would have {length} elements along axis {axis + 2}")
            starts.append(begin)
            lengths.append(length)
        return Kernel(strides, dilations, tuple(starts), tuple(lengths))


def transposed(
    node: Node, builder: GraphBuilder, given: Convolution2d, kernel: Kernel, name: str
) -> Value:
    """Emit the transposed convolution of an image with weights [C, M/groups, kh, kw] under the name `name`."""
    (_, channels, *image), (weight_channels, outputs, *_) = (
        shape_of(given.image),
        shape_of(given.weight),
    )
    groups = given.groups
    if weight_channels != channels or channels % groups:
        raise node.error(f"{channels} channels do not fit weights of {weight_channels}")

    def new(suffix: str) -> str:
        return builder.derived(name, suffix)

    strides = kernel.strides
    weight, taps = _phases(builder, given.weight, kernel, groups, new)
    bias, phases = given.bias, strides[0] * strides[1]
    if bias is not None and phases > 1:
        column = builder.reshape(bias, (groups * outputs, 1), new("bias_column"))
        bias = _repeated(builder, column, phases, new("bias_phases"))
    # Rows q from first on are needed; the image has none before 0, so that pads stand for them.
    firsts = [start // stride for start, stride in zip(kernel.starts, strides, strict=True)]
    pads, offsets = [], []
    for axis in (0, 1):
        last = ceil_div(kernel.starts[axis] + kernel.sizes[axis], strides[axis])
        before = taps[axis] - 1 - firsts[axis]
        pads.append((max(before, 0), max(last - image[axis], 0)))
        offsets.append((firsts[axis] - (taps[axis] - 1 - pads[axis][0])) * strides[axis])
    window = WindowAttributes(
        taps, (1, 1), (1, 1), (pads[0][0], pads[1][0], pads[0][1], pads[1][1])
    )
    wide = Convolution2d(given.image, weight, bias, groups).emit(
        node, builder, window, new("phases")
    )
    n, _, height, width = shape_of(wide)
    split = builder.reshape(
        wide, (n, groups * outputs, *strides, height, width), new("phases_apart")
    )
    spread = builder.transpose(split, (0, 1, 4, 2, 5, 3), new("phases_spread"))
    shape = (n, groups * outputs, height * strides[0], width * strides[1])
    starts = [
        start - first * stride + offset
        for start, first, stride, offset in zip(
            kernel.starts, firsts, strides, offsets, strict=True
        )
    ]
    is_whole = not any(starts) and shape[2:] == kernel.sizes
    whole = builder.reshape(spread, shape, name if is_whole else new("whole"))
    return slice_of(builder, whole, (0, 0, *starts), (*shape[:2], *kernel.sizes), (1,) * 4, name)


def _phases(
    builder: GraphBuilder, weight: Value, kernel: Kernel, groups: int, new: Callable[[str], str]
) -> tuple[Value, tuple[int, int]]:
    """Return weights [M·phases, C/groups, th, tw] for all phases, and their taps (th, tw)."""
    channels, outputs, *sizes = shape_of(weight)
    for axis, dilation in enumerate(kernel.dilations):
        if dilation > 1 and sizes[axis] > 1:
            weight = _apart(builder, weight, 2 + axis, dilation, new)
    sizes = shape_of(weight)[2:]
    strides = kernel.strides
    taps = (ceil_div(sizes[0], strides[0]), ceil_div(sizes[1], strides[1]))
    grown = [t * s - size for t, s, size in zip(taps, strides, sizes, strict=True)]
    weight = _grown(builder, weight, (0, 0, *grown), new("kernel_grown"))
    split = (groups, channels // groups, outputs, taps[0], strides[0], taps[1], strides[1])
    weight = builder.reshape(weight, split, new("kernel_phases"))
    weight = _flipped(builder, weight, (3, 5), new("kernel_flipped"))
    weight = builder.transpose(weight, (0, 2, 4, 6, 1, 3, 5), new("kernel_ordered"))
    shape = (groups * outputs * strides[0] * strides[1], channels // groups, *taps)
    return builder.reshape(weight, shape, new("kernel")), taps


def _apart(
    builder: GraphBuilder, weight: Value, axis: int, dilation: int, new: Callable[[str], str]
) -> Value:
    """Put dilation - 1 zeros between the elements along an axis."""
    shape = list(shape_of(weight))
    apart = builder.reshape(
        weight, (*shape[: axis + 1], 1, *shape[axis + 1 :]), new("kernel_apart")
    )
    zeros = [0] * (len(shape) + 1)
    zeros[axis + 1] = dilation - 1
    grown = _grown(builder, apart, zeros, new("kernel_zeros"))
    length = shape[axis] * dilation
    joined = (*shape[:axis], length, *shape[axis + 1 :])
    whole = builder.reshape(grown, joined, new("kernel_dilated"))
    sizes = [*shape[:axis], length - dilation + 1, *shape[axis + 1 :]]
    if isinstance(whole, Constant):
        kept = tuple(slice(0, size) for size in sizes)
        return Constant(whole.array[kept], new("kernel_cut"))
    return slice_of(builder, whole, [0] * len(shape), sizes, [1] * len(shape), new("kernel_cut"))


def _grown(builder: GraphBuilder, value: Value, high: Sequence[int], name: str) -> Value:
    """Put zeros after the elements of each axis."""
    if not any(high):
        return value
    if isinstance(value, Constant):
        return Constant(np.pad(value.array, [(0, each) for each in high]), name)
    return builder.emit(top.PadOp, name, value, low=[0] * len(high), high=list(high), value=0.0)


def _flipped(builder: GraphBuilder, value: Value, axes: tuple[int, ...], name: str) -> Value:
    """Reverse the elements along axes."""
    if isinstance(value, Constant):
        return Constant(np.flip(value.array, axes), name)
    shape = shape_of(value)
    steps = [-1 if axis in axes and size > 1 else 1 for axis, size in enumerate(shape)]
    starts = [size - 1 if step < 0 else 0 for size, step in zip(shape, steps, strict=True)]
    return slice_of(builder, value, starts, shape, steps, name)


def _repeated(builder: GraphBuilder, column: Value, times: int, name: str) -> Value:
    """Repeat each element of a column [M, 1]: a list [M·times]."""
    if isinstance(column, Constant):
        return Constant(np.repeat(column.array.reshape(-1), times), name)
    many = concat_of(builder, [column] * times, 1, builder.derived(name, "columns"))
    return builder.reshape(many, (shape_of(column)[0] * times,), name)
