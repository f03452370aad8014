"""Says in one line how many cycles a program takes, and how far that is from what its network needs."""

from __future__ import annotations

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.program.program import Program
from ...backends.simulator.simulate import simulate


def describe_cycles(program: Program) -> str:
    """Time a program, run once from cold, and compare its cycles with the lower bound of its network, if it has one."""
    try:
        timing = simulate(program, mode="timing").timing
    except DiagnosticError as error:
        # A program of edited IR may have a deadlock, which the sanitizer tells unless it was not asked.
        return f"no cycles: {error.message}"
    assert timing is not None
    found = f"{timing.cycles:,} cycles"
    if program.lower_bound is None:
        return f"{found}; no lower bound, which is that of a network in tpu IR"
    return f"{found}, {program.lower_bound.compare(timing.cycles)}"
