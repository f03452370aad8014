"""Cuts the buffers of a tile program into ranges of elements that its steps use as wholes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from math import prod

from xdsl.ir import SSAValue

from ...ir.attribute import Ints, values_of
from ...quant.element_type import shape_of
from ..buffer import ViewOp, viewed
from ..movement import CopyOp
from ..step_op import StepOp

Range = tuple[SSAValue, int]
"""A part of a buffer: the buffer, and the number of the part among its parts."""

Extent = tuple[SSAValue, int, int]
"""A buffer, and the elements from the first up to the last one excluded."""


class BufferRanges:
    """The ranges of the buffers that some steps use.

    A buffer that is used through views is cut wherever what a step reads or writes of it begins or ends; so a step uses
    a range as a whole or not at all, and steps that use different ranges touch no common byte. Any other buffer is one
    range.
    """

    def __init__(self, steps: Sequence[StepOp]) -> None:
        ends: dict[SSAValue, set[int]] = {
            viewed(value)[0].output: set()
            for op in steps
            for value in op.operands
            if isinstance(value.owner, ViewOp)
        }
        self._first_users: dict[SSAValue, int] = {}
        for number, op in enumerate(steps if ends else ()):
            for buffer, *bounds in (*extents_read(op), extent_written(op)):
                if buffer in ends:
                    ends[buffer].update(bounds)
                    self._first_users.setdefault(buffer, number)
        self._ends = {buffer: sorted(own) for buffer, own in ends.items()}

    def is_cut(self, buffer: SSAValue) -> bool:
        """Tell whether steps use views of a buffer."""
        return buffer in self._ends

    def first_user(self, buffer: SSAValue) -> int:
        """Return the position of the first step that uses a buffer; -1 if no step uses a view of it."""
        return self._first_users.get(buffer, -1)

    def read(self, op: StepOp) -> list[Range]:
        """Return the ranges that a step reads, each once."""
        if not self._ends:
            return [(value, 0) for value in dict.fromkeys(op.buffers_read)]
        return list(dict.fromkeys(each for extent in extents_read(op) for each in self._of(extent)))

    def written(self, op: StepOp) -> list[Range]:
        """Return the ranges that a step writes."""
        return list(self._of(extent_written(op))) if self._ends else [(op.buffer_written, 0)]

    def _of(self, extent: Extent) -> Iterator[Range]:
        buffer, low, high = extent
        ends = self._ends.get(buffer)
        if ends is None:
            yield buffer, 0
            return
        for number in range(bisect_left(ends, low), bisect_left(ends, high)):
            yield buffer, number


def extents_read(op: StepOp) -> list[Extent]:
    """Return what a step reads: of a copy from the first to the last element of its box, otherwise whole buffers and
    views.
    """
    if isinstance(op, CopyOp):
        return [_box(op.source, op.source_offset.value.data, op.source_strides, op, 0)]
    return [whole_of(value) for value in op.buffers_read]


def extent_written(op: StepOp) -> Extent:
    """Return what a step writes, as `extents_read` does."""
    if isinstance(op, CopyOp):
        pad = 0 if op.pad is None else op.pad.value.data
        return _box(op.target, op.target_offset.value.data, op.target_strides, op, pad)
    return whole_of(op.buffer_written)


def _box(value: SSAValue, first: int, strides: Ints, op: CopyOp, pad: int) -> Extent:
    """Return the elements from the first one of a box up to its last one, and `pad` more."""
    declared, offset = viewed(value)
    steps = zip(values_of(op.sizes), values_of(strides), strict=True)
    low = offset + first
    return declared.output, low, low + sum((n - 1) * step for n, step in steps) + 1 + pad


def is_covered(extent: Extent, by: Iterable[Extent]) -> bool:
    """Tell whether extents of the same buffer hold together all elements of `extent`."""
    _, low, high = extent
    for _, first, end in sorted(by, key=lambda each: each[1]):
        if first > low:
            break
        low = max(low, end)
    return low >= high


def whole_of(value: SSAValue) -> Extent:
    """Return all elements of a buffer or view."""
    declared, offset = viewed(value)
    return declared.output, offset, offset + prod(shape_of(value))
