"""The loop of layers without products, of which any box of the output can be computed by itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import zip_longest
from math import prod

from xdsl.ir import SSAValue

from ....backends.numerics.rounding_up import round_up
from ....backends.targets.alignment import align
from ....dialects.tile import Schedule
from ...tiling.cost import CostModel, Work
from ...tiling.tile_sizes import FOLLOWING, FRACTIONS, Footprint, TriedTile, similar_boxes, tile_box
from ...tiling.windows import Window, grid, sizes_of
from .constants import Constants
from .emitter import Emitter
from .layer import Buffer, Layer
from .tiler import Tiler, check_no_product, given_tile, padded_units


class BoxTiler(Tiler):
    """Tiles a layer of which each box of the output is computed from boxes of its inputs, on the vector unit or by
    copies.

    `order` lists the output's axes as local tiles have them; the last one lies in lanes.
    """

    moves_by_emitter = True
    order: tuple[int, ...]
    fixed: frozenset[int] = frozenset()
    """Axes of the output that are never divided."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        self.order = layer.output.layout.order
        self._kept: dict[tuple[object, ...], SSAValue] = {}

    @property
    def loop_order(self) -> tuple[int, ...]:
        """The output's axes in the order in which a window is divided into tiles: unless overridden, that of local
        tiles.
        """
        return self.order

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        """Return the bytes of each local buffer for a tile of `sizes` (per logical axis of the output). Unless
        overridden, these are one input of the output's shape, and the output.
        """
        buffers = (self.layer.inputs[0], self.layer.output)
        return [buffer.bytes_of(self.elements_of(sizes)) for buffer in buffers]

    @abstractmethod
    def vector_cycles(self, window: Window) -> int:
        """Return the cycles of the vector unit for `window`."""

    def input_boxes(self, window: Window) -> Sequence[Window]:
        """Return the box of each input that `window` of the output reads. Unless overridden, there is one input of the
        output's shape.
        """
        return [window]

    @abstractmethod
    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        """Emit the load, computation and store of one tile."""

    def units(self) -> tuple[int, ...]:
        units = [0 if axis in self.fixed else 1 for axis in range(len(self.layer.shape))]
        if units[self.order[-1]]:
            units[self.order[-1]] = self.costs.lane_group
        return padded_units(self.layer.output.layout, units, self.costs.lane_group)

    def work(self, window: Window) -> Work:
        read = self.reading(enumerate(self.input_boxes(window)))
        return Work(
            0,
            self.vector_cycles(window),
            read.load_bytes,
            self.store_bytes(window),
            read.copied_bytes,
            read.boxes,
            load_runs=read.load_runs,
            store_runs=self.store_runs(window),
        )

    def local_order(self, index: int) -> Sequence[int]:
        layout = self.layer.inputs[index].layout
        return self.order if len(layout.order) == len(self.order) else layout.order

    @property
    def stored_order(self) -> Sequence[int]:
        return self.order

    def elements_read(self, index: int) -> int:
        boxes = self.input_boxes(self.layer.whole)
        if index >= len(boxes):
            return super().elements_read(index)
        return prod(sizes_of(boxes[index]))

    def plan(self, window: Window, decided: Schedule, constants: Constants) -> Schedule:
        check_no_product(self.layer, decided)
        sizes, units = sizes_of(window), self.units()
        tile = given_tile(self.layer, decided, window, units)
        if tile is not None:
            needed = self._footprint(tile)
            if not needed.fits(self.costs, 1.0):
                raise self.layer.too_big(needed.local, needed.acc, self.costs, tile)
            return Schedule(tile=(tile,))
        order, work = self.loop_order, self.work(window)
        share = self.costs.bytes_per_cycle / len(self.layer.siblings)
        tried: list[TriedTile] | None = None if self.tried is None else []
        # The next layer runs beside this one, tile by tile, if it finds the output in local memory.
        following = FOLLOWING * work.vector_cycles if self.layer.output.is_kept else 0.0
        found = tile_box(
            self.costs,
            [sizes[axis] for axis in order],
            [units[axis] for axis in order],
            lambda tile: self._footprint(self._logical(tile)),
            (
                max(work.load_bytes / share, work.load_runs),
                work.vector_cycles,
                max(work.store_bytes / share, work.store_runs),
                following,
            ),
            tried,
        )
        if self.tried is not None and tried is not None:
            self.tried += [each._replace(sizes=self._logical(each.sizes)) for each in tried]
        if isinstance(found, Footprint):
            raise self.layer.too_big(found.local, found.acc, self.costs)
        return Schedule(tile=(self._logical(found),))

    def _logical(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """Return sizes, given in `loop_order`, by axis of the output."""
        result = [0] * len(sizes)
        for axis, size in zip(self.loop_order, sizes, strict=True):
            result[axis] = size
        return tuple(result)

    def footprint(self, window: Window, schedule: Schedule) -> Footprint:
        assert schedule.tile is not None
        return self._footprint(schedule.tile[0])

    @property
    def in_place(self) -> Sequence[bool]:
        """For each of `buffer_bytes`, whether it is a part of what cores keep of a tensor anyway; those that are left
        out are not. Unless overridden, the first input and the output may be.
        """
        return [self.lies_in_place(self.layer.inputs[0]), self.lies_in_place(self.layer.output)]

    def lies_in_place(self, buffer: Buffer) -> bool:
        """Tell whether tiles of a tensor are parts of what cores keep of it: if they have the order of its axes."""
        return buffer.is_kept and buffer.layout.order == self.order

    def _footprint(self, tile: tuple[int, ...]) -> Footprint:
        pairs = zip_longest(self.buffer_bytes(tile), self.in_place, fillvalue=False)
        return Footprint(sum(align(size) for size, is_there in pairs if not is_there), 0)

    def emit(
        self, window: Window, schedule: Schedule, emitter: Emitter, constants: Constants
    ) -> None:
        self._kept.clear()
        for box in self.tile_boxes(window, schedule):
            self.emit_tile(box, emitter, constants)

    def tile_boxes(self, window: Window, schedule: Schedule) -> list[Window]:
        assert schedule.tile is not None
        (tile,) = schedule.tile
        order = self.loop_order
        boxes: list[Window] = []
        for box in grid([window[axis] for axis in order], [tile[axis] for axis in order]):
            part: list[tuple[int, int]] = [(0, 0)] * len(order)
            for axis, range_ in zip(order, box, strict=True):
                part[axis] = range_
            boxes.append(tuple(part))
        return boxes

    def tile_options(self, window: Window, schedule: Schedule) -> list[Schedule]:
        sizes, order, units = sizes_of(window), self.loop_order, self.units()
        tiles = similar_boxes([sizes[axis] for axis in order], [units[axis] for axis in order])
        logical = map(self._logical, tiles)
        return [
            Schedule(tile=(tile,))
            for tile in logical
            if self._footprint(tile).fits(self.costs, FRACTIONS[0])
        ]

    def load_kept(
        self,
        emitter: Emitter,
        index: int,
        box: Window,
        order: Sequence[int],
        pitch: int,
        shape: Sequence[int] | None = None,
        takes_pitch: bool = False,
    ) -> SSAValue:
        """Return input `index` as `Emitter.load` loads it, or the buffer of the preceding tile if that holds the same
        box.
        """
        layer = self.layer
        key = (layer.inputs[index].value, box, tuple(order), pitch, shape)
        found = self._kept.get(key)
        if found is None:
            for stale in [k for k in self._kept if k[0] is key[0]]:
                del self._kept[stale]
            found = emitter.load(
                layer.inputs[index],
                box,
                order,
                pitch,
                shape=shape,
                pad_value=layer.elements[index].zero_point,
                takes_pitch=takes_pitch,
            )
            self._kept[key] = found
        return found

    def pitch_of(self, sizes: Sequence[int]) -> int:
        """Return how many elements a row of a local tile has: the last axis in whole lane groups."""
        return round_up(sizes[self.order[-1]], self.costs.lane_group)

    def elements_of(self, sizes: Sequence[int]) -> int:
        """Return how many elements a local tile has, padding included."""
        return prod(sizes[axis] for axis in self.order[:-1]) * self.pitch_of(sizes)

    def local_shape(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of a local tile: the axes in order, the last one padded."""
        return (*(sizes[axis] for axis in self.order[:-1]), self.pitch_of(sizes))

    def store(self, emitter: Emitter, out: SSAValue, window: Window, pitch: int) -> None:
        """Write a local tile to `window` of the output."""
        layer = self.layer
        emitter.store(
            out, layer.output, window, self.order, pitch, pad_value=layer.result.zero_point
        )
