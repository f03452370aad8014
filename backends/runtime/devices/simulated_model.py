"""A model on the simulated card: values from the functional simulator, times from that of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import ceil, inf
from typing import Any

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ...program.program import Program
from ...program.side_by_side import check_room
from ...simulator.functional.functional_simulator import FunctionalSimulator
from ...simulator.functional.samples import joined, samples_of
from ...simulator.simulate import time_programs
from ...simulator.timing.timed_run import MAX_OCCURRENCES
from ..requests.inference import Arrays
from .host_times import host_nanoseconds
from .joined_samples import join_samples, split_samples
from .loaded_model import LoadedModel, StageTimes

_STEADY = 4
"""Runs in a row after which each takes as long as the one before; fewer are timed where a simulation holds no more."""

Compute = Callable[[Arrays], Mapping[str, np.ndarray] | None]


class SimulatedModel(LoadedModel):
    """Programs of one model, by the size of the batch that they are compiled for.

    The first run of an instance takes the time of a cold start, others that of the steady state. `compute`: what
    computes the values of a sample in the simulator's place, if they need not be those of the program; it may give
    None. `scale`: how many times longer than simulated runs take. `instances` run beside each other and share the
    card's buses: the times are those of an instance while all others run too. `host_gigabytes_per_second`: how fast
    the host converts the model's inputs and outputs (`host_times.py`); it does so before and after the device.

    Raises DiagnosticError if a program cannot run to its end, or if so many instances do not fit the card.
    """

    def __init__(
        self,
        programs: Mapping[int, Program],
        compute: Compute | None = None,
        scale: float = 1.0,
        *,
        instances: int = 1,
        host_gigabytes_per_second: float = inf,
    ) -> None:
        self._programs = dict(sorted(programs.items()))
        self._cores = max(len(program.streams) for program in programs.values())
        self._target = next(iter(programs.values())).target
        check_room([self._cores] * instances, next(iter(programs.values())))
        self.most_instances = self._target.cores // self._cores
        self._compute = compute
        self._simulators: dict[int, FunctionalSimulator] = {}
        self._times = {
            batch: _times(program, scale, instances) for batch, program in self._programs.items()
        }
        self._host = {
            batch: tuple(
                round(scale * host_nanoseconds(ports, host_gigabytes_per_second))
                for ports in (program.inputs, program.outputs)
            )
            for batch, program in self._programs.items()
        }

    @property
    def share(self) -> Fraction:
        """The cores of an instance, of those of the card."""
        return Fraction(self._cores, self._target.cores)

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
        """Return the simulated time of the device, and that of the host before and after it."""
        cold, steady = self._times[batch]
        before, after = self._host[batch]
        return StageTimes(before, cold if first else steady, after)

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


def _times(program: Program, scale: float, instances: int) -> tuple[int, int]:
    """Return the scaled nanoseconds of a run from cold, and of one in the steady state, of the slowest instance."""
    side_by_side = [program] * instances
    size = max(instances * program.instruction_count, 1)
    steady_runs = max(2, min(_STEADY, MAX_OCCURRENCES // size))
    cold = max(each.cycles for each in time_programs(side_by_side))
    steady = max(
        each.steady_cycles for each in time_programs(side_by_side, [steady_runs] * instances)
    )
    clock_ghz = program.target.clock_ghz
    return round(scale * ceil(cold) / clock_ghz), round(scale * steady / clock_ghz)
