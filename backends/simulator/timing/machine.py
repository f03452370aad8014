"""Cycles: a discrete-event simulation of engines, memory and network, without tensor data.

**Engines.** Each of a core's engines takes its next instruction, in order, when the instruction's
waits are met, and retires in order. Matrix and vector run one instruction at a time, for the cycles
of its formula. A DMA engine issues a transfer (`issue_cycles`), which then takes the memory's
latency before its first byte moves; the next may be issued meanwhile, as long as no more than
`outstanding` are under way. Data move in the order of issue, `queues` transfers of an engine at a
time. A fill or sync takes its place in that order. So a load alone takes issue + latency + bytes /
bandwidth, and a train of loads only the last term.

**Shared bandwidth** is max-min fair among the transfers that move data at the moment
(`sharing.py`).

**Between cores.** A signal reaches its own core at once and others after the interconnect's
latency. A multicast starts when all members have come to the head of their engines.

**Repetition.** With `repeat` the program runs several times over; a core starts again when all its
engines are done, with counters and buffers in global memory of its own (programs are relocatable).
If a core reaches into another's local memory, which no counter protects beyond the end of the
program, it starts again when all cores are done.

Time is an integer number of ticks (`costs.TICKS_PER_CYCLE`); events at the same time happen in the
order in which they were scheduled. So the result depends on nothing but the program.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

import numpy as np

from ..deadlock import deadlock_error
from ..streams import ENGINE_COUNT, Streams
from .costs import WORK_PER_BYTE, Costs
from .timeline import BUSY, COUNTER, FINISHED, LATENCY, MULTICAST, REPETITION, STATE_NAMES, Timeline

_END, _ISSUED, _READY, _FLOW, _SIGNAL = range(5)


class Machine:
    """The state of one simulation; `timeline.py` says what an occurrence is, and what `stalls` and
    `loads` have.
    """

    def __init__(self, streams: Streams, costs: Costs, repeat: int, signal_latency: int) -> None:
        """`signal_latency`: ticks that a signal takes to another core."""
        self.streams, self.costs, self.repeat = streams, costs, repeat
        self.ticks, self.latency = costs.ticks.tolist(), costs.latency.tolist()
        self.transfer, self.bus_bytes = costs.transfer.tolist(), costs.bus_bytes.tolist()
        self.network = costs.network.idle()
        self.signal_latency = signal_latency
        self.size = len(streams)
        dma = streams.program.target.dma
        self.outstanding, self.slots = dma.outstanding, dma.queues
        engines = len(streams.queues)
        self.length = [len(queue) for queue in streams.queues]
        self.total = [n * repeat for n in self.length]
        self.is_dma = [e % ENGINE_COUNT < 2 for e in range(engines)]
        self.head = [0] * engines
        self.retired = [0] * engines
        self.issuing = [False] * engines
        self.flight: list[deque[int]] = [deque() for _ in range(engines)]
        self.waiting_ready: list[deque[int]] = [deque() for _ in range(engines)]
        self.moving = [0] * engines
        self.rendezvous = [0] * engines
        self.blocked: list[int | None] = [None] * engines
        self.need = [0] * engines
        self.state = [FINISHED] * engines
        self.since = [0] * engines
        self.spent = [[0] * len(STATE_NAMES) for _ in range(engines)]
        self.delayed = [-1] * engines
        self.stalls: list[tuple[int, int, int, int, int]] = []
        self.loads: list[tuple[int, list[int]]] = []
        self.engine_waiters: list[list[int]] = [[] for _ in range(engines)]
        self.counter_waiters: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.counters: dict[tuple[int, int], int] = {}
        self.arrived: dict[tuple[int, int], list[int]] = {}
        occurrences = self.size * repeat
        self.start = [-1] * occurrences
        self.end = [-1] * occurrences
        self.move = [-1] * occurrences
        self.cause = [-1] * occurrences
        self.ready = bytearray(occurrences)
        self.moved = bytearray(occurrences)
        self.events: list[tuple[int, int, int, int, int]] = []
        self.scheduled = 0
        self.version = 0
        self.now = 0

    def run(self) -> None:
        """Runs to the end. Raises DiagnosticError on deadlock."""
        for engine in range(len(self.head)):
            self.take(engine, -1)
        events, network = self.events, self.network
        while events:
            self.now = events[0][0]
            while events and events[0][0] == self.now:
                self.handle(heappop(events))
            if network.changed:
                self.version += 1
                end = network.next_end()
                if end is not None:
                    self.schedule(end, _FLOW, self.version, 0)
                self.loads.append((self.now, network.loads()))
        if any(done < total for done, total in zip(self.retired, self.total, strict=True)):
            heads = [
                queue[position % len(queue)]
                for queue, position, total in zip(
                    self.streams.queues, self.retired, self.total, strict=True
                )
                if position < total
            ]
            raise deadlock_error(self.streams, heads, self.retired, self.counter_value)

    def counter_value(self, counter: int) -> int:
        """The last value of a counter, for the report of a deadlock."""
        return self.counters.get((self.repeat - 1, counter), self.counters.get((0, counter), 0))

    def schedule(self, time: int, kind: int, first: int, second: int) -> None:
        """An event: at equal times the one scheduled first happens first."""
        self.scheduled += 1
        heappush(self.events, (time, self.scheduled, kind, first, second))

    def handle(self, event: tuple[int, int, int, int, int]) -> None:
        """One event."""
        _, _, kind, first, second = event
        if kind == _END:
            if self.is_dma[first]:
                self.moving[first] -= 1
                self.finish_move(first, second)
            else:
                self.flight[first].popleft()
                self.retire(first, second)
                self.take(first, second)
        elif kind == _ISSUED:
            self.issuing[first] = False
            latency = self.latency[second % self.size]
            self.schedule(self.now + latency, _READY, first, second)
            self.go_on(first, second)
        elif kind == _READY:
            self.ready[second] = 1
            self.begin_moves(first, -1)
        elif kind == _FLOW:
            if first == self.version:
                for token in self.network.finished(self.now):
                    self.end_flow(token)
        else:
            self.signal(
                divmod(first, len(self.streams.program.streams) * self.streams.program.counters),
                second,
            )

    # Taking instructions

    def take(self, engine: int, cause: int) -> None:
        """Starts the next instruction of an engine if it can; `cause` is the occurrence whose end
        made that possible.
        """
        position = self.head[engine]
        self.blocked[engine] = None
        if position < self.total[engine]:
            busy = self.issuing[engine] if self.is_dma[engine] else bool(self.flight[engine])
            if not busy and len(self.flight[engine]) < self.outstanding:
                repetition, place = divmod(position, self.length[engine])
                number = self.streams.queues[engine][place]
                if self.may_start(engine, repetition, number):
                    self.launch(engine, repetition * self.size + number, number, cause)
        self.note(engine)

    def go_on(self, engine: int, cause: int) -> None:
        """`take`, unless the next instruction waits for something, which will wake the engine."""
        if self.blocked[engine] is None:
            self.take(engine, cause)

    def may_start(self, engine: int, repetition: int, number: int) -> bool:
        """Whether the waits are met; if not, registers the engine with what it waits for."""
        streams, retired = self.streams, self.retired
        if repetition and not streams.position[number] and not self.may_repeat(engine, repetition):
            return False
        for other, count in streams.waits[number]:
            count += repetition * self.length[other]
            if retired[other] < count:
                self.block(engine, other, count, other % ENGINE_COUNT)
                return False
        wait = streams.counter_wait[number]
        if wait is not None:
            counter, value = wait
            key = (repetition, counter)
            if self.counters.get(key, 0) < value:
                self.counter_waiters.setdefault(key, []).append((engine, value))
                self.blocked[engine] = COUNTER
                return False
        return True

    def may_repeat(self, engine: int, repetition: int) -> bool:
        core = engine // ENGINE_COUNT
        engines = (
            range(len(self.head))
            if self.costs.peer
            else range(ENGINE_COUNT * core, ENGINE_COUNT * (core + 1))
        )
        for other in engines:
            count = repetition * self.length[other]
            if self.retired[other] < count:
                self.block(engine, other, count, REPETITION)
                return False
        return True

    def block(self, engine: int, other: int, count: int, state: int) -> None:
        """`engine` waits until `other` has retired `count`."""
        self.engine_waiters[other].append(engine)
        self.need[engine] = count
        self.blocked[engine] = state

    def launch(self, engine: int, occurrence: int, number: int, cause: int) -> None:
        """The instruction leaves the queue now."""
        self.head[engine] += 1
        self.start[occurrence] = self.now
        self.cause[occurrence] = cause
        self.flight[engine].append(occurrence)
        ticks = self.ticks[number]
        if not self.is_dma[engine]:
            self.move[occurrence] = self.now
            self.schedule(self.now + ticks, _END, engine, occurrence)
            return
        self.waiting_ready[engine].append(occurrence)
        self.issuing[engine] = True
        issue = ticks if self.transfer[number] >= 0 else 0
        self.schedule(self.now + issue, _ISSUED, engine, occurrence)

    # Data of DMA engines

    def begin_moves(self, engine: int, cause: int) -> None:
        """Lets the transfers whose latency is over move data, in order, as far as the queues go."""
        waiting = self.waiting_ready[engine]
        while waiting and self.ready[waiting[0]] and self.moving[engine] < self.slots:
            occurrence = waiting.popleft()
            if cause >= 0:
                self.cause[occurrence] = cause
            self.moving[engine] += 1
            number = occurrence % self.size
            if self.transfer[number] < 0:
                self.move[occurrence] = self.now
                self.schedule(self.now + self.ticks[number], _END, engine, occurrence)
            elif self.streams.group[number]:
                self.meet(engine, occurrence, number)
            else:
                self.begin_flow(occurrence)
        self.note(engine)

    def meet(self, engine: int, occurrence: int, number: int) -> None:
        """A member of a multicast group is ready; the last one starts the transfer for all."""
        key = (occurrence // self.size, self.streams.group[number])
        members = self.arrived.setdefault(key, [])
        members.append(occurrence)
        self.rendezvous[engine] += 1
        if len(members) < len(self.streams.groups[key[1]]):
            return
        for member in members:
            other = self.streams.engine[member % self.size]
            self.rendezvous[other] -= 1
            if member != occurrence:
                self.cause[member] = occurrence
                self.move[member] = self.now
                self.note(other)
        self.begin_flow(occurrence)

    def begin_flow(self, occurrence: int) -> None:
        number = occurrence % self.size
        self.move[occurrence] = self.now
        self.network.join(
            self.now, self.transfer[number], self.bus_bytes[number] * WORK_PER_BYTE, occurrence
        )

    def end_flow(self, occurrence: int) -> None:
        """A transfer has moved all its bytes; the last arrival stands for its whole group, and ends
        first.
        """
        group = self.streams.group[occurrence % self.size]
        members = [occurrence]
        if group:
            arrived = self.arrived.pop((occurrence // self.size, group))
            members += [member for member in arrived if member != occurrence]
        for member in members:
            engine = self.streams.engine[member % self.size]
            self.moving[engine] -= 1
            self.finish_move(engine, member)

    def finish_move(self, engine: int, occurrence: int) -> None:
        """Retires what is done, in order, and lets the next transfers move."""
        self.moved[occurrence] = 1
        flight, previous = self.flight[engine], -1
        while flight and self.moved[flight[0]]:
            done = flight.popleft()
            if previous >= 0:
                self.cause[done] = previous
            self.retire(engine, done)
            previous = done
        self.begin_moves(engine, occurrence)
        self.go_on(engine, occurrence)

    # Completion

    def retire(self, engine: int, occurrence: int) -> None:
        """The instruction is complete: signals, and wakes the engines that waited for it."""
        self.retired[engine] += 1
        self.end[occurrence] = self.now
        repetition, number = divmod(occurrence, self.size)
        for counter in self.streams.signals[number]:
            own = counter // self.streams.program.counters == engine // ENGINE_COUNT
            if own or not self.signal_latency:
                self.signal((repetition, counter), occurrence)
            else:
                counters = len(self.streams.program.streams) * self.streams.program.counters
                key = repetition * counters + counter
                self.schedule(self.now + self.signal_latency, _SIGNAL, key, occurrence)
        waiters = self.engine_waiters[engine]
        if waiters:
            count = self.retired[engine]
            woken = [other for other in waiters if self.need[other] <= count]
            if woken:
                self.engine_waiters[engine] = [
                    other for other in waiters if self.need[other] > count
                ]
                for other in woken:
                    self.take(other, occurrence)

    def signal(self, key: tuple[int, int], occurrence: int) -> None:
        """A counter grows by one."""
        value = self.counters[key] = self.counters.get(key, 0) + 1
        waiters = self.counter_waiters.get(key)
        if waiters:
            self.counter_waiters[key] = [waiter for waiter in waiters if waiter[1] > value]
            for other, least in waiters:
                if least <= value:
                    self.take(other, occurrence)

    def note(self, engine: int) -> None:
        """Books the time since the last change of an engine's state."""
        if not self.is_dma[engine]:
            state = BUSY if self.flight[engine] else self.blocked[engine]
        elif self.moving[engine] > self.rendezvous[engine]:
            state = BUSY
        elif self.rendezvous[engine]:
            state = MULTICAST
        else:
            state = LATENCY if self.flight[engine] else self.blocked[engine]
        if state is None:
            state = FINISHED
        if state != self.state[engine]:
            before, since = self.state[engine], self.since[engine]
            self.spent[engine][before] += self.now - since
            if before < BUSY and since < self.now:
                self.stalls.append((engine, before, self.delayed[engine], since, self.now))
            self.state[engine], self.since[engine] = state, self.now
            if state < BUSY:
                self.delayed[engine] = self.next_in_line(engine)

    def next_in_line(self, engine: int) -> int:
        """The occurrence that a stalled engine is to complete next: the oldest under way, or the
        head of its queue.
        """
        if self.flight[engine]:
            return self.flight[engine][0]
        repetition, place = divmod(self.head[engine], self.length[engine])
        return repetition * self.size + self.streams.queues[engine][place]


def run_machine(streams: Streams, costs: Costs, repeat: int, signal_latency: int) -> Timeline:
    """Runs a simulation to its end, all time booked. Raises DiagnosticError on deadlock."""
    machine = Machine(streams, costs, repeat, signal_latency)
    machine.run()
    now = max(max(machine.end, default=0), machine.now)
    for engine, state in enumerate(machine.state):
        machine.spent[engine][state] += now - machine.since[engine]

    def table(rows: list, width: int) -> np.ndarray:
        return np.array(rows, dtype=np.int64).reshape(-1, width)

    def times(values: list[int]) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    return Timeline(
        start=times(machine.start),
        move=times(machine.move),
        end=times(machine.end),
        cause=times(machine.cause),
        spent=table(machine.spent, len(STATE_NAMES)),
        stalls=table(machine.stalls, 5),
        load_times=times([time for time, _ in machine.loads]),
        loads=table([loads for _, loads in machine.loads], len(costs.network.capacities)),
        size=machine.size,
        repeat=repeat,
    )
