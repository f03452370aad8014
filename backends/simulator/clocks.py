"""Computes a vector clock for every instruction, which says what the machine's rules order before it.

A clock says, for every engine of every core, how many of its instructions are certain to be complete (Fidge 1988,
Mattern 1989). Instruction a comes before b in every execution exactly if b's clock counts a. The clocks follow from
the program alone, since what runs does not depend on data.
"""

from __future__ import annotations

import numpy as np

from .streams.streams import Streams

_NEVER = np.iinfo(np.int32).max


def start_clocks(streams: Streams, order: list[int]) -> np.ndarray:
    """Return the clock at the start of each instruction, int32 [instructions, engines]; `order` is an order of
    execution.

    An engine's instructions take effect in order. The members of a multicast are one transfer: they start together, and
    are complete together.

    Clocks only shrink while they are computed, from "this never starts", since a counter may also count signals that
    stand later in `order`. One pass is enough unless several engines signal a counter more often than is waited for.
    """
    clocks = np.full((len(streams), max(len(streams.queues), 1)), _NEVER, np.int32)
    clock_of = _Clocks(streams, clocks)
    changed = True
    while changed:
        changed = False
        for number in order:
            group = streams.group[number]
            members = streams.groups[group] if group else [number]
            if number != members[0]:
                continue
            clock = np.max([clock_of.needed(member) for member in members], axis=0)
            changed = changed or bool((clock < clocks[number]).any())
            clocks[members] = clock
        changed = changed and clock_of.are_provisional
    return clocks


class _Clocks:
    """The clocks as far as they are known.

    `are_provisional` says that some clock depends on which signals a counter counts, so that it may still shrink.
    """

    def __init__(self, streams: Streams, clocks: np.ndarray) -> None:
        self._streams, self._clocks = streams, clocks
        self._has_one_engine = {
            counter: len({streams.engine[signaler] for signaler in signalers}) == 1
            for counter, signalers in streams.signalers.items()
        }
        self.are_provisional = False

    def needed(self, number: int) -> np.ndarray:
        """Return the clock of everything that is complete when an instruction's own waits are met."""
        streams = self._streams
        engine, position = streams.engine[number], streams.position[number]
        clock = np.zeros(self._clocks.shape[1], np.int32)
        if position and not streams.follows[number]:
            self._include(clock, streams.queues[engine][position - 1])
        for other, count in streams.waits[number]:
            self._include(clock, streams.queues[other][count - 1])
        wait = streams.counter_wait[number]
        if wait is not None:
            np.maximum(clock, self._reached(*wait), out=clock)
        return clock

    def _include(self, clock: np.ndarray, number: int) -> None:
        """Note in a clock that instruction `number` is complete, and everything that comes before it."""
        np.maximum(clock, self._clocks[number], out=clock)
        streams = self._streams
        group = streams.group[number]
        for member in streams.groups[group] if group else (number,):
            engine = streams.engine[member]
            clock[engine] = max(clock[engine], streams.position[member] + 1)

    def _completed(self, number: int) -> np.ndarray:
        clock = np.zeros(self._clocks.shape[1], np.int32)
        self._include(clock, number)
        return clock

    def _reached(self, counter: int, value: int) -> np.ndarray:
        """Return the clock of everything that is complete when a counter has reached a value.

        If an engine stops after c instructions, those signals still come whose clock counts at most c of them. So the
        counter can reach `value` exactly if c is at least the `value`-th smallest count among the signals.
        """
        signalers = self._streams.signalers[counter]
        if self._has_one_engine[counter]:
            return self._completed(signalers[value - 1])
        if len(signalers) > value:
            self.are_provisional = True
        clocks = np.stack([self._completed(signaler) for signaler in signalers])
        return np.partition(clocks, value - 1, axis=0)[value - 1]
