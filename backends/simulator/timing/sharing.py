"""Max-min fair shares of bandwidth: who gets how much when several transfers use the same memory.

A share is max-min fair if none can grow without taking from one that is not larger (Bertsekas and
Gallager, *Data Networks*, section 6.5.2). Progressive filling finds it: all rates grow together
until a resource is full or a transfer reaches its own limit; those transfers are done, the others
go on. Pure integer arithmetic, so the result depends on nothing but the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FlowClass:
    """Transfers that are alike: none may exceed `limit`, and each takes `weight` times its rate of
    every resource in `uses`.

    `uses` are pairs (resource, weight). Rates and limits are in one integer unit of work per tick.
    """

    limit: int
    uses: tuple[tuple[int, int], ...]


def fair_rates(
    classes: Sequence[FlowClass], counts: Sequence[int], capacities: Sequence[int]
) -> list[int]:
    """The max-min fair rate of one transfer of each class, with `counts[c]` transfers active in
    class c.

    Rounded down to integers, at least 1 for active classes, 0 for the others; a capacity is
    exceeded only if there is less than one unit for each transfer.
    """
    rates = [0] * len(classes)
    left = list(capacities)
    open_classes = [c for c, count in enumerate(counts) if count > 0]
    while open_classes:
        demand = [0] * len(left)
        for c in open_classes:
            for resource, weight in classes[c].uses:
                demand[resource] += weight * counts[c]
        levels = [left[r] // demand[r] if demand[r] else None for r in range(len(left))]
        reached = {
            c: min(
                [
                    classes[c].limit,
                    *(level for r, _ in classes[c].uses if (level := levels[r]) is not None),
                ]
            )
            for c in open_classes
        }
        lowest = min(reached.values())
        for c in [c for c in open_classes if reached[c] == lowest]:
            rates[c] = max(lowest, 1)
            for resource, weight in classes[c].uses:
                left[resource] -= rates[c] * weight * counts[c]
            open_classes.remove(c)
        left = [max(amount, 0) for amount in left]
    return rates
