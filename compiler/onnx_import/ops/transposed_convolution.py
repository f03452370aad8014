"""Imports ConvTranspose as an ordinary convolution, whose channels hold the pixels between those of the input.

With stride s, the output at position s·P + q depends on the taps q, q + s, q + 2s, … of the kernel only (its phase q),
applied to the input at P, P − 1, P − 2, …: so the s phases of an axis are s sets of output channels of one convolution
without a stride, and moving them between one another gives the result. No product with an inserted zero is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod

import numpy as np

from ....backends.numerics.rounding_up import ceil_div
from ....backends.numerics.windows.sliding_windows import window_extent
from ..graph.builder import GraphBuilder
from ..graph.node import Node
from ..graph.operator import Operator
from ..graph.value import Constant, Value, dtype_of_value, shape_of
from .convolution import add_bias, convolve, takes_bias
from .movement import slice_of
from .padding import padded
from .window_attributes import WindowAttributes, auto_pad, explicit_pads, positive, spatial_rank


@dataclass(frozen=True)
class _Axis:
    """A spatial axis of a transposed convolution: the sizes of input and output, and how many positions of the full
    result, before those of the output, are cut off.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    cropped: int
    output: int

    @property
    def taps(self) -> int:
        """The taps of a phase."""
        return ceil_div(window_extent(self.kernel, self.dilation), self.stride)

    @property
    def first(self) -> int:
        """The first position of the phases that is computed; those before it would not be in the output."""
        return min(self.cropped // self.stride, self.taps - 1)

    @property
    def pads(self) -> tuple[int, int]:
        """The padding of the convolution that computes the phases."""
        end = ceil_div(self.cropped + self.output, self.stride)
        return self.taps - 1 - self.first, max(end - self.size, 0)

    @property
    def start(self) -> int:
        """Where the output begins in the phases, put between one another."""
        return self.cropped - self.first * self.stride

    @property
    def is_whole(self) -> bool:
        """Whether the output is all of the phases, put between one another."""
        positions = self.size + sum(self.pads) - self.taps + 1
        return not self.start and self.output == positions * self.stride


def _conv_transpose(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    image, weight, bias = node.input(0), node.input(1), node.optional(2)
    axes = _axes(node, shape_of(image), shape_of(weight))
    groups = node.integer("group", 1)
    channels, outputs = shape_of(weight)[:2]
    if channels != shape_of(image)[1] or groups < 1 or channels % groups:
        raise node.error(
            f"its weight has {channels} channels in {groups} groups, its input {shape_of(image)[1]}"
        )
    phases = prod(axis.stride for axis in axes)
    taps = prod(axis.taps for axis in axes)
    size_bytes = channels * outputs * phases * taps * dtype_of_value(weight).itemsize
    builder.budget.check(size_bytes, (outputs * phases, channels, taps), node.place)
    kernels = _phase_kernels(builder, weight, axes, groups, node.output)
    own_bias = None
    if isinstance(bias, Constant) and takes_bias(weight):
        name = builder.derived(node.output, "bias")
        own_bias = Constant(np.repeat(bias.array, phases), name)
    window = WindowAttributes(
        kernel=tuple(axis.taps for axis in axes),
        strides=(1,) * len(axes),
        dilations=(1,) * len(axes),
        pads=tuple(chain(*zip(*(axis.pads for axis in axes), strict=True))),
    )
    adds = bias is not None and own_bias is None
    name = builder.derived(node.output, "product") if adds else node.output
    stays = all(axis.stride == 1 and axis.is_whole for axis in axes)
    inner = name if stays else builder.derived(name, "phases")
    made = convolve(node, builder, image, kernels, own_bias, window, groups, inner)
    made = _between_one_another(builder, made, axes, outputs * groups, name)
    return [add_bias(node, builder, made, bias) if adds and bias is not None else made]


def _axes(node: Node, shape: Sequence[int], weight_shape: Sequence[int]) -> list[_Axis]:
    """Return the spatial axes. Raises DiagnosticError if attributes do not fit the input, or nothing is left of it."""
    rank = spatial_rank(node, shape)
    if len(weight_shape) != len(shape):
        raise node.error(f"input {list(shape)} and weight {list(weight_shape)} differ in rank")
    kernel = positive(node, "kernel_shape", node.integers("kernel_shape"), rank)
    if not node.has("kernel_shape"):
        kernel = tuple(weight_shape[2:])
    if kernel != tuple(weight_shape[2:]) or 0 in kernel:
        raise node.error(
            f"kernel_shape is {list(kernel)}, the weight's is {list(weight_shape[2:])}"
        )
    strides = positive(node, "strides", node.integers("strides"), rank)
    dilations = positive(node, "dilations", node.integers("dilations"), rank)
    more = node.integers("output_padding") or [0] * rank
    if len(more) != rank or min(more) < 0:
        raise node.error(f"output_padding must be {rank} numbers that are not negative, got {more}")
    full = [
        (size - 1) * stride + window_extent(taps, dilation) + extra if size else 0
        for size, stride, taps, dilation, extra in zip(
            shape[2:], strides, kernel, dilations, more, strict=True
        )
    ]
    crops = _crops(node, shape[2:], strides, full)
    axes = [
        _Axis(size, taps, stride, dilation, *crop)
        for size, taps, stride, dilation, crop in zip(
            shape[2:], kernel, strides, dilations, crops, strict=True
        )
    ]
    if any(axis.output < 1 for axis in axes):
        raise node.error(f"its pads leave nothing of a result of {full}")
    return axes


def _crops(
    node: Node, sizes: Sequence[int], strides: Sequence[int], full: Sequence[int]
) -> list[tuple[int, int]]:
    """Return what is cut off before the output, and the size of the output, along each axis (ONNX, ConvTranspose)."""
    rank, mode = len(sizes), auto_pad(node)
    wanted = node.integers("output_shape")
    if wanted is None and mode.startswith("SAME"):
        wanted = [size * stride for size, stride in zip(sizes, strides, strict=True)]
    if wanted is None:
        pads = explicit_pads(node, rank) if mode == "NOTSET" else (0,) * (2 * rank)
        return [
            (low, size - low - high)
            for low, high, size in zip(pads[:rank], pads[rank:], full, strict=True)
        ]
    if len(wanted) != rank:
        raise node.error(f"output_shape must have {rank} numbers, it has {len(wanted)}")
    totals = [max(size - output, 0) for size, output in zip(full, wanted, strict=True)]
    lows = [total // 2 if mode == "SAME_UPPER" else total - total // 2 for total in totals]
    return list(zip(lows, wanted, strict=True))


def _phase_kernels(
    builder: GraphBuilder, weight: Value, axes: Sequence[_Axis], groups: int, name: str
) -> Value:
    """Return the kernels [O·phases, C/groups, taps...] of the phases of a weight [C, O/groups, kernel...].

    Tap t of phase q is tap q + stride·t of the dilated kernel, counted from the end, since a convolution goes forward
    where its transpose goes back.
    """
    channels, outputs, *kernel = shape_of(weight)
    rank = len(axes)

    def named(what: str) -> str:
        return builder.derived(name, what)

    lead = (channels, outputs)
    apart = builder.reshape(weight, (*lead, *chain(*((k, 1) for k in kernel))), named("taps"))
    holes = [(0, 0), (0, 0), *chain(*(((0, 0), (0, axis.dilation - 1)) for axis in axes))]
    if any(axis.dilation > 1 for axis in axes):
        apart = padded(builder, apart, holes, named("dilated"))
    dilated = builder.reshape(
        apart, (*lead, *(axis.kernel * axis.dilation for axis in axes)), named("kernel")
    )
    lengths = [axis.taps * axis.stride for axis in axes]
    kept = [min(a, b) for a, b in zip(shape_of(dilated)[2:], lengths, strict=True)]
    zeros = (0,) * (rank + 2)
    ones = (1,) * (rank + 2)
    dilated = slice_of(builder, dilated, zeros, (*lead, *kept), ones, named("kept"))
    if kept != lengths:
        ends = [(0, length - each) for length, each in zip(lengths, kept, strict=True)]
        dilated = padded(builder, dilated, [(0, 0), (0, 0), *ends], named("whole"))
    split = (*lead, *chain(*((axis.taps, axis.stride) for axis in axes)))
    phases = builder.reshape(dilated, split, named("split"))
    last = [0, 0, *chain(*((axis.taps - 1, 0) for axis in axes))]
    back = [1, 1, *chain(*((-1, 1) for _ in axes))]
    phases = slice_of(builder, phases, last, split, back, named("flipped"))
    grouped = (groups, channels // groups, *split[1:])
    phases = builder.reshape(phases, grouped, named("grouped"))
    strides = [4 + 2 * axis for axis in range(rank)]
    taps = [3 + 2 * axis for axis in range(rank)]
    phases = builder.transpose(phases, (0, 2, *strides, 1, *taps), named("permuted"))
    count = prod(axis.stride for axis in axes)
    return builder.reshape(
        phases,
        (groups * outputs * count, channels // groups, *(axis.taps for axis in axes)),
        named("weight"),
    )


def _between_one_another(
    builder: GraphBuilder, made: Value, axes: Sequence[_Axis], outputs: int, name: str
) -> Value:
    """Put the phases of `made` [N, O·phases, P...] between one another, [N, O, P·stride...], and cut the output out."""
    n, _, *sizes = shape_of(made)
    rank = len(axes)
    full = [size * axis.stride for size, axis in zip(sizes, axes, strict=True)]
    if any(axis.stride > 1 for axis in axes):
        split = (n, outputs, *(axis.stride for axis in axes), *sizes)
        apart = builder.reshape(made, split, builder.derived(name, "split"))
        pairs = chain(*((2 + rank + axis, 2 + axis) for axis in range(rank)))
        moved = builder.transpose(apart, (0, 1, *pairs), builder.derived(name, "moved"))
        whole = all(axis.is_whole for axis in axes)
        full_name = name if whole else builder.derived(name, "full")
        made = builder.reshape(moved, (n, outputs, *full), full_name)
    starts = (0, 0, *(axis.start for axis in axes))
    wanted = (n, outputs, *(axis.output for axis in axes))
    return slice_of(builder, made, starts, wanted, (1,) * (rank + 2), name)


OPERATORS = {"ConvTranspose": Operator(_conv_transpose, "matrix")}
"""The op of this family."""
