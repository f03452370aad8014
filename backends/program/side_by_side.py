"""Joins programs that run on one card beside each other, on cores of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError
from ..instructions.instruction_set import HostCall, Load, Store
from .encoding import select
from .program import DebugEntry, Program


def side_by_side(programs: Sequence[Program]) -> Program:
    """Return one program that does in time what these do together, each on the cores after those of the one before it.

    They share what the cores share: the buses of global memory and of the interconnect. It is for the simulation of
    time only: each program's addresses in global memory are its own, and stand for another place in each.

    Raises DiagnosticError if there is none, if their targets differ, or if the card has not so many cores.
    """
    if not programs:
        raise DiagnosticError("there is no program to run")
    first = programs[0]
    for each in programs[1:]:
        if each.target.content_hash != first.target.content_hash or each.queues != first.queues:
            raise DiagnosticError(
                f"'{each.name}' is for {each.target.name}, '{first.name}' for {first.target.name}",
                hint="compile programs that run on one card for one target, with equal --dma-queues",
            )
    check_room([len(each.streams) for each in programs], first)
    if len(programs) == 1:
        return first
    streams: list[np.ndarray] = []
    debug, calls = [DebugEntry()], []
    groups = 0
    for each in programs:
        moved = [
            _moved(words, len(streams), groups, len(debug) - 1, len(calls))
            for words in each.streams
        ]
        groups += max((_largest_group(words) for words in each.streams), default=0)
        debug += each.debug[1:]
        calls += each.calls
        streams += moved
    return replace(
        first,
        streams=streams,
        counters=max(each.counters for each in programs),
        local_bytes=[size for each in programs for size in each.local_bytes],
        acc_bytes=[size for each in programs for size in each.acc_bytes],
        segment_sizes={
            name: max(each.segment_sizes[name] for each in programs) for name in first.segment_sizes
        },
        weights=max((each.weight_bytes for each in programs), key=len),
        debug=debug,
        calls=calls,
        name=" + ".join(dict.fromkeys(each.name for each in programs)),
        lower_bound=None,
        parts=tuple(len(each.streams) for each in programs),
    )


def check_room(cores: Sequence[int], program: Program) -> None:
    """Raise DiagnosticError if programs on so many cores do not fit beside each other on the card of one of them."""
    needed, there = sum(cores), program.target.cores
    if needed <= there:
        return
    which = f"{len(cores)} programs"
    if len({*cores}) == 1:
        which = (
            f"{len(cores)} instances of {cores[0]} cores"
            if cores[0] > 1
            else f"{len(cores)} instances"
        )
    raise DiagnosticError(
        f"{which} need {needed} cores, {program.target.name} has {there}",
        hint=f"take at most {there // max(cores)}, or compile for fewer cores (--cores)",
    )


def _moved(words: np.ndarray, first_core: int, groups: int, debug: int, calls: int) -> np.ndarray:
    """Return a stream whose cores, multicast groups, debug entries and calls have so much greater numbers."""
    words = words.copy()
    words["signal_cores"] <<= np.uint64(first_core)
    words["debug"] = np.where(words["debug"], words["debug"] + debug, 0)
    for kind in (Load, Store):
        numbers, found = select(words, kind)
        found = found.copy()
        for field, offset in (("peer_core", first_core), ("group", groups)):
            found[field] = np.where(found[field], found[field] + offset, 0)
        words[numbers] = found.view(words.dtype)
    numbers, found = select(words, HostCall)
    found = found.copy()
    found["call"] += calls
    words[numbers] = found.view(words.dtype)
    return words


def _largest_group(words: np.ndarray) -> int:
    return max(int(select(words, kind)[1]["group"].max(initial=0)) for kind in (Load, Store))
