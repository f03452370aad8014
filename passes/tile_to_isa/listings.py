"""Turns instructions in program order into one listing per core, with the waits that a plan says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Operation

from ...backends.instructions.instruction_set import ENGINE_PREFIX, ENGINES, Engine
from ...dialects import isa
from .waits import Step, WaitPlan, Waits


@dataclass(frozen=True)
class Work:
    """An instruction before its waits are known: `fields` by name, `origin` the tpu result that it is part of."""

    step: Step
    mnemonic: str
    fields: dict[str, Any]
    origin: str | None
    location: LocationAttr


def listings(work: Sequence[Work], plan: WaitPlan, cores: int) -> list[list[Operation]]:
    """Return the instructions of each core in program order, named by engine and number. If an instruction waits for
    more than one counter, a `sync` stands before it for each further one; the syncs of all stores of a multicast stand
    before the first, as nothing may stand between them.
    """
    result: list[list[Operation]] = [[] for _ in range(cores)]
    counts = [dict.fromkeys(ENGINES, 0) for _ in range(cores)]
    names: list[str] = []

    def name_of(core: int, engine: Engine) -> str:
        number = counts[core][engine]
        counts[core][engine] = number + 1
        return f"{ENGINE_PREFIX[engine]}{number}"

    for started in _starts(work):
        core, engine = work[started[0]].step.core, ENGINES[work[started[0]].step.engine]
        for number in started:
            for wait in plan.waits[number].counters[:-1]:
                result[core].append(_sync(work[number], name_of(core, engine), engine, wait))
        for number in started:
            item, waits, name = work[number], plan.waits[number], name_of(core, engine)
            names.append(name)
            # In the order of the engines, as the disassembler finds them in the program's words.
            after = sorted(waits.after, key=lambda i: work[i].step.engine)
            result[core].append(_instruction(item, waits, name, [names[i] for i in after]))
    return result


def _starts(work: Sequence[Work]) -> Iterator[range]:
    """Return the numbers of what an engine starts at once, in order: the stores of a multicast, or one instruction."""
    begin = 0
    for number in range(1, len(work) + 1):
        first = work[begin]
        group = first.fields.get("group", 0)
        if number < len(work) and group and work[number].fields.get("group", 0) == group:
            step = work[number].step
            if (step.core, step.engine) == (first.step.core, first.step.engine):
                continue
        yield range(begin, number)
        begin = number


def _sync(item: Work, name: str, engine: Engine, wait: tuple[int, int]) -> Operation:
    return isa.instruction_op(
        "sync", name, {}, wait=wait, engine=engine, origin=item.origin, location=item.location
    )


def _instruction(item: Work, waits: Waits, name: str, after: Sequence[str]) -> Operation:
    mask = waits.signal_cores
    receivers = [core for core in range(mask.bit_length()) if mask >> core & 1]
    return isa.instruction_op(
        item.mnemonic,
        name,
        item.fields,
        after=after,
        wait=waits.counters[-1] if waits.counters else None,
        signal=(waits.signal_counter, receivers) if receivers else None,
        origin=item.origin,
        location=item.location,
    )
