"""Decides which tensors between layers stay in the local memories of the cores that compute them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from xdsl.ir import SSAValue

from ....dialects.tile import GlobalOp, LayerOp, ProgramOp, Schedule
from ...tiling.allocation import Lifetime
from ...tiling.windows import Window, with_axes_of
from ..tiler_bases.layer import Buffer, Layer
from ..tiler_bases.residents import Residents
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
    if _address(layer.output) is not None:
        return "address"
    if _is_between_layers(layer.output):
        return None
    return "no_axes" if layer.output.segment == "scratch" else "port"


class Places(NamedTuple):
    """The tensors that stay in local memories, and those of them that lie there in the slabs of others."""

    kept: frozenset[SSAValue]
    in_place: frozenset[SSAValue]


def choose_places(
    planned: Sequence[PlannedLayer],
    candidates: frozenset[SSAValue],
    notes: PlaceNotes | None = None,
    may_be_in_place: bool = True,
    slices_first: bool = False,
) -> Places:
    """Return which of the candidates stay in local memories: they and the tiles of the layers fit at all times.

    Those come first that save most transfers for the time that they stay; with `slices_first`, those between the layers
    of groups come before all others. `planned` are the layers of a program, in its order. Unless they
    `may_be_in_place`, only those lie in others whose schedules say so. `notes` get the reasons.
    """
    if not planned:
        return Places(frozenset(), frozenset())
    free = _free_bytes(planned)
    parts = [
        part_of(number, each.layer, each.tiler, core, window, each.slice_number)
        for number, each in enumerate(planned)
        for core, window, _ in each.parts
    ]
    slabs = SlabPlan.of(parts, planned[0].tiler.costs.lane_group)
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
    for value in stays:
        needed = {core: np.zeros(len(planned)) for core in free}
        for core, claim in slabs.claims(value):
            needed[core][claim.first : claim.last + 1] += claim.size_bytes
        if all(((free[core] >= size) | (size == 0)).all() for core, size in needed.items()):
            kept.add(value)
            for core, size in needed.items():
                free[core] -= size
            if notes is not None:
                most = max(size.max() for size in needed.values())
                notes.taken[value] = int(most), planned[slabs.lifetime(value)[1]].layer.name
        elif notes is not None:
            notes.short[value] = _shortage(planned, free, needed)
    own = {each.layer.output.value for each in planned if each.schedule.output == "local"}
    asked = {each.layer.output.value for each in planned if each.schedule.output == "in_place"}
    aliases = [value for value in slabs.aliases if value in kept]
    movable = [value for value in aliases if value not in own]
    if not may_be_in_place:
        movable = [value for value in movable if value in asked]
    in_place = _placed_in_others(slabs, movable, kept, free, notes)
    if notes is not None:
        notes.aliases = {value: slabs.aliases[value] for value in aliases}
        for value in set(aliases).difference(movable):
            notes.not_in_place[value] = "schedule" if value in own else "option"
    return Places(frozenset(kept), in_place)


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
    free: dict[int, np.ndarray],
    notes: PlaceNotes | None,
) -> frozenset[SSAValue]:
    """Return which of the `movable` tensors lie in the slabs of others: those for which there is room, as the larger
    slabs are in use as soon as one of their parts is written, and as long as one is read. `free` is what the slabs,
    each in a buffer of its own, leave free. `notes` get the reasons of those that do not.
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
        room = {core: size.copy() for core, size in free.items()}
        for slab in slabs.slabs[value]:
            found = slabs.outer(value, slab)
            if found is None or (found[0].outer.value, found[1]) not in claims:
                continue
            inner = claims[value, slab]
            outer = claims[found[0].outer.value, found[1]].outermost
            pairs.append((inner, outer))
            own = room[inner.core]
            own[inner.first : inner.last + 1] += inner.size_bytes
            own[outer.first : outer.last + 1] += outer.size_bytes
            first, last = min(inner.first, outer.first), max(inner.last, outer.last)
            own[first : last + 1] -= outer.size_bytes
        if pairs and all((size >= np.minimum(free[core], 0)).all() for core, size in room.items()):
            placed.add(value)
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


def _free_bytes(planned: Sequence[PlannedLayer]) -> dict[int, np.ndarray]:
    """Return for each core how many bytes of its local memory the tiles of each layer leave free."""
    costs = planned[0].tiler.costs
    free = {core: np.full(len(planned), float(costs.local_bytes)) for core in range(costs.cores)}
    for at, each in enumerate(planned):
        for core, window, schedule in each.parts:
            free[core][at] -= _TILES * each.tiler.footprint(window, schedule).local
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


def _is_between_layers(buffer: Buffer) -> bool:
    """Tell whether a buffer holds a tensor with axes that only layers see."""
    owner = buffer.value.owner
    return (
        buffer.segment == "scratch"
        and isinstance(owner, GlobalOp)
        and bool(owner.shape.get_values())
    )


def _address(buffer: Buffer) -> int | None:
    """Return the address in global memory that a buffer has already."""
    owner = buffer.value.owner
    return owner.address.value.data if isinstance(owner, GlobalOp) and owner.address else None


def kept_tensors(program: ProgramOp) -> frozenset[SSAValue]:
    """Return the tensors of which schedules say that they stay in local memories."""
    return frozenset(op.output for op in program.layers if op.decided.stays_on_chip)


def tensors_in_place(program: ProgramOp) -> frozenset[SSAValue]:
    """Return the tensors of which schedules say that they lie in others."""
    return frozenset(op.output for op in program.layers if op.decided.output == "in_place")


def check_places(layer: Layer, tiler: Tiler, residents: Residents) -> None:
    """Raise DiagnosticError if a layer cannot read or write what stays in local memories."""
    if residents.keeps(layer.output):
        if not layer.operation.decided.stays_on_chip:
            raise layer.schedule_error(
                "output",
                f"another part of '{layer.output.name}' stays in local memory, this one is in global memory",
                "give the schedules of all parts the same 'output'",
            )
        if not _is_between_layers(layer.output):
            raise layer.schedule_error(
                "output",
                f"'{layer.output.name}' cannot stay in local memory: it is no tensor with axes between two layers",
                "leave 'output' out of the schedule",
            )
        if (address := _address(layer.output)) is not None:
            raise layer.schedule_error(
                "output",
                f"'{layer.output.name}' has address {address} in global memory and cannot stay in local memory",
                "remove the address, or leave 'output' out of the schedule",
            )
        if layer.operation.decided.output == "in_place" and (
            layer.output.value not in residents.plan.aliases
        ):
            raise layer.schedule_error(
                "output",
                f"'{layer.output.name}' is neither joined with others nor a slice of a tensor, both in local memory, "
                "and lies in no other tensor",
                "say 'output = local'",
            )
        if not tiler.may_stay_on_chip:
            raise layer.schedule_error(
                "output",
                "its output cannot stay in local memory: the layer's tiles write to global memory only",
                "leave 'output' out of the schedule",
            )
    for index, buffer in enumerate(layer.inputs):
        may_stay = tiler.may_stay_on_chip and index not in tiler.global_inputs
        if residents.keeps(buffer) and not may_stay:
            raise layer.schedule_error(
                "output",
                f"'{buffer.name}' stays in local memory, but the layer's tiles read global memory only",
                f"leave 'output' out of the schedule of the layer that writes '{buffer.name}'",
                _writing(buffer),
            )


def _writing(buffer: Buffer) -> Schedule:
    """Return the schedule of the first layer that writes a buffer."""
    readers_and_writers = (use.operation for use in buffer.value.uses)
    layers = (op for op in readers_and_writers if isinstance(op, LayerOp))
    return next((op.decided for op in layers if op.output == buffer.value), Schedule())
