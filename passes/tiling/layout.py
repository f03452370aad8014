"""Where the elements of a logical tensor lie in a buffer: pure mathematics, no IR.

A layout lists the logical axes in physical order; the last physical axis may be padded to a *pitch*. Graph inputs
and outputs are dense, row-major unless another layout is asked for; weights are dense and row-major. Intermediates of
an image network are channel-last with the channels padded to whole lane groups of the vector unit, so that one pixel's
channels are one aligned run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from ...backends.numerics.rounding_up import round_up


@dataclass(frozen=True)
class Layout:
    """The physical form of a tensor of logical `shape`, in elements.

    `order[i]` is the logical axis that is physical axis i (outermost first); the last physical axis
    occupies `pitch` elements, of which the first `shape[order[-1]]` are the tensor's. A tensor
    without axes is one element.
    """

    shape: tuple[int, ...]
    order: tuple[int, ...]
    pitch: int

    def __post_init__(self) -> None:
        if sorted(self.order) != list(range(len(self.shape))):
            raise ValueError(f"order {self.order} is no permutation of {len(self.shape)} axes")
        if self.pitch < self.extent:
            raise ValueError(f"pitch {self.pitch} is less than the last axis' {self.extent}")

    @property
    def extent(self) -> int:
        """How many elements of the last physical axis belong to the tensor."""
        return self.shape[self.order[-1]] if self.shape else 1

    @property
    def padding(self) -> int:
        """How many elements after each run along the last physical axis belong to no element of the tensor."""
        return self.pitch - self.extent

    @property
    def last_axis(self) -> int | None:
        """The logical axis that is contiguous; None for a tensor without axes."""
        return self.order[-1] if self.order else None

    @cached_property
    def physical(self) -> tuple[int, ...]:
        """The physical shape: the permuted shape with the last axis padded."""
        if not self.order:
            return ()
        return (*(self.shape[axis] for axis in self.order[:-1]), self.pitch)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """The distance, in elements, between neighbors along each *logical* axis."""
        result = [0] * len(self.shape)
        step = 1
        for axis, size in zip(reversed(self.order), reversed(self.physical), strict=False):
            result[axis] = step
            step *= size
        return tuple(result)

    @cached_property
    def size(self) -> int:
        """How many elements the buffer has, padding included."""
        return prod(self.physical)


def offset_of(strides: Sequence[int], position: Sequence[int]) -> int:
    """Return the distance, in elements, of a position from the first element of a buffer with these `strides`."""
    return sum(stride * index for stride, index in zip(strides, position, strict=True))


def dense_strides(sizes: Sequence[int], order: Sequence[int]) -> list[int]:
    """Return the distance, in elements, between neighbors along each axis of a dense buffer of `sizes` (by axis), whose
    axes lie in this `order`; 0 for an axis that `order` leaves out.
    """
    strides, step = [0] * len(sizes), 1
    for axis in reversed(order):
        strides[axis] = step
        step *= sizes[axis]
    return strides


def row_major(shape: Sequence[int], multiple: int = 1) -> Layout:
    """Return the row-major layout of `shape`, with the last axis (if there is one) padded to a multiple of `multiple`
    elements.
    """
    pitch = round_up(shape[-1], multiple) if shape else 1
    return Layout(tuple(shape), tuple(range(len(shape))), pitch)


def channel_last(shape: Sequence[int], multiple: int) -> Layout:
    """Return the layout of [N, C, spatial...] as [N, spatial..., C], with channels padded to a multiple of `multiple`.
    The rank must be at least 3.
    """
    if len(shape) < 3:
        raise ValueError(f"a tensor of shape {tuple(shape)} has no channels before spatial axes")
    order = (0, *range(2, len(shape)), 1)
    return Layout(tuple(shape), order, round_up(shape[1], multiple))


def intermediate(shape: Sequence[int], lane_group: int) -> Layout:
    """Return the layout of an intermediate tensor: channel-last from rank 3 on, row-major below, padded to whole lane
    groups.
    """
    return channel_last(shape, lane_group) if len(shape) >= 3 else row_major(shape, lane_group)


def with_unit_axis(layout: Layout, position: int) -> Layout:
    """Return a layout of the same buffer with one more logical axis, of size 1, at `position`; the contiguous axis
    stays contiguous.
    """
    shape = (*layout.shape[:position], 1, *layout.shape[position:])
    order = (position, *(axis + (axis >= position) for axis in layout.order))
    return Layout(shape, order, layout.pitch)
