"""A model on the simulated card: values from the functional simulator, times from that of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ...program.program import Program
from ...simulator.functional.functional_simulator import FunctionalSimulator
from ...simulator.functional.samples import joined, samples_of
from ...simulator.simulate import time_program
from ...simulator.streams.streams import decode_program
from ..requests.inference import Arrays
from .joined_samples import join_samples, split_samples
from .loaded_model import LoadedModel, StageTimes

_STEADY = 4
"""Runs in a row after which each takes as long as the one before."""

Compute = Callable[[Arrays], Mapping[str, np.ndarray] | None]


class SimulatedModel(LoadedModel):
    """Programs of one model, by the size of the batch that they are compiled for.

    The first run of an instance takes the time of a cold start, others that of the steady state. `compute`: what
    computes the values of a sample in the simulator's place, if they need not be those of the program; it may give
    None. `scale`: how many times longer than simulated runs take.

    Raises DiagnosticError if a program cannot run to its end.
    """

    def __init__(
        self, programs: Mapping[int, Program], compute: Compute | None = None, scale: float = 1.0
    ) -> None:
        self._programs = dict(sorted(programs.items()))
        cores = max(len(program.streams) for program in programs.values())
        self.most_instances = next(iter(programs.values())).target.cores // cores
        self._compute = compute
        self._simulators: dict[int, FunctionalSimulator] = {}
        self._times = {batch: _times(program, scale) for batch, program in self._programs.items()}

    @property
    def batches(self) -> Sequence[int]:
        """The sizes of batches that there are programs for."""
        return tuple(self._programs)

    def check(self, sample: Arrays) -> None:
        """Raise DiagnosticError if a sample is not what a program for one of them takes."""
        batch, program = next(iter(self._programs.items()))
        for port in program.inputs:
            wanted = port.shape
            if wanted and batch > 1:
                wanted = (wanted[0] // batch, *wanted[1:])
            if sample[port.name].shape != wanted:
                raise DiagnosticError(
                    f"input '{port.name}' has shape {list(sample[port.name].shape)}, the program "
                    f"takes {list(wanted)}"
                )

    def times(self, batch: int, *, first: bool) -> StageTimes:
        """Return the simulated time of the device; the host's is what it is."""
        cold, steady = self._times[batch]
        return StageTimes(0, cold if first else steady, 0)

    def prepare(self, samples: Sequence[Arrays], batch: int) -> Any:
        """Return what the program's ports hold, or the samples where another computes."""
        if self._compute is not None:
            return samples
        return samples_of(self._programs[batch].inputs, join_samples(samples, batch))[0]

    def execute(self, prepared: Any, batch: int) -> Any:
        """Run the program's bytes on the functional simulator."""
        if self._compute is not None:
            return [self._compute(sample) for sample in prepared]
        if batch not in self._simulators:
            self._simulators[batch] = FunctionalSimulator(self._programs[batch])
        return self._simulators[batch].run_bytes(prepared, 1)

    def collect(self, results: Any, batch: int, count: int) -> Sequence[Arrays]:
        """Return the outputs of the samples as the model has them."""
        if self._compute is not None:
            return results
        outputs = joined(self._programs[batch].outputs, results, 1)
        return split_samples(outputs, batch, count)


def _times(program: Program, scale: float) -> tuple[int, int]:
    """Return the scaled nanoseconds of a run from cold, and of one in the steady state."""
    streams = decode_program(program)
    cold = time_program(streams)
    steady = time_program(streams, _STEADY)
    return (
        round(scale * cold.cycles / cold.clock_ghz),
        round(scale * steady.steady_cycles / steady.clock_ghz),
    )
