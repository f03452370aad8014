"""Reads kernel, strides, dilations and padding of ONNX's convolutions and pools over any number of spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....backends.numerics.rounding_up import ceil_div
from ....backends.numerics.windows.sliding_windows import window_extent
from ....dialects.network.shape import ShapeError, window_output_size
from ..graph.node import Node


@dataclass(frozen=True)
class WindowAttributes:
    """A sliding window over spatial axes; `pads` is all begins, then all ends, as in ONNX."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    ceil_mode: bool = False

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel)

    @property
    def is_whole(self) -> bool:
        """Whether every element is a window of its own, so that the image stays as it is."""
        return {*self.kernel, *self.strides} <= {1} and not any(self.pads)

    def of_axes(self, *axes: int | None) -> WindowAttributes:
        """Return the window over some of the spatial axes, in the order given; None stands for an axis that is not
        covered, where each element is a window of its own.
        """

        def chosen(values: Sequence[int], otherwise: int) -> tuple[int, ...]:
            return tuple(otherwise if axis is None else values[axis] for axis in axes)

        return WindowAttributes(
            chosen(self.kernel, 1),
            chosen(self.strides, 1),
            chosen(self.dilations, 1),
            (*chosen(self.pads[: self.rank], 0), *chosen(self.pads[self.rank :], 0)),
            self.ceil_mode,
        )


def read_window(node: Node, input_shape: Sequence[int], kernel: Sequence[int]) -> WindowAttributes:
    """Return the window of a convolution or pool over [N, C, spatial...] with `kernel`; auto_pad becomes explicit pads.

    Raises DiagnosticError if a list has the wrong length, a stride or dilation is below 1, or padding is negative.
    """
    rank = spatial_rank(node, input_shape)
    kernel = positive(node, "kernel_shape", list(kernel), rank)
    strides = positive(node, "strides", node.integers("strides"), rank)
    dilations = positive(node, "dilations", node.integers("dilations"), rank)
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


def spatial_rank(node: Node, shape: Sequence[int]) -> int:
    """Return the number of spatial axes of [N, C, spatial...]. Raises DiagnosticError if there is none."""
    if len(shape) < 3:
        raise node.error(f"its input must have at least 3 axes, it has {len(shape)}")
    return len(shape) - 2


def positive(node: Node, name: str, values: list[int] | None, rank: int) -> tuple[int, ...]:
    """Return an attribute with a number for each spatial axis, by default 1. Raises DiagnosticError if the numbers are
    not positive or not `rank` many.
    """
    if values is None:
        return (1,) * rank
    if len(values) != rank or any(value < 1 for value in values):
        raise node.error(f"{name} must be {rank} positive numbers, it is {values}")
    return tuple(values)


def auto_pad(node: Node) -> str:
    """Return how the padding is chosen. Raises DiagnosticError if the attribute auto_pad has no known value."""
    mode = node.string("auto_pad", "NOTSET") or "NOTSET"
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise node.error(f"auto_pad '{mode}' is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID")
    return mode


def explicit_pads(node: Node, rank: int) -> tuple[int, ...]:
    """Return the attribute pads: all begins, then all ends. Raises DiagnosticError if these are not as many as there
    are spatial axes, or negative.
    """
    pads = node.integers("pads") or [0] * (2 * rank)
    if len(pads) != 2 * rank or any(pad < 0 for pad in pads):
        raise node.error(f"pads must be {2 * rank} numbers that are not negative, got {pads}")
    return tuple(pads)


def _pads(
    node: Node,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[int, ...]:
    rank = len(sizes)
    mode = auto_pad(node)
    if mode == "NOTSET":
        return explicit_pads(node, rank)
    if mode == "VALID":
        return (0,) * (2 * rank)
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


def window_positions(node: Node, window: WindowAttributes, sizes: Sequence[int]) -> tuple[int, ...]:
    """Return how many positions the window has along each spatial axis. Raises DiagnosticError if it fits nowhere."""
    try:
        return tuple(
            window_output_size(
                size,
                window.kernel[axis],
                window.strides[axis],
                window.dilations[axis],
                window.pads[axis],
                window.pads[window.rank + axis],
                window.ceil_mode,
            )
            for axis, size in enumerate(sizes)
        )
    except ShapeError as error:
        raise node.error(str(error)) from None
