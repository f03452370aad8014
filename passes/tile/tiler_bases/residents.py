"""Tells where the elements of tensors lie while layers are cut: in global memory, or in pieces that stay in the local
memories of the cores that computed them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from xdsl.ir import SSAValue

from ....dialects.ir.attribute import ints, text
from ....dialects.tile import AllocOp
from ...tiling.layout import Layout
from ...tiling.windows import Window, flatten, sizes_of, whole
from .layer import Buffer


@dataclass(frozen=True)
class Piece:
    """A box of a tensor in one buffer: the element at position p lies Σ (p_d − low_d) · strides[d] elements after the
    buffer's first.

    `core` is the core whose memory it is in, None for global memory. After each run along `last_axis` (None if no axis
    is contiguous) the buffer has `spare` elements that hold what pads it.
    """

    value: SSAValue
    core: int | None
    box: Window
    strides: tuple[int, ...]
    last_axis: int | None
    spare: int

    def seen_with(self, layout: Layout) -> Piece:
        """Return the piece with the axes of `layout`, which differ from its own by axes of one element."""
        if len(layout.shape) == len(self.box):
            return self
        own = [axis for axis, stride in enumerate(self.strides) if stride]
        seen = [axis for axis, size in enumerate(layout.shape) if size > 1]
        box, strides = list(whole(layout.shape)), [0] * len(layout.shape)
        for axis, position in zip(own, seen, strict=True):
            box[position], strides[position] = self.box[axis], self.strides[axis]
        last = None if self.last_axis not in own else seen[own.index(self.last_axis)]
        return replace(
            self,
            box=tuple(box),
            strides=tuple(strides),
            last_axis=last,
            spare=0 if last is None else self.spare,
        )

    def is_tile(
        self, box: Window, strides: Sequence[int], padding: int, shape: Sequence[int]
    ) -> bool:
        """Tell whether the piece is `box` as a buffer of `shape` has it, with these strides and padding after rows."""
        return (
            self.box == box
            and self.value.type.get_shape() == tuple(shape)  # pyright: ignore[reportAttributeAccessIssue]
            and self.spare == padding
            and all(
                own in (0, wanted) or high - low == 1
                for own, wanted, (low, high) in zip(self.strides, strides, box, strict=True)
            )
        )


@dataclass
class Residents:
    """The pieces of the tensors that stay in local memories; `kept` are their buffers, to which nothing is written."""

    kept: frozenset[SSAValue] = frozenset()
    _pieces: dict[SSAValue, list[Piece]] = field(default_factory=lambda: defaultdict(list))

    def keeps(self, buffer: Buffer) -> bool:
        """Tell whether a tensor stays in local memories."""
        return buffer.value in self.kept

    def add(
        self,
        buffer: Buffer,
        source: SSAValue,
        box: Window,
        order: Sequence[int],
        strides: Sequence[int],
        pitch: int,
    ) -> None:
        """Keep `box` of a tensor where it is: in the local buffer `source`, whose axes are in `order`, the last one
        padded to `pitch` elements.
        """
        alloc = source.owner
        assert isinstance(alloc, AllocOp) and alloc.tensor is None
        alloc.properties["tensor"] = text(buffer.name)
        alloc.properties["window"] = ints(flatten(box))
        alloc.properties["order"] = ints(order)
        sizes, last = sizes_of(box), order[-1]
        self._pieces[buffer.value].append(
            Piece(
                source,
                alloc.core.value.data,
                box,
                # Where the tensor has one element along an axis, no step along it is ever made.
                tuple(
                    0 if size == 1 else stride
                    for size, stride in zip(buffer.layout.shape, strides, strict=True)
                ),
                last,
                pitch - sizes[last],
            )
        )

    def pieces_of(self, buffer: Buffer) -> Iterable[Piece]:
        """Return the pieces of a tensor, with the axes with which `buffer` is seen: one if it is in global memory."""
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
        return [piece.seen_with(layout) for piece in self._pieces[buffer.value]]
