"""Decides which tensors between layers stay in the local memories of the cores that compute them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from xdsl.ir import SSAValue

from ....dialects.tile import GlobalOp, ProgramOp, Schedule
from ...tiling.allocation import Lifetime
from ...tiling.windows import Window, with_axes_of
from ..tiler_bases.layer import Buffer, Layer
from ..tiler_bases.slabs import Alias, Part, Read, Slab, SlabPlan
from ..tiler_bases.tiler import Tiler
from .decisions import InPlaceReason, PlaceReason, Shortage

_TILES = 2.5
"""How many tiles of a layer have room beside the tensors that stay: the one that is computed, the next one, whose loads
run ahead, and what addresses leave unused between buffers.
"""


@dataclass(frozen=True)
class PlannedLayer:
    """A layer, or a slice of one of a group, with its complete schedule, and the core and window of each of its parts.

    `slice_number` is that of the slice. `numbers` are those of the parts in the schedule, None if these are all.
    """

    layer: Layer
    tiler: Tiler
    schedule: Schedule
    cores: Sequence[int]
    windows: Sequence[Window]
    slice_number: int | None = None
    numbers: Sequence[int] | None = None

    @property
    def parts(self) -> Iterator[tuple[int, Window, Schedule]]:
        """The core, the window and the schedule of each part."""
        numbers = range(len(self.cores)) if self.numbers is None else self.numbers
        for number, core, window in zip(numbers, self.cores, self.windows, strict=True):
            yield core, window, self.schedule.of_part(number)


@dataclass
class PlaceNotes:
    """Why tensors are where they are, as far as they are not simply in local memories of their own.

    `unable`: why one cannot stay, and the name of the layer that hinders it, if one does. `short`: where there is no
    room. `not_in_place`: why one that stays lies in no other. `taken`: of one that stays, the bytes that the core takes
    for it that keeps most, and the last layer that reads it. `aliases`: the tensor in which one could lie, and whether
    that is joined of it.
    """

    unable: dict[SSAValue, tuple[PlaceReason, str | None]] = field(default_factory=dict)
    short: dict[SSAValue, Shortage] = field(default_factory=dict)
    not_in_place: dict[SSAValue, InPlaceReason] = field(default_factory=dict)
    taken: dict[SSAValue, tuple[int, str]] = field(default_factory=dict)
    aliases: dict[SSAValue, Alias] = field(default_factory=dict)


def that_may_stay(tilers: Iterable[Tiler], notes: PlaceNotes | None = None) -> frozenset[SSAValue]:
    """Return the tensors that all layers which write and read them could take in local memories, and whose schedules do
    not say otherwise. `notes` get the reasons of the others.
    """
    able: set[SSAValue] = set()
    unable: dict[SSAValue, tuple[PlaceReason, str | None]] = {}
    for tiler in tilers:
        layer = tiler.layer
        if not tiler.may_stay_on_chip:
            for buffer in (layer.output, *layer.inputs):
                unable.setdefault(buffer.value, ("layer", layer.name))
        for index in tiler.global_inputs:
            unable.setdefault(layer.inputs[index].value, ("layer", layer.name))
        if (why := _bound_to_global_memory(layer)) is not None:
            unable[layer.output.value] = why, None
        able.add(layer.output.value)
    if notes is not None:
        notes.unable = unable
    return frozenset(able - unable.keys())


def _bound_to_global_memory(layer: Layer) -> PlaceReason | None:
    """Return why an output is in global memory, whatever its writers and readers can; None if it may be elsewhere."""
    if layer.operation.decided.output == "global":
        return "schedule"
    if address_of(layer.output) is not None:
        return "address"
    if is_between_layers(layer.output):
        return None
    return "no_axes" if layer.output.segment == "scratch" else "port"


class Places(NamedTuple):
    """The tensors that stay in local memories, and those of them that lie there in the slabs of others; and where those
    have no room that should stay by their schedules.
    """

    kept: frozenset[SSAValue]
    in_place: frozenset[SSAValue]
    refused: Mapping[SSAValue, Shortage] = MappingProxyType({})


def choose_places(
    planned: Sequence[PlannedLayer],
    candidates: frozenset[SSAValue],
    notes: PlaceNotes | None = None,
    may_be_in_place: bool = True,
    slices_first: bool = False,
) -> Places:
    """Return which of the candidates stay in local memories: they and the tiles of the layers fit at all times.

    Those come first whose schedules say that they stay, for which it is enough if one tile of each layer fits beside
    them; then those that save most transfers for the time that they stay; with `slices_first`, those between the layers
    of groups come before these others. `planned` are the layers of a program, in its order. Unless they
    `may_be_in_place`, only those lie in others whose schedules say so. `notes` get the reasons.
    """
    if not planned:
        return Places(frozenset(), frozenset())
    free, least = _free_bytes(planned, _TILES), _free_bytes(planned, 1)
    slabs = _slab_plan(planned)
    decided = {each.layer.output.value for each in planned if each.schedule.stays_on_chip}
    stays = [value for value in slabs.tensors if value in candidates]
    stays.sort(
        key=lambda value: (
            value not in decided,
            not (slices_first and slabs.is_sliced(value)),
            slabs.layers_per_reader(value),
        )
    )
    kept: set[SSAValue] = set()
    refused: dict[SSAValue, Shortage] = {}
    for value in stays:
        # With room for several tiles, what is gathered is taken to be so when it is read; it is earlier.
        likely = _needed_bytes(slabs, value, free, gathered_when_read=True)
        needed = _needed_bytes(slabs, value, free)
        lacks = None if _fits(needed, least) else least
        if lacks is None and value not in decided and not _fits(likely, free):
            needed, lacks = likely, free
        if lacks is None:
            kept.add(value)
            for core in free:
                free[core] -= likely[core]
                least[core] -= needed[core]
            if notes is not None:
                most = max(size.max() for size in needed.values())
                notes.taken[value] = int(most), planned[slabs.lifetime(value)[1]].layer.name
            continue
        short = _shortage(planned, lacks, needed)
        if value in decided:
            refused[value] = short
        if notes is not None:
            notes.short[value] = short
    own = {each.layer.output.value for each in planned if each.schedule.output == "local"}
    asked = {each.layer.output.value for each in planned if each.schedule.output == "in_place"}
    aliases = [value for value in slabs.aliases if value in kept]
    movable = [value for value in aliases if value not in own]
    if not may_be_in_place:
        movable = [value for value in movable if value in asked]
    in_place = _placed_in_others(slabs, movable, kept, (free, least), notes)
    if notes is not None:
        notes.aliases = {value: slabs.aliases[value] for value in aliases}
        for value in set(aliases).difference(movable):
            notes.not_in_place[value] = "schedule" if value in own else "option"
    return Places(frozenset(kept), in_place, refused)


def overfull_memory(
    planned: Sequence[PlannedLayer], in_place: Collection[SSAValue]
) -> Shortage | None:
    """Return the core, and the layer, at which one tile and the tensors that stay, but for those that lie `in_place` of
    others, need more bytes than its memory has, which are the free ones; None if all fit at all times. `planned` are
    the layers in the order in which they run, with tilers that know which tensors stay.
    """
    if not planned:
        return None
    free, slabs = _free_bytes(planned, 1), _slab_plan(planned)
    for value in slabs.tensors:
        if value not in in_place:
            for core, size in _needed_bytes(slabs, value, free).items():
                free[core] -= size
    core = min(free, key=lambda each: float(free[each].min()))
    at = int(free[core].argmin())
    if free[core][at] >= 0:
        return None
    capacity = planned[0].tiler.costs.local_bytes
    return Shortage(planned[at].layer.name, core, int(capacity - free[core][at]), capacity)


def _slab_plan(planned: Sequence[PlannedLayer]) -> SlabPlan:
    """Return where the tensors lie that the layers keep on chip."""
    parts = [
        part_of(number, each.layer, each.tiler, core, window, each.slice_number)
        for number, each in enumerate(planned)
        for core, window, _ in each.parts
    ]
    return SlabPlan.of(parts, planned[0].tiler.costs.lane_group)


def _fits(needed: Mapping[int, np.ndarray], free: Mapping[int, np.ndarray]) -> bool:
    """Tell whether so many bytes of each core's memory are free while each of the layers runs that needs some."""
    return all(((free[core] >= size) | (size == 0)).all() for core, size in needed.items())


def _needed_bytes(
    slabs: SlabPlan,
    value: SSAValue,
    free: Mapping[int, np.ndarray],
    gathered_when_read: bool = False,
) -> dict[int, np.ndarray]:
    """Return the bytes that a tensor takes of each core's memory while each of the layers runs."""
    needed = {core: np.zeros(len(each)) for core, each in free.items()}
    for core, claim in slabs.claims(value, gathered_when_read):
        needed[core][claim.first : claim.last + 1] += claim.size_bytes
    return needed


def _shortage(
    planned: Sequence[PlannedLayer], free: dict[int, np.ndarray], needed: dict[int, np.ndarray]
) -> Shortage:
    """Return where bytes that a tensor needs exceed what is free by most, by core and layer."""
    lacking = {core: np.where(size > 0, size - free[core], 0) for core, size in needed.items()}
    core = max(lacking, key=lambda each: float(lacking[each].max()))
    at = int(lacking[core].argmax())
    name, left = planned[at].layer.name, max(free[core][at], 0)
    return Shortage(name, core, int(needed[core][at]), int(left))


@dataclass
class _Claim:
    """The bytes that a slab takes of its core's memory from one layer to another; `within` is the one it lies in."""

    core: int
    size_bytes: int
    first: int
    last: int
    within: _Claim | None = None

    @property
    def outermost(self) -> _Claim:
        """The claim of the buffer that the slab lies in."""
        return self if self.within is None else self.within.outermost


def _placed_in_others(
    slabs: SlabPlan,
    movable: Sequence[SSAValue],
    kept: Collection[SSAValue],
    pools: Sequence[dict[int, np.ndarray]],
    notes: PlaceNotes | None,
) -> frozenset[SSAValue]:
    """Return which of the `movable` tensors lie in the slabs of others: those for which there is room, as the larger
    slabs are in use as soon as one of their parts is written, and as long as one is read. `pools` are what the slabs,
    each in a buffer of its own, leave free beside some tiles, and beside one. `notes` get the reasons of the others.
    """
    claims: dict[tuple[SSAValue, Slab], _Claim] = {}
    for value in kept:
        for slab in slabs.slabs[value]:
            first, last = slabs.lifetime_of(value, slab)
            size = slabs.size_bytes(slabs.tensors[value], slab.box)
            claims[value, slab] = _Claim(slab.core, size, first, last)
    placed: set[SSAValue] = set()
    for value in movable:
        pairs: list[tuple[_Claim, _Claim]] = []
        rooms = [{core: size.copy() for core, size in free.items()} for free in pools]
        for slab in slabs.slabs[value]:
            found = slabs.outer(value, slab)
            if found is None or (found[0].outer.value, found[1]) not in claims:
                continue
            inner = claims[value, slab]
            outer = claims[found[0].outer.value, found[1]].outermost
            pairs.append((inner, outer))
            first, last = min(inner.first, outer.first), max(inner.last, outer.last)
            for room in rooms:
                own = room[inner.core]
                own[inner.first : inner.last + 1] += inner.size_bytes
                own[outer.first : outer.last + 1] += outer.size_bytes
                own[first : last + 1] -= outer.size_bytes
        if pairs and all(
            (size >= np.minimum(free[core], 0)).all()
            for free, room in zip(pools, rooms, strict=True)
            for core, size in room.items()
        ):
            placed.add(value)
            for free, room in zip(pools, rooms, strict=True):
                free.update(room)
            for inner, outer in pairs:
                outer.first, outer.last = (
                    min(inner.first, outer.first),
                    max(inner.last, outer.last),
                )
                inner.within = outer
        elif notes is not None:
            notes.not_in_place[value] = "no_room" if pairs else "apart"
    return frozenset(placed)


def part_of(
    number: int,
    layer: Layer,
    tiler: Tiler,
    core: int,
    window: Window,
    slice_number: int | None = None,
) -> Part:
    """Return what a part of layer `number` reads and writes of tensors that stay in local memories."""
    reads: list[Read] = []
    for index, box in tiler.work(window).boxes:
        tensor, seen = layer.inputs[index], tiler.layer.inputs[index]
        box = with_axes_of(tensor.layout.shape, box, seen.layout.shape)
        reads.append(Read(tensor, box, tiler.loads(index)))
    return Part(number, core, layer.output, window, reads, tiler.aliases(), slice_number)


def _free_bytes(planned: Sequence[PlannedLayer], tiles: float) -> dict[int, np.ndarray]:
    """Return for each core how many bytes of its local memory so many tiles of each layer leave free."""
    costs = planned[0].tiler.costs
    free = {core: np.full(len(planned), float(costs.local_bytes)) for core in range(costs.cores)}
    for at, each in enumerate(planned):
        for core, window, schedule in each.parts:
            free[core][at] -= tiles * each.tiler.footprint(window, schedule).local
    for core, claim in _kept_weights(planned):
        free[core][claim.first : claim.last + 1] -= claim.size_bytes
    return free


def _kept_weights(planned: Sequence[PlannedLayer]) -> Iterator[tuple[int, Lifetime]]:
    """Return what the weights take of local memories that stay there from slice to slice: the core, and the bytes from
    one slice of a layer to another.
    """
    claims: dict[tuple[SSAValue, int], Lifetime] = {}
    for at, each in enumerate(planned):
        if each.slice_number is None or each.schedule.slice_weights != "kept":
            continue
        needed: dict[int, int] = defaultdict(int)
        for core, window, _ in each.parts:
            needed[core] += each.tiler.work(window).constant_bytes
        for core, size_bytes in needed.items():
            key = each.layer.output.value, core
            known = claims.get(key, Lifetime(0, at, at))
            claims[key] = Lifetime(max(known.size_bytes, size_bytes), known.first, at)
    yield from ((core, claim) for (_, core), claim in claims.items())


def is_between_layers(buffer: Buffer) -> bool:
    """Tell whether a buffer holds a tensor with axes that only layers see."""
    owner = buffer.value.owner
    return (
        buffer.segment == "scratch"
        and isinstance(owner, GlobalOp)
        and bool(owner.shape.get_values())
    )


def address_of(buffer: Buffer) -> int | None:
    """Return the address in global memory that a buffer has already."""
    owner = buffer.value.owner
    return owner.address.value.data if isinstance(owner, GlobalOp) and owner.address else None


def kept_tensors(program: ProgramOp) -> frozenset[SSAValue]:
    """Return the tensors of which schedules say that they stay in local memories."""
    return frozenset(op.output for op in program.layers if op.decided.stays_on_chip)


def tensors_in_place(program: ProgramOp) -> frozenset[SSAValue]:
    """Return the tensors of which schedules say that they lie in others."""
    return frozenset(op.output for op in program.layers if op.decided.output == "in_place")
