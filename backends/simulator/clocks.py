"""Computes a vector clock for every instruction, which says what the machine's rules order before it.

A clock says, for every engine of every core, how many of its instructions are certain to be
complete (Fidge 1988, Mattern 1989). Instruction a comes before b in every execution if b's clock
counts a. The clocks follow from the program alone, since what runs does not depend on data.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict

import numpy as np

from .functional.schedule import Scheduler
from .streams import Streams


def start_clocks(streams: Streams, order: list[int]) -> np.ndarray:
    """Return the clock at the start of each instruction, int32 [instructions, engines]; `order` is an order of
    execution.

    An engine's instructions take effect in order. Loads of a multicast start together. If several engines signal a
    counter, a wait for it is ordered only after the signals without which the counter cannot reach its value.
    """
    clocks = np.zeros((len(streams), max(len(streams.queues), 1)), np.int32)
    clock_of = _Clocks(streams, clocks)
    done_groups: set[int] = set()
    for number in order:
        group = streams.group[number]
        if not group:
            clocks[number] = clock_of.needed(number)
        elif group not in done_groups:
            done_groups.add(group)
            members = streams.groups[group]
            clocks[members] = np.max([clock_of.needed(member) for member in members], axis=0)
    return clocks


class _Clocks:
    def __init__(self, streams: Streams, clocks: np.ndarray) -> None:
        self._streams, self._clocks = streams, clocks

    def _include(self, clock: np.ndarray, number: int) -> None:
        """Note in a clock that instruction `number` is complete, and everything that comes before it."""
        np.maximum(clock, self._clocks[number], out=clock)
        engine = self._streams.engine[number]
        clock[engine] = max(clock[engine], self._streams.position[number] + 1)

    def needed(self, number: int) -> np.ndarray:
        """Return the clock of everything that is complete when an instruction's own waits are met."""
        streams = self._streams
        engine, position = streams.engine[number], streams.position[number]
        clock = np.zeros(self._clocks.shape[1], np.int32)
        if position:
            self._include(clock, streams.queues[engine][position - 1])
        for other, count in streams.waits[number]:
            self._include(clock, streams.queues[other][count - 1])
        if streams.counter_wait[number] is not None:
            for signaller in certain_signals(streams, number):
                self._include(clock, signaller)
        return clock


def certain_signals(streams: Streams, number: int) -> list[int]:
    """Return, for each engine, its last instruction whose signal is certain when a counter has the value waited for.

    A signal is certain if the counter cannot reach the value v without it. If one engine signals, that is its v-th
    signal; if all signals are needed, the last one of each engine. Otherwise the program is run with the signal held
    back, a few times for each engine. That is slow, but needed only for counters that several engines signal more often
    than v times.
    """
    wait = streams.counter_wait[number]
    assert wait is not None
    counter, value = wait
    by_engine: dict[int, list[int]] = defaultdict(list)
    for signaller in streams.signallers[counter]:
        by_engine[streams.engine[signaller]].append(signaller)
    if len(by_engine) == 1:
        return [signallers[value - 1] for signallers in by_engine.values()]
    if len(streams.signallers[counter]) == value:
        return [signallers[-1] for signallers in by_engine.values()]
    result: list[int] = []
    for signallers in by_engine.values():
        # Holding back a signal also holds back the engine's later ones, so the certain ones are the
        # first few.
        count = bisect(
            signallers, False, key=lambda held: _reaches(streams, counter, value, {number, held})
        )
        if count:
            result.append(signallers[count - 1])
    return result


def _reaches(streams: Streams, counter: int, value: int, held: set[int]) -> bool:
    """Return whether a counter can reach a value while some instructions never run."""
    scheduler = Scheduler(streams, held)
    while scheduler.next():
        if scheduler.counters.get(counter, 0) >= value:
            return True
    return False
