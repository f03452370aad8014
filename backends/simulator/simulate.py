"""Simulates a program: computes its values, its cycles, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError
from ..program.program import Program
from ..program.side_by_side import side_by_side
from .streams.streams import Streams, decode_program
from .timing.costs import TICKS_PER_CYCLE, cost_program
from .timing.part_times import PartTime, part_times
from .timing.timed_run import run_timing
from .timing.timing_result import Timing

MAX_JOBS = 256
"""The most processes that one simulation may start."""
Mode = Literal["functional", "timing", "both"]
MODES: tuple[Mode, ...] = ("functional", "timing", "both")


@dataclass
class SimulationResult:
    """Outputs by name (None without functional mode) and timing (None without timing mode).

    `host_seconds`: the time that calls of the host took in this process, for all samples together; None if there are no
    such calls, or if other processes made them. It is measured, and is not part of the timing.
    """

    outputs: dict[str, np.ndarray] | None
    timing: Timing | None
    host_seconds: float | None = None


def simulate(
    program: Program,
    inputs: Mapping[str, np.ndarray] | None = None,
    *,
    mode: Mode = "functional",
    sanitize: bool = False,
    repeat: int = 1,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
    raw_io: bool = False,
) -> SimulationResult:
    """Run `program` once on `inputs` (functional), or `repeat` times without data (timing), or both.

    An input is an array of the model's shape and numbers, or with S times its axis 0: then S independent runs are
    made, in `jobs` processes (`parallel.py`), and the outputs are joined along axis 0. The timing is that of one run.
    The host converts between the model's numbers and layout and those of the program's ports; with `raw_io` inputs and
    outputs are what the ports hold.
    `sanitize` first proves that conflicting accesses are ordered, that no byte is read before it is written, and that
    accesses stay in their memories. `progress` is called with (samples done, samples in all). Raises DiagnosticError if
    inputs do not fit, if the program cannot end, or if the sanitizer finds something.
    """
    if mode not in MODES:
        raise DiagnosticError(f"unknown mode '{mode}'", hint=f"known: {', '.join(MODES)}")
    streams = decode_program(program)
    if sanitize:
        from .sanitizer import sanitize_program

        sanitize_program(streams)
    outputs, host_seconds = None, None
    if mode != "timing":
        outputs, host_seconds = _values(program, streams, inputs or {}, jobs, progress, raw_io)
    timing = time_program(streams, repeat) if mode != "functional" else None
    return SimulationResult(outputs, timing, host_seconds)


def _values(
    program: Program,
    streams: Streams,
    inputs: Mapping[str, np.ndarray],
    jobs: int,
    progress: Callable[[int, int], None] | None,
    raw_io: bool,
) -> tuple[dict[str, np.ndarray], float | None]:
    """Return the outputs and `host_seconds`, as in `SimulationResult`."""
    if not 1 <= jobs <= MAX_JOBS:
        raise DiagnosticError(f"jobs must be 1 to {MAX_JOBS}, got {jobs}")
    if jobs == 1:
        from .functional.functional_simulator import FunctionalSimulator

        simulator = FunctionalSimulator(program, streams)
        outputs = simulator.run(inputs, progress, raw_io)
        return outputs, simulator.host_seconds
    from .functional.parallel import run_parallel

    return run_parallel(program, inputs, jobs, progress, raw_io), None


def time_program(streams: Streams, repeat: int = 1) -> Timing:
    """Return the timing of a decoded program. Raises DiagnosticError if it deadlocks or `repeat` is out of range."""
    costs = cost_program(streams)
    return Timing(streams, costs, run_timing(streams, costs, repeat, _hop(streams)))


def time_programs(
    programs: Sequence[Program], repeats: Sequence[int] | None = None
) -> list[PartTime]:
    """Return the times of programs that run beside each other on one card, each on cores after those of the one before
    it, and each as often in a row as `repeats` says of it (once, if that is None).

    They share the buses of global memory and of the interconnect, and do not wait for each other. A short program that
    is to run as long as the others do needs more repetitions than they. Raises DiagnosticError as `side_by_side` does,
    if a program deadlocks, or if there are not as many repetitions as programs, or one is out of range.
    """
    counts = [1] * len(programs) if repeats is None else list(repeats)
    if len(counts) != len(programs):
        raise DiagnosticError(
            f"there are {len(programs)} programs and repetitions of {len(counts)}",
            hint="give a number of repetitions for each program",
        )
    streams = decode_program(side_by_side(programs))
    timeline = run_timing(streams, cost_program(streams), counts, _hop(streams))
    return part_times(streams, timeline)


def _hop(streams: Streams) -> int:
    """Return how many ticks a signal takes to another core."""
    return streams.program.target.interconnect.latency_cycles * TICKS_PER_CYCLE
