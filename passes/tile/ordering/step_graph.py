"""The order that the buffers of a tile program ask of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided
from xdsl.ir import SSAValue

from ....dialects import tile
from ....dialects.ir.attribute import values_of
from ....dialects.quant.element_type import shape_of
from ....dialects.tile.analysis.buffer_ranges import BufferRanges, Range
from ....dialects.tile.movement import events_of


class UsedRanges:
    """The ranges of buffers that steps use, each a number, in whatever order the steps stand.

    `apart` are the ranges into which copies of several cores write, no two of them to one element.
    """

    def __init__(self, steps: Sequence[tile.StepOp]) -> None:
        ranges = BufferRanges(steps)
        numbers: dict[Range, int] = {}
        written = [ranges.written(op) for op in steps]
        self._used: dict[tile.StepOp, tuple[list[int], list[int]]] = {}
        self._cut: dict[tile.StepOp, set[SSAValue]] = {}
        for op, own_written in zip(steps, written, strict=True):
            own_read = ranges.read(op)
            self._used[op] = (
                [numbers.setdefault(each, len(numbers)) for each in own_read],
                [numbers.setdefault(each, len(numbers)) for each in own_written],
            )
            self._cut[op] = {each[0] for each in own_read + own_written if ranges.is_cut(each[0])}
        self.apart = {numbers[each] for each in _written_apart(steps, written)}

    def read(self, op: tile.StepOp) -> list[int]:
        """Return the ranges that a step reads, each once."""
        return self._used[op][0]

    def written(self, op: tile.StepOp) -> list[int]:
        """Return the ranges that a step writes."""
        return self._used[op][1]

    def buffers(self, op: tile.StepOp) -> set[SSAValue]:
        """Return the buffers that a step uses and that some step uses views of."""
        return self._cut[op]


@dataclass
class _Version:
    """A range of a buffer between two times at which it is written anew: the groups of the steps that write it, and of
    those that read it then.
    """

    written: int
    read: int
    only_copies: bool
    last_writers: dict[int, int] = field(default_factory=dict)
    """The last step of each core that writes the range; where copies of several cores overlap, all are core 0's."""
    is_read: bool = False

    @property
    def takes_copies(self) -> bool:
        """Whether a copy may be written beside what was written so far."""
        return self.only_copies and not self.is_read


@dataclass
class StepGraph:
    """Groups of steps, by number: a step waits for all members of some groups, and is a member of some.

    A group is made of the steps that fill a range of a buffer, or of those that read what it holds; a buffer of which
    no step uses a view is one range. `members[g]` counts a group's steps; `joins[i]` and `waits[i]` are the groups of
    step i. `behind[i]` is a step that step i must follow, at any distance, -1 for none: the copy before it into the
    same range, or, for a copy into a part of a buffer, the first step that uses the buffer, whose memory is in use from
    then on. `events[i]` are the numbers of the
    steps that start together with step i: its own, or those of the copies of its multicast.
    """

    members: list[int] = field(default_factory=list)
    joins: list[list[int]] = field(default_factory=list)
    waits: list[list[int]] = field(default_factory=list)
    behind: list[int] = field(default_factory=list)
    events: list[range] = field(default_factory=list)

    @staticmethod
    def of(steps: Sequence[tile.StepOp], ranges: UsedRanges | None = None) -> StepGraph:
        """Return what steps, in program order, wait for; `ranges` are what they use, if that is known."""
        graph = StepGraph()
        ranges = ranges or UsedRanges(steps)
        versions: dict[int, _Version] = {}
        first_users: dict[SSAValue, int] = {}
        for number, op in enumerate(steps):
            graph.joins.append([])
            graph.waits.append([])
            graph.behind.append(-1)
            for each in ranges.read(op):
                version = versions.get(each)
                if version is None:
                    version = versions[each] = graph._version(False)
                version.is_read = True
                graph.waits[number].append(version.written)
                graph._join(number, version.read)
            core = op.core_number or 0
            written = {each: core if each in ranges.apart else 0 for each in ranges.written(op)}
            graph._write(number, op, written, versions)
            for buffer in ranges.buffers(op):
                first_users.setdefault(buffer, number)
            if isinstance(op, tile.CopyOp) and graph.behind[number] < 0:
                first = first_users.get(tile.buffer_of(op.target), -1)
                graph.behind[number] = first if first < number else -1
        for event in events_of(steps):
            graph.events += [event] * len(event)
        return graph

    def _write(
        self,
        number: int,
        op: tile.StepOp,
        written: Mapping[int, int],
        versions: dict[int, _Version],
    ) -> None:
        """Let step `number` wait for what uses the ranges that it writes, each as one of the core given for it."""
        is_copy = isinstance(op, tile.CopyOp)
        before = {
            each: version.last_writers.get(core, -1)
            for each, core in written.items()
            if is_copy and (version := versions.get(each)) is not None and version.takes_copies
        }
        # Copies side by side into one range; those of one core stay in order, as they might overlap.
        self.behind[number] = behind = max(before.values(), default=-1)
        for each, core in written.items():
            version = versions.get(each)
            if version is None or before.get(each) not in (-1, behind):
                if version is not None:
                    self._wait_to_overwrite(number, version)
                version = versions[each] = self._version(is_copy)
            version.last_writers[core] = number
            self._join(number, version.written)

    def _wait_to_overwrite(self, number: int, version: _Version) -> None:
        """Let step `number` wait for all that use a version; its own reading of it is no reason to wait."""
        if version.read in self.joins[number]:
            self.joins[number].remove(version.read)
            self.members[version.read] -= 1
        self.waits[number] += [version.written, version.read]

    def _version(self, only_copies: bool) -> _Version:
        self.members += [0, 0]
        return _Version(len(self.members) - 2, len(self.members) - 1, only_copies)

    def _join(self, number: int, group: int) -> None:
        self.joins[number].append(group)
        self.members[group] += 1


def _written_apart(
    steps: Sequence[tile.StepOp], written: Sequence[Sequence[Range]]
) -> Iterator[Range]:
    """Return the ranges into which copies of several cores write, no two of them to one element; `written` are those
    that each step writes.
    """
    copies: dict[Range, list[tile.CopyOp]] = {}
    for op, own in zip(steps, written, strict=True):
        if isinstance(op, tile.CopyOp):
            for each in own:
                copies.setdefault(each, []).append(op)
    for each, own in copies.items():
        if len({op.core_number for op in own}) > 1 and _are_apart(each[0], own):
            yield each


def _are_apart(buffer: SSAValue, copies: Sequence[tile.CopyOp]) -> bool:
    """Tell whether no two copies write one element of a buffer."""
    written = np.zeros(prod(shape_of(buffer)), np.bool_)
    for op in copies:
        *outer, run = values_of(op.sizes)
        pad = 0 if op.pad is None else op.pad.value.data
        strides = tuple(values_of(op.target_strides)[:-1])
        begin = tile.viewed(op.target)[1] + op.target_offset.value.data
        box = as_strided(written[begin:], (*outer, run + pad), (*strides, 1))
        if box.any():
            return False
        box[...] = True
    return True


class GroupTimes:
    """When the groups of a graph are complete, as their steps are placed one after the other."""

    def __init__(self, graph: StepGraph) -> None:
        self.graph = graph
        self._missing = list(graph.members)
        self.ends = [0.0] * len(graph.members)
        self.placed = [False] * len(graph.joins)

    def ready(self, number: int) -> float | None:
        """Return when all that a step waits for has ended; None if some of it is not placed yet."""
        graph = self.graph
        behind = graph.behind[number]
        if behind >= 0 and not self.placed[behind]:
            return None
        latest = 0.0
        for group in graph.waits[number]:
            if self._missing[group]:
                return None
            latest = max(latest, self.ends[group])
        return latest

    def place(self, number: int, end: float) -> list[int]:
        """Note when a step ends; return the groups that this completes."""
        self.placed[number] = True
        complete: list[int] = []
        for group in self.graph.joins[number]:
            self._missing[group] -= 1
            self.ends[group] = max(self.ends[group], end)
            if not self._missing[group]:
                complete.append(group)
        return complete
