"""Tells where the elements of tensors lie while layers are cut: in global memory, or in pieces in the local memories of
the cores that computed them or gathered them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import NamedTuple

from xdsl.ir import SSAValue

from ...tiling.layout import Layout, dense_strides, offset_of
from ...tiling.windows import Window, cells, contains, intersection, sizes_of, whole, with_axes_of
from .layer import Buffer
from .slabs import Alias, Gathering, Slab, SlabPlan


class Rows(NamedTuple):
    """Rows of a buffer: the first one begins at element `offset`, the others every `pitch` elements, and each has
    `columns`, with what pads the tensor.
    """

    offset: int
    columns: int
    pitch: int


@dataclass(frozen=True)
class Piece:
    """A box of a tensor in one buffer: the element at position p lies `offset` + Σ (p_d − low_d) · strides[d] elements
    after the buffer's first.

    `core` is the core whose memory it is in, None for global memory. After each run along `last_axis` (None if no axis
    is contiguous) the buffer has `spare` elements that hold what pads it.
    """

    value: SSAValue
    core: int | None
    box: Window
    strides: tuple[int, ...]
    last_axis: int | None
    spare: int
    offset: int = 0

    def offset_of(self, position: Iterable[int]) -> int:
        """Return where the element at `position` of the tensor lies."""
        steps = [at - low for at, (low, _) in zip(position, self.box, strict=True)]
        return self.offset + offset_of(self.strides, steps)

    def part(self, box: Window) -> Piece:
        """Return what the piece has of `box`, which lies in it."""
        last = self.last_axis
        at_end = last is not None and box[last][1] == self.box[last][1]
        offset = self.offset_of(low for low, _ in box)
        spare = self.spare if at_end else 0
        return Piece(self.value, self.core, box, self.strides, last, spare, offset)

    def seen_with(self, layout: Layout, shape: Sequence[int]) -> Piece:
        """Return the piece of a tensor of `shape` with the axes of `layout`, which differ by axes of one element."""
        if layout.shape == tuple(shape):
            return self
        own = [axis for axis, size in enumerate(shape) if size > 1]
        seen = [axis for axis, size in enumerate(layout.shape) if size > 1]
        strides = [0] * len(layout.shape)
        for axis, position in zip(own, seen, strict=True):
            strides[position] = self.strides[axis]
        last = None if self.last_axis not in own else seen[own.index(self.last_axis)]
        return replace(
            self,
            box=with_axes_of(layout.shape, self.box, shape),
            strides=tuple(strides),
            last_axis=last,
            spare=0 if last is None else self.spare,
        )

    def rows(self, box: Window, order: Sequence[int]) -> Rows | None:
        """Return where the rows of `box` lie, in a buffer that has the axes in `order`, the last one as rows; None if
        they do not begin at one pitch.
        """
        part, sizes = self.part(box), sizes_of(box)
        *outer, last = order
        if part.last_axis != last:
            return None
        columns = sizes[last] + part.spare
        pitch, step = columns, None
        for axis in reversed(outer):
            if sizes[axis] == 1:
                continue
            if step is None:
                pitch = step = part.strides[axis]
            if part.strides[axis] != step:
                return None
            step *= sizes[axis]
        return Rows(part.offset, columns, pitch)


@dataclass
class Residents:
    """The buffers of the tensors that stay in local memories, as they are made.

    `plan` says which there will be. A `number` is that of the slice in which something is read or written, None if that
    is no slice.
    """

    plan: SlabPlan
    _slabs: dict[tuple[SSAValue, Slab], Piece] = field(default_factory=dict)
    _gathered: dict[tuple[SSAValue, Gathering], Piece] = field(default_factory=dict)
    _missing: dict[tuple[SSAValue, Gathering], int] = field(default_factory=dict)

    def keeps(self, buffer: Buffer) -> bool:
        """Tell whether a tensor stays in local memories."""
        return buffer.value in self.plan.tensors

    def slab_of(self, buffer: Buffer, core: int, box: Window, number: int | None = None) -> Slab:
        """Return the slab of the core that computes `box` of a tensor."""
        return next(
            slab
            for slab in self.plan.slabs[buffer.value]
            if slab.core == core and contains(slab.own, box) and slab.slice in (None, number)
        )

    def receivers(
        self, buffer: Buffer, own: Slab, box: Window
    ) -> Iterable[tuple[Slab | Gathering, Window]]:
        """Return the other slabs and the gatherings that cover some of `box`, which is computed in slab `own`, and what
        they cover.
        """
        value = buffer.value
        for each in (*self.plan.slabs[value], *self.plan.gatherings[value]):
            shared = None if each is own else intersection(each.box, box)
            if shared is not None and self._goes_on(value, own, each):
                yield each, shared

    def _goes_on(self, value: SSAValue, own: Slab, other: Slab | Gathering) -> bool:
        """Tell whether what is computed in a slab goes to another place, too: that of its slice or of a later one."""
        if own.slice is None or other.slice is None:
            return True
        return self.plan.is_there(value, own, other.slice)

    def sends(
        self, buffer: Buffer, own: Slab, box: Window
    ) -> Iterable[tuple[Window, list[Slab | Gathering]]]:
        """Return the boxes of `box`, which is computed in slab `own`, that other slabs and gatherings hold, too: each
        with all that hold it.
        """
        receivers = list(self.receivers(buffer, own, box))
        for cell in cells([shared for _, shared in receivers]):
            yield cell, [slab for slab, shared in receivers if contains(shared, cell)]

    def piece(self, buffer: Buffer, slab: Slab) -> Piece | None:
        """Return the buffer of a slab; None if it has none yet."""
        return self._slabs.get((buffer.value, slab))

    def add_slab(self, buffer: Buffer, slab: Slab, value: SSAValue) -> Piece:
        """Let a slab have its buffer."""
        piece = self._slabs[buffer.value, slab] = self._piece(buffer, slab.core, slab.box, value)
        return piece

    def add_part(self, buffer: Buffer, slab: Slab, alias: Alias, outer: Piece) -> Piece:
        """Let a slab be a part of the buffer of the slab that its alias names."""
        by = alias.shift
        box = tuple((low + n, high + n) for (low, high), n in zip(slab.box, by, strict=True))
        piece = self._slabs[buffer.value, slab] = replace(outer.part(box), box=slab.box)
        return piece

    def gathering(
        self, buffer: Buffer, core: int, box: Window, number: int | None = None
    ) -> Gathering | None:
        """Return the gathering of a core that holds `box` of a tensor, as it is seen; None if there is none."""
        tensor = self.plan.tensors[buffer.value]
        box = with_axes_of(tensor.layout.shape, box, buffer.layout.shape)
        found = (each for each in self.plan.gatherings[buffer.value] if each.core == core)
        return next(
            (each for each in found if contains(each.box, box) and each.slice in (None, number)),
            None,
        )

    def gathered(self, buffer: Buffer, gathering: Gathering) -> Piece | None:
        """Return the buffer of a gathering; None if it has none yet."""
        return self._gathered.get((buffer.value, gathering))

    def add_gathered(self, buffer: Buffer, gathering: Gathering, value: SSAValue) -> Piece:
        """Let a gathering have its buffer, in which nothing is yet."""
        key = buffer.value, gathering
        piece = self._gathered[key] = self._piece(buffer, gathering.core, gathering.box, value)
        self._missing[key] = prod(sizes_of(gathering.box))
        return piece

    def note_sent(self, buffer: Buffer, gathering: Gathering, box: Window) -> None:
        """Note that `box` of a tensor was put into the buffer of a gathering."""
        self._missing[buffer.value, gathering] -= prod(sizes_of(box))

    def is_complete(self, buffer: Buffer, gathering: Gathering) -> bool:
        """Tell whether all of a gathering is in its buffer."""
        return not self._missing.get((buffer.value, gathering), 1)

    def _piece(self, buffer: Buffer, core: int, box: Window, value: SSAValue) -> Piece:
        layout, sizes = buffer.layout, sizes_of(box)
        last = layout.order[-1]
        pitch = self.plan.shape(buffer, box)[-1]
        strides = list(dense_strides(sizes, layout.order))
        for axis in layout.order[:-1]:
            strides[axis] = strides[axis] // sizes[last] * pitch
        # Where the tensor has one element along an axis, no step along it is ever made, but to what pads a run.
        strides = [
            0 if size == 1 and axis != last else strides[axis]
            for axis, size in enumerate(layout.shape)
        ]
        return Piece(value, core, box, tuple(strides), last, pitch - sizes[last])

    def holding(
        self, buffer: Buffer, core: int, box: Window, number: int | None = None
    ) -> Piece | None:
        """Return a piece in a core's memory that holds `box` of a tensor that stays, as it is seen; None if there is
        none.
        """
        tensor = self.plan.tensors[buffer.value]
        value, is_there = buffer.value, self.plan.is_there
        slabs = (
            self.piece(buffer, slab)
            for slab in self.plan.slabs[value]
            if is_there(value, slab, number)
        )
        gathered = (
            self.gathered(buffer, each)
            for each in self.plan.gatherings[value]
            if is_there(value, each, number) and self.is_complete(buffer, each)
        )
        for piece in (*slabs, *gathered):
            if piece is not None and piece.core == core:
                seen = piece.seen_with(buffer.layout, tensor.layout.shape)
                if contains(seen.box, box):
                    return seen
        return None

    def pieces_of(self, buffer: Buffer, number: int | None = None) -> list[Piece]:
        """Return the pieces of a tensor, with the axes with which `buffer` is seen, each element in one: what each core
        computed, or one piece if the tensor is in global memory.
        """
        layout = buffer.layout
        if not self.keeps(buffer):
            return [
                Piece(
                    buffer.value,
                    None,
                    whole(layout.shape),
                    layout.strides,
                    layout.last_axis,
                    layout.padding,
                )
            ]
        shape = self.plan.tensors[buffer.value].layout.shape
        pieces: list[Piece] = []
        for slab in self.plan.slabs[buffer.value]:
            piece = self.piece(buffer, slab)
            if piece is not None and self.plan.is_there(buffer.value, slab, number):
                pieces.append(piece.part(slab.own).seen_with(layout, shape))
        return pieces
