"""Runs a timing simulation: in plain Python, or compiled where that is quicker.

`machine.py` has the rules. Compiled, long programs run ten to twenty times quicker; that needs numba, an optional
dependency (`pip install smalti[fast]`). The results of both are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ..streams.deadlock import deadlock_error
from ..streams.streams import Streams
from .costs import TICKS_PER_CYCLE, Costs
from .machine import FULL, OVERFLOW
from .machine_state import LARGEST, STALL_COLUMNS
from .machine_tables import FirstState, first_state, waited_counters
from .plain_run import PlainRun
from .timeline import STATES, Timeline

MAX_OCCURRENCES = 5_000_000
"""The most instructions times repetitions of one simulation, which bounds its memory to about a gigabyte."""

START_OCCURRENCES = 60_000
"""From this number on plain Python (5 to 10 µs each) takes longer than importing numba and loading machine code from
disk (0.3 s).
"""
COMPILE_OCCURRENCES = 1_000_000
"""From this number on it also takes longer than compiling, which happens once in an installation (5 s)."""


class Run(Protocol):
    """A machine that can be run, in plain Python or compiled."""

    def begin(self) -> None:
        """Do the same as `machine.begin`."""
        ...

    def advance(self) -> int:
        """Do the same as `machine.advance`."""
        ...

    def scalar(self, name: str) -> int:
        """Return the value of a field that is a number."""
        ...

    def table(self, name: str, length: int | None = None) -> np.ndarray:
        """Return a copy of a field that is a list, or of its first entries, int64."""
        ...

    def make_room(self) -> None:
        """Empty the logs, and make room for whatever else made `machine.advance` return `FULL`."""
        ...


def run_timing(
    streams: Streams, costs: Costs, repeat: int | Sequence[int], signal_latency: int
) -> Timeline:
    """Run a program `repeat` times to its end, or programs beside each other as often as `repeat` says of each.

    `signal_latency`: how many ticks a signal takes to another core. In the timeline, what a program runs less often
    than another has the times -1. Raises DiagnosticError if the program deadlocks,
    `repeat` is out of range, or the run takes more cycles than can be counted.
    """
    least, most = (repeat, repeat) if isinstance(repeat, int) else (min(repeat), max(repeat))
    occurrences = most * max(len(streams), 1)
    if least < 1 or occurrences > MAX_OCCURRENCES:
        bound = MAX_OCCURRENCES // max(len(streams), 1)
        got = least if least < 1 else most
        raise DiagnosticError(f"repeat must be 1 to {bound} for this program, got {got}")
    state = first_state(streams, costs, repeat, signal_latency)
    return finish(_quickest(state, occurrences), streams, most)


def _quickest(state: FirstState, occurrences: int) -> Run:
    if compilation_pays(occurrences):
        from .compiled_run import CompiledRun

        try:
            return CompiledRun(state)
        except OverflowError:
            pass  # Python's integers have no bounds.
    return PlainRun(state)


def compilation_pays(occurrences: int) -> bool:
    """Return whether numba is installed and makes a run of so many instructions end sooner."""
    if occurrences < START_OCCURRENCES or find_spec("numba") is None:
        return False
    try:
        from .compiled_run import is_compiled
    except (ImportError, RuntimeError):
        # This numba does not support this NumPy, or has no folder to keep machine code in.
        return False
    return occurrences >= COMPILE_OCCURRENCES or is_compiled()


def finish(run: Run, streams: Streams, repeat: int) -> Timeline:
    """Run a machine to its end and return what happened. Raises DiagnosticError as `run_timing` does."""
    stalls, loads = [], []
    run.begin()
    load_columns = 1 + run.scalar("resources")
    while True:
        ending = run.advance()
        for rows, log, count, columns in (
            (stalls, "stall_log", "stalls", STALL_COLUMNS),
            (loads, "load_log", "loads", load_columns),
        ):
            rows.append(run.table(log, run.scalar(count) * columns).reshape(-1, columns))
        if ending != FULL:
            break
        run.make_room()
    if ending == OVERFLOW:
        raise DiagnosticError(
            f"the program takes more than {LARGEST // TICKS_PER_CYCLE} cycles",
            hint="compile the program again",
        )
    if (run.table("retired") < run.table("total")).any():
        raise _deadlock(run, streams, repeat)
    end, state = run.table("end"), run.table("state")
    spent = run.table("spent").reshape(-1, STATES)
    spent[np.arange(len(state)), state] += end.max(initial=0) - run.table("since")
    load = np.concatenate(loads)
    return Timeline(
        run.table("start"), run.table("move"), run.table("worked"), end, run.table("cause"), spent,
        np.concatenate(stalls), load[:, 0], load[:, 1:], len(streams), repeat,
    )  # fmt: skip


def _deadlock(run: Run, streams: Streams, repeat: int) -> DiagnosticError:
    """Return the diagnostic of a run that cannot go on."""
    retired, total = run.table("retired").tolist(), run.table("total").tolist()
    pairs = zip(streams.queues, retired, total, strict=True)
    heads = [queue[done % len(queue)] for queue, done, all_ in pairs if done < all_]
    waited = waited_counters(streams).tolist()
    values = run.table("counter").reshape(repeat, len(waited))

    def value(counter: int) -> int:
        last, first = values[[-1, 0], waited.index(counter)].tolist()
        return last or first

    return deadlock_error(streams, heads, retired, value)
