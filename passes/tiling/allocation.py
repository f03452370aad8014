"""Places buffers with known lifetimes in one memory: offline greedy best fit, without IR.

Buffers are rectangles: bytes × time. Two buffers whose lifetimes overlap must not share bytes. The problem is
NP-complete (Garey and Johnson, "Computers and Intractability", SR2). Greedy placement in order of decreasing size is
what is used in practice (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section
5); where that does not fit, the order by address in a skyline (`skyline.py`) often does, and orders are repaired.
"""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from ...backends.targets.alignment import ALIGNMENT_BYTES, align
from .skyline import skyline

_SKYLINE_PRIORITIES = (
    ("area * duration", "duration"),
    ("magnitude", "duration", "size"),
    ("duration", "size"),
    ("size", "duration"),
    ("area", "duration"),
)
"""Which buffer a skyline takes first where several fit: that with the greatest first number, of equals that with the
greatest next one.
"""

_REPAIRED_PLAIN = 1
_REPAIRED_SKYLINES = 2
"""How many of the best placements that do not fit are repaired, by turns, among those of plain orders and of skylines.
"""

_REPAIRS = 72
_REPAIRED_BUFFERS = 32_000
"""How often a placement that does not fit is tried again with the buffers that stuck out moved to
the front, and how many buffers that may place anew in all (some 6 µs each).
"""

_REPAIRABLE_SHARE = 1 / 40
_REPAIRABLE_BUFFERS = 2
"""Nothing is repaired where the best placement exceeds the capacity by more than both this share of it and so many
buffers of average size. In ResNet-50, Inception v1, MobileNet v2 and DenseNet-121 no such placement could be repaired.
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

    Several orders are tried (size, size × duration, first use, duration, then by address in skylines), and the first
    placement that fits in `capacity_bytes` is returned. If none fits, the best ones are repaired by turns: the buffers
    that exceeded the capacity are placed first in the next attempt. Buffers that have a `given` address keep it, and
    the others are placed around them. Raises ValueError if a lifetime ends before it begins.
    """
    for buffer in buffers:
        if buffer.last < buffer.first or buffer.size_bytes < 0:
            raise ValueError(f"not a lifetime: {buffer}")
    if not buffers:
        return Placement((), 0)
    if live_bytes(buffers, alignment) > capacity_bytes:
        return None
    request = _Request.of(buffers, given or [None] * len(buffers), alignment)
    starts: list[_Attempt] = []
    for orders, kept in (
        (request.plain_orders(), _REPAIRED_PLAIN),
        (request.skyline_orders(), _REPAIRED_SKYLINES),
    ):
        best: list[_Attempt] = []
        for order in orders:
            # A placement that uses no fewer bytes than those that will be repaired serves nothing.
            worst = best[-1].placement.size_bytes if len(best) == kept else None
            placement = request.placed(order, worst)
            if placement is None:
                continue
            if placement.size_bytes <= capacity_bytes:
                return placement
            best.append(_Attempt(order, placement))
            best = sorted(best, key=lambda each: each.placement.size_bytes)[:kept]
        starts += best
    return _repaired(request, starts, capacity_bytes)


@dataclass(frozen=True)
class _Attempt:
    """A placement that does not fit, and the order in which the buffers were placed."""

    order: np.ndarray
    placement: Placement


def _repaired(
    request: _Request, starts: Sequence[_Attempt], capacity_bytes: int
) -> Placement | None:
    """Repair attempts by turns until a placement fits; None if none does.

    What sticks out is placed first in the next attempt. An attempt that comes to an order that was tried already is
    given up.
    """
    excess = min(each.placement.size_bytes for each in starts) - capacity_bytes
    mean_bytes = request.sizes.mean() * request.alignment
    if excess > max(_REPAIRABLE_SHARE * capacity_bytes, _REPAIRABLE_BUFFERS * mean_bytes):
        return None
    turns = deque(starts)
    seen: set[bytes] = set()
    left = min(_REPAIRS, 1 + _REPAIRED_BUFFERS // len(request.sizes))
    while turns and left:
        attempt = turns.popleft()
        order = request.with_first(
            attempt.order, request.sticking_out(attempt.placement, capacity_bytes)
        )
        if order.tobytes() in seen:
            continue
        seen.add(order.tobytes())
        placement = request.placed(order)
        assert placement is not None
        if placement.size_bytes <= capacity_bytes:
            return placement
        turns.append(_Attempt(order, placement))
        left -= 1
    return None


def _to_front(order: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the order with the `chosen` buffers (bool, by number) before the others."""
    return np.concatenate((order[chosen[order]], order[~chosen[order]]))


def _neighbors(first: np.ndarray, last: np.ndarray) -> list[np.ndarray]:
    """Return for each buffer the numbers of those whose lifetimes overlap its own, and the two numbers after all."""
    order = np.argsort(first, kind="stable")
    before = np.searchsorted(first[order], last[order], side="right")
    begun, ends = last[order], before.tolist()
    outside = len(order), len(order) + 1
    neighbors: list[np.ndarray] = [order] * len(order)
    for at, (number, end) in enumerate(zip(order.tolist(), ends, strict=True)):
        earlier = order[:at][begun[:at] >= first[number]]
        neighbors[number] = np.concatenate((earlier, order[at + 1 : end], outside))
    return neighbors


_SHIFT = 32
_LAST = (1 << _SHIFT - 1) - 1
_RANGE, _BOUND = np.dtype("<i8"), np.dtype("<i4")
"""A range of bytes is one number, which NumPy sorts fastest: where it begins in the upper half, and where it ends in
the lower one, in units of the alignment. Both are `_LAST` for a buffer that is not placed yet.
"""


@dataclass(frozen=True)
class _Request:
    """Buffers to place, by number: their `sizes` and their `fixed` addresses (-1 for none), in units of `alignment`;
    the moments of their `first` and `last` use; the `neighbors` with which each must not share bytes: their numbers,
    and those of two that stand for what lies before and behind all of them.
    """

    sizes: np.ndarray
    fixed: np.ndarray
    first: np.ndarray
    last: np.ndarray
    neighbors: Sequence[np.ndarray]
    alignment: int

    @classmethod
    def of(
        cls, buffers: Sequence[Lifetime], given: Sequence[int | None], alignment: int
    ) -> _Request:
        """Return the request for these buffers, some of which have a `given` address."""
        sizes = np.array([align(b.size_bytes, alignment) for b in buffers], dtype=np.int64)
        first = np.array([b.first for b in buffers], dtype=np.int64)
        last = np.array([b.last for b in buffers], dtype=np.int64)
        # As ranks of time, so that a placement does not depend on what other memories do meanwhile.
        moments = np.unique(np.concatenate((first, last)))
        first, last = np.searchsorted(moments, first), np.searchsorted(moments, last)
        fixed = np.array([-1 if a is None else a // alignment for a in given], np.int64)
        return cls(sizes // alignment, fixed, first, last, _neighbors(first, last), alignment)

    def plain_orders(self) -> Iterator[np.ndarray]:
        """Yield orders by size, by size × duration, by first use and by duration."""
        duration = self.last - self.first + 1
        area = self.sizes * duration
        for keys in (
            (self.first, -self.sizes),
            (self.first, -area),
            (-self.sizes, self.first),
            (self.first, -duration),
        ):
            yield self.with_first(np.lexsort(keys))

    def skyline_orders(self) -> Iterator[np.ndarray]:
        """Yield orders by address in skylines of several priorities; in those, no address is given."""
        duration = self.last - self.first + 1
        columns = {
            "size": self.sizes,
            # The logarithm rounded up: buffers that differ less than twofold count as equally large.
            "magnitude": np.frexp(self.sizes)[1],
            "duration": duration,
            "area": self.sizes * duration,
            "area * duration": self.sizes * duration.astype(np.float64) ** 2,
        }
        for priority in _SKYLINE_PRIORITIES:
            order = np.lexsort([-columns[key] for key in reversed(priority)])
            addresses = skyline(self.sizes, self.first, self.last, order)
            yield self.with_first(np.argsort(addresses, kind="stable"))

    def with_first(self, order: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
        """Return the order with the `chosen` buffers (bool, by number) before the others, and those that have a fixed
        address before all.
        """
        if chosen is not None:
            order = _to_front(order, chosen)
        return _to_front(order, self.fixed >= 0)

    def sticking_out(self, placement: Placement, capacity_bytes: int) -> np.ndarray:
        """Return which buffers (bool, by number) end behind the capacity."""
        ends = np.array(placement.addresses) + self.sizes * self.alignment
        return ends > capacity_bytes

    def placed(self, order: np.ndarray, below: int | None = None) -> Placement | None:
        """Place each buffer in turn into the smallest gap that holds it, among its neighbors placed before. Those with
        a fixed address come first and keep it. Return None as soon as `below` bytes or more are used.
        """
        count = len(self.sizes)
        ranges = np.full(count + 2, _LAST << _SHIFT | _LAST, _RANGE)
        ranges[count] = 0
        sizes, fixed = self.sizes.tolist(), self.fixed.tolist()
        addresses, used = [0] * count, 0
        limit = inf if below is None else below // self.alignment
        for buffer in order.tolist():
            size, address = sizes[buffer], fixed[buffer]
            if address < 0 and not size:
                address = 0
            elif address < 0:
                address = _best_gap(ranges[self.neighbors[buffer]], size)
            end = address + size
            if end > used:
                if end >= limit:
                    return None
                used = end
            ranges[buffer] = address << _SHIFT | end
            addresses[buffer] = address * self.alignment
        return Placement(tuple(addresses), used * self.alignment)


def _best_gap(ranges: np.ndarray, size: int) -> int:
    """Return the start of the smallest gap of at least `size` between ranges."""
    ranges.sort()
    bounds = ranges.view(_BOUND)
    reached = np.maximum.accumulate(bounds[:-2:2])
    left = bounds[3::2] - reached
    left -= size
    # What is below zero is greatest as an unsigned number.
    return int(reached[left.view(np.uint32).argmin()])
