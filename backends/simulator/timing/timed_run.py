"""Runs a timing simulation: in plain Python, or compiled where that is quicker.

`machine.py` defines the machine. `compiled_machine.py` is the same for long programs, ten to twenty
times quicker; numba, which it needs, is an optional dependency (`pip install smalti[fast]`). Which
of the two ran cannot be seen in any result.
"""

from __future__ import annotations

from importlib.util import find_spec

from ...diagnostics.diagnostic import DiagnosticError
from ..streams import Streams
from .costs import Costs
from .machine import run_machine
from .timeline import Timeline

MAX_OCCURRENCES = 5_000_000
"""Instructions times repetitions of one simulation: bounds its memory to about a gigabyte."""

START_OCCURRENCES = 60_000
"""From here on plain Python (5 to 10 µs each) takes longer than to import numba and load machine code from
disk (0.3 s).
"""
COMPILE_OCCURRENCES = 1_000_000
"""From here on it also takes longer than to compile, which happens once in an installation (5 s)."""


def run_timing(streams: Streams, costs: Costs, repeat: int, signal_latency: int) -> Timeline:
    """Runs a program `repeat` times to its end.

    `signal_latency`: ticks that a signal takes to another core. Raises DiagnosticError on deadlock
    or an impossible `repeat`.
    """
    occurrences = repeat * max(len(streams), 1)
    if repeat < 1 or occurrences > MAX_OCCURRENCES:
        most = MAX_OCCURRENCES // max(len(streams), 1)
        raise DiagnosticError(f"repeat must be 1 to {most} for this program, got {repeat}")
    timeline = None
    if compilation_pays(occurrences):
        from .compiled_run import run_compiled

        timeline = run_compiled(streams, costs, repeat, signal_latency)
    return timeline or run_machine(streams, costs, repeat, signal_latency)


def compilation_pays(occurrences: int) -> bool:
    """Whether numba is there and a run of so many instructions is over sooner with it."""
    if occurrences < START_OCCURRENCES or find_spec("numba") is None:
        return False
    try:
        from .compiled_run import is_compiled
    except (ImportError, RuntimeError):
        # A numba that does not know this NumPy, or that has no folder to keep machine code in.
        return False
    return occurrences >= COMPILE_OCCURRENCES or is_compiled()
