"""Runs a timing simulation.

The definition of the machine is `machine.py`, plain Python.
"""

from __future__ import annotations

from ...dialects.diagnostic import DiagnosticError
from .costs import Costs
from .machine import run_machine
from .streams import Streams
from .timeline import Timeline

MAX_OCCURRENCES = 5_000_000
"""Instructions times repetitions of one simulation: bounds its memory to about a gigabyte."""


def run_timing(streams: Streams, costs: Costs, repeat: int, signal_latency: int) -> Timeline:
    """Runs a program `repeat` times to its end.

    `signal_latency`: ticks that a signal takes to another core. Raises DiagnosticError on deadlock
    or an impossible `repeat`.
    """
    if repeat < 1 or repeat * max(len(streams), 1) > MAX_OCCURRENCES:
        most = MAX_OCCURRENCES // max(len(streams), 1)
        raise DiagnosticError(f"repeat must be 1 to {most} for this program, got {repeat}")
    return run_machine(streams, costs, repeat, signal_latency)
