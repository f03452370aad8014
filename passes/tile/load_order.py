"""Finds how far loads run ahead by playing a tile program, whose steps are in the order of their starts, with estimated
times: the DMA engine of a core takes the first load that is ready, where memory has room for it until its old place, so
that loads of later layers run ahead of those that wait for other cores.

The copies of a multicast are one event: they start together, when the engines of all their cores are free, and stand
side by side.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from .engine_times import StepTime
from .step_graph import GroupTimes, StepGraph


@dataclass(frozen=True)
class PlayedStep:
    """A step as far as its place depends on it: it stands among the steps of `core`, and an engine of the core
    `runs_on` executes it. `is_load` says that it reads global memory, and `is_constant` that it reads constants there;
    `is_ahead` that it may run ahead. `begun` is the size of the buffer of its core that it is the first to use, 0 if it
    is the first of none, and `ended` those of which it is the last to use, as core and size.
    """

    core: int
    runs_on: int
    time: StepTime
    is_load: bool = False
    is_constant: bool = False
    is_ahead: bool = False
    begun: int = 0
    ended: tuple[tuple[int, int], ...] = ()


_SHORT = 128
"""The most cycles of a transfer that may pass another one which waits. Longer ones would delay it, once it could start:
with 2,048, Inception v1 takes 4% more cycles.
"""

_ASK = -1
"""Stands for a step where an engine is still to be asked which one it could start."""

_AHEAD = ", ahead"
"""What is added to the name of an engine to name the queue of its loads that may run ahead."""


class Bus:
    """The bus of global memory, which serves transfers in the order of their starts."""

    def __init__(self) -> None:
        self._free = 0.0

    def end(self, start: float, time: StepTime) -> float:
        """Return when a step that starts at `start` has its result."""
        end = start + time.busy
        if time.bus:
            self._free = max(self._free, start) + time.bus
            end = max(end, self._free)
        return end + time.latency


@dataclass
class _Queue:
    """The steps of one engine of one core that are not placed yet, and when the engine is free."""

    steps: list[int]
    first: int = 0
    free: float = 0.0


class LoadsAhead:
    """Finds for each load the step before which it stands.

    `steps` are in the order of their starts, and `graph` is theirs. `live` has for each core the bytes of local memory
    in use at each step, and `budgets` how many may be.
    """

    def __init__(
        self,
        steps: Sequence[PlayedStep],
        graph: StepGraph,
        live: Mapping[int, np.ndarray],
        budgets: Mapping[int, float],
        lookahead: int,
    ) -> None:
        self.steps, self.live, self.budgets, self.lookahead = steps, live, budgets, lookahead
        self.times, self.bus = GroupTimes(graph), Bus()
        self.is_short = [step.time.busy <= _SHORT for step in steps]
        """Whether each step may pass loads that wait."""
        self.graph = graph
        self.keys = [2 * number + 1 for number in range(len(steps))]
        """Where each step goes: 2i + 1 for step i that stays, 2j for one that moves before step j."""
        self.group_keys = [0] * len(graph.members)
        self.order: list[int] = []
        """The steps as they were placed."""
        self.queues: dict[tuple[int, str], _Queue] = {}
        """The queues of the engines of each core; loads that may run ahead have queues of their own."""
        self.fillers: dict[int, set[int]] = defaultdict(set)
        """The cores whose loads ahead fill buffers of each core."""
        self.own: dict[int, list[int]] = defaultdict(list)
        """The steps of each core."""
        for number, step in enumerate(steps):
            engine = step.time.engine
            if step.is_ahead:
                engine += _AHEAD
                self.fillers[step.core].add(step.runs_on)
            self.queues.setdefault((step.runs_on, engine), _Queue([])).steps.append(number)
            self.own[step.core].append(number)
        self.passed = dict.fromkeys(self.own, 0)
        """How many of these are placed, without a gap."""
        self.used: dict[int, float] = defaultdict(float)
        """Bytes of each core's local memory in use, and, of those, what is free once a step has ended: (end, bytes)."""
        self.freed: dict[int, list[tuple[float, int]]] = defaultdict(list)
        self.waiters: list[set[int]] = [set() for _ in graph.members]
        """The cores whose steps wait for each group."""
        for number, groups in enumerate(graph.waits):
            for group in groups:
                self.waiters[group].add(steps[number].runs_on)
        self.followers: dict[int, set[int]] = defaultdict(set)
        """The cores of the steps that must follow a step."""
        for number, behind in enumerate(graph.behind):
            if behind >= 0:
                self.followers[behind].add(steps[number].runs_on)
        self.leaders: dict[int, set[int]] = defaultdict(set)
        """For each core, the cores of the first copies of multicasts in which it takes part."""
        for number, event in enumerate(graph.events):
            if event[0] != number:
                self.leaders[steps[number].runs_on].add(steps[event[0]].runs_on)
        self.least: dict[int, int] = defaultdict(int)
        """For each core, the step before which none of its loads may stand that are placed from now on, since a
        multicast stands there.
        """

    def run(self) -> np.ndarray:
        """Place all steps; return the sort keys of the steps, by number, as `keys` explains: [n, 2] with the order of
        placing as the second.
        """
        heap: list[tuple[float, int, int, str]] = []
        engines: dict[int, list[str]] = defaultdict(list)
        for core, engine in self.queues:
            engines[core].append(engine)
        offered: dict[tuple[int, str], tuple[float, int] | None] = {}
        asked: set[tuple[int, str]] = set()
        changed = set(engines)
        while len(self.order) < len(self.steps):
            # An engine whose offer may have changed is asked for a new one once the time has come when it is free:
            # it offers nothing earlier. So most of them are asked once for many changes.
            for core in sorted(changed):
                for engine in engines[core]:
                    if (core, engine) not in asked:
                        asked.add((core, engine))
                        heappush(heap, (self.queues[core, engine].free, _ASK, core, engine))
            changed = set()
            start, number, core, engine = heappop(heap)
            if number == _ASK:
                asked.discard((core, engine))
                found = offered[core, engine] = self._candidate(core, engine)
                if found is not None:
                    heappush(heap, (*found, core, engine))
            elif (core, engine) not in asked and offered[core, engine] == (start, number):
                offered[core, engine] = None
                changed = self._place(core, engine, number, start)
        placed = np.empty(len(self.steps), np.int64)
        placed[self.order] = np.arange(len(self.steps))
        return np.stack((np.array(self.keys), placed), axis=1)

    def _candidate(self, core: int, engine: str) -> tuple[float, int] | None:
        """Return when an engine can start its next step, and which that is; None if all that it has must wait for
        something that is not placed.
        """
        queue = self.queues[core, engine]
        if engine.endswith(_AHEAD):
            return self._next_load(queue)
        if queue.first == len(queue.steps):
            return None
        number = queue.steps[queue.first]
        ready = self.times.ready(number)
        return None if ready is None else (max(queue.free, ready), number)

    def _next_load(self, queue: _Queue) -> tuple[float, int] | None:
        """Return the load with the earliest start among the next ones, the first in order if there are several.

        A multicast is offered by the queue of its first copy only.
        """
        best: tuple[float, int] | None = None
        nearest = queue.steps[queue.first : queue.first + 1 + self.lookahead]
        for number in nearest[:1] + [n for n in nearest[1:] if self.is_short[n]]:
            if self.graph.events[number][0] != number:
                continue
            ready = self.times.ready(number)
            if ready is None or (best is not None and ready >= best[0]):
                continue
            start = self._start(self.graph.events[number])
            if start is None:
                continue
            if best is None or start < best[0]:
                best = start, number
            if start <= queue.free:
                break
        return best

    def _may_pass(self, number: int, queue: _Queue) -> bool:
        """Tell whether a load may pass those before it in its queue, but for those that start together with it."""
        return self.is_short[number] or queue.steps[queue.first] in self.graph.events[number]

    def _is_near(self, number: int, queue: _Queue) -> bool:
        """Tell whether a load is among those that its queue may choose."""
        return bisect_left(queue.steps, number) - queue.first <= self.lookahead

    def _queue_of(self, number: int) -> _Queue:
        """Return the queue of a load that may run ahead."""
        step = self.steps[number]
        return self.queues[step.runs_on, step.time.engine + _AHEAD]

    def _start(self, event: range) -> float | None:
        """Return when a load that is placed now can start, with those that start together with it; None if that is not
        known yet.
        """
        start = 0.0
        before = self._before(event)
        for number in event:
            queue, ready = self._queue_of(number), self.times.ready(number)
            if ready is None or not self._may_pass(number, queue):
                return None
            # A multicast must not stand behind loads that it passes.
            if len(event) > 1 and (
                before > queue.steps[queue.first] or not self._is_near(number, queue)
            ):
                return None
            # What stays where it is has room.
            room = 0.0 if before == event[0] else self._room(number, before)
            if room is None:
                return None
            start = max(start, queue.free, ready, room)
        return start

    def _before(self, event: range) -> int:
        """Return the step before which loads that start together would stand now: the first of their cores that is not
        placed, but after all that they wait for.
        """
        before = 0
        for number in event:
            step, behind = self.steps[number], self.graph.behind[number]
            after = max((self.group_keys[group] for group in self.graph.waits[number]), default=0)
            if behind >= 0:
                after = max(after, self.keys[behind])
            next_ = self.own[step.core][self.passed[step.core]]
            before = max(before, next_, -(-after // 2), self.least[step.runs_on])
        return min(event[0], before)

    def _room(self, number: int, before: int) -> float | None:
        """Return when memory has room for a load that is placed now and stands before step `before`; None if that is
        not known yet.

        There must be room until its old place, and steps that use what lies there must have ended, or the load would
        hold up those behind it.
        """
        core, size = self.steps[number].core, self.steps[number].begun
        if not size:
            return 0.0
        if self.live[core][before:number].max() + size > self.budgets[core]:
            return None
        excess = self.used[core] + size - self.budgets[core]
        if excess <= 0:
            return 0.0
        for end, freed in sorted(self.freed[core]):
            excess -= freed
            if excess <= 0:
                return end
        return None

    def _use_memory(self, step: PlayedStep, start: float, end: float) -> None:
        """Note what a step takes of local memory, and what it gives back when it ends."""
        self.used[step.core] += step.begun
        for core, size in step.ended:
            self.freed[core].append((end, size))
        freed = self.freed[step.core]
        over = [each for each in freed if each[0] <= start]
        if over:
            self.used[step.core] -= sum(size for _, size in over)
            self.freed[step.core] = [each for each in freed if each[0] > start]

    def _place(self, core: int, engine: str, number: int, start: float) -> set[int]:
        """Place a step on an engine of a core, with those that start together with it; return the cores whose engines
        may go on otherwise now.
        """
        event, end = self.graph.events[number], self.bus.end(start, self.steps[number].time)
        if self.steps[number].is_ahead:
            self._move(event)
        else:
            self.queues[core, engine].first += 1
            self.queues[core, engine].free = start + self.steps[number].time.busy
        changed: set[int] = set()
        for member in event:
            if self.steps[member].is_ahead:
                self._queue_of(member).free = start + self.steps[member].time.busy
            changed |= self._note(member, start, end)
        for other in list(changed):
            changed |= self.leaders[other]
        return changed

    def _move(self, event: range) -> None:
        """Take loads that start together from their queues, and let them stand before a step further up, if they
        can.
        """
        before = self._before(event)
        key = 2 * before if before < event[0] else 2 * event[0] + 1
        for number in event:
            step = self.steps[number]
            self._queue_of(number).steps.remove(number)
            self.keys[number] = key
            if before < number:
                self.live[step.core][before:number] += step.begun
            if len(event) > 1:
                self.least[step.runs_on] = -(-key // 2)

    def _note(self, number: int, start: float, end: float) -> set[int]:
        """Note when a step starts and ends; return the cores whose engines may go on otherwise now."""
        step = self.steps[number]
        self.order.append(number)
        self._use_memory(step, start, end)
        changed = {step.runs_on, step.core} | self.followers[number]
        for other in {step.core, *(other for other, _ in step.ended)}:
            changed |= self.fillers[other]
        for group in self.times.place(number, end):
            changed |= self.waiters[group]
        for group in self.graph.joins[number]:
            self.group_keys[group] = max(self.group_keys[group], self.keys[number])
        own = self.own[step.core]
        while self.passed[step.core] < len(own) and self.times.placed[own[self.passed[step.core]]]:
            self.passed[step.core] += 1
        return changed
