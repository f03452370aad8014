"""The machine compiled by numba for long programs: ten to twenty times quicker than in plain Python.

The rules are those of `machine.py` and the modules below it, translated (`translation.py`). Only what differs
is here: the heaps of `event_heap.py`, as rows of the array `m`.

numba keeps the machine code on disk; `compiled_run.py` makes sure that it was compiled from the present sources.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from . import engine_states, machine, sharing, transfers
from .machine_state import HEAP_COLUMNS, NEVER
from .translation import HEAP_BEGIN, HEAP_SIZE, PLACES, translate

Memory = Any
"""An int64 array [n], whose elements are plain integers here."""

_compiled = njit(cache=True, error_model="numpy", nogil=True)
_BEGIN, _SIZE, _PUSHED = PLACES[HEAP_BEGIN], PLACES[HEAP_SIZE], PLACES["pushed"]


@_compiled
def first_key(m: Memory, heap: int) -> int:
    """Return the same as `event_heap.first_key`."""
    if m[m[_SIZE] + heap] == 0:
        return NEVER
    return m[m[m[_BEGIN] + heap]]


@_compiled
def first_number(m: Memory, heap: int) -> int:
    """Return the same as `event_heap.first_number`."""
    if m[m[_SIZE] + heap] == 0:
        return 0
    return m[m[m[_BEGIN] + heap] + 1]


@_compiled
def push(m: Memory, heap: int, key: int, kind: int, place: int, occurrence: int) -> None:
    """Do the same as `event_heap.push`; the new row has the largest number of all, so only keys are compared."""
    m[_PUSHED] += 1
    begin, hole = m[m[_BEGIN] + heap], m[m[_SIZE] + heap]
    m[m[_SIZE] + heap] += 1
    while hole > 0:
        parent = (hole - 1) >> 1
        if m[begin + parent * HEAP_COLUMNS] <= key:
            break
        _copy(m, begin + hole * HEAP_COLUMNS, begin + parent * HEAP_COLUMNS)
        hole = parent
    row = begin + hole * HEAP_COLUMNS
    m[row], m[row + 1], m[row + 2], m[row + 3], m[row + 4] = (
        key, m[_PUSHED], kind, place, occurrence
    )  # fmt: skip


@_compiled
def pop(m: Memory, heap: int) -> tuple[int, int, int, int, int]:
    """Do the same as `event_heap.pop`."""
    begin, size = m[m[_BEGIN] + heap], m[m[_SIZE] + heap]
    m[m[_SIZE] + heap] = size - 1
    first = m[begin], m[begin + 1], m[begin + 2], m[begin + 3], m[begin + 4]
    last, hole = begin + (size - 1) * HEAP_COLUMNS, 0
    while True:
        child = 2 * hole + 1
        if child >= size - 1:
            break
        row = begin + child * HEAP_COLUMNS
        if child + 1 < size - 1 and _before(m, row + HEAP_COLUMNS, row):
            child, row = child + 1, row + HEAP_COLUMNS
        if not _before(m, row, last):
            break
        _copy(m, begin + hole * HEAP_COLUMNS, row)
        hole = child
    _copy(m, begin + hole * HEAP_COLUMNS, last)
    return first


@_compiled
def lower_keys(m: Memory, heap: int, amount: int) -> None:
    """Do the same as `event_heap.lower_keys`."""
    begin = m[m[_BEGIN] + heap]
    for row in range(m[m[_SIZE] + heap]):
        m[begin + row * HEAP_COLUMNS] -= amount


@_compiled
def _before(m: Memory, a: int, b: int) -> bool:
    """Return whether row a comes before row b: by its key, then by its number."""
    return m[a] < m[b] or (m[a] == m[b] and m[a + 1] < m[b + 1])


@_compiled
def _copy(m: Memory, target: int, source: int) -> None:
    for column in range(HEAP_COLUMNS):
        m[target + column] = m[source + column]


_HEAPS = (first_key, first_number, push, pop, lower_keys)
_functions = translate(
    [sharing, transfers, engine_states, machine],
    {function.__name__: function for function in _HEAPS},
    _compiled,
)
begin: Any = _functions["begin"]
advance: Any = _functions["advance"]
