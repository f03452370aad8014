"""Finds how far loads run ahead by playing a tile program, whose steps are in the order of their starts, with estimated
times: the DMA engine of a core takes the first load that is ready, where memory has room for it until its old place, so
that loads of later layers run ahead of those that wait for other cores.

The copies of a multicast are one event: they start together, when the engines of all their cores are free, and stand
side by side.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from operator import itemgetter

import numpy as np

from ...tiling.memory_use import MemoryUse
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
    """The steps of one engine of one core that are not placed yet, and when the engine is free.

    Loads that may run ahead (`is_ahead`) have queues of their own, in which `ready` are the short ones that wait for
    nothing any more, ascending. `offer` is when the engine can start a load, and which that is, unless it `is_asked`
    for a new one.
    """

    number: int
    is_ahead: bool
    steps: list[int] = field(default_factory=list)
    first: int = 0
    free: float = 0.0
    ready: list[int] = field(default_factory=list)
    offer: tuple[float, int] | None = None
    is_asked: bool = False


class _Memory(MemoryUse):
    """The local memory of a core, of which `budget` bytes may be in use: `live` are at each step."""

    def __init__(self, live: np.ndarray, budget: float) -> None:
        super().__init__(budget)
        self.live = live
        self.moved = 0
        """How many loads stand further up than they did, each of which makes more live."""
        self._has_room: dict[int, int] = {}
        """How many loads had moved when there was room for a load."""

    def last_full(self, number: int, size: int, before: int) -> int:
        """Return the last step from `before` on, up to load `number`, at which there is no room for its `size` bytes;
        -1 if there is room at all of them. `before` must not be smaller than it was for this load.
        """
        if self._has_room.get(number) == self.moved:
            return -1
        between = self.live[before:number]
        if int(between.max()) + size > self.capacity:
            return before + int(np.flatnonzero(between + size > self.capacity)[-1])
        self._has_room[number] = self.moved
        return -1

    def move(self, number: int, size: int, before: int) -> None:
        """Note that load `number` stands before step `before` from now on."""
        self.live[before:number] += size
        self.moved += 1


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
        self.steps, self.graph, self.lookahead = steps, graph, lookahead
        self.memories = {core: _Memory(own, budgets[core]) for core, own in live.items()}
        self.times, self.bus = GroupTimes(graph), Bus()
        self.is_short = [step.time.busy <= _SHORT for step in steps]
        """Whether each step may pass loads that wait."""
        self.keys = [2 * number + 1 for number in range(len(steps))]
        """Where each step goes: 2i + 1 for step i that stays, 2j for one that moves before step j."""
        self.group_keys = [0] * len(graph.members)
        self.order: list[int] = []
        """The steps as they were placed."""
        self.end = 0.0
        """When the last of these ends."""
        self.own: dict[int, list[int]] = defaultdict(list)
        """The steps of each core."""
        for number, step in enumerate(steps):
            self.own[step.core].append(number)
        self.passed = dict.fromkeys(self.own, 0)
        """How many of these are placed, without a gap."""
        self.next = {core: own[0] for core, own in self.own.items()}
        """The first step of each core that is not placed."""
        self.least: dict[int, int] = dict.fromkeys((step.runs_on for step in steps), 0)
        """For each core, the step before which none of its loads may stand that are placed from now on, since a
        multicast stands there.
        """
        self.cores = {
            event[0]: (
                itemgetter(*[steps[number].core for number in event]),
                itemgetter(*[steps[number].runs_on for number in event]),
            )
            for event in graph.events
            if len(event) > 1
        }
        """For the first copy of each multicast, what takes those of the cores that it fills from a table, and those of
        the cores that copy.
        """
        self.full = [-1] * len(steps)
        """For loads, the last step at which memory had no room for it when that was looked up. As what is live only
        gets more, it has none as long as it would stand before that step.
        """
        self.heap: list[tuple[float, int, int]] = []
        """When an engine can start a step, or is free to be asked for one (`_ASK`): time, step, number of its queue."""
        self._make_queues()
        self._count_what_is_missing()

    def _make_queues(self) -> None:
        """Set `queues`, the `queue` of each step, and the queues of loads that may have another offer once a step is
        placed: for each core those of which loads fill its memory (`fillers`), those of its own engines (`loaders`).
        """
        self.queues: list[_Queue] = []
        self.queue: list[_Queue] = []
        named: dict[tuple[int, str, bool], _Queue] = {}
        ahead: dict[int, list[_Queue]] = defaultdict(list)
        filling: dict[int, set[int]] = defaultdict(set)
        leaders: dict[int, set[int]] = defaultdict(set)
        for number, step in enumerate(self.steps):
            name = step.runs_on, step.time.engine, step.is_ahead
            queue = named.get(name)
            if queue is None:
                queue = named[name] = _Queue(len(self.queues), step.is_ahead)
                self.queues.append(queue)
                if step.is_ahead:
                    ahead[step.runs_on].append(queue)
            queue.steps.append(number)
            self.queue.append(queue)
            if step.is_ahead:
                filling[step.core].add(step.runs_on)
            leader = self.graph.events[number][0]
            leaders[step.runs_on].add(self.steps[leader].runs_on)

        def with_leaders(cores: set[int]) -> list[_Queue]:
            whole = cores.union(*(leaders[core] for core in cores))
            return [queue for core in sorted(whole) for queue in ahead[core]]

        self.fillers = {core: with_leaders(filling[core]) for core in self.own}
        self.loaders = {core: with_leaders({core}) for core in leaders}

    def _count_what_is_missing(self) -> None:
        """Set `missing`, how many groups and steps that are not placed yet each step waits for; `ready`, when those
        have ended that are placed; and `after`, the step before which it may stand at the earliest for their sake.

        Loads that start together wait together: the first one has these numbers for all of them.
        """
        graph, count = self.graph, len(self.steps)
        self.leader = [
            graph.events[number][0] if step.is_ahead else number
            for number, step in enumerate(self.steps)
        ]
        self.missing, self.ready, self.after = [0] * count, [0.0] * count, [0] * count
        self.waiters: list[list[int]] = [[] for _ in graph.members]
        """The steps that wait for each group."""
        self.followers: dict[int, list[int]] = defaultdict(list)
        """The steps that must follow a step."""
        for number, leader in enumerate(self.leader):
            for group in graph.waits[number]:
                if graph.members[group]:
                    self.waiters[group].append(leader)
                    self.missing[leader] += 1
            if graph.behind[number] >= 0:
                self.followers[graph.behind[number]].append(leader)
                self.missing[leader] += 1

    def run(self) -> np.ndarray:
        """Place all steps; return the sort keys of the steps, by number, as `keys` explains: [n, 2] with the order of
        placing as the second.
        """
        for number, leader in enumerate(self.leader):
            if number == leader and not self.missing[number]:
                self._release(number)
        while len(self.order) < len(self.steps):
            start, number, at = heappop(self.heap)
            queue = self.queues[at]
            if number == _ASK:
                queue.is_asked = False
                queue.offer = self._next_load(queue)
                if queue.offer is not None:
                    heappush(self.heap, (*queue.offer, at))
            elif not queue.is_ahead or (not queue.is_asked and queue.offer == (start, number)):
                self._place(queue, number, start)
        placed = np.empty(len(self.steps), np.int64)
        placed[self.order] = np.arange(len(self.steps))
        return np.stack((np.array(self.keys), placed), axis=1)

    def _release(self, number: int) -> None:
        """Let a step start that waits for nothing any more, or the loads of which it is the first."""
        queue = self.queue[number]
        if not queue.is_ahead:
            if queue.steps[queue.first] == number:
                self._offer(queue, number)
            return
        # What it stands behind is placed, and so is where that stands.
        after = 0
        for member in self.graph.events[number]:
            for group in self.graph.waits[member]:
                after = max(after, self.group_keys[group])
            behind = self.graph.behind[member]
            if behind >= 0:
                after = max(after, self.keys[behind])
        self.after[number] = -(-after // 2)
        if self.is_short[number]:
            insort(queue.ready, number)
        self._ask(queue)

    def _offer(self, queue: _Queue, number: int) -> None:
        """Offer the next step of an engine that takes its steps in order."""
        heappush(self.heap, (max(queue.free, self.ready[number]), number, queue.number))

    def _ask(self, queue: _Queue) -> None:
        """Ask an engine for a load, whose offer may have changed, once the time has come when it is free: it offers
        nothing earlier. So most are asked once for many changes.
        """
        if not queue.is_asked and (queue.ready or self._is_long_load_ready(queue)):
            queue.is_asked = True
            heappush(self.heap, (queue.free, _ASK, queue.number))

    def _is_long_load_ready(self, queue: _Queue) -> bool:
        """Tell whether the next load of a queue is a long one that waits for nothing any more."""
        if not queue.steps:
            return False
        head = queue.steps[0]
        return not (self.is_short[head] or self.missing[head]) and self.leader[head] == head

    def _next_load(self, queue: _Queue) -> tuple[float, int] | None:
        """Return the load with the earliest start among the next ones, the first in order if there are several, and
        when it can start.

        A multicast is offered by the queue of its first copy only.
        """
        steps = queue.steps
        if not steps:
            return None
        best: tuple[float, int] | None = None
        last = steps[min(self.lookahead, len(steps) - 1)]
        numbers = [steps[0], *queue.ready] if self._is_long_load_ready(queue) else queue.ready
        for number in numbers:
            if number > last:
                break
            if best is not None and self.ready[number] >= best[0]:
                continue
            start = self._start(number)
            if start is None:
                continue
            if best is None or start < best[0]:
                best = start, number
            if start <= queue.free:
                break
        return best

    def _start(self, first: int) -> float | None:
        """Return when loads that wait for nothing any more can start, by the first of those that start together; None
        if that is not known yet.
        """
        event, start = self.graph.events[first], self.ready[first]
        before = self._before(event)
        if before < first and before <= self.full[first]:
            return None
        for number in event:
            queue, step = self.queue[number], self.steps[number]
            head = queue.steps[0]
            if not self.is_short[number] and head not in event:
                return None
            # A multicast must not stand behind loads that it passes.
            if len(event) > 1 and (before > head or not self._is_near(number, queue)):
                return None
            start = max(start, queue.free)
            # What stays where it is has room. Elsewhere there must be room until its old place, and steps that use what
            # lies there must have ended, or the load would hold up those behind it.
            if step.begun and before < first:
                memory = self.memories[step.core]
                full = memory.last_full(number, step.begun, before)
                if full >= 0:
                    self.full[first] = full
                    return None
                start = max(start, memory.time_of(step.begun))
        return None if start == inf else start

    def _is_near(self, number: int, queue: _Queue) -> bool:
        """Tell whether a load is among those that its queue may choose."""
        return bisect_left(queue.steps, number) <= self.lookahead

    def _before(self, event: range) -> int:
        """Return the step before which loads that start together would stand now: the first of their cores that is not
        placed, but after all that they wait for.
        """
        first = event[0]
        if len(event) == 1:
            step = self.steps[first]
            before = max(self.after[first], self.next[step.core], self.least[step.runs_on])
        else:
            filled, engines = self.cores[first]
            before = max(self.after[first], *filled(self.next), *engines(self.least))
        return min(first, before)

    def _place(self, queue: _Queue, number: int, start: float) -> None:
        """Place a step of an engine, with those that start together with it."""
        event, end = self.graph.events[number], self.bus.end(start, self.steps[number].time)
        free = start + self.steps[number].time.busy
        if queue.is_ahead:
            queue.offer = None
            self._move(event, free)
        else:
            queue.first += 1
            queue.free = free
            if queue.first < len(queue.steps) and not self.missing[queue.steps[queue.first]]:
                self._offer(queue, queue.steps[queue.first])
        for member in event:
            self._note(member, start, end)

    def _move(self, event: range, free: float) -> None:
        """Take loads that start together from their queues, whose engines are `free` then, and let them stand before a
        step further up, if they can.
        """
        before = self._before(event)
        key = 2 * before if before < event[0] else 2 * event[0] + 1
        if self.is_short[event[0]]:
            self.queue[event[0]].ready.remove(event[0])
        for number in event:
            step, queue = self.steps[number], self.queue[number]
            queue.steps.remove(number)
            queue.free = free
            self.keys[number] = key
            if before < number:
                self.memories[step.core].move(number, step.begun, before)
            if len(event) > 1:
                self.least[step.runs_on] = -(-key // 2)
        for number in event:
            for other in self.loaders[self.steps[number].runs_on]:
                self._ask(other)

    def _note(self, number: int, start: float, end: float) -> None:
        """Note when a step starts and ends, and let those start that waited for it only."""
        step = self.steps[number]
        self.order.append(number)
        self.end = max(self.end, end)
        for core, size in step.ended:
            if core in self.memories:
                self.memories[core].free(size, end)
        self.memories[step.core].take(step.begun, start)
        own, passed = self.own[step.core], self.passed[step.core]
        complete = self.times.place(number, end)
        while passed < len(own) and self.times.placed[own[passed]]:
            passed += 1
        self.passed[step.core] = passed
        if passed < len(own):
            self.next[step.core] = own[passed]
        for group in self.graph.joins[number]:
            self.group_keys[group] = max(self.group_keys[group], self.keys[number])
        for group in complete:
            for other in self.waiters[group]:
                self.ready[other] = max(self.ready[other], self.times.ends[group])
                self._miss_less(other)
        for other in self.followers.get(number, ()):
            self._miss_less(other)
        for core in {step.core, *(core for core, _ in step.ended)}:
            for queue in self.fillers.get(core, ()):
                self._ask(queue)

    def _miss_less(self, number: int) -> None:
        """Note that one of those that a step waits for is placed."""
        self.missing[number] -= 1
        if not self.missing[number]:
            self._release(number)
