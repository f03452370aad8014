"""Runs a program: its values, its cycles, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...dialects.diagnostic import DiagnosticError
from ..program.program import Program
from .costs import TICKS_PER_CYCLE, cost_program
from .streams import Streams, decode_program
from .timed_run import run_timing
from .timing import Timing

Mode = Literal["functional", "timing", "both"]
MODES: tuple[Mode, ...] = ("functional", "timing", "both")


@dataclass
class SimulationResult:
    """Outputs by name (None without functional mode) and timing (None without timing mode)."""

    outputs: dict[str, np.ndarray] | None
    timing: Timing | None


def simulate(
    program: Program,
    inputs: Mapping[str, np.ndarray] | None = None,
    *,
    mode: Mode = "functional",
    sanitize: bool = False,
    repeat: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SimulationResult:
    """Runs `program` once on `inputs` (functional), or `repeat` times without data (timing), or
    both.

    An input is an array of the port's shape and storage type, or of S times its axis 0: then S
    independent runs are made and the outputs are joined along axis 0. Timing is of one run.
    `sanitize` first proves that conflicting accesses are ordered, that no byte is read before it is
    written, and that accesses stay in their memories. `progress` is called with (samples done,
    samples in all). Raises DiagnosticError for inputs that do not fit, for a program that cannot
    end, and for what the sanitizer finds.
    """
    if mode not in MODES:
        raise DiagnosticError(f"unknown mode '{mode}'", hint=f"known: {', '.join(MODES)}")
    streams = decode_program(program)
    if sanitize:
        from .sanitizer import sanitize_program

        sanitize_program(streams)
    outputs = None
    if mode != "timing":
        from .functional import FunctionalSimulator

        outputs = FunctionalSimulator(program, streams).run(inputs or {}, progress)
    timing = time_program(streams, repeat) if mode != "functional" else None
    return SimulationResult(outputs, timing)


def time_program(streams: Streams, repeat: int = 1) -> Timing:
    """The timing of a decoded program. Raises DiagnosticError on deadlock or an impossible
    `repeat`.
    """
    costs = cost_program(streams)
    hop = streams.program.target.interconnect.latency_cycles * TICKS_PER_CYCLE
    return Timing(streams, costs, run_timing(streams, costs, repeat, hop))
