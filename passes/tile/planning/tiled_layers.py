"""Layers cut into tiles, as the plays of tiles see them: the tiles of one part, what their steps read, and which tiles
of other layers write that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np
from xdsl.ir import SSAValue

from ....dialects.tile import Schedule
from ...tiling.tile_sizes import Footprint
from ...tiling.windows import Window, along_all_axes, sizes_of
from ..tiler_bases.layer import Buffer
from .places import PlannedLayer
from .tile_times import Tile, Wait


@dataclass
class TileOption:
    """A way to cut a layer into tiles.

    `tiles` are those of the part that is played, `own` their boxes of the output, [tiles, axes, 2], and `others` those
    of all other parts, of which `numbers` counts which tile of its part each is. `read` are the boxes of each input in
    local memories, by its index, that each step of the part reads, [steps, axes, 2], empty where it reads none.
    """

    planned: PlannedLayer
    schedule: Schedule
    tiles: list[Tile]
    own: np.ndarray
    others: np.ndarray
    numbers: np.ndarray
    read: dict[int, np.ndarray]
    footprint: Footprint

    @property
    def accumulators(self) -> int:
        """For how many tiles the accumulator memory has room."""
        costs = self.planned.tiler.costs
        return (
            max(1, costs.acc_bytes // self.footprint.acc) if self.footprint.acc else len(self.tiles)
        )

    @staticmethod
    def of(planned: PlannedLayer, part: int, schedule: Schedule) -> TileOption:
        """Return the tiles of part number `part`, if all parts have this schedule."""
        tiler, windows = planned.tiler, planned.windows
        costs, layer = tiler.costs, tiler.layer
        boxes = [tiler.tile_boxes(window, schedule) for window in windows]
        tiles: list[Tile] = []
        read: dict[int, dict[int, Window]] = {}
        steps = 0
        # A load takes the bus for itself, and those of all parts follow each other.
        each_byte = len(windows) / costs.bytes_per_cycle
        for box in boxes[part]:
            work = tiler.tile_work(box, schedule)
            for own in (*(own for _, own in work.products), work.read):
                for index, each in own:
                    read.setdefault(index, {})[steps] = each
                steps += 1
            cycles = tuple(cycles for cycles, _ in work.products)
            load, store = work.load_bytes * each_byte, tiler.store_bytes(box) * each_byte
            tiles.append(Tile(load, cycles, work.vector_cycles, store))
        others = [
            (number, box)
            for other, own in enumerate(boxes)
            if other != part
            for number, box in enumerate(own)
        ]
        return TileOption(
            planned,
            schedule,
            tiles,
            _bounds(boxes[part], layer.shape),
            _bounds([box for _, box in others], layer.shape),
            np.array([min(number, len(tiles) - 1) for number, _ in others], np.int64),
            {i: _read(own, steps, layer.inputs[i].layout.shape) for i, own in read.items()},
            tiler.footprint(windows[part], schedule),
        )


@dataclass
class TiledLayer:
    """A layer with its options, of which the first one is what it has; `sources` are the layers whose outputs it reads
    in local memories, with the index of the input; `reader` is the first layer that reads its own so. The layers that
    depend on it among the next ones keep a unit busy for `work_ahead` cycles.
    """

    planned: PlannedLayer
    options: list[TileOption]
    sources: list[tuple[int, int]] = field(default_factory=list)
    reader: tuple[int, int] | None = None
    last_reader: int = -1
    work_ahead: float = 0.0
    _waits: dict[tuple[int, int, int, int], Wait | None] = field(default_factory=dict)

    @staticmethod
    def of(planned: PlannedLayer, schedules: Sequence[Schedule]) -> TiledLayer:
        """Return a layer with an option for each of the `schedules` of its largest part."""
        part = largest_part(planned.windows)
        return TiledLayer(planned, [TileOption.of(planned, part, each) for each in schedules])

    @cached_property
    def finest(self) -> int:
        """The option with most tiles."""
        return max(range(len(self.options)), key=lambda option: len(self.options[option].tiles))

    @cached_property
    def least_work(self) -> tuple[float, float]:
        """For how many cycles the matrix unit and the vector unit are busy at least."""
        return (
            min(sum(sum(tile.products) for tile in option.tiles) for option in self.options),
            min(sum(tile.vector for tile in option.tiles) for option in self.options),
        )

    @property
    def loads(self) -> float:
        """For how many cycles its loads and stores keep the bus of global memory busy."""
        tiler = self.planned.tiler
        works = [tiler.work(window) for window in self.planned.windows]
        shared = {work.shared: work.shared_load_bytes for work in works}
        moved = sum(work.load_bytes + work.store_bytes for work in works) + sum(shared.values())
        return moved / tiler.costs.bytes_per_cycle

    def wait(
        self, source: int, index: int, writer: TileOption, chosen: int, option: int
    ) -> Wait | None:
        """Return what the steps of an option read as input `index`, which layer `source` writes, in the tiles that are
        chosen for that; None if they read nothing of it.
        """
        key = source, index, chosen, option
        if key not in self._waits:
            read = self.options[option].read.get(index)
            buffer = self.planned.tiler.layer.inputs[index]
            self._waits[key] = None if read is None else _wait(writer, read, buffer, self.port_rate)
        return self._waits[key]

    @property
    def drain_cycles(self) -> int:
        """How many cycles after a product the last sums leave the matrix unit."""
        matrix = self.planned.tiler.costs.target.matrix
        return matrix.rows + matrix.columns - 2

    @property
    def port_rate(self) -> float:
        """How many bytes pass the port of a memory in a cycle."""
        return self.planned.tiler.costs.port_bytes_per_cycle


def connect(layers: Sequence[TiledLayer]) -> None:
    """Note in each layer which others write what it reads in local memories, and what reads its own."""
    writers: dict[SSAValue, int] = {}
    for number, layer in enumerate(layers):
        for index, buffer in enumerate(layer.planned.tiler.layer.inputs):
            source = writers.get(buffer.value)
            if buffer.is_kept and source is not None:
                layer.sources.append((source, index))
                layers[source].last_reader = number
                layers[source].reader = layers[source].reader or (number, index)
        writers[layer.planned.tiler.layer.output.value] = number


def largest_part(windows: Sequence[Window]) -> int:
    """Return the number of the part in the middle of those with most elements."""
    sizes = [prod(sizes_of(window)) for window in windows]
    largest = [number for number, size in enumerate(sizes) if size == max(sizes)]
    return largest[len(largest) // 2]


def _wait(writer: TileOption, read: np.ndarray, buffer: Buffer, port_rate: float) -> Wait:
    """Return what steps wait for that read the boxes `read` of a tensor that `writer` computes."""
    own = _last_read(read, writer.own, np.arange(len(writer.own)))
    others = _last_read(read, writer.others, writer.numbers)
    elements = _elements_read(read, writer.others)
    return Wait(own.tolist(), others.tolist(), buffer.bytes_of(elements) / port_rate)


def _last_read(read: np.ndarray, written: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return for each box in `read` the highest number of the boxes in `written` that it shares elements with, -1 if
    there are none; of all, if they are boxes of tensors with other axes.
    """
    if not len(written):
        return np.full(len(read), -1)
    if read.shape[1] != written.shape[1]:
        return np.full(len(read), numbers.max())
    a, b = read[:, None], written[None]
    shares = along_all_axes((a[..., 0] < b[..., 1]) & (b[..., 0] < a[..., 1]))
    return np.where(shares, numbers, -1).max(axis=1)


def _elements_read(read: np.ndarray, written: np.ndarray) -> int:
    """Return how many elements of the boxes in `written`, which are disjoint, lie in the hull of those in `read`."""
    if read.shape[1] != written.shape[1] or not len(written):
        return 0
    used = read[(read[..., 0] < read[..., 1]).all(axis=1)]
    if not len(used):
        return 0
    low, high = used[..., 0].min(axis=0), used[..., 1].max(axis=0)
    sizes = np.minimum(written[..., 1], high) - np.maximum(written[..., 0], low)
    return int(np.prod(np.maximum(sizes, 0), axis=1).sum())


def _read(boxes: dict[int, Window], steps: int, shape: Sequence[int]) -> np.ndarray:
    """Return the boxes of a tensor that steps read, by their numbers, as int64 [steps, axes, 2]."""
    nothing = ((0, 0),) * len(shape)
    return _bounds([boxes.get(step, nothing) for step in range(steps)], shape)


def _bounds(boxes: Sequence[Window], shape: Sequence[int]) -> np.ndarray:
    """Return boxes of a tensor as int64 [boxes, axes, 2], without the axes along which it has one element."""
    axes = [axis for axis, size in enumerate(shape) if size > 1]
    found = np.array(boxes, np.int64).reshape(len(boxes), len(shape), 2)
    return found[:, axes]
