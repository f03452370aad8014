"""Chooses the tiles of all layers of a network together, so that a layer computes what the next ones can go on with.

    conv: tiles of 2 rows            conv: tiles of 64 channels
    depthwise: tiles of 4 rows   ⇒   depthwise: tiles of 64 channels
    conv: all channels               conv: a part of the depth, 64 channels, after the other

Each layer is divided over cores already, and has tiles that suit it if it is alone. The search goes through the layers
in their order, plays each of some tiles on both units of one core (`tile_times.py`) after each of the best ways to tile
the layers before, and keeps the best way for each of these tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from math import prod

import numpy as np
from xdsl.ir import SSAValue

from ....dialects.tile import GroupOp, Schedule
from ...tiling.layout import Layout
from ...tiling.tile_sizes import Footprint
from ...tiling.windows import Window, along_all_axes, sizes_of
from ..tiler_bases.layer import Buffer
from ..tiler_bases.tiler import Tiler
from .places import PlannedLayer
from .tile_times import Tile, Timeline, Wait, arrivals_of, play, ready_at

_KEPT, _KEPT_AHEAD = 6, 4
"""How many ways to tile the layers so far are kept: those that take least, and those with which the next layers are
expected to be done first.
"""

_AHEAD = 4
"""How many layers the expectation looks at."""

_LEAST_GAIN = 0.99
"""Layers keep their own tiles unless, with others, they take at most this share of the time. Where the loads of a
network take longer than its computation, their own leave more room for loads ahead.
"""

_TILE_SHARE = 1 / 16
"""The share of local memory that the buffers of a tile may take, unless those of the layer's own tiles take more."""


@dataclass(frozen=True)
class ConsideredTile:
    """A schedule of the largest part of a layer, and when the last tile of the layer is done, if the layers before it
    have the tiles that are best for this one.
    """

    schedule: Schedule
    footprint: Footprint
    done: float


def choose_tiles(
    planned: Sequence[PlannedLayer], considered: list[list[ConsideredTile]] | None = None
) -> list[PlannedLayer]:
    """Return layers, in the order of a program, with tiles that are chosen together, where their schedules leave that
    open. What was considered for each layer is appended to `considered`, if that is given.
    """
    layers = [_Layer.of(each) for each in planned]
    _connect(layers)
    states = [_State()]
    for number, layer in enumerate(layers):
        best: dict[int, _State] = {}
        soonest: dict[int, _State] = {}
        for state in states:
            for option in range(len(layer.options)):
                found = state.with_layer(number, layers, option)
                if option not in best or found.times.score < best[option].times.score:
                    best[option] = found
                if option not in soonest or found.expected < soonest[option].expected:
                    soonest[option] = found
        if considered is not None:
            considered.append(layer.considered({i: each.last for i, each in best.items()}))
        states = sorted(best.values(), key=lambda state: state.times.score)[:_KEPT]
        ahead = sorted(soonest.values(), key=lambda state: state.expected)[:_KEPT_AHEAD]
        states += [state for state in ahead if state not in states]
    states.sort(key=lambda state: state.times.score)
    own, loads = _State(), 0.0
    for number, layer in enumerate(layers):
        own = own.with_layer(number, layers, 0)
        loads += layer.loads
    together, alone = (max(state.times.done, loads) for state in (states[0], own))
    choices = states[0].choices if together <= alone * _LEAST_GAIN else own.choices
    return [layer.tiled(choice) for layer, choice in zip(layers, choices, strict=True)]


@dataclass
class _Option:
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
    def of(planned: PlannedLayer, part: int, schedule: Schedule) -> _Option:
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
            tiles.append(Tile(work.load_bytes * each_byte, cycles, work.vector_cycles))
        others = [
            (number, box)
            for other, own in enumerate(boxes)
            if other != part
            for number, box in enumerate(own)
        ]
        return _Option(
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
class _Layer:
    """A layer with its options, of which the first one is what it has; `sources` are the layers whose outputs it reads
    in local memories, with the index of the input; `reader` is the first layer that reads its own so. The layers that
    depend on it among the next ones keep a unit busy for `work_ahead` cycles.
    """

    planned: PlannedLayer
    options: list[_Option]
    sources: list[tuple[int, int]] = field(default_factory=list)
    reader: tuple[int, int] | None = None
    last_reader: int = -1
    work_ahead: float = 0.0
    _waits: dict[tuple[int, int, int, int], Wait | None] = field(default_factory=dict)

    @staticmethod
    def of(planned: PlannedLayer) -> _Layer:
        """Return a layer with the options that its schedule leaves open."""
        part = _largest(planned.windows)
        schedules = [planned.schedule.of_part(part), *_other_schedules(planned, part)]
        return _Layer(planned, [_Option.of(planned, part, each) for each in schedules])

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

    def tiled(self, choice: int) -> PlannedLayer:
        """Return the layer with the tiles of an option."""
        if not choice:
            return self.planned
        schedule = self.options[choice].schedule
        return replace(self.planned, schedule=schedule.over(self.planned.schedule))

    def considered(self, done: Mapping[int, float]) -> list[ConsideredTile]:
        """Return the options whose tiles have sizes, with the times at which the last one is done, which are given by
        number; none if the layer's schedule decides.
        """
        if self.planned.layer.operation.decided.tile is not None:
            return []
        return [
            ConsideredTile(option.schedule, option.footprint, done[number])
            for number, option in enumerate(self.options)
            if option.schedule.tile is not None
        ]

    def wait(
        self, source: int, index: int, writer: _Option, chosen: int, option: int
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
    def port_rate(self) -> float:
        """How many bytes pass the port of a memory in a cycle."""
        return self.planned.tiler.costs.port_bytes_per_cycle


@dataclass(frozen=True, eq=False)
class _State:
    """A way to tile the layers so far: the options, when the tiles are done that are still to be read, when the
    last tile of the last layer is, and the score that the state has once the next layers are done, as expected.
    """

    choices: tuple[int, ...] = ()
    ends: dict[int, list[float]] = field(default_factory=dict)
    times: Timeline = field(default_factory=Timeline)
    last: float = 0.0
    expected: float = 0.0

    def with_layer(self, number: int, layers: Sequence[_Layer], option: int) -> _State:
        """Return the state in which layer `number` has an option, after this one."""
        layer = layers[number]
        waits: list[tuple[Wait, list[float]]] = []
        for source, index in layer.sources:
            chosen = self.choices[source]
            wait = layer.wait(source, index, layers[source].options[chosen], chosen, option)
            if wait is not None:
                waits.append((wait, self.ends[source]))
        own, matrix = layer.options[option], layer.planned.tiler.costs.target.matrix
        drain = matrix.rows + matrix.columns - 2
        ends, times = play(self.times, own.tiles, waits, own.accumulators, drain)
        still_read = {i: each for i, each in self.ends.items() if layers[i].last_reader > number}
        if layer.last_reader > number:
            still_read[number] = ends
        expected = times.with_done(_expected(number, layers, option, ends)).score
        choices = (*self.choices, option)
        return _State(choices, still_read, times, max(ends, default=0.0), expected)


def _connect(layers: Sequence[_Layer]) -> None:
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
    for number, layer in enumerate(layers):
        layer.work_ahead = _work_ahead(number, layers)


def _work_ahead(number: int, layers: Sequence[_Layer]) -> float:
    """Return for how many cycles a unit is busy with those of the next layers that depend on layer `number`."""
    dependent, matrix, vector = {number}, 0.0, 0.0
    for later in range(number + 1, min(number + 1 + _AHEAD, len(layers))):
        if any(source in dependent for source, _ in layers[later].sources):
            dependent.add(later)
            own_matrix, own_vector = layers[later].least_work
            matrix, vector = matrix + own_matrix, vector + own_vector
    return max(matrix, vector)


def _expected(number: int, layers: Sequence[_Layer], option: int, ends: Sequence[float]) -> float:
    """Estimate when the next layers are done, if the tiles of layer `number` are done at `ends`: the first layer that
    reads them goes on with each as soon as it can, and with it what is left of the work of all.
    """
    layer = layers[number]
    if layer.reader is None:
        return 0.0
    reader, index = layers[layer.reader[0]], layer.reader[1]
    wait = reader.wait(number, index, layer.options[option], option, reader.finest)
    if wait is None:
        return 0.0
    arrivals = [(wait, ends, arrivals_of(wait, ends))]
    steps = len(wait.own)
    return max(
        ready_at(arrivals, step) + layer.work_ahead * (steps - step) / steps
        for step in range(steps)
    )


def _largest(windows: Sequence[Window]) -> int:
    """Return the number of the part in the middle of those with most elements."""
    sizes = [prod(sizes_of(window)) for window in windows]
    largest = [number for number, size in enumerate(sizes) if size == max(sizes)]
    return largest[len(largest) // 2]


def _other_schedules(planned: PlannedLayer, part: int) -> Iterator[Schedule]:
    """Return schedules of other tiles for part number `part`, and so for all, as far as the layer's own, and how it
    takes its input, allow it.
    """
    own, decided = planned.schedule.of_part(part), planned.layer.operation.decided
    if decided.tile is not None or isinstance(planned.layer.operation.parent_op(), GroupOp):
        return
    tiler, window = planned.tiler, planned.windows[part]
    seen, room = {own}, _room(tiler, window, own)
    gathered = _rows_apart(tiler, window, own)
    for found in tiler.tile_options(window, own):
        each = found.over(own)
        is_given = decided.of_part(part).over(each) == each
        if not is_given or tiler.footprint(window, each).local > room:
            continue
        if each not in seen and _rows_apart(tiler, window, each) <= gathered:
            seen.add(each)
            yield each


def _room(tiler: Tiler, window: Window, own: Schedule) -> float:
    """Return how many bytes of local memory the buffers of a tile may take, so that other tensors keep their room."""
    return max(tiler.footprint(window, own).local, tiler.costs.local_bytes * _TILE_SHARE)


def _rows_apart(tiler: Tiler, window: Window, schedule: Schedule) -> int:
    """Count the boxes that tiles of `window` read and write in local memories whose rows do not lie at one pitch, so
    that they are copied.
    """
    inputs, output = tiler.layer.inputs, tiler.layer.output
    count = 0
    for box in tiler.tile_boxes(window, schedule):
        work = tiler.tile_work(box, schedule)
        for read in (*(own for _, own in work.products), work.read):
            count += sum(_is_apart(each, inputs[i].layout, None) for i, each in read)
        count += output.is_kept and _is_apart(box, output.layout, window)
    return count


def _is_apart(box: Window, layout: Layout, slab: Window | None) -> bool:
    """Tell whether the rows of a box of a tensor do not lie at one pitch in `slab`, or in the whole tensor."""
    inside = layout.shape if slab is None else sizes_of(slab)
    sizes = sizes_of(box)
    rows = [axis for axis in layout.order[:-1] if inside[axis] > 1]
    return any(sizes[outer] > 1 and sizes[axis] < inside[axis] for outer, axis in pairwise(rows))


def _wait(writer: _Option, read: np.ndarray, buffer: Buffer, port_rate: float) -> Wait:
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
