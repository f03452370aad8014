"""Tiles the ops that put boxes of tensors in their places (concat, slice and pad) as copies through local memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from xdsl.ir import SSAValue

from ....backends.numerics.movement import stored_number
from ....backends.numerics.rounding_up import ceil_div
from ....backends.numerics.storage import repeats_one_byte
from ....dialects import tile, tpu
from ...tiling.copy_planning import plan
from ...tiling.cost import CostModel, Work
from ...tiling.layout import offset_of
from ...tiling.windows import Range, Window, hull, intersection, sizes_of, whole
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Layer, integers
from ..tiler_bases.slabs import Alias
from ..tiler_bases.tiler import Tilers


@dataclass(frozen=True)
class Piece:
    """A box of the output that is copied from input `index`: along axis d, element i of the output
    is element starts[d] + (i − low of the box) · steps[d] of the input.
    """

    index: int
    box: Window
    starts: tuple[int, ...]
    steps: tuple[int, ...]


class Target(NamedTuple):
    """Where a tile is put together: its first element is number `offset` of a buffer, neighbors along each axis of the
    output lie `strides` elements apart, and each row has `columns` elements, with what pads it.
    """

    buffer: SSAValue
    strides: Sequence[int]
    offset: int
    columns: int


class MovementTiler(BoxTiler):
    """Base of the tilers of ops that move boxes: a tile of the output is put together in local memory, from the pieces
    that reach into it and a fill for what no piece covers, and is then stored at once. If the output stays there, what
    only copies make is put together where it stays.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        self.pieces = self.pieces_of_output()
        self.fill = self.filled_with()

    def pieces_of_output(self) -> list[Piece]:
        """Return the boxes of the output that are copied from inputs."""
        raise NotImplementedError

    def loads(self, index: int) -> bool:
        return False

    def aliases(self) -> Sequence[Alias]:
        output, found = self.layer.output, []
        for piece in self.pieces if self.fill is None else ():
            source = self.layer.inputs[piece.index]
            if any(step != 1 for step in piece.steps) or source.layout.order != self.order:
                continue
            if sizes_of(piece.box) == source.layout.shape:
                shift = tuple(low for low, _ in piece.box)
                found.append(Alias(source, output, shift, is_joined=True))
            elif piece.box == self.layer.whole:
                found.append(Alias(output, source, piece.starts, is_joined=False))
        return found

    def filled_with(self) -> float | None:
        """Return the storage value of what no piece covers; None if the pieces cover all, as here."""
        return None

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        return [self.layer.output.bytes_of(self.elements_of(sizes))]

    @property
    def in_place(self) -> Sequence[bool]:
        return [self.lies_in_place(self.layer.output)]

    def pitch_of(self, sizes: Sequence[int]) -> int:
        # No unit computes on the tile: rows without padding in the output have none here.
        if not self.layer.output.layout.padding:
            return sizes[self.order[-1]]
        return super().pitch_of(sizes)

    def vector_cycles(self, window: Window) -> int:
        return 0

    def work(self, window: Window) -> Work:
        """Return the cycles for which the core's DMA engine is busy: one for the address of each run, and those of the
        fill. They are given as cycles of the vector unit, which the layer does not use.
        """
        loads, addresses, copied = 0, 0, 0
        boxes: dict[int, Window] = {}
        for piece in self.pieces:
            box = intersection(piece.box, window)
            if box is None:
                continue
            copies = plan(sizes_of(box), self._source_strides(piece), self._local_strides(window))
            run = max(copy.sizes[-1] for copy in copies)
            runs = ceil_div(prod(sizes_of(box)), run)
            addresses += runs
            source = self.layer.inputs[piece.index]
            if source.is_kept:
                copied += source.bytes_of(prod(sizes_of(box)))
                read = _read(piece, box)
                boxes[piece.index] = hull(boxes.get(piece.index, read), read)
            else:
                loads += self.costs.bus_bytes(source.bytes_of(run), runs)
        if self._fill_before(window) is not None:
            filled = self.layer.output.bytes_of(self.elements_of(sizes_of(window)))
            addresses += self.costs.fill_cycles(filled)
        stored = self.store_bytes(window)
        return Work(0, addresses, loads, stored, copied, tuple(boxes.items()))

    def least_work(self, window: Window) -> Work:
        """Return no work: the producer and the readers of the output may agree on a place where it already is."""
        return Work()

    def elements_read(self, index: int) -> int:
        return sum(prod(sizes_of(piece.box)) for piece in self.pieces if piece.index == index)

    def _fill_before(self, window: Window) -> float | None:
        """Return what a tile is filled with before copies write to it; None if they write all of it.

        They fill lanes with bytes, and so not with the zero point of a wider type whose bytes differ.
        """
        if self.fill is not None and not self._ends_rows(window):
            return self.fill
        zero_point = self.layer.result.zero_point
        return (
            None if repeats_one_byte(zero_point, self.layer.output.storage) else float(zero_point)
        )

    def _ends_rows(self, window: Window) -> bool:
        """Tell whether all that a padding adds to `window` follows its rows, like the zero points that fill lanes: then
        copies write it along with the rows.
        """
        box, last = intersection(self.pieces[0].box, window), self.order[-1]
        if box is None or self.fill != self.layer.result.zero_point:
            return False
        beside = [range_ for axis, range_ in enumerate(window) if axis != last]
        own = [range_ for axis, range_ in enumerate(box) if axis != last]
        return own == beside and box[last][0] == window[last][0]

    def _source_strides(self, piece: Piece) -> list[int]:
        strides = self.layer.inputs[piece.index].layout.strides
        return [stride * step for stride, step in zip(strides, piece.steps, strict=True)]

    def _local_strides(self, window: Window) -> list[int]:
        """Return the distances, in elements, between neighbors along each logical axis of a local tile."""
        shape = self.local_shape(sizes_of(window))
        result = [0] * len(self.order)
        for position, axis in enumerate(self.order):
            result[axis] = prod(shape[position + 1 :])
        return result

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        sizes = sizes_of(window)
        found = [(piece, intersection(piece.box, window)) for piece in self.pieces]
        present = [(piece, box) for piece, box in found if box is not None]
        fill = self._fill_before(window)
        filled = fill is not None
        place = None if filled else emitter.place_of(self.layer.output, window)
        if place is not None:
            rows = sizes[self.order[-1]] + place.spare
            target = Target(place.value, place.strides, place.offset, rows)
            for piece, box in present:
                self._load(emitter, target, piece, box, window, pads=True)
            emitter.share(self.layer.output, window, self.layer.result.zero_point)
            return
        out = emitter.alloc(self.local_shape(sizes), self.layer.output.storage, name="out")
        if filled:
            emitter.compute(tile.FillOp, [out], {"value": fill})
        target = Target(out, self._local_strides(window), 0, self.pitch_of(sizes))
        for piece, box in present:
            self._load(emitter, target, piece, box, window, pads=not filled)
        self.store(emitter, out, window, self.pitch_of(sizes))

    def _load(
        self,
        emitter: Emitter,
        target: Target,
        piece: Piece,
        box: Window,
        window: Window,
        *,
        pads: bool,
    ) -> None:
        """Copy `box` of a piece to its place in a tile. With `pads`, also write zero points after it up to the end of
        the tile's rows, if nothing else follows in them.
        """
        layer, last = self.layer, self.order[-1]
        lows = [
            start + (low - first) * step
            for start, step, (low, _), (first, _) in zip(
                piece.starts, piece.steps, box, piece.box, strict=True
            )
        ]
        padding = None
        ends_rows = box[last][1] == window[last][1]
        if pads and (ends_rows or self.fill is not None):
            padding = last, target.columns - (box[last][1] - window[last][0])
        emitter.fill_box(
            target.buffer,
            layer.inputs[piece.index],
            tuple((low, low + size) for low, size in zip(lows, sizes_of(box), strict=True)),
            target.strides,
            target_offset=target.offset
            + offset_of(
                target.strides,
                [low - first for (low, _), (first, _) in zip(box, window, strict=True)],
            ),
            steps=piece.steps,
            padding=padding,
            # What lies in the input's own padding may stand for lanes, but not for zeros.
            uses_spare=ends_rows,
            pad_value=layer.result.zero_point,
        )


def _read(piece: Piece, box: Window) -> Window:
    """Return the box of the input that holds what `box` of the output takes from a piece."""
    result: list[Range] = []
    for (low, high), (first, _), start, step in zip(
        box, piece.box, piece.starts, piece.steps, strict=True
    ):
        ends = start + (low - first) * step, start + (high - 1 - first) * step
        result.append((min(ends), max(ends) + 1))
    return tuple(result)


class SliceTiler(MovementTiler):
    """Tiles tpu.slice: one piece, which is the whole output."""

    def pieces_of_output(self) -> list[Piece]:
        op = self.layer.op
        assert isinstance(op, tpu.SliceOp)
        return [Piece(0, whole(self.layer.shape), integers(op.starts), integers(op.steps))]


class PadTiler(MovementTiler):
    """Tiles tpu.pad: the input is one piece, and around it the output is filled."""

    def pieces_of_output(self) -> list[Piece]:
        op, rank = self.layer.op, len(self.layer.shape)
        assert isinstance(op, tpu.PadOp)
        size = self.layer.inputs[0].layout.shape
        box = tuple((a, a + n) for a, n in zip(integers(op.low), size, strict=True))
        return [Piece(0, box, (0,) * rank, (1,) * rank)]

    def filled_with(self) -> float:
        op, result = self.layer.op, self.layer.result
        assert isinstance(op, tpu.PadOp)
        value = op.value.value.data
        if not result.is_quantized:
            return value
        return stored_number(value, result.scale, result.zero_point, result.storage)


class ConcatTiler(MovementTiler):
    """Tiles tpu.concat: every input is a piece."""

    def pieces_of_output(self) -> list[Piece]:
        op, shape = self.layer.op, self.layer.shape
        assert isinstance(op, tpu.ConcatOp)
        axis, low = op.axis.value.data, 0
        pieces: list[Piece] = []
        for index, buffer in enumerate(self.layer.inputs):
            high = low + buffer.layout.shape[axis]
            box = tuple((low, high) if d == axis else (0, n) for d, n in enumerate(shape))
            pieces.append(Piece(index, box, (0,) * len(shape), (1,) * len(shape)))
            low = high
        return pieces


TILERS: Tilers = {
    tpu.ConcatOp: ConcatTiler,
    tpu.SliceOp: SliceTiler,
    tpu.PadOp: PadTiler,
}
"""The tiler of each op that moves boxes."""
