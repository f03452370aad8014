"""A second, slow machine, which the simulator's is compared with: another method, and no code in common.

It has no events, queues of waiters, classes of transfers or running sums. At every instant it looks at
everything, again and again until nothing more can happen; then it asks when the next thing will, and
moves every transfer on by its own rate until then.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from smalti.backends.simulator.streams.streams import ENGINE_COUNT, Streams
from smalti.backends.simulator.timing.costs import WORK_PER_BYTE, Costs
from smalti.backends.simulator.timing.machine_state import PASSES
from smalti.backends.simulator.timing.timeline import STATE_NAMES

COUNTER, REPETITION, LATENCY, MULTICAST, DRAIN, BUSY, FINISHED = map(
    STATE_NAMES.index,
    ("counter", "repetition", "latency", "multicast", "drain", "busy", "finished"),
)


@dataclass(eq=False)
class Occurrence:
    """An instruction in one repetition; times are None until they have come."""

    number: int
    repetition: int
    engine: int
    is_dma: bool
    start: int | None = None
    issued: int | None = None
    begun: bool = False
    """Has got one of its engine's places among those that move data."""
    move: int | None = None
    moved: bool = False
    end: int | None = None
    left: int = 0
    """Work that is still to move, of a transfer."""


@dataclass(eq=False)
class SlowMachine:
    """Runs a program to its end, or until nothing can go on (`is_deadlock`)."""

    streams: Streams
    costs: Costs
    repeat: int
    hop: int
    now: int = 0
    loads: list[tuple[int, list[int]]] = field(default_factory=list)
    """From when on which load is on each resource."""

    def __post_init__(self) -> None:
        streams = self.streams
        self.queues = [
            [
                Occurrence(number, repetition, engine, engine % ENGINE_COUNT < 2)
                for repetition in range(self.repeat)
                for number in queue
            ]
            for engine, queue in enumerate(streams.queues)
        ]
        self.occurrences = [o for queue in self.queues for o in queue]
        self.spent = [[0] * len(STATE_NAMES) for _ in self.queues]
        dma = streams.program.target.dma
        self.outstanding, self.places = dma.outstanding, streams.program.queues
        while True:
            while any(self.step(queue) for queue in self.queues):
                pass
            rates = self.rates()
            later = self.next_times(rates)
            if not later:
                break
            self.pass_time(min(later) - self.now, rates)
        self.is_deadlock = any(o.end is None for o in self.occurrences)

    def is_transfer(self, o: Occurrence) -> bool:
        return int(self.costs.transfer[o.number]) >= 0

    def moves(self, o: Occurrence) -> bool:
        """Whether it shares bandwidth now: of a multicast, only the first member stands for all."""
        return (
            self.is_transfer(o) and o.move is not None and not o.moved and o is self.members(o)[0]
        )

    def members(self, o: Occurrence) -> list[Occurrence]:
        group = self.streams.group[o.number]
        if not group:
            return [o]
        return [
            other
            for other in self.occurrences
            if self.streams.group[other.number] == group and other.repetition == o.repetition
        ]

    def is_further_store(self, o: Occurrence) -> bool:
        """Whether it is a store of a multicast but not the first one."""
        first = self.members(o)[0]
        return first is not o and first.engine == o.engine

    def places_taken(self, occurrences: list[Occurrence]) -> int:
        """How many transfers the occurrences are: the stores of a multicast are one."""
        return sum(not self.is_further_store(o) for o in occurrences)

    # What happens at one instant

    def step(self, queue: list[Occurrence]) -> bool:
        """Lets an engine do what it can; whether that was anything."""
        return any([self.retire(queue), self.take(queue), *map(self.go_on, queue)])

    def retire(self, queue: list[Occurrence]) -> bool:
        for o in queue:
            if o.end is None:
                if o.moved:
                    o.end = self.now
                return o.moved
        return False

    def take(self, queue: list[Occurrence]) -> bool:
        waiting = [o for o in queue if o.start is None]
        if not waiting:
            return False
        o = waiting[0]
        under_way = [o for o in queue if o.start is not None and o.end is None]
        if o.is_dma:
            is_full = self.places_taken(under_way) >= self.outstanding
            is_busy = any(p.issued is None for p in under_way) or (
                is_full and not self.is_further_store(o)
            )
        elif self.folds(o) or self.passes(o):
            is_busy = any(self.now < self.lets_go(p) for p in under_way)
        else:
            is_busy = bool(under_way)
        if is_busy or self.waits_for(o) is not None:
            return False
        o.start = self.now
        if not o.is_dma:
            before = self.before(o)
            o.move = max([self.now, *(self.stream_end(p) for p in before)])
        return True

    # Folds: the times of an instruction from those of the one before it, worked out anew each time

    def folds(self, o: Occurrence) -> bool:
        return int(self.costs.interval[o.number]) > 0

    def passes(self, o: Occurrence) -> bool:
        """Whether it is a sync beside which the array goes on."""
        return int(self.costs.interval[o.number]) == PASSES

    def before(self, o: Occurrence) -> list[Occurrence]:
        """The instruction before it in its queue, if there is one."""
        place = self.queues[o.engine].index(o)
        return self.queues[o.engine][place - 1 : place] if place else []

    def in_array_before(self, o: Occurrence) -> list[Occurrence]:
        """The last instruction before it in its queue that is no such sync, if there is one."""
        found = self.before(o)
        while found and self.passes(found[0]):
            found = self.before(found[0])
        return found

    def lets_go(self, o: Occurrence) -> int:
        """When the next one may leave the queue."""
        return self.taken(o) if self.passes(o) else self.last_fold(o)

    def taken(self, o: Occurrence) -> int:
        assert o.start is not None
        return o.start + self.ticks(o)

    def first_fold(self, o: Occurrence) -> int:
        assert o.start is not None
        loaded = o.start + int(self.costs.fill[o.number])
        before = self.in_array_before(o)
        room = [self.last_fold(p) + int(self.costs.interval[p.number]) for p in before]
        return max([loaded, *room])

    def last_fold(self, o: Occurrence) -> int:
        """When the last fold begins; of an instruction without folds, when it is complete."""
        parts = (self.costs.fill, self.costs.stream, self.costs.drain)
        return self.first_fold(o) + self.ticks(o) - sum(int(part[o.number]) for part in parts)

    def stream_end(self, o: Occurrence) -> int:
        if self.passes(o):
            return max([self.taken(o), *map(self.stream_end, self.before(o))])
        return self.last_fold(o) + int(self.costs.stream[o.number])

    def completion(self, o: Occurrence) -> int:
        earlier = [self.completion(p) for p in self.before(o)]
        own = self.taken(o) if self.passes(o) else self.stream_end(o) + self.drain(o)
        return max([own, *earlier])

    def drain(self, o: Occurrence) -> int:
        return int(self.costs.drain[o.number])

    def waits_for(self, o: Occurrence) -> int | None:
        """The state that the first wait that is not met puts its engine in, None if all are."""
        streams = self.streams
        if o.repetition and o is next(
            p for p in self.queues[o.engine] if p.repetition == o.repetition
        ):
            core = o.engine // ENGINE_COUNT
            if any(
                p.end is None and p.repetition < o.repetition
                for p in self.occurrences
                if p.engine // ENGINE_COUNT in self.round_of(core)
            ):
                return REPETITION
        for other, count in streams.waits[o.number]:
            needed = count + o.repetition * len(streams.queues[other])
            if sum(p.end is not None for p in self.queues[other]) < needed:
                return other % ENGINE_COUNT
        wait = streams.counter_wait[o.number]
        if wait is not None:
            counter, value = wait
            arrivals = [arrival for p in self.occurrences for arrival in self.arrivals(p, counter)
                        if p.repetition == o.repetition]  # fmt: skip
            if sum(arrival <= self.now for arrival in arrivals) < value:
                return COUNTER
        return None

    def round_of(self, core: int) -> range:
        """The cores that repeat together with a core."""
        first = 0
        for count in self.streams.program.parts or (self.streams.cores,):
            if core < first + count:
                break
            first += count
        cores = range(first, first + count)
        is_reached = any(
            self.costs.reaches[number]
            for number, own in enumerate(self.streams.core_numbers.tolist())
            if own in cores
        )
        return cores if is_reached else range(core, core + 1)

    def arrivals(self, o: Occurrence, counter: int) -> list[int]:
        """When the signal of an instruction that is complete arrives at a counter."""
        if o.end is None or counter not in self.streams.signals[o.number]:
            return []
        own = counter // self.streams.program.counters == o.engine // ENGINE_COUNT
        return [o.end + (0 if own else self.hop)]

    def go_on(self, o: Occurrence) -> bool:
        """Lets an instruction that has been taken come to its next stage."""
        if o.start is None or o.moved:
            return False
        if not o.is_dma:
            o.moved = self.now == self.completion(o)
            return o.moved
        if o.issued is None:
            if self.now < self.issue_end(o):
                return False
            o.issued = self.now
            return True
        if not o.begun:
            o.begun = self.may_begin(o)
            return o.begun
        if o.move is None:
            members = self.members(o)
            if not all(member.begun for member in members):
                return False
            for member in members:
                member.move = self.now
            members[0].left = self.work(members)
            return True
        if self.is_transfer(o):
            o.moved = self.members(o)[0].left <= 0
        else:
            o.moved = self.now == o.move + self.ticks(o)
        return o.moved

    def may_begin(self, o: Occurrence) -> bool:
        """Whether its latency is over, those before it have begun, and a place is free."""
        queue = self.queues[o.engine]
        before = queue[: queue.index(o)]
        moving = self.places_taken([p for p in queue if p.begun and not p.moved])
        has_place = moving < self.places or self.is_further_store(o)
        return self.now >= self.ready_time(o) and all(p.begun for p in before) and has_place

    # When the next thing happens

    def ticks(self, o: Occurrence) -> int:
        return int(self.costs.ticks[o.number])

    def work(self, members: list[Occurrence]) -> int:
        """The work of the last member to arrive, of which all have the same here."""
        (size,) = {int(self.costs.bus_bytes[o.number]) for o in members}
        return size * WORK_PER_BYTE

    def issue_end(self, o: Occurrence) -> int:
        assert o.start is not None
        return o.start + (self.ticks(o) if self.is_transfer(o) else 0)

    def ready_time(self, o: Occurrence) -> int:
        assert o.issued is not None
        return o.issued + int(self.costs.latency[o.number])

    def next_times(self, rates: dict[Occurrence, int]) -> list[int]:
        """The times to come at which something may happen."""
        times = [self.now + -(-o.left // rate) for o, rate in rates.items()]
        for o in self.occurrences:
            if o.start is None:
                continue
            if not o.is_dma:
                times += [self.lets_go(o), self.stream_end(o), self.completion(o)]
            elif o.move is not None and not self.is_transfer(o):
                times.append(o.move + self.ticks(o))
            if o.is_dma:
                times.append(self.issue_end(o))
                if o.issued is not None:
                    times.append(self.ready_time(o))
            if o.end is not None:
                times.append(o.end + self.hop)
        return [time for time in times if time > self.now]

    def pass_time(self, elapsed: int, rates: dict[Occurrence, int]) -> None:
        for engine, queue in enumerate(self.queues):
            self.spent[engine][self.state(queue)] += elapsed
        self.loads.append((self.now, self.load(rates)))
        for o, rate in rates.items():
            o.left -= elapsed * rate
        self.now += elapsed

    def state(self, queue: list[Occurrence]) -> int:
        """What an engine is doing."""
        under_way = [o for o in queue if o.start is not None and o.end is None]
        if under_way:
            if not under_way[0].is_dma:
                return BUSY if self.now < max(map(self.stream_end, under_way)) else DRAIN
            if any(o.move is not None and not o.moved for o in under_way):
                return BUSY
            return MULTICAST if any(o.begun and not o.moved for o in under_way) else LATENCY
        waiting = [o for o in queue if o.start is None]
        if not waiting:
            return FINISHED
        state = self.waits_for(waiting[0])
        assert state is not None
        return state

    # Bandwidth

    def uses(self, o: Occurrence) -> dict[int, int]:
        """How many times its rate a transfer takes of which resource."""
        return dict(self.costs.flow_classes.classes[int(self.costs.transfer[o.number])].uses)

    def load(self, rates: dict[Occurrence, int]) -> list[int]:
        resources = range(len(self.costs.flow_classes.capacities))
        return [
            sum(rate * self.uses(o).get(resource, 0) for o, rate in rates.items())
            for resource in resources
        ]

    def rates(self) -> dict[Occurrence, int]:
        """The max-min fair rate of every transfer that moves data: all grow together until one is stopped, by its
        own limit or by a resource that is used up; then the others go on.
        """
        growing = [o for o in self.occurrences if self.moves(o)]
        left = dict(enumerate(self.costs.flow_classes.capacities))
        rates: dict[Occurrence, int] = {}
        while growing:
            demand = {r: sum(self.uses(o).get(r, 0) for o in growing) for r in left}
            stops = {
                o: min(
                    [
                        self.costs.flow_classes.classes[int(self.costs.transfer[o.number])].limit,
                        *(left[r] // demand[r] for r in self.uses(o)),
                    ]
                )
                for o in growing
            }
            stopped = [o for o in growing if stops[o] == min(stops.values())]
            for o in stopped:
                rates[o] = max(stops[o], 1)
            for r in left:
                taken = sum(rates[o] * self.uses(o).get(r, 0) for o in stopped)
                left[r] = max(left[r] - taken, 0)
            growing = [o for o in growing if o not in stopped]
        return rates
