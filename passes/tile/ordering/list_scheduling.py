"""List scheduling: brings the steps of all cores into the order of the times at which their engines can start them.

    conv a0; epilogue a0; conv a1; epilogue a1; conv b0; epilogue b0; conv b1; epilogue b1
⇒
    conv a0; conv a1; epilogue a0; conv b0; epilogue a1; conv b1; epilogue b0; epilogue b1

if tile b0 reads a0 only. Each engine of each core takes the step that it can start first, of several the first one in
program order, whatever layer it belongs to; so layers that read each other tile by tile overlap, as far as memory has
room for what they hold. Loads from global memory stand right before the first step that needs them: how far ahead they
run is decided later (`load_order.py`). Constants are taken to be there in time; only other loads take a DMA engine and
the bus.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf

import numpy as np

from ....dialects.tile.buffer import MemoryPlace
from ...tiling.memory_use import MemoryUse
from .load_order import Bus, PlayedStep
from .step_graph import GroupTimes, StepGraph

_CHOICE = 16
"""Among how many steps that it could start at once an engine chooses."""

EngineKey = tuple[int, str]
"""An engine: its core and its name."""


@dataclass
class HeldBuffer:
    """A buffer in a core's memory: `size_bytes` of `memory`, and how many steps are to come that use it.

    `first` is the number of the first of these in program order, among the steps that use any buffer of this memory,
    and `last` that of the one after the last.
    """

    memory: MemoryPlace
    size_bytes: int
    users: int = 0
    first: int = 0
    last: int = 0
    is_begun: bool = False
    end: float = 0.0
    has_room: int = -1
    """How many buffers were begun in the memory when there was room for this one."""
    no_room: int = -1
    """The last step, among those that use the memory, at which there was no room for the buffer."""
    ended: int = 0
    """How many buffers had ended in the memory then."""


def list_scheduled(
    steps: Sequence[PlayedStep],
    graph: StepGraph,
    held: Sequence[Sequence[HeldBuffer]],
    capacity: Mapping[str, int],
    share: float,
) -> list[int]:
    """Return the numbers of the steps, which are in program order, in the order of their starts.

    `held` are the buffers of each step, and `capacity` says how many bytes the memories of a core have, by their names.
    A step may pass others as long as `share` of the memory has room for its buffers besides what these use.
    """
    play = _Play(steps, graph, held, _Memories(held, capacity, share))
    return list(_LoadsAtFirstUse(steps, graph).among(play.run()))


@dataclass
class _Engine:
    """An engine of a core: when it is free, and the steps that wait for nothing but it: those of which the time comes
    later, by time and, as `later`, by number, and those that it could start at once, by number.
    """

    free: float = 0.0
    coming: list[tuple[float, int]] = field(default_factory=list)
    later: list[int] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)
    times: dict[int, float] = field(default_factory=dict)
    """From when on it could start each of them."""

    def add(self, number: int, time: float) -> None:
        """Add a step that it could start from some time on."""
        insort(self.coming, (time, number))
        insort(self.later, number)
        self.times[number] = time

    def candidates(self) -> list[tuple[float, int]]:
        """Return the steps among which the engine chooses, with the times from which on it could start them, ascending
        but for the last one.
        """
        while self.coming and self.coming[0][0] <= self.free:
            number = self.coming.pop(0)[1]
            del self.later[bisect_left(self.later, number)]
            insort(self.ready, number)
        chosen = [(self.free, number) for number in self.ready[:_CHOICE]]
        chosen += self.coming[:_CHOICE]
        # The first step in program order has room at all times.
        if len(self.coming) > _CHOICE:
            chosen.append((self.times[self.later[0]], self.later[0]))
        return chosen

    def first(self) -> int | None:
        """Return the first step in program order that waits; None if none does."""
        return min(self.ready[:1] + self.later[:1], default=None)

    def remove(self, number: int) -> None:
        """Remove a step that starts now."""
        coming = self.times.pop(number), number
        at = bisect_left(self.ready, number)
        if at < len(self.ready) and self.ready[at] == number:
            del self.ready[at]
        else:
            del self.coming[bisect_left(self.coming, coming)]
            del self.later[bisect_left(self.later, number)]


class _Memory(MemoryUse):
    """A memory of a core. Steps pass others as long as their buffers have room in `limit` bytes besides what these use.

    `live` has for each step that uses the memory, in program order, the bytes that are in use then if all steps from
    `passed` on, which is the first one that has not started, run in program order.
    """

    def __init__(self, capacity: int, share: float) -> None:
        super().__init__(capacity)
        self.limit = capacity * share
        self.steps: list[int] = []
        self.live = np.zeros(0, np.int64)
        self.passed = 0
        self.begun = 0
        """How many buffers are in use or were."""
        self.ended = 0
        """How many buffers were in use before steps that they passed, and are no more."""

    def has_room(self, buffer: HeldBuffer) -> bool:
        """Tell whether a buffer can be used from now on without taking the room of steps that are passed.

        With each buffer that begins there is less room, and at the same steps, until one ends.
        """
        if self.passed <= buffer.no_room and buffer.ended == self.ended:
            return False
        if buffer.has_room == self.begun:
            return True
        between = self.live[self.passed : buffer.first]
        if len(between) and int(between.max()) + buffer.size_bytes > self.limit:
            full = np.flatnonzero(between + buffer.size_bytes > self.limit)
            buffer.no_room, buffer.ended = self.passed + int(full[-1]), self.ended
            return False
        buffer.has_room = self.begun
        return True

    def begin(self, buffer: HeldBuffer, start: float) -> None:
        """Note that a buffer is in use from now on."""
        self.live[self.passed : buffer.first] += buffer.size_bytes
        self.begun += 1
        self.take(buffer.size_bytes, start)

    def finish(self, buffer: HeldBuffer) -> None:
        """Note that no step to come uses a buffer, so that those which its steps passed have its room."""
        self.free(buffer.size_bytes, buffer.end)
        if self.passed < buffer.last:
            self.live[self.passed : buffer.last] -= buffer.size_bytes
            self.ended += 1


class _Memories:
    """The memories of the cores."""

    def __init__(
        self, held: Sequence[Sequence[HeldBuffer]], capacity: Mapping[str, int], share: float
    ) -> None:
        self.of: dict[MemoryPlace, _Memory] = {}
        self.is_started = [False] * len(held)
        last: dict[int, tuple[HeldBuffer, int]] = {}
        for number, buffers in enumerate(held):
            for each in buffers:
                memory = self.of.get(each.memory)
                if memory is None:
                    memory = self.of[each.memory] = _Memory(capacity[each.memory[0]], share)
                if not memory.steps or memory.steps[-1] != number:
                    memory.steps.append(number)
                if id(each) not in last:
                    each.first = len(memory.steps) - 1
                last[id(each)] = each, len(memory.steps)
        for memory in self.of.values():
            memory.live = np.zeros(len(memory.steps) + 1, np.int64)
        for each, end in last.values():
            self.of[each.memory].live[each.first] += each.size_bytes
            self.of[each.memory].live[end] -= each.size_bytes
            each.last = end
        for memory in self.of.values():
            memory.live = np.cumsum(memory.live)

    def start(self, buffers: Iterable[HeldBuffer], start: float) -> float | None:
        """Return from when on, at `start` or later, there is room for the buffers that are not in use yet; None if that
        is not known.
        """
        for each in buffers:
            if not each.is_begun:
                memory = self.of[each.memory]
                if not memory.has_room(each):
                    return None
                start = max(start, memory.time_of(each.size_bytes))
        return None if start == inf else start

    def use(self, number: int, buffers: Sequence[HeldBuffer], start: float, end: float) -> None:
        """Note that step `number` uses buffers from `start` to `end`."""
        self.is_started[number] = True
        for each in buffers:
            memory = self.of[each.memory]
            if not each.is_begun:
                each.is_begun = True
                memory.begin(each, start)
            each.users -= 1
            each.end = max(each.end, end)
            if not each.users:
                memory.finish(each)
            while (
                memory.passed < len(memory.steps) and self.is_started[memory.steps[memory.passed]]
            ):
                memory.passed += 1


class _Play:
    """Starts the steps one after the other, each as soon as it can; the first copy of a multicast stands for all."""

    def __init__(
        self,
        steps: Sequence[PlayedStep],
        graph: StepGraph,
        held: Sequence[Sequence[HeldBuffer]],
        memories: _Memories,
    ) -> None:
        self.steps, self.graph, self.held, self.memories = steps, graph, held, memories
        self.times, self.bus = GroupTimes(graph), Bus()
        self.engines: dict[EngineKey, _Engine] = defaultdict(_Engine)
        self.ports: dict[int, float] = defaultdict(float)
        """When the port of each core's memory has taken what other cores sent."""
        self.heap: list[tuple[float, int, EngineKey]] = []
        self.offered: dict[EngineKey, set[tuple[float, int]]] = defaultdict(set)
        """What of this is in the heap, by engine."""
        self.blocked: set[EngineKey] = set()
        """The engines that have steps for which memory has no room."""
        self.waiters: list[list[int]] = [[] for _ in graph.members]
        """The steps that wait for each group."""
        self.followers: dict[int, list[int]] = defaultdict(list)
        """The steps that must follow a step."""
        self.buffers = [
            [each for member in event for each in held[member]] if event[0] == number else []
            for number, event in enumerate(graph.events)
        ]
        """The buffers that each step uses, with those that start together with it."""
        self.missing = [0] * len(steps)
        """How many groups and steps that are not placed yet each step waits for, with those that start together."""
        for number, groups in enumerate(graph.waits):
            leader = graph.events[number][0]
            awaited = {group for group in groups if graph.members[group]}
            for group in awaited:
                self.waiters[group].append(leader)
            self.missing[leader] += len(awaited)
            behind = graph.behind[number]
            if behind >= 0 and behind not in graph.events[number]:
                self.followers[behind].append(leader)
                self.missing[leader] += 1

    def run(self) -> Iterator[int]:
        """Return the steps in the order of their starts."""
        free = [number for number, missing in enumerate(self.missing) if not missing]
        for number in free:
            if self.graph.events[number][0] == number:
                yield from self._offer(number)
        while True:
            while self.heap:
                start, number, key = heappop(self.heap)
                self.offered[key].discard((start, number))
                found = self._next(key)
                if found == (start, number):
                    yield from self._start(number, start)
                else:
                    self._push(key, found)
            # In program order, too, buffers may need more than there is: who assigns addresses tells.
            waiting = [engine.first() for engine in self.engines.values()]
            number = min((each for each in waiting if each is not None), default=None)
            if number is None:
                return
            yield from self._start(number, self._earliest(number))

    def _offer(self, number: int) -> Iterator[int]:
        """Let an engine start a step that waits for nothing any more; what takes no engine is done at once."""
        event = self.graph.events[number]
        ready = max(self.times.ready(member) or 0.0 for member in event)
        step = self.steps[number]
        if step.is_constant or not step.time.engine:
            yield from self._placed(event, ready)
            return
        self.engines[_engine_of(step)].add(number, ready)
        self._push(_engine_of(step), self._next(_engine_of(step)))

    def _push(self, key: EngineKey, found: tuple[float, int] | None) -> None:
        """Note when an engine can start its next step, and which that is."""
        if found is not None and found not in self.offered[key]:
            self.offered[key].add(found)
            heappush(self.heap, (*found, key))

    def _next(self, key: EngineKey) -> tuple[float, int] | None:
        """Return when an engine can start its next step, and which that is; None if it has none to start yet."""
        best: tuple[float, int] | None = None
        is_blocked = False
        for ready, number in self.engines[key].candidates():
            if best is not None and ready >= best[0]:
                break
            start = self.memories.start(self.buffers[number], max(ready, self._earliest(number)))
            is_blocked = is_blocked or start is None
            if start is not None and (best is None or start < best[0]):
                best = start, number
        (self.blocked.add if is_blocked else self.blocked.discard)(key)
        return best

    def _earliest(self, number: int) -> float:
        """Return when the engines, and the ports of the memories, are free that a step and its multicast take."""
        earliest = 0.0
        for member in self.graph.events[number]:
            step = self.steps[member]
            earliest = max(earliest, self.engines[_engine_of(step)].free)
            if step.core != step.runs_on:
                earliest = max(earliest, self.ports[step.core])
        return earliest

    def _start(self, number: int, start: float) -> Iterator[int]:
        """Start a step at that time, with those that start together with it."""
        event, time = self.graph.events[number], self.steps[number].time
        end = self.bus.end(start, time)
        self.engines[_engine_of(self.steps[number])].remove(number)
        for member in event:
            step = self.steps[member]
            self.engines[_engine_of(step)].free = start + time.busy
            if step.core != step.runs_on:
                self.ports[step.core] = start + time.busy
            self.memories.use(member, self.held[member], start, end)
        yield from self._placed(event, end)
        changed = {_engine_of(self.steps[member]) for member in event}
        for key in sorted(changed | self.blocked):
            self._push(key, self._next(key))

    def _placed(self, event: range, end: float) -> Iterator[int]:
        """Note that steps that start together end then; return them, and those that take no engine and can follow at
        once.
        """
        yield from event
        freed: list[int] = []
        for member in event:
            freed += self.followers[member]
            for group in self.times.place(member, end):
                freed += self.waiters[group]
        for other in freed:
            self.missing[other] -= 1
            if not self.missing[other]:
                yield from self._offer(other)


def _engine_of(step: PlayedStep) -> EngineKey:
    return step.runs_on, step.time.engine


class _LoadsAtFirstUse:
    """Puts the loads from global memory right before the first step that waits for them."""

    def __init__(self, steps: Sequence[PlayedStep], graph: StepGraph) -> None:
        self.steps, self.graph = steps, graph
        self.loads: list[list[int]] = [[] for _ in graph.members]
        """The loads of each group."""
        self.done = [False] * len(steps)
        for number, groups in enumerate(graph.joins):
            if steps[number].is_load:
                for group in groups:
                    self.loads[group].append(number)

    def among(self, order: Iterator[int]) -> Iterator[int]:
        """Return the steps in `order`, with the loads among them; loads that no step waits for come last."""
        loads: list[int] = []
        for number in order:
            if self.steps[number].is_load:
                loads.append(number)
            else:
                yield from self._with_loads(number)
        for number in loads:
            yield from self._with_loads(number)

    def _with_loads(self, number: int) -> Iterator[int]:
        """Return a step, with those that start together with it, after the loads that they wait for, unless they are
        placed.
        """
        if self.done[number]:
            return
        event = self.graph.events[number]
        for member in event:
            behind = self.graph.behind[member]
            needed = [behind] if behind >= 0 and self.steps[behind].is_load else []
            for group in self.graph.waits[member]:
                needed += self.loads[group]
            for load in needed:
                if load not in event:
                    yield from self._with_loads(load)
        for member in event:
            self.done[member] = True
            yield member
