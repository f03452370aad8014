"""A network while it is planned: completes the schedules of its layers, and finds which tensors stay on chip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

from xdsl.ir import SSAValue

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....dialects import tile
from ....dialects.ir.weights import WeightStore
from ....dialects.tile import Schedule
from ...tiling.cost import CostModel
from ...tiling.tile_sizes import TriedTile
from ...tiling.windows import Window, sizes_of
from ..groups.slices import KEPT_WEIGHTS_SHARE, Slices, order_of_slices, slices_of_group
from ..tiler_bases.constants import Constants
from ..tiler_bases.layer import Buffer, Layer, mark_kept
from ..tiler_bases.tiler import Tiler
from ..tilers.registry import tiler_of
from .decisions import Shortage
from .layer_parts import Parts, cheapest, possible_parts, sliced_parts
from .multicast import loads_of_weights, sends_of_activations
from .places import PlaceNotes, Places, PlannedLayer, choose_places, overfull_memory
from .plan_recorder import PlanRecorder
from .plan_times import times_of_plan
from .split_search import choose_parts, considered_alone
from .tile_search import choose_tiles


@dataclass
class Network:
    """The layers of a program, to be planned on at most `cores` cores. `splits` and `tiles` say how these are chosen:
    for all layers `together`, or `by-layer`; tensors may lie in others if they may be `in_place`.
    """

    program: tile.ProgramOp
    costs: CostModel
    store: WeightStore
    cores: int
    splits: str
    tiles: str
    parts: int | None
    """Into how many parts a layer is divided at most."""
    in_place: bool
    recorder: PlanRecorder | None = None
    samples_apart: bool = False
    """Whether layers are divided along the samples of a batch first, as far as possible: so no core needs what others
    compute of its samples, unless these have several cores each.
    """
    slices_first: bool = False
    """Whether tensors between the layers of groups stay before all others."""
    candidates: frozenset[SSAValue] = frozenset()
    """The tensors that could stay on chip if there was room."""

    def without_room(self, places: Places) -> frozenset[SSAValue]:
        """Return the tensors that could stay on chip and do not."""
        return self.candidates - places.kept

    def moved_bytes(self, places: Places) -> int:
        """Return how many bytes of the tensors that could stay on chip, and do not, are written and read."""
        sizes = {value: self.buffers[value] for value in self.without_room(places)}
        return sum(
            buffer.bytes_of(prod(buffer.layout.physical)) * len(set(value.uses))
            for value, buffer in sizes.items()
        )

    def layers(self, kept: frozenset[SSAValue]) -> list[Layer]:
        """Read the layers; the tensors `kept` stay in local memories."""
        buffers = dict(self.buffers)
        mark_kept(buffers, kept)
        layers = [Layer.of(op, buffers) for op in self.program.layers]
        siblings: dict[tuple[SSAValue, int | None], list[Window]] = defaultdict(list)
        for layer in layers:
            own = self.slices.get(layer.operation)
            if own is not None:
                # All slices are carried out as the largest one is.
                layer.window = max(own, key=lambda window: prod(sizes_of(window)))
            operation = layer.operation
            layer.siblings = siblings[operation.output, operation.slice_number]
            layer.siblings.append(layer.window)
        return layers

    @cached_property
    def buffers(self) -> dict[SSAValue, Buffer]:
        """The buffers in global memory."""
        return {
            op.output: Buffer.of(op) for op in self.program.buffers if isinstance(op, tile.GlobalOp)
        }

    @cached_property
    def crossing_cycles(self) -> float:
        """The cycles in which inputs, constants and outputs cross the bus of global memory once."""
        crossing = [each for each in self.buffers.values() if each.segment != "scratch"]
        size_bytes = sum(each.bytes_of(prod(each.layout.physical)) for each in crossing)
        return size_bytes / self.costs.bytes_per_cycle

    @cached_property
    def samples(self) -> int:
        """How many samples the inputs of the network have, along their first axis; 1 if they differ in that."""
        sizes = {
            each.layout.shape[:1] or (1,)
            for each in self.buffers.values()
            if each.segment == "input"
        }
        return sizes.pop()[0] if len(sizes) == 1 else 1

    @cached_property
    def groups(self) -> list[tuple[tile.GroupOp, Slices]]:
        """The groups, each with what its layers compute in each slice."""
        return [
            (op, slices_of_group(op.decided, op.layers, self.buffers, self.costs))
            for op in self.program.groups
        ]

    @cached_property
    def slices(self) -> dict[tile.LayerOp, list[Window]]:
        """What each layer of a group computes in each of the slices in which it computes something."""
        return {
            layer: [window for windows in slices if (window := windows[number]) is not None]
            for group, slices in self.groups
            for number, layer in enumerate(group.layers)
        }

    def tiler(self, layer: Layer) -> Tiler:
        """Return the tiler of a layer."""
        tiler = tiler_of(layer, self.costs)
        tiler.slices = len(self.slices.get(layer.operation, (None,)))
        return tiler

    def planned(self, kept: frozenset[SSAValue]) -> list[PlannedLayer]:
        """Complete the schedule of each layer. Raises DiagnosticError if one cannot be carried out."""
        constants = Constants(self.store)
        layers = self.layers(kept)
        tilers = [self.tiler(layer) for layer in layers]
        options = [self._options(*each) for each in zip(layers, tilers, strict=True)]
        recorder = self.recorder
        if recorder is not None:
            recorder.begin_round(options)
        if self.splits == "together":
            chosen = choose_parts(tilers, options, recorder and recorder.splits)
        else:
            chosen = [cheapest(*each) for each in zip(tilers, options, strict=True)]
            if recorder is not None:
                recorder.splits = [
                    considered_alone(*each) for each in zip(tilers, options, strict=True)
                ]
        tried = [None] * len(layers) if recorder is None else recorder.tiles
        planned = [
            _complete(*each, self.costs, constants)
            for each in zip(layers, tilers, chosen, tried, strict=True)
        ]
        if self.tiles == "by-layer":
            return planned
        return choose_tiles(planned, None if recorder is None else recorder.together)

    def placed(
        self,
        planned: Sequence[PlannedLayer],
        candidates: frozenset[SSAValue],
        notes: PlaceNotes | None,
    ) -> tuple[list[PlannedLayer], Places]:
        """Return which of the candidates stay on chip, with the slices of groups one by one; and the layers, which say
        whether weights stay from slice to slice: those of a group do if they take little room, and what is between its
        layers stays nevertheless.
        """
        reloading: set[tile.GroupOp] = set()
        while True:
            own = [self._with_slice_weights(each, reloading) for each in planned]
            places = choose_places(
                self._sliced(own), candidates, notes, self.in_place, self.slices_first
            )
            crowded = {
                group
                for group, _ in self.groups
                for layer in group.layers[:-1]
                if layer.output in candidates - places.kept
            }
            if crowded <= reloading:
                return own, places
            reloading |= crowded

    def has_room(self, planned: Sequence[PlannedLayer], places: Places) -> bool:
        """Tell whether layers that were planned for other places than these can be carried out with these."""
        constants = Constants(self.store)
        try:
            for each in self._seen_with(planned, places):
                for _, window, schedule in each.parts:
                    each.tiler.plan(window, schedule, constants)
        except DiagnosticError:
            return False
        return self.overfull(planned, places) is None

    def overfull(self, planned: Sequence[PlannedLayer], places: Places) -> Shortage | None:
        """Return where layers do not fit a memory with these places; None if they do."""
        seen = self._seen_with(planned, places)
        return overfull_memory(self._sliced(seen), places.in_place)

    def _seen_with(self, planned: Sequence[PlannedLayer], places: Places) -> list[PlannedLayer]:
        """Return layers that were planned for other places as they are with these."""
        seen: list[PlannedLayer] = []
        for layer, each in zip(self.layers(places.kept), planned, strict=True):
            layer.siblings = list(each.windows)
            seen.append(replace(each, layer=layer, tiler=self.tiler(layer)))
        return seen

    def _with_slice_weights(
        self, planned: PlannedLayer, reloading: Collection[tile.GroupOp]
    ) -> PlannedLayer:
        """Return a layer whose schedule says whether its weights stay from slice to slice, if it is in a group."""
        layer, schedule = planned.layer, planned.schedule
        if len(self.slices.get(layer.operation, ())) < 2 or schedule.slice_weights is not None:
            return planned
        needed: dict[int, int] = defaultdict(int)
        for core, window, _ in planned.parts:
            needed[core] += planned.tiler.work(window).constant_bytes
        most = max(needed.values())
        if not most:
            return planned
        group = layer.operation.parent_op()
        stays = group not in reloading and most <= KEPT_WEIGHTS_SHARE * self.costs.local_bytes
        schedule = replace(schedule, slice_weights="kept" if stays else "reloaded")
        return replace(planned, schedule=schedule)

    def _sliced(self, planned: Sequence[PlannedLayer]) -> list[PlannedLayer]:
        """Return the layers in the order in which they run, those of groups slice by slice."""
        groups = {op.layers[0]: (op, slices) for op, slices in self.groups}
        result: list[PlannedLayer] = []
        at, first = 0, 0
        while at < len(planned):
            found = groups.get(planned[at].layer.operation)
            if found is None:
                result.append(planned[at])
                at += 1
                continue
            group, slices = found
            own = planned[at : at + len(group.layers)]
            for number, layer in order_of_slices(group.decided, len(own), len(slices)):
                window = slices[number][layer]
                if window is not None:
                    result.append(_slice_of(own[layer], window, first + number))
            at, first = at + len(own), first + len(slices)
        return result

    def times(self, planned: Sequence[PlannedLayer], in_place: Collection[SSAValue]) -> list[float]:
        """Return when each layer is done, with all its slices, by the estimate of the whole plan."""
        sliced = self._sliced(planned)
        done: dict[tile.LayerOp, float] = defaultdict(float)
        for each, end in zip(sliced, times_of_plan(sliced, in_place), strict=True):
            operation = each.layer.operation
            done[operation] = max(done[operation], end)
        return [done[each.layer.operation] for each in planned]

    def _options(self, layer: Layer, tiler: Tiler) -> list[Parts]:
        """Return the ways to divide a layer."""
        core = layer.operation.core
        if core is not None:
            return [Parts((core.value.data,), (layer.window,), None)]
        found = possible_parts(layer, tiler, layer.operation.decided, self.cores, self.parts)
        if not self.samples_apart or layer.shape[:1] != (self.samples,):
            return found
        counts = [1 if each.split is None else each.split[0] for each in found]
        return [each for each, count in zip(found, counts, strict=True) if count == max(counts)]


def _slice_of(planned: PlannedLayer, window: Window, number: int) -> PlannedLayer:
    """Return slice `number` of a layer, which computes `window` in it."""
    parts = sliced_parts(window, planned.tiler, planned.schedule)
    return replace(
        planned,
        cores=parts.cores,
        windows=parts.windows,
        slice_number=number,
        numbers=parts.numbers,
    )


def _complete(
    layer: Layer,
    tiler: Tiler,
    parts: Parts,
    tried: list[TriedTile] | None,
    costs: CostModel,
    constants: Constants,
) -> PlannedLayer:
    """Return a layer with its schedule, with all that it leaves out but the place of the output. What is looked at for
    tiles of the first part is appended to `tried`, if that is a list.
    """
    decided = layer.operation.decided
    if layer.operation.core is not None:
        schedule = _planned(tiler, layer.window, decided, constants, tried).over(decided)
        return PlannedLayer(layer, tiler, schedule, parts.cores, parts.windows)
    layer.siblings = list(parts.windows)
    tiler = tiler_of(layer, costs)
    planned = [
        _planned(tiler, window, decided.of_part(number), constants, None if at else tried)
        for at, (number, window) in enumerate(zip(parts.numbers, parts.windows, strict=True))
    ]
    schedule = _joined(
        tiler, parts.windows, planned, decided, constants, parts.some is not None
    ).over(parts.complete(decided, layer.rank))
    if schedule.weights is None:
        # A product that has no weights to share says so, too, so that no later pass decides it.
        alone = "separate" if schedule.block is not None else None
        schedule = replace(schedule, weights=loads_of_weights(tiler, parts) or alone)
    if schedule.activations is None:
        schedule = replace(schedule, activations=sends_of_activations(tiler, parts))
    return PlannedLayer(
        layer,
        tiler,
        schedule,
        parts.cores,
        parts.windows,
        layer.operation.slice_number,
        parts.some,
    )


def _planned(
    tiler: Tiler,
    window: Window,
    decided: Schedule,
    constants: Constants,
    tried: list[TriedTile] | None,
) -> Schedule:
    tiler.tried = tried
    schedule = tiler.plan(window, decided, constants)
    tiler.tried = None
    return schedule


def _joined(
    tiler: Tiler,
    windows: tuple[Window, ...],
    planned: list[Schedule],
    decided: Schedule,
    constants: Constants,
    is_partial: bool,
) -> Schedule:
    """Return what the schedules of the parts say as one: a value for all parts if the first part's means the same for
    each of the others, if the parts are not all that the layer has in some slice, or if one is `decided`, which may be
    larger than some part; else a value for each part.
    """
    first = planned[0]
    if is_partial or all(
        other == first or tiler.plan(window, first, constants) == other
        for window, other in zip(windows, planned, strict=True)
    ):
        return first
    values: dict[str, Any] = {}
    for name in ("tile", "depth", "order"):
        given = getattr(decided, name)
        if given is not None and len(given) == 1:
            values[name] = given
        elif getattr(first, name) is not None:
            values[name] = tuple(getattr(each, name)[0] for each in planned)
    return replace(first, **values)
