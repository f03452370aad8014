"""`tile-plan`: decides how each layer is carried out, and writes it into the layer's schedule.

Before:

    tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56] { … }

After:

    tile.layer (…) -> %y window = [0, 1, 0, 64, 0, 56, 0, 56] schedule = #tile.schedule<cores = [0, 1],
        split = [1, 1, 2, 1], tile = [1, 64, 14, 56], depth = 64, order = channels_outer, block = 64> { … }

What a schedule has already, by hand or by another pass, stays as it is; the rest is chosen by the cost model: with
`splits=together` the splits of all layers in one search (`split_search.py`), and with `tiles=together` then their tiles
(`tile_search.py`); with `by-layer` those that are best for each layer alone. `parts` bounds into how many parts a layer
is divided. With `on_chip`, tensors between layers stay in the local memories of the cores that compute them, where they
have room; with `in_place` in the buffer of the tensor that is joined of them, or of which they are slices. With
`multicast_weights`, cores that need the same weights load them at once, if the target can; with
`multicast_activations`, a core sends what several others read of its part to all of them at once. With `groups`, layers
between which tensors have no room are put into groups, which are computed slice by slice (`group_search.py`). The
passes that follow obey the schedule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ...dialects import tile
from ...dialects.ir.target_attribute import target_of
from ...dialects.ir.weights import WeightStore
from ...dialects.tile import Schedule
from ...dialects.tile.schedule import ScheduleAttr
from ..smalti_pass import Level, SmaltiPass, store_of
from ..tiling.cost import CostModel
from ..tiling.tile_sizes import TriedTile
from ..tiling.windows import Window, sizes_of
from .group_search import FoundGroup, GroupSearch
from .groups.make_group import dissolve, group_layers
from .groups.slices import KEPT_WEIGHTS_SHARE, Slices, order_of_slices, slices_of_group
from .planning.layer_parts import Parts, cheapest, check_core_count, possible_parts, sliced_parts
from .planning.multicast import loads_of_weights, sends_of_activations
from .planning.places import (
    PlaceNotes,
    Places,
    PlannedLayer,
    choose_places,
    kept_tensors,
    tensors_in_place,
    that_may_stay,
)
from .planning.plan_recorder import PlanRecorder
from .planning.plan_times import times_of_plan
from .planning.split_search import choose_parts, considered_alone
from .planning.tile_search import choose_tiles
from .tiler_bases.constants import Constants
from .tiler_bases.layer import Buffer, Layer, mark_kept
from .tiler_bases.tiler import Tiler
from .tilers.registry import tiler_of

SEARCHES = ("together", "by-layer")
"""How splits are chosen, and tiles, as the options of these names say."""


@dataclass(frozen=True)
class Plan(SmaltiPass):
    """Complete the schedule of every layer, on at most `cores` cores (default: all of the target's)."""

    name = "tile-plan"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {
        "planned": "layers whose schedule was completed",
        "local": "layers whose output stays in local memories",
        "in_place": "layers whose output lies there in a tensor that is joined of it, or of which it is a slice",
        "multicast": "layers whose cores load at once the weights that they share",
        "groups": "groups that layers were put into",
    }

    cores: int | None = None
    """How many cores of the target to use; all unless given."""
    on_chip: bool = True
    """Whether tensors between layers may stay in local memories."""
    in_place: bool = True
    """Whether they may lie there in the tensors that are joined of them, or of which they are slices."""
    multicast_weights: bool = True
    """Whether cores may load at once the weights that they share."""
    multicast_activations: bool = True
    """Whether cores may be sent at once what they share of tensors in local memories."""
    splits: str = "together"
    """How layers are divided: `together`, so that they find their inputs where they need them, or `by-layer`."""
    groups: bool = True
    """Whether layers may be put into groups, if `splits` is `together`."""
    tiles: str = "together"
    """How tiles are chosen: `together`, so that a layer computes what the next ones go on with, or `by-layer`."""
    parts: int | None = None
    """Into how many parts a layer is divided at most; as many as there are cores unless given."""

    def __post_init__(self) -> None:
        """Raise DiagnosticError if an option has no such value."""
        for option, value in (("splits", self.splits), ("tiles", self.tiles)):
            if value not in SEARCHES:
                raise DiagnosticError(
                    f"option '{option}' is {value}, expected one of {', '.join(SEARCHES)}",
                    Place(name=f"pass '{self.name}'"),
                    hint=did_you_mean(value, SEARCHES),
                )
        if self.parts is not None and self.parts < 1:
            raise DiagnosticError(
                f"option 'parts' is at least 1, got {self.parts}", Place(name=f"pass '{self.name}'")
            )

    _recorder: ClassVar[PlanRecorder | None] = None

    def record(self, recorder: PlanRecorder) -> None:
        """Have `recorder` gather what the next run decides, and among what. The schedules are the same."""
        object.__setattr__(self, "_recorder", recorder)  # the pass is frozen, as all are

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Write the schedules. Raises DiagnosticError if a schedule cannot be carried out, or if a layer fits no
        memory.
        """
        target = target_of(module)
        cores = check_core_count(target, self.cores)
        can = target.interconnect.multicast
        costs = CostModel(
            target, can and self.multicast_weights, can and self.multicast_activations
        )
        recorder = self._recorder
        program, store = tile.program_of(module), store_of(ctx)
        network = _Network(program, costs, store, cores, self, recorder)
        planned, places = self._planned(network)
        if self.groups and self.on_chip and self.splits == "together":
            planned, places = self._with_groups(module, network, planned, places)
        kept, in_place = places
        planned = [self._placed(each, kept, in_place) for each in planned]
        if recorder is not None:
            done = replace(network).times(planned, in_place)
            recorder.finish(program.sym_name.data, planned, costs, cores, in_place, done)
        for each in planned:
            operation, schedule = each.layer.operation, each.schedule
            self.count("local", int(schedule.stays_on_chip))
            self.count("in_place", int(schedule.output == "in_place"))
            self.count("multicast", int(schedule.weights == "multicast"))
            if schedule != operation.decided:
                operation.properties["schedule"] = ScheduleAttr(schedule)
                self.count("planned")

    def _planned(self, network: _Network) -> tuple[list[PlannedLayer], Places]:
        """Return the layers of a network with their schedules, and where their outputs lie."""
        kept = kept_tensors(network.program)
        if self._recorder is not None:
            self._recorder.begin_plan()
        if not self.on_chip:
            return network.planned(kept), Places(kept, tensors_in_place(network.program))
        notes = None if self._recorder is None else self._recorder.places
        kept = that_may_stay(map(network.tiler, network.layers(kept)), notes)
        # First as if all could stay, then as those do for which there is room.
        planned, places = network.placed(network.planned(kept), kept, notes)
        network.candidates = kept
        if places.kept != kept:
            planned, places = network.placed(network.planned(places.kept), places.kept, notes)
        return planned, places

    def _with_groups(
        self,
        module: ModuleOp,
        network: _Network,
        planned: list[PlannedLayer],
        places: Places,
    ) -> tuple[list[PlannedLayer], Places]:
        """Put layers into groups where tensors have no room; return the layers and the places as they are then.

        With all other tensors on chip there may be less room for what is between the layers of groups than by
        themselves. Then either it stays before others, or the layers are no group: whichever leaves fewer bytes to go
        through global memory.
        """
        search = GroupSearch(network.store, module, replace(self, groups=False).run, network.cores)
        found = search.run(network.without_room(places))
        if self._recorder is not None:
            self._recorder.ranges = search.considered
        if not found:
            return planned, places
        tried = [
            self._tried(replace(network, slices_first=first), found) for first in (False, True)
        ]
        best = min(tried, key=lambda each: each.moved_bytes)
        for each in best.groups:
            group_layers(network.program, search.layers[each.first : each.last + 1], each.group)
        self.count("groups", len(best.groups))
        if self._recorder is not None and best.record is not None:
            self._recorder.take(best.record)
        return best.planned, best.places

    def _tried(self, network: _Network, found: Sequence[FoundGroup]) -> _Grouped:
        """Return how a network is planned with those groups for whose layers there is room."""
        groups, layers = list(found), network.program.layers
        while True:
            network = replace(network)
            made = [
                group_layers(network.program, layers[each.first : each.last + 1], each.group)
                for each in groups
            ]
            planned, places = self._planned(network)
            lacking = network.without_room(places)
            crowded = [
                each
                for each, op in zip(groups, made, strict=True)
                if lacking & {layer.output for layer in op.layers[:-1]}
            ]
            for op in made:
                dissolve(op)
            if not crowded:
                record = None if self._recorder is None else replace(self._recorder)
                return _Grouped(groups, planned, places, network.moved_bytes(places), record)
            groups = [each for each in groups if each not in crowded]

    def _placed(
        self, planned: PlannedLayer, kept: Collection[SSAValue], in_place: Collection[SSAValue]
    ) -> PlannedLayer:
        """Return a layer whose schedule says where the output lies."""
        schedule, output = planned.schedule, planned.layer.operation.output
        if output in kept:
            schedule = replace(schedule, output="in_place" if output in in_place else "local")
        elif schedule.output is None:
            schedule = replace(schedule, output="global")
        return replace(planned, schedule=schedule)


@dataclass
class _Grouped:
    """A network with groups: its layers, where their outputs lie, the bytes that go through global memory, and what was
    noted of how it is planned, if anything is.
    """

    groups: Sequence[FoundGroup]
    planned: list[PlannedLayer]
    places: Places
    moved_bytes: int
    record: PlanRecorder | None


@dataclass
class _Network:
    """The layers of a program, to be planned on at most `cores` cores as the options of the pass say."""

    program: tile.ProgramOp
    costs: CostModel
    store: WeightStore
    cores: int
    options: Plan
    recorder: PlanRecorder | None
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
        if self.options.splits == "together":
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
        if self.options.tiles == "by-layer":
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
                self._sliced(own), candidates, notes, self.options.in_place, self.slices_first
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
        decided, most = layer.operation.decided, self.options.parts
        return possible_parts(layer, tiler, decided, self.cores, most)


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
    schedule = _joined(tiler, parts.windows, planned, constants, parts.some is not None).over(
        parts.complete(decided, layer.rank)
    )
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
    constants: Constants,
    is_partial: bool,
) -> Schedule:
    """Return what the schedules of the parts say as one: a value for all parts if the first part's means the same for
    each of the others, or if the parts are not all that the layer has in some slice; else a value for each part.
    """
    first = planned[0]
    if is_partial or all(
        other == first or tiler.plan(window, first, constants) == other
        for window, other in zip(windows, planned, strict=True)
    ):
        return first
    values: dict[str, Any] = {
        name: tuple(getattr(each, name)[0] for each in planned)
        for name in ("tile", "depth", "order")
        if getattr(first, name) is not None
    }
    return replace(first, **values)
