"""Cuts the buffers of a tile program into ranges of elements that its steps use as wholes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import NamedTuple

from xdsl.ir import SSAValue

from ....backends.instructions.coverage import Box
from ..buffer import ViewOp, buffer_of, viewed, whole_of
from ..movement import CopyOp
from ..step_op import StepOp

Range = tuple[SSAValue, int]
"""A part of a buffer: the buffer, and the number of the part among its parts."""


class Extent(NamedTuple):
    """A buffer, and the elements of it that a step reads or writes."""

    buffer: SSAValue
    box: Box


class _Rectangle(NamedTuple):
    """The columns [left, right) of the rows [top, bottom) of a buffer."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass
class _Cuts:
    """How a buffer is cut: into rows of `pitch` elements (0: not known yet), and these at some rows and columns."""

    pitch: int = 0
    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)

    def rectangles(self, box: Box) -> Iterator[_Rectangle]:
        """Return rectangles that hold a box: no more than it, if it is one range of elements, or if each of its runs
        lies in one row.
        """
        pitch = self.pitch
        top, left = divmod(box.offset, pitch)
        last, right = divmod(box.end, pitch)
        is_regular = all(stride % pitch == 0 for stride in box.strides)
        if box.sizes and is_regular and left + box.run <= pitch:
            yield _Rectangle(top, -(-box.end // pitch), left, left + box.run)
            return
        if left and top < last:
            yield _Rectangle(top, top + 1, left, pitch)
            top, left = top + 1, 0
        if top < last:
            yield _Rectangle(top, last, 0, pitch)
            top = last
        if left < right:
            yield _Rectangle(top, top + 1, left, right)


class BufferRanges:
    """The ranges of the buffers that some steps use.

    A buffer that is used through views is cut into rows and columns, wherever what a step reads or writes of it begins
    or ends; so a step uses a range as a whole or not at all, and steps that use different ranges touch no common byte.
    Any other buffer is one range.
    """

    def __init__(self, steps: Sequence[StepOp]) -> None:
        self._cuts: dict[SSAValue, _Cuts] = {
            buffer_of(value): _Cuts()
            for op in steps
            for value in op.operands
            if isinstance(value.owner, ViewOp)
        }
        used: dict[SSAValue, set[Box]] = {buffer: set() for buffer in self._cuts}
        for op in steps if self._cuts else ():
            for buffer, box in (*extents_read(op), extent_written(op)):
                if buffer in used:
                    used[buffer].add(box)
        for buffer, boxes in used.items():
            self._cut(self._cuts[buffer], whole_of(buffer).run, boxes)

    @staticmethod
    def _cut(cuts: _Cuts, size: int, boxes: set[Box]) -> None:
        """Set the cuts of a buffer of `size` elements for the boxes that steps use. Its rows are as long as all strides
        allow; a buffer of which all uses are single ranges is one row.
        """
        cuts.pitch = gcd(*(stride for box in boxes for stride in box.strides)) or size
        rectangles = {each for box in boxes for each in cuts.rectangles(box)}
        cuts.rows = sorted({bound for each in rectangles for bound in (each.top, each.bottom)})
        cuts.columns = sorted({bound for each in rectangles for bound in (each.left, each.right)})

    def is_cut(self, buffer: SSAValue) -> bool:
        """Tell whether steps use views of a buffer."""
        return buffer in self._cuts

    def read(self, op: StepOp) -> list[Range]:
        """Return the ranges that a step reads, each once."""
        if not self._cuts:
            return [(value, 0) for value in dict.fromkeys(op.buffers_read)]
        return list(dict.fromkeys(each for extent in extents_read(op) for each in self._of(extent)))

    def written(self, op: StepOp) -> list[Range]:
        """Return the ranges that a step writes."""
        return list(self._of(extent_written(op))) if self._cuts else [(op.buffer_written, 0)]

    def _of(self, extent: Extent) -> Iterator[Range]:
        buffer, box = extent
        cuts = self._cuts.get(buffer)
        if cuts is None:
            yield buffer, 0
            return
        for top, bottom, left, right in cuts.rectangles(box):
            columns = range(bisect_left(cuts.columns, left), bisect_left(cuts.columns, right))
            for row in range(bisect_left(cuts.rows, top), bisect_left(cuts.rows, bottom)):
                for column in columns:
                    yield buffer, row * len(cuts.columns) + column


def extents_read(op: StepOp) -> list[Extent]:
    """Return what a step reads: of a copy its box, otherwise whole buffers and views."""
    if isinstance(op, CopyOp):
        return [_box(op.source, op.source_box)]
    return [Extent(buffer_of(value), whole_of(value)) for value in op.buffers_read]


def extent_written(op: StepOp) -> Extent:
    """Return what a step writes, as `extents_read` does."""
    if isinstance(op, CopyOp):
        return _box(op.target, op.target_box)
    return Extent(buffer_of(op.buffer_written), whole_of(op.buffer_written))


def _box(value: SSAValue, box: Box) -> Extent:
    """Return a box of a buffer or view as one of the buffer, without axes of one run."""
    declared, offset = viewed(value)
    axes = [axis for axis in zip(box.sizes, box.strides, strict=True) if axis[0] > 1]
    sizes, strides = tuple(n for n, _ in axes), tuple(stride for _, stride in axes)
    return Extent(declared.output, Box(box.offset + offset, sizes, strides, box.run))
