"""The heaps of a machine in plain Python: events sorted by time, and transfers by the work at which they end.

`compiled_machine.py` has the same functions for rows of an array; nothing else of the machine is written twice.
"""

from __future__ import annotations

from heapq import heappop, heappush

from .machine_state import NEVER, EventRow, Machine

EVENTS, FLOWS = 0, 1
"""The heap of events, and the heap of transfers of class 0, which those of the other classes follow."""


def first_key(m: Machine, heap: int) -> int:
    """Return the smallest key in a heap, NEVER if it is empty."""
    rows = m.heaps[heap]
    return rows[0][0] if rows else NEVER


def first_number(m: Machine, heap: int) -> int:
    """Return the running number of the row with the smallest key, 0 if there is none."""
    rows = m.heaps[heap]
    return rows[0][1] if rows else 0


def push(m: Machine, heap: int, key: int, kind: int, place: int, occurrence: int) -> None:
    """Add a row; rows of the same key come out in the order in which they were added."""
    m.pushed += 1
    heappush(m.heaps[heap], (key, m.pushed, kind, place, occurrence))


def pop(m: Machine, heap: int) -> EventRow:
    """Take out the first row of a heap, which must not be empty, and return it."""
    return heappop(m.heaps[heap])


def lower_keys(m: Machine, heap: int, amount: int) -> None:
    """Subtract `amount` from all keys of a heap."""
    m.heaps[heap] = [(row[0] - amount, row[1], row[2], row[3], row[4]) for row in m.heaps[heap]]
