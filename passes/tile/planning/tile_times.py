"""Estimates when the tiles of layers run: a play of both units of one core, tile by tile, no IR.

A tile is multiplied, in one step for each part of its depth, and then its accumulators pass the vector unit; layers
without products take that alone. A step starts as soon as what it reads is there and its unit is free, also before
steps of earlier layers that wait. Weights are taken to be there in time, unless the play is told when they are
(`load_times.py`). Loads follow one another, and so do stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, Protocol


class Exchange(NamedTuple):
    """What it takes until another core has a tile: `latency` cycles from its end, for the issue of the copy, the wait
    for what is sent before it and the interconnect, and `share` of the time in which it passes the port.
    """

    latency: float
    share: float


LEAST_EXCHANGE = Exchange(100.0, 1.0)
"""What the search for tiles reckons with: each tile is sent at once, through a port that has nothing else to do."""


_LEAST_GAP = 24.0
"""Gaps between steps that are shorter are not filled."""

_GAPS = 8
"""In how many gaps of a unit a later step may start."""

_STEP_CYCLES = 32.0
"""What one more step counts as work: for programs with fewer instructions, among those that take as long."""

Gaps = list[tuple[float, float]]
"""When a unit is free, ascending; the last gap has no end."""


class Tile(NamedTuple):
    """The cycles that a tile takes: to load what comes from global memory; of the matrix unit, for each part of its
    depth; of the vector unit; and to store what goes to global memory.
    """

    load: float
    products: tuple[float, ...]
    vector: float
    store: float = 0.0


class Wait(NamedTuple):
    """What the steps of a layer read of another one: the number of its last tile, -1 for none, among those that this
    core computes, and among those of others; all of what comes from others passes the port in `port` cycles.
    """

    own: Sequence[int]
    others: Sequence[int]
    port: float


class Timeline(NamedTuple):
    """When the units are free after some layers, when what they load is there, when all of them are done and what they
    store is written, and for how many cycles they work.
    """

    matrix: Gaps = [(0.0, inf)]  # noqa: RUF012 (never changed)
    vector: Gaps = [(0.0, inf)]  # noqa: RUF012
    loaded: float = 0.0
    stored: float = 0.0
    done: float = 0.0
    worked: float = 0.0

    @property
    def score(self) -> float:
        """What a search makes small."""
        return self.done + self.worked / 16

    def with_done(self, done: float) -> Timeline:
        """Return the times if all layers are done at `done` at the earliest."""
        return self._replace(done=max(self.done, done))


class Loads(Protocol):
    """What the steps of a layer load, which are numbered from 0."""

    def arrival(self, step: int) -> float:
        """Return when all is there that a step loads; all steps before it have run."""
        ...

    def ran(self, step: int, start: float, end: float) -> None:
        """Note when a step runs."""
        ...


def play(
    before: Timeline,
    tiles: Sequence[Tile],
    waits: Sequence[tuple[Wait, Sequence[float]]],
    accumulators: int,
    drain: float,
    loads: Loads | None = None,
    exchange: Exchange = LEAST_EXCHANGE,
) -> tuple[list[float], Timeline]:
    """Return when each of the `tiles` of a layer is done, and the times after it.

    `waits` are what it reads, with the times at which the tiles of these layers are done. The accumulator memory has
    room for those of so many tiles; the unit has the last sums `drain` cycles after their product. If `loads` are
    given, they say when weights and inputs are there, in place of the loads of the tiles.
    """
    arrivals = [(wait, done, arrivals_of(wait, done, exchange)) for wait, done in waits]
    matrix, vector = list(before.matrix), list(before.vector)
    loaded, stored, worked = before.loaded, before.stored, before.worked
    step, multiplied, done = 0, 0.0, 0.0
    ends: list[float] = []
    for number, tile in enumerate(tiles):
        at = 0.0
        if tile.load and loads is None:
            loaded = at = loaded + tile.load
        if tile.products:
            if number >= accumulators:
                at = max(at, ends[number - accumulators])
            for cycles in tile.products:
                at = max(at, multiplied, ready_at(arrivals, step))
                if loads is not None:
                    at = max(at, loads.arrival(step))
                start = start_in_gap(matrix, at, cycles)
                multiplied = start + cycles
                if loads is not None:
                    loads.ran(step, start, multiplied)
                worked += cycles + _STEP_CYCLES
                step += 1
            at = multiplied + drain
        at = max(at, done, ready_at(arrivals, step))
        if loads is not None:
            at = max(at, loads.arrival(step))
        start = start_in_gap(vector, at, tile.vector)
        done = start + tile.vector
        if loads is not None:
            loads.ran(step, start, done)
        step += 1
        worked += tile.vector + _STEP_CYCLES
        ends.append(done)
        if tile.store:
            stored = max(stored, done) + tile.store
    end = max(before.done, done, stored)
    after = Timeline(matrix[-_GAPS:], vector[-_GAPS:], loaded, stored, end, worked)
    return ends, after


def arrivals_of(
    wait: Wait, done: Sequence[float], exchange: Exchange = LEAST_EXCHANGE
) -> list[float]:
    """Return when this core has what others compute as they are done with each tile."""
    found: list[float] = []
    at, each = 0.0, exchange.share * wait.port / max(len(done), 1)
    for end in done:
        at = max(at, end) + each
        found.append(at + exchange.latency)
    return found


def ready_at(arrivals: Sequence[tuple[Wait, Sequence[float], Sequence[float]]], step: int) -> float:
    """Return when all that a step reads is there."""
    ready = 0.0
    for wait, done, arrived in arrivals:
        own, other = wait.own[step], wait.others[step]
        if own >= 0 and done[own] > ready:
            ready = done[own]
        if other >= 0 and arrived[other] > ready:
            ready = arrived[other]
    return ready


def start_in_gap(gaps: Gaps, ready: float, cycles: float) -> float:
    """Return when a unit starts a step of so many cycles that can start at `ready`: in the first gap that has room."""
    for index, (low, high) in enumerate(gaps):
        start = low if low > ready else ready
        end = start + cycles
        if end <= high:
            left = [(low, start)] if start - low >= _LEAST_GAP else []
            if high - end >= _LEAST_GAP:
                left.append((end, high))
            gaps[index : index + 1] = left
            return start
    raise AssertionError("the last gap has no end")
