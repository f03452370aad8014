"""The raw result of the timing simulation: what happened when, as arrays.

An *occurrence* is an instruction in one repetition: repetition * instructions + number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..streams.streams import ENGINE_COUNT

# What an engine is doing. The first four are the engines of its core that it waits for.
COUNTER, REPETITION, LATENCY, MULTICAST, DRAIN, BUSY, FINISHED = range(
    ENGINE_COUNT, ENGINE_COUNT + 7
)
STATE_NAMES = (
    "dma_in",
    "dma_out",
    "matrix",
    "vector",
    "counter",
    "repetition",
    "latency",
    "multicast",
    "drain",
    "busy",
    "finished",
)
"""The names of the states. An engine waits for another engine of its core, for a counter, for the end of the previous
repetition, for data of transfers that it has issued, for other members of a multicast, or for its last results to leave
the array (a drain with nothing behind it); or it is busy, or finished.
"""
STATES = len(STATE_NAMES)


@dataclass(frozen=True, eq=False)
class Timeline:
    """Times in ticks, all int64.

    By occurrence: `start` (leaves its queue), `move` (the engine works on it: computes, or moves its
    data), `drain` (the engine's work on it is over; later its results have left, too), `end`, and
    `cause`, the occurrence whose end let it start, -1 for none. `spent` [engines, states]. `stalls`
    [s, 5] has a row (engine, state, occurrence, from, until) for every time that an engine stood
    still: what it waited for, and the instruction that it could not go on with. `loads` [l, resources] has, at
    each of `load_times` [l], when transfers began or ended, the units of work per tick that they
    take of each shared resource from then on. `size`: instructions; `repeat`: repetitions.
    """

    start: np.ndarray
    move: np.ndarray
    drain: np.ndarray
    end: np.ndarray
    cause: np.ndarray
    spent: np.ndarray
    stalls: np.ndarray
    load_times: np.ndarray
    loads: np.ndarray
    size: int
    repeat: int
