"""Runs a timing simulation: in plain Python, or compiled where that is quicker.

`machine.py` has the rules. Compiled, long programs run ten to twenty times quicker; numba, which
that needs, is an optional dependency (`pip install smalti[fast]`). Which of the two ran cannot be seen
in any result.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Protocol

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ..deadlock import deadlock_error
from ..streams import Streams
from .costs import TICKS_PER_CYCLE, Costs
from .machine import FULL, OVERFLOW
from .machine_state import LARGEST, STALL_COLUMNS
from .machine_tables import FirstState, first_state, waited_counters
from .plain_run import PlainRun
from .timeline import STATES, Timeline

MAX_OCCURRENCES = 5_000_000
"""Instructions times repetitions of one simulation: bounds its memory to about a gigabyte."""

START_OCCURRENCES = 60_000
"""From here on plain Python (5 to 10 µs each) takes longer than to import numba and load machine code from
disk (0.3 s).
"""
COMPILE_OCCURRENCES = 1_000_000
"""From here on it also takes longer than to compile, which happens once in an installation (5 s)."""


class Run(Protocol):
    """A machine that is to be run, in plain Python or compiled."""

    def begin(self) -> None:
        """As `machine.begin`."""
        ...

    def advance(self) -> int:
        """As `machine.advance`."""
        ...

    def scalar(self, name: str) -> int:
        """Return the value of a field that is a number."""
        ...

    def table(self, name: str, length: int | None = None) -> np.ndarray:
        """Return a copy of a field that is a list, or of its first entries, int64."""
        ...

    def make_room(self) -> None:
        """Empty the logs, and does what else `machine.FULL` asks for."""
        ...


def run_timing(streams: Streams, costs: Costs, repeat: int, signal_latency: int) -> Timeline:
    """Run a program `repeat` times to its end.

    `signal_latency`: ticks that a signal takes to another core. Raises DiagnosticError on deadlock,
    for an impossible `repeat`, and if the run takes more cycles than can be counted.
    """
    occurrences = repeat * max(len(streams), 1)
    if repeat < 1 or occurrences > MAX_OCCURRENCES:
        most = MAX_OCCURRENCES // max(len(streams), 1)
        raise DiagnosticError(f"repeat must be 1 to {most} for this program, got {repeat}")
    state = first_state(streams, costs, repeat, signal_latency)
    return finish(_quickest(state, occurrences), streams, repeat)


def _quickest(state: FirstState, occurrences: int) -> Run:
    if compilation_pays(occurrences):
        from .compiled_run import CompiledRun

        try:
            return CompiledRun(state)
        except OverflowError:
            pass  # Python's integers have no bounds.
    return PlainRun(state)


def compilation_pays(occurrences: int) -> bool:
    """Return whether numba is there and a run of so many instructions is over sooner with it."""
    if occurrences < START_OCCURRENCES or find_spec("numba") is None:
        return False
    try:
        from .compiled_run import is_compiled
    except (ImportError, RuntimeError):
        # A numba that does not know this NumPy, or that has no folder to keep machine code in.
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
        run.table("start"), run.table("move"), end, run.table("cause"), spent, np.concatenate(stalls),
        load[:, 0], load[:, 1:], len(streams), repeat,
    )  # fmt: skip


def _deadlock(run: Run, streams: Streams, repeat: int) -> DiagnosticError:
    """Return the report of a run that cannot go on."""
    retired, total = run.table("retired").tolist(), run.table("total").tolist()
    pairs = zip(streams.queues, retired, total, strict=True)
    heads = [queue[done % len(queue)] for queue, done, all_ in pairs if done < all_]
    waited = waited_counters(streams).tolist()
    values = run.table("counter").reshape(repeat, len(waited))

    def value(counter: int) -> int:
        last, first = values[[-1, 0], waited.index(counter)].tolist()
        return last or first

    return deadlock_error(streams, heads, retired, value)
