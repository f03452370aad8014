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
from itertools import pairwise

from ....dialects.tile import GroupOp, Schedule
from ...tiling.layout import Layout
from ...tiling.tile_sizes import Footprint
from ...tiling.windows import Window, sizes_of
from ..tiler_bases.tiler import Tiler
from .places import PlannedLayer
from .tile_times import Timeline, Wait, arrivals_of, play, ready_at
from .tiled_layers import TiledLayer, connect, largest_part

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

    Where layers are in groups, memory is too short for tensors between layers: there all keep their own tiles, which
    leave more room for loads ahead.
    """
    if any(isinstance(each.layer.operation.parent_op(), GroupOp) for each in planned):
        return list(planned)
    layers = [_with_options(each) for each in planned]
    connect(layers)
    for number, layer in enumerate(layers):
        layer.work_ahead = _work_ahead(number, layers)
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
            considered.append(_considered(layer, {i: each.last for i, each in best.items()}))
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
    return [_tiled(layer, choice) for layer, choice in zip(layers, choices, strict=True)]


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

    def with_layer(self, number: int, layers: Sequence[TiledLayer], option: int) -> _State:
        """Return the state in which layer `number` has an option, after this one."""
        layer = layers[number]
        waits: list[tuple[Wait, list[float]]] = []
        for source, index in layer.sources:
            chosen = self.choices[source]
            wait = layer.wait(source, index, layers[source].options[chosen], chosen, option)
            if wait is not None:
                waits.append((wait, self.ends[source]))
        own = layer.options[option]
        ends, times = play(self.times, own.tiles, waits, own.accumulators, layer.drain_cycles)
        still_read = {i: each for i, each in self.ends.items() if layers[i].last_reader > number}
        if layer.last_reader > number:
            still_read[number] = ends
        expected = times.with_done(_expected(number, layers, option, ends)).score
        choices = (*self.choices, option)
        return _State(choices, still_read, times, max(ends, default=0.0), expected)


def _work_ahead(number: int, layers: Sequence[TiledLayer]) -> float:
    """Return for how many cycles a unit is busy with those of the next layers that depend on layer `number`."""
    dependent, matrix, vector = {number}, 0.0, 0.0
    for later in range(number + 1, min(number + 1 + _AHEAD, len(layers))):
        if any(source in dependent for source, _ in layers[later].sources):
            dependent.add(later)
            own_matrix, own_vector = layers[later].least_work
            matrix, vector = matrix + own_matrix, vector + own_vector
    return max(matrix, vector)


def _expected(
    number: int, layers: Sequence[TiledLayer], option: int, ends: Sequence[float]
) -> float:
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


def _with_options(planned: PlannedLayer) -> TiledLayer:
    """Return a layer with the options that its schedule leaves open."""
    part = largest_part(planned.windows)
    own = planned.schedule.of_part(part)
    return TiledLayer.of(planned, [own, *_other_schedules(planned, part)])


def _tiled(layer: TiledLayer, choice: int) -> PlannedLayer:
    """Return a layer with the tiles of an option."""
    if not choice:
        return layer.planned
    schedule = layer.options[choice].schedule
    return replace(layer.planned, schedule=schedule.over(layer.planned.schedule))


def _considered(layer: TiledLayer, done: Mapping[int, float]) -> list[ConsideredTile]:
    """Return the options whose tiles have sizes, with the times at which the last one is done, which are given by
    number; none if the layer's schedule decides.
    """
    if layer.planned.layer.operation.decided.tile is not None:
        return []
    return [
        ConsideredTile(option.schedule, option.footprint, done[number])
        for number, option in enumerate(layer.options)
        if option.schedule.tile is not None
    ]


def _other_schedules(planned: PlannedLayer, part: int) -> Iterator[Schedule]:
    """Return schedules of other tiles for part number `part`, and so for all, as far as the layer's own, and how it
    takes its input, allow it.
    """
    own, decided = planned.schedule.of_part(part), planned.layer.operation.decided
    if decided.tile is not None:
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
