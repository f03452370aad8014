"""Estimates when the layers of a plan are done: plays the tiles that it chose, with their loads, once.

The searches compare choices with less: the one for splits with a timeline of whole layers (`layer_times.py`), the one
for tiles with a play in which all loads are there in time (`tile_times.py`). Here loads share one bus and wait for room
in the memories (`load_times.py`), besides the tensors that stay there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from ...tiling.cost import CostModel, Work
from ...tiling.windows import Range, Window
from ..tiler_bases.accumulating_tiler import AccumulatingTiler
from ..tiler_bases.slabs import SlabPlan
from .load_times import LayerLoads, Supply, Weights
from .places import PlannedLayer, part_of
from .tile_times import Exchange, Timeline, play
from .tiled_layers import TiledLayer, TileOption, connect, largest_part

_EXCHANGE = Exchange(200.0, 2.0)
"""What it takes until another core has a tile: its port sends to others meanwhile, too. Found with the simulator:
estimates of MobileNetV2, ResNet-50 and Inception v1 are 1% to 3% nearer to it than with half of both.
"""

_FILLED = 0.9
"""The share of local memory that loads ahead fill: `tile-order-engines` leaves the rest."""


def times_of_plan(
    planned: Sequence[PlannedLayer], in_place: Collection[SSAValue] = ()
) -> list[float]:
    """Return when each of the layers is done, in cycles from the start of the network.

    They are in the order in which they run, those of groups slice by slice, and have their schedules, with the places
    of their outputs; those `in_place` lie in others.
    """
    if not planned:
        return []
    costs = planned[0].tiler.costs
    layers = [_tiled(each) for each in planned]
    connect(layers)
    memory = costs.target.global_memory
    supply = Supply.of(memory.latency_cycles, costs.cores, costs.local_bytes * _FILLED)
    played = _Play(layers, _slabs(planned, in_place), supply)
    return [played.run(number) for number in range(len(layers))]


@dataclass
class _Slabs:
    """What tensors take of the memories of cores, by the layer that writes them first, and by the one that reads them
    last.
    """

    begun: dict[int, dict[int, float]]
    ended: dict[int, dict[int, float]]


@dataclass
class _Play:
    """The layers that were played so far: when their tiles are done, and what they store is in global memory."""

    layers: Sequence[TiledLayer]
    slabs: _Slabs
    supply: Supply
    times: Timeline = field(default_factory=Timeline)
    ends: list[list[float]] = field(default_factory=list)
    stored: dict[SSAValue, float] = field(default_factory=dict)

    def run(self, number: int) -> float:
        """Play layer `number`; return when it is done."""
        layer = self.layers[number]
        option, planned = layer.options[0], layer.planned
        waits = [
            (wait, self.ends[source])
            for source, index in layer.sources
            if (wait := layer.wait(source, index, self.layers[source].options[0], 0, 0)) is not None
        ]
        inputs = planned.tiler.layer.inputs
        ready = max((self.stored.get(buffer.value, 0.0) for buffer in inputs), default=0.0)
        loads = _loads_of(layer, option, self.supply, ready)
        ends, self.times = play(
            self.times,
            option.tiles,
            waits,
            option.accumulators,
            layer.drain_cycles,
            loads,
            _EXCHANGE,
        )
        self.ends.append(ends)
        done = max(ends, default=0.0)
        if loads.stored:
            self.stored[planned.tiler.layer.output.value] = loads.stored
        self.supply.take(self.slabs.begun.get(number, {}), min(loads.begin, done))
        self.supply.free(self.slabs.ended.get(number, {}), done)
        return done


def _tiled(planned: PlannedLayer) -> TiledLayer:
    """Return a layer with the tiles of its schedule."""
    number = part = largest_part(planned.windows)
    if planned.numbers is not None:
        number = planned.numbers[part]
    return TiledLayer.of(planned, [planned.schedule.of_part(number)])


def _slabs(planned: Sequence[PlannedLayer], in_place: Collection[SSAValue]) -> _Slabs:
    """Return what the tensors take that stay in local memories."""
    parts = [
        part_of(number, each.layer, each.tiler, core, window, each.slice_number)
        for number, each in enumerate(planned)
        for core, window, _ in each.parts
    ]
    slabs = SlabPlan.of(parts, planned[0].tiler.costs.lane_group)
    begun, ended = _sizes(), _sizes()
    for value in slabs.tensors:
        for core, claim in () if value in in_place else slabs.claims(value, True):
            begun[claim.first][core] += claim.size_bytes
            ended[claim.last][core] += claim.size_bytes
    return _Slabs(begun, ended)


def _sizes() -> dict[int, dict[int, float]]:
    return defaultdict(lambda: defaultdict(float))


def _loads_of(layer: TiledLayer, option: TileOption, supply: Supply, ready: float) -> LayerLoads:
    """Return what the steps of a layer load and store. All parts load and store as the one that is played does, and at
    the same time.
    """
    planned = layer.planned
    tiler, costs = planned.tiler, planned.tiler.costs
    window = planned.windows[largest_part(planned.windows)]
    boxes = tiler.tile_boxes(window, option.schedule)
    works = [tiler.work(box) for box in boxes]
    each_byte = len(planned.windows) / costs.bytes_per_cycle
    firsts, lasts = _steps(option)
    inputs = {
        first: _input_bytes(work) * each_byte
        for first, work in zip(firsts, works, strict=True)
        if _input_bytes(work)
    }
    outputs = {
        last: work.store_bytes * each_byte
        for last, work in zip(lasts, works, strict=True)
        if work.store_bytes
    }
    weights = _weights_of(planned, option, boxes, works, costs)
    return LayerLoads(supply, weights, inputs, outputs, ready)


def _steps(option: TileOption) -> tuple[list[int], list[int]]:
    """Return the first and the last step of each tile."""
    firsts, lasts, step = list[int](), list[int](), 0
    for tile in option.tiles:
        firsts.append(step)
        step += len(tile.products) + 1
        lasts.append(step - 1)
    return firsts, lasts


def _input_bytes(work: Work) -> int:
    """Return what is loaded that are no weights."""
    return work.load_bytes if work.shared_load_bytes else work.load_bytes - work.constant_bytes


def _weights_of(
    planned: PlannedLayer,
    option: TileOption,
    boxes: Sequence[Window],
    works: Sequence[Work],
    costs: CostModel,
) -> dict[int, Weights]:
    """Return the weights that the steps of the part that is played load, by the first step that uses them.

    Tiles of the same channels that follow each other use the same weights, those of each part of the depth for itself.
    """
    own = [planned.tiler.work(window) for window in planned.windows]
    whole = own[largest_part(planned.windows)].constant_bytes
    if not whole:
        return {}
    shared = {work.shared: work.shared_load_bytes for work in own if work.shared_load_bytes}
    on_bus = sum(work.constant_bytes for work in own if not work.shared_load_bytes)
    cycles = max(
        (on_bus + sum(shared.values())) / costs.bytes_per_cycle,
        max(work.constant_bytes for work in own) / costs.port_bytes_per_cycle,
    )
    firsts, _ = _steps(option)
    channels = [_channels(planned, box) for box in boxes]
    found: dict[int, Weights] = {}
    for at, box_channels in enumerate(channels):
        if at and channels[at - 1] == box_channels:
            continue
        end = at
        while end + 1 < len(channels) and channels[end + 1] == box_channels:
            end += 1
        steps = max(1, len(option.tiles[at].products))
        share = works[at].constant_bytes / whole / steps
        sizes = {
            core: work.constant_bytes * share for core, work in zip(planned.cores, own, strict=True)
        }
        for part in range(steps):
            found[firsts[at] + part] = Weights(cycles * share, sizes, firsts[end] + part)
    return found


def _channels(planned: PlannedLayer, box: Window) -> Range | None:
    """Return the channels that a tile computes, if its weights depend on them."""
    tiler = planned.tiler
    return box[tiler.channel_axis] if isinstance(tiler, AccumulatingTiler) else None
