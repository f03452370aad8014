"""Reads kernel, strides, dilations and padding of ONNX's convolutions and pools as 2-D windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....backends.numerics.rounding_up import ceil_div
from ....backends.numerics.sliding_windows import window_extent
from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.value import Value, shape_of


@dataclass(frozen=True)
class WindowAttributes:
    """A sliding window over spatial axes; `pads` is all begins, then all ends, as in ONNX."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    ceil_mode: bool = False

    def as_2d(self) -> WindowAttributes:
        """Return a 2-D window; one over [length] becomes the same window over [1, length]."""
        if len(self.kernel) == 2:
            return self
        begin, end = self.pads
        return WindowAttributes(
            (1, *self.kernel),
            (1, *self.strides),
            (1, *self.dilations),
            (0, begin, 0, end),
            self.ceil_mode,
        )


def read_window(
    node: Node, input_shape: Sequence[int], kernel: Sequence[int], *, most_axes: int = 2
) -> WindowAttributes:
    """Return the window of a convolution or pool over [N, C, spatial...] with `kernel`; auto_pad becomes explicit pads.

    Raises:
        DiagnosticError: if a list has the wrong length, a stride or dilation is below 1, or padding is negative.
        UnsupportedNodeError: if there are more than `most_axes` spatial axes.
    """
    rank = len(input_shape) - 2
    if rank < 1:
        raise node.error(f"its input must have at least 3 axes, it has {len(input_shape)}")
    if rank > most_axes:
        raise UnsupportedNodeError(f"it has {rank} spatial axes; 1 to {most_axes} are supported")
    kernel = positive_list(node, "kernel_shape", list(kernel), rank)
    strides = positive_list(node, "strides", node.integers("strides"), rank)
    dilations = positive_list(node, "dilations", node.integers("dilations"), rank)
    pads = _pads(node, input_shape[2:], kernel, strides, dilations)
    # A stride past the padded input and past the window is never taken, so a longer one means the same.
    strides = tuple(
        min(stride, max(size + pads[axis] + pads[axis + rank], dilation * (extent - 1) + 1))
        for axis, (stride, size, extent, dilation) in enumerate(
            zip(strides, input_shape[2:], kernel, dilations, strict=True)
        )
    )
    # SAME states the output's size; with its pads made explicit, floor mode gives the same size.
    # VALID with ceil_mode is read as onnx's shape inference and ONNX Runtime read it: like NOTSET
    # without pads.
    is_same = node.string("auto_pad", "NOTSET").startswith("SAME")
    ceil_mode = bool(node.integer("ceil_mode", 0)) and not is_same
    return WindowAttributes(kernel, strides, dilations, pads, ceil_mode)


def positive_list(
    node: Node, name: str, values: Sequence[int] | None, rank: int
) -> tuple[int, ...]:
    """Return a list of a number per axis, 1 where it is left out. Raises DiagnosticError if it does not fit."""
    if values is None:
        return (1,) * rank
    if len(values) != rank or any(value < 1 for value in values):
        raise node.error(f"{name} must be {rank} positive numbers, it is {list(values)}")
    return tuple(values)


def _pads(
    node: Node,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[int, ...]:
    rank = len(sizes)
    mode = node.string("auto_pad", "NOTSET") or "NOTSET"
    if mode == "NOTSET":
        pads = node.integers("pads") or [0] * (2 * rank)
        if len(pads) != 2 * rank or any(pad < 0 for pad in pads):
            raise node.error(f"pads must be {2 * rank} numbers that are not negative, got {pads}")
        return tuple(pads)
    if mode == "VALID":
        return (0,) * (2 * rank)
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise node.error(f"auto_pad '{mode}' is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID")
    begins, ends = [], []
    for size, k, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        # ONNX, Conv: output = ceil(input / stride); the padding that needs, its odd element after
        # or before.
        windows = ceil_div(size, stride)
        total = max(0, (windows - 1) * stride + window_extent(k, dilation) - size)
        small = total // 2
        begins.append(small if mode == "SAME_UPPER" else total - small)
        ends.append(total - begins[-1])
    return (*begins, *ends)


def spatial_2d(node: Node, builder: GraphBuilder, value: Value) -> Value:
    """Return [N, C, length] as [N, C, 1, length], and [N, C, H, W] as it is."""
    shape = shape_of(value)
    if len(shape) == 4:
        return value
    n, c, length = shape
    return builder.reshape(value, (n, c, 1, length), builder.derived(node.output, "input_2d"))


def emit_over_2d(
    node: Node,
    builder: GraphBuilder,
    rank: int,
    kind: type,
    *operands: Value | None,
    **properties: object,
) -> Value:
    """Emit a 2-D op as the node's output; if the node has one spatial axis (rank 3), remove the added axis again."""
    if rank == 4:
        return builder.emit(kind, node.output, *operands, **properties)
    wide = builder.emit(kind, builder.derived(node.output, "2d"), *operands, **properties)
    n, c, _, length = shape_of(wide)
    return builder.reshape(wide, (n, c, length), node.output)
