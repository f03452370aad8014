"""Transfers in progress: how much each has moved, and which finishes next.

Transfers of a class always have the same rate, so the network counts the work that *one* transfer
of the class has been served since some origin; a transfer that joins when that count is S with W to
move is done when the count is S + W. Joining and finishing then cost a heap operation, not a visit
to every transfer.
"""

from __future__ import annotations

from heapq import heappop, heappush

from .sharing import FlowClass, fair_rates


class Network:
    """Active transfers by class, on resources with fixed `capacities` (units of work per tick)."""

    def __init__(self, capacities: list[int]) -> None:
        self.capacities = capacities
        self.classes: list[FlowClass] = []
        self._number: dict[FlowClass, int] = {}
        self._counts: list[int] = []
        self._served: list[int] = []
        self._rates: list[int] = []
        self._ends: list[list[tuple[int, int, int]]] = []
        self._known: dict[tuple[int, ...], list[int]] = {}
        self._now = 0
        self._joined = 0
        self.changed = False
        """Whether transfers joined or left since the last `next_end`."""

    def idle(self) -> Network:
        """A network of the same classes without transfers."""
        network = Network(self.capacities)
        for flow_class in self.classes:
            network.number(flow_class)
        return network

    def number(self, flow_class: FlowClass) -> int:
        """The number of a class, for `join`."""
        if flow_class not in self._number:
            self._number[flow_class] = len(self.classes)
            self.classes.append(flow_class)
            self._counts.append(0)
            self._served.append(0)
            self._rates.append(0)
            self._ends.append([])
            self._known.clear()
        return self._number[flow_class]

    def loads(self) -> list[int]:
        """Units of work per tick that the transfers in progress take of each resource, at the rates
        of the last `next_end`.
        """
        loads = [0] * len(self.capacities)
        for flow_class, count, rate in zip(self.classes, self._counts, self._rates, strict=True):
            if count:
                for resource, weight in flow_class.uses:
                    loads[resource] += count * rate * weight
        return loads

    def lone_rate(self, number: int) -> int:
        """Units of work per tick that a transfer of class `number` is served while it is alone."""
        return fair_rates([self.classes[number]], [1], self.capacities)[0]

    def _advance(self, now: int) -> None:
        elapsed = now - self._now
        if elapsed:
            for c, count in enumerate(self._counts):
                if count:
                    self._served[c] += elapsed * self._rates[c]
            self._now = now

    def join(self, now: int, number: int, work: int, token: int) -> None:
        """A transfer of class `number` with `work` units to move begins at time `now`; `token`
        comes back from `finished`.
        """
        self._advance(now)
        if not self._counts[number]:
            self._served[number] = 0
        self._counts[number] += 1
        self._joined += 1
        heappush(self._ends[number], (self._served[number] + work, self._joined, token))
        self.changed = True

    def finished(self, now: int) -> list[int]:
        """Removes the transfers that are done at time `now`; their tokens, in the order in which
        they joined.
        """
        self._advance(now)
        done: list[tuple[int, int]] = []
        for c, ends in enumerate(self._ends):
            served = self._served[c]
            while ends and ends[0][0] <= served:
                _, joined, token = heappop(ends)
                self._counts[c] -= 1
                done.append((joined, token))
        if done:
            self.changed = True
            done.sort()
        return [token for _, token in done]

    def next_end(self) -> int | None:
        """Shares the capacities anew; the time at which the next transfer finishes if none joins
        before, None if idle.
        """
        self.changed = False
        key = tuple(self._counts)
        rates = self._known.get(key)
        if rates is None:
            rates = self._known[key] = fair_rates(self.classes, self._counts, self.capacities)
        self._rates = rates
        soonest = None
        for c, ends in enumerate(self._ends):
            if ends:
                end = self._now - (self._served[c] - ends[0][0]) // rates[c]
                if soonest is None or end < soonest:
                    soonest = end
        return soonest
