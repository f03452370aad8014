"""Gathers what `tile-plan` considers while it runs, and makes the trace of its decisions of that."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from xdsl.ir import SSAValue

from ....dialects.ir.location import names_of
from ....dialects.tile import Group, GroupOp, Schedule
from ....dialects.tile.schedule import Halos, ScheduleAttr, Sending, SliceOrder
from ...tiling.cost import CostModel
from ...tiling.tile_sizes import FRACTIONS, TriedTile
from ...tiling.windows import sizes_of
from ..tiler_bases.layer import Layer
from .considered_groups import LEAST_GAIN, ConsideredRange
from .decisions import (
    GroupCandidate,
    GroupDecision,
    GroupReason,
    LayerDecisions,
    PlaceDecision,
    PlanTrace,
    SendingDecision,
    SendingReason,
    SplitCandidate,
    SplitDecision,
    SplitEstimate,
    TileCandidate,
    TileDecision,
    WholePlan,
)
from .layer_parts import Parts
from .multicast import cores_sharing_activations, cores_sharing_weights
from .places import PlaceNotes, PlannedLayer
from .split_search import Considered
from .tile_search import ConsideredTile


@dataclass
class PlanRecorder:
    """What a run of the pass considers. Lists have an element for each layer, of the last round: layers are planned
    again when not all tensors that could stay on chip have room.
    """

    trace: PlanTrace | None = None
    """The decisions, once the pass is done."""
    places: PlaceNotes = field(default_factory=PlaceNotes)
    keeps_on_chip: bool = True
    possible: list[int] = field(default_factory=list)
    splits: list[list[Considered]] = field(default_factory=list)
    tiles: list[list[TriedTile]] = field(default_factory=list)
    together: list[list[ConsideredTile]] = field(default_factory=list)
    plans: tuple[WholePlan, ...] = ()
    """The plans of the whole network that were compared."""
    ranges: list[ConsideredRange] = field(default_factory=list)
    """The ranges of layers that were considered as groups."""

    def begin_plan(self) -> None:
        """Forget where tensors were: all layers are planned anew."""
        self.places = PlaceNotes()

    def take(self, other: PlanRecorder) -> None:
        """Note what another recorder did of the layers."""
        self.places, self.possible = other.places, other.possible
        self.splits, self.tiles, self.together = other.splits, other.tiles, other.together

    def begin_round(self, options: Sequence[Sequence[Parts]]) -> None:
        """Forget the last round; each layer may be divided in these ways."""
        self.possible = [len(each) for each in options]
        self.splits, self.together = [], []
        self.tiles = [[] for _ in options]

    def finish(
        self,
        network: str,
        planned: Sequence[PlannedLayer],
        costs: CostModel,
        cores: int,
        in_place: Collection[SSAValue],
        done: Sequence[float],
    ) -> None:
        """Make the trace. The layers have their schedules, with the places of their outputs, and are `done` after so
        many cycles each.
        """
        names = [each.layer.name for each in planned]
        layers = tuple(
            self._layer(number, each, in_place, done[number], names)
            for number, each in enumerate(planned)
        )
        self.trace = PlanTrace(network, costs.target.name, cores, layers, self.plans)

    def _layer(
        self,
        number: int,
        planned: PlannedLayer,
        in_place: Collection[SSAValue],
        done: float,
        names: Sequence[str],
    ) -> LayerDecisions:
        layer, schedule = planned.layer, planned.schedule
        parts = Parts(tuple(planned.cores), tuple(planned.windows), schedule.split)
        decided, costs = layer.operation.decided, planned.tiler.costs
        return LayerDecisions(
            name=layer.name,
            op=layer.op.name,
            nodes=tuple(names_of(layer.operation.location)),
            shape=layer.shape,
            storage=layer.output.storage,
            split=self._split(number, layer, parts, costs),
            tile=_tile(
                self.tiles[number],
                self.together[number] if self.together else (),
                decided,
                schedule.of_part(0),
            ),
            output=self._place(layer, schedule, in_place),
            weights=_sending(
                schedule.weights,
                decided.weights,
                planned.tiler.multicasts_weights,
                cores_sharing_weights(planned.tiler, parts),
            ),
            activations=_sending(
                schedule.activations,
                decided.activations,
                costs.multicasts_activations,
                cores_sharing_activations(planned.tiler, parts),
            ),
            group=self._group(number, layer, names),
            schedule=ScheduleAttr(schedule).body(),
            done_cycles=round(done),
        )

    def _split(self, number: int, layer: Layer, parts: Parts, costs: CostModel) -> SplitDecision:
        decided = layer.operation.decided
        given = decided.split, decided.windows, layer.operation.core
        candidates = [
            SplitCandidate(
                cores=each.parts.cores,
                split=each.parts.split and each.parts.split[: layer.rank],
                is_chosen=(each.parts.cores, each.parts.windows) == (parts.cores, parts.windows),
                estimate=_estimate(each, costs),
                done_cycles=None if each.done is None else round(each.done),
                network_cycles=None if each.network is None else round(each.network),
            )
            for each in self.splits[number]
        ]
        # Of equal ones the chosen one is first, then that with fewer parts.
        candidates.sort(key=lambda each: (each.compared_cycles, not each.is_chosen, each.cores))
        decided_by = "search" if given == (None, None, None) else "schedule"
        return SplitDecision(decided_by, self.possible[number], tuple(candidates))

    def _group(self, number: int, layer: Layer, names: Sequence[str]) -> GroupDecision | None:
        """Return the decision about the group of layer `number` of those with `names`; of those that it could be in,
        if it is in none, about the one that was considered last.
        """
        holder = layer.operation.parent_op()
        if not isinstance(holder, GroupOp):
            with_it = [each for each in self.ranges if each.first <= number <= each.last]
            return _group_not_made(with_it[-1], names) if with_it else None
        first = number - holder.layers.index(layer.operation)
        last, group = first + len(holder.layers) - 1, holder.decided
        found = [
            each
            for each in self.ranges
            if each.best is not None
            and (each.first, each.last, each.best.group) == (first, last, group)
        ]
        return GroupDecision(
            layers=tuple(names[first : last + 1]),
            is_made=True,
            why="gains" if found else "schedule",
            **_fields(group),
            gain=_gain(found[-1], group) if found else None,
            least_gain=LEAST_GAIN if found else None,
            candidates=_group_candidates(found[-1], group.slices) if found else (),
            slice_shape=sizes_of(layer.window),
        )

    def _place(
        self, layer: Layer, schedule: Schedule, in_place: Collection[SSAValue]
    ) -> PlaceDecision:
        value, decided, notes = layer.output.value, layer.operation.decided, self.places
        if not schedule.stays_on_chip:
            if decided.output == "global":
                return PlaceDecision("global", "schedule")
            if value in notes.unable:
                why, at = notes.unable[value]
                return PlaceDecision("global", why, at)
            if not self.keeps_on_chip:
                return PlaceDecision("global", "option")
            return PlaceDecision("global", "no_room", shortage=notes.short.get(value))
        alias = notes.aliases.get(value)
        if alias is None:
            reason = "no_alias"
        elif value in in_place:
            reason = "joined" if alias.is_joined else "slice"
        else:
            reason = notes.not_in_place.get(value, "apart")
        taken, until = notes.taken.get(value, (None, None))
        return PlaceDecision(
            place="in_place" if schedule.output == "in_place" else "local",
            why="schedule" if decided.stays_on_chip else "fits",
            bytes_per_core=taken,
            until=until,
            in_place=reason,
            inside=None if alias is None else alias.outer.name,
        )


def _group_not_made(range_: ConsideredRange, names: Sequence[str]) -> GroupDecision:
    """Return the decision about layers that are no group."""
    played = [(cycles, group) for group, cycles in range_.tried if cycles is not None]
    best = min(played, key=lambda each: each[0])[1] if played else None
    gain = None if best is None else _gain(range_, best)
    why: GroupReason = "not_played" if gain is None else "gains_little"
    return GroupDecision(
        layers=tuple(names[range_.first : range_.last + 1]),
        is_made=False,
        why="crowded" if range_.best is not None else why,
        **_fields(best),
        gain=gain,
        least_gain=LEAST_GAIN,
        candidates=_group_candidates(range_, 1),
        slice_shape=None,
    )


class _Fields(TypedDict):
    axis: int | None
    slices: int | None
    halos: Halos | None
    order: SliceOrder | None


def _fields(group: Group | None) -> _Fields:
    """Return the fields of a decision that are those of a group."""
    if group is None:
        return {"axis": None, "slices": None, "halos": None, "order": None}
    return {
        "axis": group.axis,
        "slices": group.slices,
        "halos": group.halos,
        "order": group.order,
    }


def _gain(range_: ConsideredRange, group: Group) -> float | None:
    """Return the share of its cycles that a range saves as a group."""
    cycles = dict(range_.tried).get(group)
    return None if cycles is None or not range_.alone else 1 - cycles / range_.alone


def _group_candidates(range_: ConsideredRange, chosen: int) -> tuple[GroupCandidate, ...]:
    """Return what was tried of a range, of which so many slices are chosen."""
    found = [(1, range_.alone), *((group.slices, cycles) for group, cycles in range_.tried)]
    return tuple(
        GroupCandidate(slices, None if cycles is None else round(cycles), slices == chosen)
        for slices, cycles in found
    )


def _estimate(considered: Considered, costs: CostModel) -> SplitEstimate:
    works = considered.works
    shared = {work.shared: work.shared_load_bytes for work in works}
    loaded = sum(work.load_bytes for work in works) + sum(shared.values())
    return SplitEstimate(
        matrix_cycles=max(work.matrix_cycles for work in works),
        vector_cycles=max(work.vector_cycles for work in works),
        load_cycles=round(loaded / costs.bytes_per_cycle),
        store_cycles=round(sum(work.store_bytes for work in works) / costs.bytes_per_cycle),
        exchange_cycles=round(considered.exchange),
        part_cycles=round(considered.overhead),
        sending_cycles=round(considered.sending),
        waiting_cycles=round(considered.waiting),
        layer_cycles=round(considered.layer),
    )


def _tile(
    tried: Sequence[TriedTile],
    together: Sequence[ConsideredTile],
    decided: Schedule,
    chosen: Schedule,
) -> TileDecision:
    """Return the decision about tiles; `chosen` is the schedule of the first part."""
    candidates = {_key(found): found for found in (_tile_candidate(each, chosen) for each in tried)}
    for each in together:
        found = _candidate_together(each, chosen)
        key = _key(found)
        if key in candidates:
            found = replace(candidates[key], done_cycles=found.done_cycles)
        candidates[key] = found
    ordered = sorted(candidates.values(), key=_rank)
    return TileDecision("search" if decided.tile is None else "schedule", tuple(ordered))


def _key(candidate: TileCandidate) -> tuple[tuple[int, ...], int | None, bool]:
    return candidate.tile, candidate.depth, candidate.fits


def _rank(candidate: TileCandidate) -> tuple[bool, bool, int, int, bool]:
    done, cycles = candidate.done_cycles, candidate.cycles or 0
    return not candidate.fits, done is None, done or 0, cycles, not candidate.is_chosen


def _tile_candidate(tried: TriedTile, chosen: Schedule) -> TileCandidate:
    order = None
    if tried.channels_outer is not None:
        order = "channels_outer" if tried.channels_outer else "rows_outer"
    depth = None if tried.depth is None else (tried.depth,)
    stages = (None,) * 4 if tried.stages is None else tuple(map(round, tried.stages))
    load, matrix, vector, store = stages
    return TileCandidate(
        tile=tried.sizes,
        depth=tried.depth,
        order=order,
        is_chosen=tried.fits and (chosen.tile, chosen.depth) == ((tried.sizes,), depth),
        fits=tried.fits,
        share=tried.fraction,
        local_bytes=tried.footprint.local,
        acc_bytes=tried.footprint.acc,
        load_cycles=load,
        matrix_cycles=matrix,
        vector_cycles=vector,
        store_cycles=store,
        cycles=None if tried.cycles is None else round(tried.cycles),
        done_cycles=None,
    )


def _candidate_together(considered: ConsideredTile, chosen: Schedule) -> TileCandidate:
    own, footprint = considered.schedule, considered.footprint
    assert own.tile is not None
    return TileCandidate(
        tile=own.tile[0],
        depth=None if own.depth is None else own.depth[0],
        order=None if own.order is None else own.order[0],
        is_chosen=(own.tile, own.depth) == (chosen.tile, chosen.depth),
        fits=True,
        share=FRACTIONS[0],
        local_bytes=footprint.local,
        acc_bytes=footprint.acc,
        load_cycles=None,
        matrix_cycles=None,
        vector_cycles=None,
        store_cycles=None,
        cycles=None,
        done_cycles=round(considered.done),
    )


def _sending(
    value: Sending | None, decided: Sending | None, is_allowed: bool, sharing: int
) -> SendingDecision:
    why: SendingReason = "shared" if value == "multicast" else "not_shared"
    if decided is not None:
        why = "schedule"
    elif value != "multicast" and not is_allowed:
        why = "option"
    return SendingDecision(value, why, sharing)
