"""Places buffers with known lifetimes in one memory: offline greedy best fit, without IR.

Buffers are rectangles: bytes × time. Two buffers whose lifetimes overlap must not share bytes. The problem is
NP-complete (Garey and Johnson, "Computers and Intractability", SR2); greedy placement in order of decreasing size is
what is used in practice (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section
5).
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...backends.targets.alignment import ALIGNMENT_BYTES, align

_REPAIRS = 24
_REPAIRED_BUFFERS = 32_000
"""How often a placement that does not fit is tried again with the buffers that stuck out moved to
the front, and how many buffers that may place anew in all (some 50 µs each).
"""


@dataclass(frozen=True)
class Lifetime:
    """A buffer of `size_bytes` that is in use from time `first` to time `last`, both included."""

    size_bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Placement:
    """Where buffers are placed: byte addresses in the order of the request, and the number of bytes used in all."""

    addresses: tuple[int, ...]
    size_bytes: int


def pack(sizes: Iterable[int], alignment: int = ALIGNMENT_BYTES) -> Placement:
    """Place buffers of `sizes` bytes one after the other, so that none shares bytes with another."""
    addresses: list[int] = []
    end = 0
    for size in sizes:
        addresses.append(end)
        end = align(end + size, alignment)
    return Placement(tuple(addresses), end)


def peak(buffers: Sequence[Lifetime], alignment: int = ALIGNMENT_BYTES) -> tuple[int, int]:
    """Return the greatest number of bytes that are live at one time, and the first such time."""
    if not buffers:
        return 0, 0
    sizes = np.array([align(b.size_bytes, alignment) for b in buffers], dtype=np.int64)
    first = np.array([b.first for b in buffers], dtype=np.int64)
    last = np.array([b.last for b in buffers], dtype=np.int64)
    times = np.concatenate((first, last + 1))
    # At equal times buffers that end come before buffers that begin.
    order = np.lexsort((np.repeat([1, 0], len(buffers)), times))
    live = np.cumsum(np.concatenate((sizes, -sizes))[order])
    at = int(np.argmax(live))
    return int(live[at]), int(times[order[at]])


def live_bytes(buffers: Sequence[Lifetime], alignment: int = ALIGNMENT_BYTES) -> int:
    """Return the greatest number of bytes that are live at one time: no placement can use fewer."""
    return peak(buffers, alignment)[0]


def first_conflict(buffers: Sequence[Lifetime], addresses: Sequence[int]) -> tuple[int, int] | None:
    """Find two buffers that live at one time and share bytes at these addresses; None if there are none."""
    live: list[tuple[int, int, int]] = []
    """Buffers that live now, none sharing bytes with another: first byte, end, number; ascending."""
    for number in sorted(range(len(buffers)), key=lambda n: buffers[n].first):
        buffer, low = buffers[number], addresses[number]
        if not buffer.size_bytes:
            continue
        live = [entry for entry in live if buffers[entry[2]].last >= buffer.first]
        entry = (low, low + buffer.size_bytes, number)
        at = bisect(live, entry)
        for other_low, other_end, other in live[max(at - 1, 0) : at + 1]:
            if other_low < entry[1] and low < other_end:
                return other, number
        live.insert(at, entry)
    return None


def place(
    buffers: Sequence[Lifetime],
    capacity_bytes: int,
    alignment: int = ALIGNMENT_BYTES,
    *,
    given: Sequence[int | None] | None = None,
) -> Placement | None:
    """Return addresses such that buffers with overlapping lifetimes share no byte; None if none were found.

    Several orders are tried (size, size × duration, first use), and the first placement that fits in `capacity_bytes`
    is returned. If none fits, the best one is repaired: the buffers that exceeded the capacity are placed first in the
    next attempt. Buffers that have a `given` address keep it, and the others are placed around them. Raises ValueError
    if a lifetime ends before it begins.
    """
    for buffer in buffers:
        if buffer.last < buffer.first or buffer.size_bytes < 0:
            raise ValueError(f"not a lifetime: {buffer}")
    if not buffers:
        return Placement((), 0)
    if live_bytes(buffers, alignment) > capacity_bytes:
        return None
    sizes = np.array([align(b.size_bytes, alignment) for b in buffers], dtype=np.int64)
    first = np.array([b.first for b in buffers], dtype=np.int64)
    last = np.array([b.last for b in buffers], dtype=np.int64)
    # As ranks of time, so that a placement does not depend on what other memories do meanwhile.
    moments = np.unique(np.concatenate((first, last)))
    first, last = np.searchsorted(moments, first), np.searchsorted(moments, last)
    duration = last - first + 1
    fixed = np.array([-1 if a is None else a for a in given or [None] * len(buffers)], np.int64)
    orders = (
        np.lexsort((first, -sizes)),
        np.lexsort((first, -sizes * duration)),
        np.lexsort((-sizes, first)),
        np.lexsort((first, -duration)),
    )
    best: tuple[int, np.ndarray, np.ndarray] | None = None
    for order in orders:
        order = _to_front(order, fixed >= 0)
        addresses = _place_in_order(order, sizes, first, last, fixed)
        size = int((addresses + sizes).max())
        if size <= capacity_bytes:
            return Placement(tuple(addresses.tolist()), size)
        if best is None or size < best[0]:
            best = size, order, addresses
    assert best is not None
    _, order, addresses = best
    for _ in range(min(_REPAIRS, 1 + _REPAIRED_BUFFERS // len(buffers))):
        out = addresses + sizes > capacity_bytes
        order = _to_front(_to_front(order, out), fixed >= 0)
        addresses = _place_in_order(order, sizes, first, last, fixed)
        size = int((addresses + sizes).max())
        if size <= capacity_bytes:
            return Placement(tuple(addresses.tolist()), size)
    return None


def _to_front(order: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the order with the `chosen` buffers (bool, by number) before the others."""
    return np.concatenate((order[chosen[order]], order[~chosen[order]]))


def _place_in_order(
    order: np.ndarray, sizes: np.ndarray, first: np.ndarray, last: np.ndarray, fixed: np.ndarray
) -> np.ndarray:
    """Place each buffer in turn into the smallest gap that holds it, among the buffers placed before that are live at
    its time. Those with a `fixed` address (-1 for none) come first and keep it.
    """
    count = len(order)
    addresses = np.zeros(count, dtype=np.int64)
    # What is placed so far, in order of address, so that no sorting is needed for each buffer.
    low = np.zeros(count, dtype=np.int64)
    high = np.zeros(count, dtype=np.int64)
    begins = np.zeros(count, dtype=np.int64)
    ends = np.zeros(count, dtype=np.int64)
    for placed, buffer in enumerate(order.tolist()):
        size = int(sizes[buffer])
        meets = (begins[:placed] <= last[buffer]) & (ends[:placed] >= first[buffer])
        address = int(fixed[buffer])
        if address < 0:
            address = _best_gap(low[:placed][meets], high[:placed][meets], size)
        addresses[buffer] = address
        at = int(np.searchsorted(low[:placed], address, side="right"))
        for column, value in (
            (low, address), (high, address + size), (begins, first[buffer]), (ends, last[buffer]),
        ):  # fmt: skip
            column[at + 1 : placed + 1] = column[at:placed].copy()
            column[at] = value
    return addresses


def _best_gap(low: np.ndarray, high: np.ndarray, size: int) -> int:
    """Return the start of the smallest gap of at least `size` bytes between intervals that ascend by `low`; their end
    if there is no such gap.
    """
    if not len(low):
        return 0
    reached = np.maximum.accumulate(high)
    starts = np.concatenate(([0], reached[:-1]))
    gaps = low - starts
    fits = np.flatnonzero(gaps >= size)
    if len(fits):
        return int(starts[fits[np.argmin(gaps[fits])]])
    return int(reached[-1])
