"""Finds the order in which the functional simulator executes instructions.

Among the instructions that are ready, the one that stands first in the program comes next. The order does not depend on
data, so it is found once for all inputs.
"""

from __future__ import annotations

from collections.abc import Container
from heapq import heappop, heappush

from ..streams.deadlock import deadlock_error
from ..streams.streams import Streams


class Scheduler:
    """Takes instructions off the engines' queues as their waits are met."""

    def __init__(self, streams: Streams, held: Container[int] = ()) -> None:
        """Start at the beginning; instructions in `held` never become ready, to find out what can happen without
        them.
        """
        self._streams, self._held = streams, held
        self._follows: list[bool] = streams.follows.tolist()
        self._heads = [0] * len(streams.queues)
        self.retired = [0] * len(streams.queues)
        self.counters: dict[int, int] = {}
        self._ready: list[int] = []
        self._met: dict[int, int] = {}
        self._engine_waiters: list[list[tuple[int, int]]] = [[] for _ in streams.queues]
        self._counter_waiters: dict[int, list[tuple[int, int]]] = {}
        for engine in range(len(streams.queues)):
            self._consider(engine)

    def _consider(self, engine: int) -> None:
        """Put the head of a queue among the ready instructions, or register what it waits for."""
        queue = self._streams.queues[engine]
        if self._heads[engine] == len(queue):
            return
        number = queue[self._heads[engine]]
        group = self._streams.group[number]
        started = self._streams.starting_with(number) if group else (number,)
        for each in started:
            if each in self._held or not self._may_start(engine, each):
                return
        if group:
            met = self._met[group] = self._met.get(group, 0) + len(started)
            if met < len(self._streams.groups[group]):
                return
            number = self._streams.groups[group][0]
        heappush(self._ready, number)

    def _may_start(self, engine: int, number: int) -> bool:
        """Return whether the waits of an instruction of an engine are met; register the engine if one is not."""
        for other, count in self._streams.waits[number]:
            if self.retired[other] < count:
                self._engine_waiters[other].append((engine, count))
                return False
        wait = self._streams.counter_wait[number]
        if wait is not None and self.counters.get(wait[0], 0) < wait[1]:
            self._counter_waiters.setdefault(wait[0], []).append((engine, wait[1]))
            return False
        return True

    def next(self) -> list[int]:
        """Complete the next instruction, or all members of a multicast, and return their numbers: none if nothing is
        ready.
        """
        if not self._ready:
            return []
        number = heappop(self._ready)
        group = self._streams.group[number]
        members = self._streams.groups[group] if group else [number]
        for member in members:
            self._complete(member)
        return members

    def _complete(self, number: int) -> None:
        engine = self._streams.engine[number]
        self._heads[engine] += 1
        count = self.retired[engine] = self.retired[engine] + 1
        queue, head = self._streams.queues[engine], self._heads[engine]
        if head == len(queue) or not self._follows[queue[head]]:
            self._consider(engine)
        waiters = self._engine_waiters[engine]
        if waiters:
            self._engine_waiters[engine] = [waiter for waiter in waiters if waiter[1] > count]
            for other, least in waiters:
                if least <= count:
                    self._consider(other)
        for counter in self._streams.signals[number]:
            value = self.counters[counter] = self.counters.get(counter, 0) + 1
            pending = self._counter_waiters.get(counter)
            if pending:
                self._counter_waiters[counter] = [waiter for waiter in pending if waiter[1] > value]
                for other, least in pending:
                    if least <= value:
                        self._consider(other)


def execution_order(streams: Streams) -> list[int]:
    """Return all instructions in the order of execution; takes about 3 µs an instruction.

    Raises DiagnosticError, which says what each engine waits for, if the program cannot end.
    """
    scheduler = Scheduler(streams)
    order: list[int] = []
    while members := scheduler.next():
        order += members
    if len(order) < len(streams):
        heads = [
            queue[done]
            for queue, done in zip(streams.queues, scheduler.retired, strict=True)
            if done < len(queue)
        ]
        raise deadlock_error(
            streams, heads, scheduler.retired, lambda counter: scheduler.counters.get(counter, 0)
        )
    return order
