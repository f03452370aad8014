"""Plans where tensors lie that stay on chip: no IR but the tensors' values.

A core keeps a window of a tensor that it computes in one buffer, its slab. Where a layer on that core reads more, and
both together are a box in which the window's rows begin at one pitch, the slab covers that box: the rows beside the
window that a convolution needs, or all channels of which the window has some. Where that is not so, the core gathers
the box that the layer reads in another buffer, which later layers read, too. Cores send what they compute, tile by
tile, to the slabs and gatherings of others.

A tensor that is joined with others, or is a slice of one, may lie in the slab of the larger one, on each core that
keeps the same elements of both; then there is nothing to copy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
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
    """A part of a layer: `core` computes `window` of `output`. `layer` is the number of the layer in its program.
    `aliases` are tensors that it reads which the output has as they are, or the reverse.
    """

    layer: int
    core: int
    output: Buffer
    window: Window
    reads: Sequence[Read]
    aliases: Sequence[Alias] = ()


@dataclass(frozen=True)
class Slab:
    """Where `core` keeps `box` of a tensor, of which it computes `own`."""

    core: int
    own: Window
    box: Window


@dataclass(frozen=True)
class Gathering:
    """A box of a tensor that `core` brings together for its parts of the layers `first` to `last`."""

    core: int
    box: Window
    first: int
    last: int


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
    _written: dict[SSAValue, int] = field(default_factory=dict)
    _readers: dict[SSAValue, set[int]] = field(default_factory=lambda: defaultdict(set))

    @staticmethod
    def of(
        parts: Sequence[Part], lane_group: int, in_place: frozenset[SSAValue] = frozenset()
    ) -> SlabPlan:
        """Plan for all parts of a program, in its order."""
        plan = SlabPlan(lane_group, in_place=in_place)
        reads: dict[tuple[SSAValue, int], list[tuple[int, Window]]] = defaultdict(list)
        owners: dict[tuple[SSAValue, int], int] = defaultdict(int)
        for part in parts:
            if part.output.is_kept:
                plan.tensors[part.output.value] = part.output
                plan._written.setdefault(part.output.value, part.layer)
                owners[part.output.value, part.core] += 1
            for alias in part.aliases:
                if alias.inner.is_kept and alias.outer.is_kept:
                    plan.aliases.setdefault(alias.inner.value, alias)
            for read in part.reads:
                plan._readers[read.tensor.value].add(part.layer)
                if read.is_loaded:
                    reads[read.tensor.value, part.core].append((part.layer, read.box))
        for part in parts:
            value = part.output.value
            if value in plan.tensors:
                box = part.window
                alias = plan.aliases.get(value)
                # A slice lies where its elements are: more than those are not.
                is_slice = alias is not None and not alias.is_joined
                if owners[value, part.core] == 1 and not is_slice:
                    box = _grown(box, reads[value, part.core], part.output.layout.order)
                plan.slabs[value].append(Slab(part.core, part.window, box))
        for (value, core), boxes in reads.items():
            if value in plan.tensors:
                plan._gather(value, core, boxes)
        return plan

    def _gather(self, value: SSAValue, core: int, boxes: Sequence[tuple[int, Window]]) -> None:
        slabs = [slab.box for slab in self.slabs[value] if slab.core == core]
        own: list[Gathering] = []
        for layer, box in boxes:
            if any(contains(slab, box) for slab in slabs):
                continue
            for number, known in enumerate(own):
                if contains(known.box, box):
                    own[number] = replace(known, last=layer)
                    break
            else:
                own.append(Gathering(core, box, layer, layer))
        self.gatherings[value] += own

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
            if other.core == slab.core and is_inside and (alias.is_joined or own == box):
                return alias, other
        return None

    def lifetime(self, value: SSAValue) -> tuple[int, int]:
        """Return the layer that writes a tensor, and the last one that reads it."""
        first = self._written[value]
        return first, max(self._readers[value], default=first)

    def claims(self, value: SSAValue) -> Iterator[tuple[int, Lifetime]]:
        """Return what a tensor takes of local memories whose slabs lie in no others: the core, and the bytes from layer
        to layer.
        """
        tensor = self.tensors[value]
        first, last = self.lifetime(value)
        for slab in self.slabs[value]:
            yield slab.core, Lifetime(self.size_bytes(tensor, slab.box), first, last)
        for each in self.gatherings[value]:
            yield each.core, Lifetime(self.size_bytes(tensor, each.box), each.first, each.last)

    def layers_per_reader(self, value: SSAValue) -> float:
        """Return for how many layers a tensor stays, divided by how many write or read it."""
        first, readers = self._written[value], self._readers[value]
        return (max(readers, default=first) - first + 1) / (1 + len(readers))

    def size_bytes(self, tensor: Buffer, box: Window) -> int:
        """Return how many bytes a buffer for `box` of a tensor takes."""
        return align(tensor.bytes_of(prod(self.shape(tensor, box))))

    def shape(self, tensor: Buffer, box: Window) -> tuple[int, ...]:
        """Return the shape of a buffer for `box` of a tensor: the axes in its order in memory, the last one padded."""
        sizes, order = sizes_of(box), tensor.layout.order
        return (*(sizes[axis] for axis in order[:-1]), round_up(sizes[order[-1]], self.lane_group))


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
