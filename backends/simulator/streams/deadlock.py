"""Explains a deadlock: which instructions wait when no engine can go on, and for what."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...diagnostics.diagnostic import DiagnosticError
from .streams import Streams

_SHOWN = 12


def deadlock_error(
    streams: Streams,
    heads: Sequence[int],
    retired: Sequence[int],
    counter_value: Callable[[int], int],
) -> DiagnosticError:
    """Return the diagnostic for engines that can never go on from the instructions `heads` (numbers).

    `retired` has the number of completed instructions by engine; `counter_value` returns a counter's present value.
    """
    notes = [
        f"{streams.name(n)} waits for {_reason(streams, n, heads, retired, counter_value)}"
        for n in heads
    ]
    if len(notes) > _SHOWN:
        notes = [*notes[:_SHOWN], f"and {len(notes) - _SHOWN} more"]
    return DiagnosticError(
        "the program never ends: every instruction that is left waits for another (deadlock)",
        notes=notes,
        hint="look for a wait that nothing signals, or for instructions that wait for each other",
    )


def _reason(
    streams: Streams,
    number: int,
    heads: Sequence[int],
    retired: Sequence[int],
    counter_value: Callable[[int], int],
) -> str:
    group = streams.group[number]
    for member in streams.starting_with(number):
        wait = _unmet_wait(streams, member, retired, counter_value)
        if wait is not None and member == number:
            return wait
        if wait is not None:
            return f"{streams.name(member)} of multicast group {group}, which waits for {wait}"
    if group:
        absent = [member for member in streams.groups[group] if member not in heads]
        names = ", ".join(streams.name(member) for member in absent[:3]) or "nothing"
        return f"the other loads of multicast group {group}: {names}"
    return "the instruction before it"


def _unmet_wait(
    streams: Streams,
    number: int,
    retired: Sequence[int],
    counter_value: Callable[[int], int],
) -> str | None:
    """Say what an instruction itself waits for; None if its waits are met."""
    for engine, count in streams.waits[number]:
        length = len(streams.queues[engine])
        done = retired[engine] % length if length and retired[engine] != length else retired[engine]
        if count > length:
            return f"instruction {count} of {streams.engine_name(engine)}, which has only {length}"
        if done < count:
            return streams.name(streams.queues[engine][count - 1])
    wait = streams.counter_wait[number]
    if wait is not None and counter_value(wait[0]) < wait[1]:
        signals = len(streams.signalers.get(wait[0], ()))
        never = f" ({signals} signals in all)" if signals < wait[1] else ""
        name, now = streams.counter_name(wait[0]), counter_value(wait[0])
        return f"{name} to reach {wait[1]}, now {now}{never}"
    return None
