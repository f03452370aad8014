"""Computes max-min fair shares of bandwidth for transfers that use the same memory at the same time.

A share is max-min fair if none can grow without taking from one that is not larger (Bertsekas and
Gallager, *Data Networks*, section 6.5.2). Progressive filling finds it: all rates grow together
until a resource is full or a transfer reaches its own limit; those transfers are done, the others
go on. The arithmetic is in integers, so the result depends on nothing but the input.
"""

from __future__ import annotations

from dataclasses import dataclass

from .machine_state import LARGEST, NONE, Machine


@dataclass(frozen=True)
class FlowClass:
    """Transfers that are alike: none may exceed `limit`, and each takes `weight` times its rate of
    every resource in `uses`.

    `uses` are pairs (resource, weight). Rates and limits are in one integer unit of work per tick.
    """

    limit: int
    uses: tuple[tuple[int, int], ...]


class FlowClasses:
    """The classes of a program's transfers, numbered, on resources with fixed `capacities` (units of work per
    tick).
    """

    def __init__(self, capacities: list[int]) -> None:
        self.capacities = capacities
        self.classes: list[FlowClass] = []
        self._numbers: dict[FlowClass, int] = {}

    def number(self, flow_class: FlowClass) -> int:
        """Return the number of a class; a new class gets the next number."""
        if flow_class not in self._numbers:
            self._numbers[flow_class] = len(self.classes)
            self.classes.append(flow_class)
        return self._numbers[flow_class]

    def lone_rate(self, number: int) -> int:
        """Return how many units of work per tick a transfer of class `number` is served while it is alone."""
        flow_class = self.classes[number]
        shares = [self.capacities[resource] // weight for resource, weight in flow_class.uses]
        return max(1, min([flow_class.limit, *shares]))


def fair_rates(m: Machine) -> None:
    """Find the max-min fair rate of one transfer of each class, with `count` transfers in each, and write counts and
    rates to the row at `rate_row`.

    Rates are rounded down to integers, at least 1 for classes with transfers, 0 for the others; a
    capacity is exceeded only if there is less than one unit for each transfer.
    """
    for c in range(m.classes):
        m.rate_count[m.rate_row + c] = m.count[c]
        m.rate[m.rate_row + c] = 0
    for k in range(m.actives):
        m.rate[m.rate_row + m.active[k]] = NONE
    for r in range(m.resources):
        m.left[r] = m.capacity[r]
    still_open = m.actives
    while still_open:
        lowest = reached_levels(m)
        for k in range(m.actives):
            c = m.active[k]
            if m.rate[m.rate_row + c] == NONE and m.reached[c] == lowest:
                rate = max(lowest, 1)
                m.rate[m.rate_row + c] = rate
                still_open -= 1
                for use in range(m.use_begin[c], m.use_begin[c + 1]):
                    m.left[m.use_resource[use]] -= rate * m.use_weight[use] * m.count[c]
        for r in range(m.resources):
            m.left[r] = max(m.left[r], 0)


def reached_levels(m: Machine) -> int:
    """Find the level up to which the rate of each open class (its rate is NONE) can grow, and return the lowest
    level.
    """
    for r in range(m.resources):
        m.demand[r] = 0
    for k in range(m.actives):
        c = m.active[k]
        if m.rate[m.rate_row + c] == NONE:
            for use in range(m.use_begin[c], m.use_begin[c + 1]):
                m.demand[m.use_resource[use]] += m.use_weight[use] * m.count[c]
    lowest = LARGEST
    for k in range(m.actives):
        c = m.active[k]
        if m.rate[m.rate_row + c] == NONE:
            level = m.limit[c]
            for use in range(m.use_begin[c], m.use_begin[c + 1]):
                r = m.use_resource[use]
                level = min(level, m.left[r] // m.demand[r])
            m.reached[c] = level
            lowest = min(lowest, level)
    return lowest
