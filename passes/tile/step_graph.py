"""The order that the buffers of a tile program ask of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided
from xdsl.ir import SSAValue

from ...dialects import tile
from ...dialects.ir.attribute import values_of
from ...dialects.quant.element_type import shape_of


@dataclass
class _Version:
    """A buffer between two times at which it is written anew: the groups of the steps that write it, and of those
    that read it then.
    """

    written: int
    read: int
    only_copies: bool
    last_writers: dict[int, int] = field(default_factory=dict)
    """The last step of each core that writes the buffer; where copies of several cores overlap, all are core 0's."""
    is_read: bool = False


@dataclass
class StepGraph:
    """Groups of steps, by number: a step waits for all members of some groups, and is a member of some.

    A group is made of the steps that fill a buffer, or of those that read what it holds. `members[g]` counts a group's
    steps; `joins[i]` and `waits[i]` are the groups of step i. `behind[i]` is a step that step i must follow, at any
    distance: the copy before it into the same buffer, -1 for none.
    """

    members: list[int] = field(default_factory=list)
    joins: list[list[int]] = field(default_factory=list)
    waits: list[list[int]] = field(default_factory=list)
    behind: list[int] = field(default_factory=list)

    @staticmethod
    def of(steps: Sequence[tile.StepOp]) -> StepGraph:
        """Return what steps, in program order, wait for."""
        graph = StepGraph()
        versions: dict[SSAValue, _Version] = {}
        apart = _written_apart(steps)
        for number, op in enumerate(steps):
            graph.joins.append([])
            graph.waits.append([])
            graph.behind.append(-1)
            for value in dict.fromkeys(op.buffers_read):
                version = versions.get(value)
                if version is None:
                    version = versions[value] = graph._version(False)
                version.is_read = True
                graph.waits[number].append(version.written)
                graph._join(number, version.read)
            core = op.core_number if op.buffer_written in apart else 0
            graph._write(number, op, core or 0, versions)
        return graph

    def _write(
        self, number: int, op: tile.StepOp, core: int, versions: dict[SSAValue, _Version]
    ) -> None:
        """Let step `number` wait for what uses the buffer that it writes."""
        target, is_copy = op.buffer_written, isinstance(op, tile.CopyOp)
        version = versions.get(target)
        if version is not None and not version.is_read and version.only_copies and is_copy:
            # Copies side by side into one buffer; those of one core stay in order, as they might overlap.
            self.behind[number] = version.last_writers.get(core, -1)
        else:
            if version is not None:
                # Its own reading of the buffer is no reason to wait.
                own = version.read in self.joins[number]
                if own:
                    self.joins[number].remove(version.read)
                    self.members[version.read] -= 1
                self.waits[number] += [version.written, version.read]
            version = versions[target] = self._version(is_copy)
        version.last_writers[core] = number
        self._join(number, version.written)

    def _version(self, only_copies: bool) -> _Version:
        self.members += [0, 0]
        return _Version(len(self.members) - 2, len(self.members) - 1, only_copies)

    def _join(self, number: int, group: int) -> None:
        self.joins[number].append(group)
        self.members[group] += 1


def _written_apart(steps: Sequence[tile.StepOp]) -> set[SSAValue]:
    """Return the buffers into which copies of several cores write, no two of them to one element."""
    copies: dict[SSAValue, list[tile.CopyOp]] = {}
    for op in steps:
        if isinstance(op, tile.CopyOp):
            copies.setdefault(op.target, []).append(op)
    return {
        buffer
        for buffer, own in copies.items()
        if len({op.core_number for op in own}) > 1 and _are_apart(buffer, own)
    }


def _are_apart(buffer: SSAValue, copies: Sequence[tile.CopyOp]) -> bool:
    """Tell whether no two copies write one element of a buffer."""
    written = np.zeros(prod(shape_of(buffer)), np.bool_)
    for op in copies:
        *outer, run = values_of(op.sizes)
        pad = 0 if op.pad is None else op.pad.value.data
        strides = tuple(values_of(op.target_strides)[:-1])
        box = as_strided(written[op.target_offset.value.data :], (*outer, run + pad), (*strides, 1))
        if box.any():
            return False
        box[...] = True
    return True


class GroupTimes:
    """When the groups of a graph are complete, as their steps are placed one after the other."""

    def __init__(self, graph: StepGraph) -> None:
        self.graph = graph
        self._missing = list(graph.members)
        self._ends = [0.0] * len(graph.members)
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
            latest = max(latest, self._ends[group])
        return latest

    def place(self, number: int, end: float) -> list[int]:
        """Note when a step ends; return the groups that this completes."""
        self.placed[number] = True
        complete: list[int] = []
        for group in self.graph.joins[number]:
            self._missing[group] -= 1
            self._ends[group] = max(self._ends[group], end)
            if not self._missing[group]:
                complete.append(group)
        return complete
