"""Joins the copies that bring the same elements to the memories of several cores into multicasts.

    tile.copy core 0 %w -> %a …               tile.copy core 0 %w -> %a … group = 1
    tile.conv2d core 0 %x, %a …         ⇒     tile.copy core 1 %w -> %b … group = 1
    tile.copy core 1 %w -> %b …               tile.conv2d core 0 %x, %a …
    tile.conv2d core 1 %y, %b …               tile.conv2d core 1 %y, %b …

These are loads of weights, each by the core that needs them, or copies by which a core sends what it keeps of a tensor
to the others: those that a layer asks for, and those that stand side by side where a core sends on what it has just
computed. The steps of a core, with what it is sent among them, keep their order. A multicast stands where all of
the cores that it brings something to have reached it, so that every step waits for steps above it only. Where two cores
need copies in different orders, some of these stay by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

from xdsl.ir import Operation, SSAValue

from ....dialects import tile
from ....dialects.ir.attribute import integer
from ....dialects.tile.buffer import core_of
from ....dialects.tile.movement import group_of
from ....dialects.tile.schedule import Schedule, Sending
from ...tiling.windows import intersection
from ..tiler_bases.tiler import Tiler
from .layer_parts import Parts

_Key = tuple[object, ...]
"""What copies have in common that can be one multicast."""

_Meeting = dict[int, int]
"""For each core that a multicast brings something to, the place of its copy among the core's operations."""


class Multicasts:
    """Makes the multicasts of a program, which may have some already among `operations`, and numbers their groups."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._last_group = max((group_of(op) or 0 for op in operations), default=0)
        self.made = 0
        """How many were made."""

    def joined(
        self, parts: Sequence[tuple[int, Sequence[Operation]]], schedule: Schedule
    ) -> list[Operation]:
        """Return the operations of the parts of a layer, each with its core, as one list in which copies of equal
        elements are multicasts, as `schedule` says for weights and activations.
        """
        cores: dict[int, list[Operation]] = defaultdict(list)
        for core, operations in parts:
            cores[core] += operations
        result: list[Operation] = []
        done = dict.fromkeys(cores, 0)
        for meeting in _in_common_order(_meetings(cores, schedule)):
            for core, place in meeting.items():
                result += cores[core][done[core] : place]
                done[core] = place + 1
            self.made += 1
            group = integer(self._last_group + self.made)
            for core, place in meeting.items():
                load = cores[core][place]
                load.properties["group"] = group
                result.append(load)
        for core, operations in cores.items():
            result += operations[done[core] :]
        if schedule.activations == "multicast":
            self._join_sends(result)
        return result

    def _join_sends(self, operations: Sequence[Operation]) -> None:
        """Make multicasts of the copies, one after the other, by which a core sends equal elements to others."""
        for first, *others in _equal_sends(operations):
            if others:
                self.made += 1
                for op in (first, *others):
                    op.properties["group"] = integer(self._last_group + self.made)


def loads_of_weights(tiler: Tiler, parts: Parts) -> Sending | None:
    """Return `multicast` if several cores need the same weights and can load them at once, else None."""
    return "multicast" if cores_sharing_weights(tiler, parts) > 1 else None


def cores_sharing_weights(tiler: Tiler, parts: Parts) -> int:
    """Return how many cores at most need the same weights, and can load them at once."""
    needed: dict[Hashable, set[int]] = defaultdict(set)
    for core, window in zip(parts.cores, parts.windows, strict=True):
        work = tiler.work(window)
        if work.shared_load_bytes:
            needed[work.shared].add(core)
    return max(map(len, needed.values()), default=0)


def sends_of_activations(tiler: Tiler, parts: Parts) -> Sending | None:
    """Return `multicast` if several cores may need the same elements of a tensor in local memories and can be sent them
    at once, else None.
    """
    if not tiler.costs.multicasts_activations:
        return None
    return "multicast" if cores_sharing_activations(tiler, parts) > 1 else None


def cores_sharing_activations(tiler: Tiler, parts: Parts) -> int:
    """Return how many cores at most share elements in local memories: those that need elements of a tensor which one of
    them needs, or all of the layer if the output stays there, since later layers may need what each computes of it.
    """
    if tiler.layer.output.is_kept:
        return len(set(parts.cores))
    boxes = [
        (core, index, box)
        for core, window in zip(parts.cores, parts.windows, strict=True)
        for index, box in tiler.work(window).boxes
    ]
    sharing = (
        {
            core
            for core, index_, box_ in boxes
            if index == index_ and intersection(box, box_) is not None
        }
        for _, index, box in boxes
    )
    return max(map(len, sharing), default=0)


def _meetings(cores: dict[int, list[Operation]], schedule: Schedule) -> list[_Meeting]:
    """Return the copies that several cores have: each occurrence on a core with the same one on the others."""
    found: dict[_Key, _Meeting] = defaultdict(dict)
    for core, operations in cores.items():
        occurrences: dict[_Key, int] = defaultdict(int)
        for place, op in enumerate(operations):
            if isinstance(op, tile.CopyOp) and (
                (schedule.weights == "multicast" and _loads_weights(op, core))
                or (schedule.activations == "multicast" and _is_sent(op, core))
            ):
                key = _key(op)
                found[(*key, occurrences[key])][core] = place
                occurrences[key] += 1
    return [meeting for meeting in found.values() if len(meeting) > 1]


def _equal_sends(operations: Sequence[Operation]) -> Iterator[list[tile.CopyOp]]:
    """Return the copies from one core's memory to others that stand side by side and send the same."""
    together: list[tile.CopyOp] = []
    for op in operations:
        send = op if isinstance(op, tile.CopyOp) and _is_sending(op) else None
        if together and (send is None or not _sends_the_same(send, together)):
            yield together
            together = []
        if send is not None:
            together.append(send)
    if together:
        yield together


def _is_sending(op: tile.CopyOp) -> bool:
    """Tell whether, in no multicast yet, a core sends what its memory has to a core's memory, which may be its own."""
    is_local = core_of(op.source) == op.core_number and core_of(op.target) is not None
    return is_local and group_of(op) is None


def _sends_the_same(op: tile.CopyOp, others: Sequence[tile.CopyOp]) -> bool:
    """Tell whether a copy sends what others do, to a core that they send nothing to."""
    return _key(op) == _key(others[0]) and core_of(op.target) not in {
        core_of(other.target) for other in others
    }


def _loads_weights(op: tile.CopyOp, core: int) -> bool:
    """Tell whether a copy brings weights to the memory of a core."""
    source, target = op.source.owner, op.target.owner
    return (
        isinstance(source, tile.GlobalOp)
        and source.segment.data == "weights"
        and isinstance(target, tile.AllocOp)
        and target.core.value.data == op.core.value.data == core
    )


def _is_sent(op: tile.CopyOp, core: int) -> bool:
    """Tell whether a core sends what its memory has to the memory of `core`, which may be its own."""
    return core_of(op.source) == op.core.value.data and core_of(op.target) == core


def _key(op: tile.CopyOp) -> _Key:
    sender = None if core_of(op.source) is None else op.core_number
    fields = (
        op.source_offset, op.source_strides, op.target_strides, op.sizes, op.pad, op.pad_value,
    )  # fmt: skip
    source: SSAValue = op.source
    return source, sender, *fields


def _in_common_order(meetings: Sequence[_Meeting]) -> list[_Meeting]:
    """Return meetings in an order that is that of each core; what would need another order is left out of them.

    If no meeting is the next one of all its cores, the one that most cores have reached takes place without the others.
    """
    coming: dict[int, list[_Meeting]] = defaultdict(list)
    for meeting in meetings:
        for core in meeting:
            coming[core].append(meeting)
    for core, own in coming.items():
        own.sort(key=lambda meeting: -meeting[core])
    result: list[_Meeting] = []
    while any(coming.values()):
        heads = [own[-1] for own in coming.values() if own]
        present = {
            id(meeting): [c for c in meeting if coming[c] and coming[c][-1] is meeting]
            for meeting in heads
        }
        chosen = max(
            heads,
            key=lambda meeting: (
                len(present[id(meeting)]) == len(meeting),
                len(present[id(meeting)]),
            ),
        )
        for core in [core for core in chosen if core not in present[id(chosen)]]:
            coming[core].remove(chosen)
            del chosen[core]
        for core in chosen:
            coming[core].pop()
        if len(chosen) > 1:
            result.append(chosen)
    return result
