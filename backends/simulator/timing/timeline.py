"""What happened when in a simulation, as arrays: the result of the timing simulators.

An *occurrence* is an instruction in one repetition: repetition * instructions + number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..streams import ENGINE_COUNT

# What an engine is doing. The first four are the engines of its core that it waits for.
COUNTER, REPETITION, LATENCY, MULTICAST, BUSY, FINISHED = range(ENGINE_COUNT, ENGINE_COUNT + 6)
STATE_NAMES = (
    "dma_in",
    "dma_out",
    "matrix",
    "vector",
    "counter",
    "repetition",
    "latency",
    "multicast",
    "busy",
    "finished",
)
"""Names by state: an engine of the same core, or a counter, that the next instruction waits for;
the end of the repetition before; transfers issued whose data are still to come; other members of a
multicast; at work; nothing left to do."""
STATES = len(STATE_NAMES)


@dataclass(frozen=True, eq=False)
class Timeline:
    """Times in ticks, int64 throughout.

    By occurrence: `start` (leaves its queue), `move` (computing or data moving begins), `end`, and
    `cause`, the occurrence whose end let it go on, -1 for none. `spent` [engines, states]. `stalls`
    [s, 5] has a row (engine, state, occurrence, from, until) for every time that an engine stood
    still: what it waited for, and the instruction that it could not go on with. `loads` [l, resources] has, at
    each of `load_times` [l], when transfers began or ended, the units of work per tick that they
    take of each shared resource from then on. `size`: instructions; `repeat`: repetitions.
    """

    start: np.ndarray
    move: np.ndarray
    end: np.ndarray
    cause: np.ndarray
    spent: np.ndarray
    stalls: np.ndarray
    load_times: np.ndarray
    loads: np.ndarray
    size: int
    repeat: int
