"""The times of each of several programs that ran beside each other on one card."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..streams.streams import Streams
from .costs import TICKS_PER_CYCLE
from .timeline import Timeline


@dataclass(frozen=True)
class PartTime:
    """The cycles of one of several programs: of its first run, from the cold start; from the end of its last run but
    one to the end of its last, while the others run (with one run, of that); and until its last run ends.
    """

    first_cycles: float
    steady_cycles: float
    cycles: float


def part_times(streams: Streams, timeline: Timeline) -> list[PartTime]:
    """Return the times of each of the programs that were joined (`program/side_by_side.py`), or of the one program."""
    end = timeline.end.reshape(timeline.repeat, -1)
    found: list[PartTime] = []
    first = 0
    for count in streams.program.parts or (streams.cores,):
        own = (streams.core_numbers >= first) & (streams.core_numbers < first + count)
        # Of repetitions that it does not run, the ends are -1, before all others.
        ends = end[:, own].max(axis=1, initial=-1)
        ends = np.array([0, *ends[ends >= 0].tolist()]) / TICKS_PER_CYCLE
        last = ends[-1]
        before = ends[-2] if len(ends) > 2 else 0.0
        found.append(
            PartTime(float(ends[min(1, len(ends) - 1)]), float(last - before), float(last))
        )
        first += count
    return found
