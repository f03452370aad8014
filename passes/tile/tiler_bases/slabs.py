"""Plans where tensors lie that stay on chip: no IR but the tensors' values.

A core keeps a window of a tensor that it computes in one buffer, its slab. Where a layer on that core reads more, and
both together are a box in which the window's rows begin at one pitch, the slab covers that box: the rows beside the
window that a convolution needs, or all channels of which the window has some. Where that is not so, the core gathers
the box that the layer reads in another buffer, which later layers read, too. Cores send what they compute, tile by
tile, to the slabs and gatherings of others.

Where layers of a group compute a tensor slice by slice for each other, a core has a slab for each slice, which is free
again when the slice is done. What a later slice lacks, because an earlier one has computed it, that one sends to the
later one's slab, too; but if slices compute elements twice, each finds its own.

A tensor that is joined with others, or is a slice of one, may lie in the slab of the larger one, on each core that
keeps the same elements of both; then there is nothing to copy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import combinations
from math import prod

from xdsl.ir import SSAValue

from ....backends.numerics.rounding_up import round_up
from ....backends.targets.alignment import align
from ...tiling.allocation import Lifetime
from ...tiling.windows import Window, contains, hull, intersection, sizes_of
from .layer import Buffer


@dataclass(frozen=True)
class Read:
    """A box of a tensor that stays on chip, with its own axes, which a part of a layer reads: tile by tile out of one
    buffer, if it `is_loaded`, else wherever it lies.
    """

    tensor: Buffer
    box: Window
    is_loaded: bool


@dataclass(frozen=True)
class Alias:
    """Two tensors of which one has the elements of the other: element p of `inner` is element p + `shift` of `outer`.
    Either `outer` is joined of `inner` and others, or `inner` is a slice of `outer`.
    """

    inner: Buffer
    outer: Buffer
    shift: tuple[int, ...]
    is_joined: bool


@dataclass(frozen=True)
class Part:
    """A part of a layer: `core` computes `window` of `output`. `layer` is the number of the layer in its program, where
    each slice of a layer counts as one; `slice` is that of the slice, if there is one. `aliases` are tensors that it
    reads which the output has as they are, or the reverse.
    """

    layer: int
    core: int
    output: Buffer
    window: Window
    reads: Sequence[Read]
    aliases: Sequence[Alias] = ()
    slice: int | None = None


@dataclass(frozen=True)
class Slab:
    """Where `core` keeps `box` of a tensor, of which it computes `own`; `slice` is that for which it does, if the
    tensor is computed and read slice by slice.
    """

    core: int
    own: Window
    box: Window
    slice: int | None = None


@dataclass(frozen=True)
class Gathering:
    """A box of a tensor that `core` brings together for its parts of the layers `first` to `last`, which are in `slice`
    if the tensor is computed and read slice by slice.
    """

    core: int
    box: Window
    first: int
    last: int
    slice: int | None = None


_Place = tuple[SSAValue, int, int | None]
"""Where a tensor is read: the tensor, the core and, if it is computed and read slice by slice, the number of the slice.
"""


@dataclass
class SlabPlan:
    """The slabs and gatherings of the tensors that stay on chip. `lane_group` is how many elements rows are padded to
    a multiple of. The slabs of the tensors `in_place` lie in those of others, as their alias says, where these hold the
    same elements.
    """

    lane_group: int
    tensors: dict[SSAValue, Buffer] = field(default_factory=dict)
    slabs: dict[SSAValue, list[Slab]] = field(default_factory=lambda: defaultdict(list))
    gatherings: dict[SSAValue, list[Gathering]] = field(default_factory=lambda: defaultdict(list))
    aliases: dict[SSAValue, Alias] = field(default_factory=dict)
    in_place: frozenset[SSAValue] = frozenset()
    apart: set[SSAValue] = field(default_factory=set)
    """The tensors of which different slices compute the same elements."""
    _written: dict[SSAValue, list[Part]] = field(default_factory=lambda: defaultdict(list))
    """The parts that write a tensor which stays on chip."""
    _read: dict[SSAValue, list[tuple[Part, Window]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """The parts that read a tensor, and the box that each reads."""

    @staticmethod
    def of(
        parts: Sequence[Part], lane_group: int, in_place: frozenset[SSAValue] = frozenset()
    ) -> SlabPlan:
        """Plan for all parts of a program, in its order."""
        plan = SlabPlan(lane_group, in_place=in_place)
        for part in parts:
            if part.output.is_kept:
                plan.tensors[part.output.value] = part.output
                plan._written[part.output.value].append(part)
            for alias in part.aliases:
                if alias.inner.is_kept and alias.outer.is_kept:
                    plan.aliases.setdefault(alias.inner.value, alias)
            for read in part.reads:
                plan._read[read.tensor.value].append((part, read.box))
        sliced = {value for value in plan.tensors if plan.is_sliced(value)}
        reads: dict[_Place, list[tuple[int, Window]]] = defaultdict(list)
        for part in parts:
            for read in part.reads:
                value = read.tensor.value
                if read.is_loaded and value in plan.tensors:
                    number = part.slice if value in sliced else None
                    reads[value, part.core, number].append((part.layer, read.box))
        for value, own in plan._written.items():
            if value in sliced and _slices_overlap(own):
                plan.apart.add(value)
            plan._add_slabs(value, own if value in sliced else _joined(own), value in sliced, reads)
        for place, boxes in reads.items():
            plan._gather(place, boxes)
        return plan

    def is_sliced(self, value: SSAValue) -> bool:
        """Tell whether a part reads a tensor in a slice in which one writes it."""
        slices = {part.slice for part in self._written[value]} - {None}
        return any(part.slice in slices for part, _ in self._read[value])

    def _add_slabs(
        self,
        value: SSAValue,
        writers: Sequence[Part],
        is_sliced: bool,
        reads: Mapping[_Place, Sequence[tuple[int, Window]]],
    ) -> None:
        """Add the slabs of the cores that compute a tensor, larger by what they read beside it."""
        owners = Counter((part.core, part.slice if is_sliced else None) for part in writers)
        alias = self.aliases.get(value)
        # A slice lies where its elements are: more than those are not.
        is_slice = alias is not None and not alias.is_joined
        for part in writers:
            box, number = part.window, part.slice if is_sliced else None
            if owners[part.core, number] == 1 and not is_slice:
                own = reads.get((value, part.core, number), ())
                box = _grown(box, own, part.output.layout.order)
            self.slabs[value].append(Slab(part.core, part.window, box, number))

    def _gather(self, place: _Place, boxes: Sequence[tuple[int, Window]]) -> None:
        value, core, number = place
        slabs = [
            slab.box
            for slab in self.slabs[value]
            if slab.core == core and self.is_there(value, slab, number)
        ]
        own: list[Gathering] = []
        for layer, box in boxes:
            if any(contains(slab, box) for slab in slabs):
                continue
            for at, known in enumerate(own):
                if contains(known.box, box):
                    own[at] = replace(known, last=layer)
                    break
            else:
                own.append(Gathering(core, box, layer, layer, number))
        self.gatherings[value] += own

    def is_there(self, value: SSAValue, place: Slab | Gathering, number: int | None) -> bool:
        """Tell whether layers of slice `number` find what is in a slab or a gathering of a tensor."""
        if place.slice is None or number is None:
            return True
        return place.slice == number if value in self.apart else place.slice <= number

    def outer(self, value: SSAValue, slab: Slab) -> tuple[Alias, Slab] | None:
        """Return the slab that holds what a slab of a tensor does, and the alias that says so; None if there is none.

        A tensor that is joined lies where its core joins it: other cores send no part of that. A slice lies wherever
        the core holds the elements.
        """
        alias = self.aliases.get(value)
        if alias is None:
            return None
        own, box = (_moved(each, alias.shift) for each in (slab.own, slab.box))
        for other in self.slabs[alias.outer.value]:
            held = other.own if alias.is_joined else other.box
            is_inside = contains(held, own) and contains(other.box, box)
            is_inside &= other.slice in (None, slab.slice)
            if other.core == slab.core and is_inside and (alias.is_joined or own == box):
                return alias, other
        return None

    def lifetime(self, value: SSAValue) -> tuple[int, int]:
        """Return the layer that writes a tensor first, and the last one that reads it."""
        written = [part.layer for part in self._written[value]]
        return min(written), max(
            (part.layer for part, _ in self._read[value]), default=max(written)
        )

    def lifetime_of(self, value: SSAValue, slab: Slab) -> tuple[int, int]:
        """Return the layer that writes something to a slab of a tensor first, and the last one that reads it."""
        if slab.slice is None:
            return self.lifetime(value)
        is_apart = value in self.apart
        first = min(
            part.layer
            for part in self._written[value]
            if part.slice == slab.slice
            or (not is_apart and intersection(part.window, slab.box) is not None)
        )
        readers = [
            part.layer
            for part, box in self._read[value]
            if part.slice == slab.slice
            or (
                self.is_there(value, slab, part.slice)
                and intersection(box, slab.own) is not None
                and not self._has_own(value, part, box)
            )
        ]
        return first, max(readers, default=first)

    def _has_own(self, value: SSAValue, part: Part, box: Window) -> bool:
        """Tell whether a part reads a box of a tensor from a slab of its own slice."""
        return any(
            slab.core == part.core and slab.slice == part.slice and contains(slab.box, box)
            for slab in self.slabs[value]
        )

    def claims(
        self, value: SSAValue, gathered_when_read: bool = False
    ) -> Iterator[tuple[int, Lifetime]]:
        """Return what a tensor takes of local memories whose slabs lie in no others: the core, and the bytes from layer
        to layer. What is gathered takes them as soon as some of it is computed, and sent; or, for estimates of what
        keeps other tensors from memory, `gathered_when_read`.
        """
        tensor = self.tensors[value]
        for slab in self.slabs[value]:
            first, last = self.lifetime_of(value, slab)
            yield slab.core, Lifetime(self.size_bytes(tensor, slab.box), first, last)
        for each in self.gatherings[value]:
            first = each.first if gathered_when_read else self._first_sent(value, each)
            yield each.core, Lifetime(self.size_bytes(tensor, each.box), first, each.last)

    def _first_sent(self, value: SSAValue, gathering: Gathering) -> int:
        """Return the layer that computes something first of what is gathered."""
        writers = (
            part.layer
            for part in self._written[value]
            if intersection(part.window, gathering.box) is not None
            and (value not in self.apart or part.slice == gathering.slice)
        )
        return min((gathering.first, *writers))

    def layers_per_reader(self, value: SSAValue) -> float:
        """Return for how many layers a tensor stays, divided by how many write or read it."""
        first, last = self.lifetime(value)
        return (last - first + 1) / (1 + len({part.layer for part, _ in self._read[value]}))

    def size_bytes(self, tensor: Buffer, box: Window) -> int:
        """Return how many bytes a buffer for `box` of a tensor takes."""
        return align(tensor.bytes_of(prod(self.shape(tensor, box))))

    def shape(self, tensor: Buffer, box: Window) -> tuple[int, ...]:
        """Return the shape of a buffer for `box` of a tensor: the axes in its order in memory, the last one padded."""
        sizes, order = sizes_of(box), tensor.layout.order
        return (*(sizes[axis] for axis in order[:-1]), round_up(sizes[order[-1]], self.lane_group))


def _joined(parts: Sequence[Part]) -> Sequence[Part]:
    """Return parts that write one tensor, but those in slices of a core as one if together they are a box."""
    sliced: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        if part.slice is not None:
            sliced[part.core].append(part)
    joined: dict[int, Part] = {}
    for core, own in sliced.items():
        box = reduce(hull, (part.window for part in own))
        if prod(sizes_of(box)) == sum(prod(sizes_of(part.window)) for part in own):
            joined[core] = replace(own[0], window=box)
    others = [part for part in parts if part.slice is None or part.core not in joined]
    return [*joined.values(), *others]


def _slices_overlap(parts: Sequence[Part]) -> bool:
    """Tell whether parts in different slices write the same elements."""
    hulls: dict[int | None, Window] = {}
    for part in parts:
        known = hulls.get(part.slice)
        hulls[part.slice] = part.window if known is None else hull(known, part.window)
    return any(intersection(a, b) is not None for a, b in combinations(hulls.values(), 2))


def _moved(window: Window, shift: Sequence[int]) -> Window:
    return tuple((low + by, high + by) for (low, high), by in zip(window, shift, strict=True))


def _grown(own: Window, reads: Sequence[tuple[int, Window]], order: Sequence[int]) -> Window:
    """Return the box of the slab of a core that computes `own` and reads these boxes."""
    box = own
    for _, read in sorted(reads, key=lambda each: prod(sizes_of(each[1]))):
        both = hull(box, read)
        shared = intersection(box, read)
        inside = 0 if shared is None else prod(sizes_of(shared))
        union = prod(sizes_of(box)) + prod(sizes_of(read)) - inside
        size = prod(sizes_of(both))
        if size == union and _has_rows_of_one_pitch(own, both, order):
            box = both
    return box


def _has_rows_of_one_pitch(window: Window, box: Window, order: Sequence[int]) -> bool:
    """Tell whether the rows of `window`, along the last axis in memory, begin at one pitch in a buffer for `box`."""
    axes = [axis for axis in order[:-1] if box[axis][1] - box[axis][0] > 1]
    return all(window[axis] == box[axis] for axis in axes[1:])
