"""The heaps of a machine in plain Python: of events by time, and of transfers by the work that ends them.

`compiled_machine.py` has the same functions on rows of an array; nothing else is written twice.
"""

from __future__ import annotations

from heapq import heappop, heappush

from .machine_state import NEVER, EventRow, Machine

EVENTS, FLOWS = 0, 1
"""The heap of events; the heap of class 0 of transfers, behind which those of the others stand."""


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
    """Take out the first row of a heap that has one."""
    return heappop(m.heaps[heap])


def lower_keys(m: Machine, heap: int, amount: int) -> None:
    """Subtract the same from all keys of a heap."""
    m.heaps[heap] = [(row[0] - amount, row[1], row[2], row[3], row[4]) for row in m.heaps[heap]]
