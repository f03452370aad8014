"""Sums up a program: what it holds, what it needs of the machine, how fast it is, what bounds it, and what to try."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ...backends.instructions.instruction_set import ENGINES
from ...backends.program.encoding import WORD
from ...backends.program.lower_bound import LowerBound
from ...backends.program.program import Port, Program
from ...backends.simulator.occupancy import memory_use
from ...backends.simulator.simulate import simulate
from ...backends.simulator.timing.timing_result import Timing
from .program_advice import advice_for

BUSY_SHARE = 0.6
"""A resource that is in use for this share of the run bounds it; if none is, waiting does."""


@dataclass(frozen=True)
class Bound:
    """What bounds a run: a resource and the share of the run for which it is in use.

    `resource` is "matrix unit", "vector unit", "global memory" or "interconnect" (a unit: that of its busiest core), or
    "waiting" if none is in use for 60% of the run: then `share` is that of the most used one, `busiest`.
    `critical_path`: the share of each engine in the chain of instructions that made the run as long as it is.
    """

    resource: str
    share: float
    busiest: str
    critical_path: dict[str, float]

    def __str__(self) -> str:
        if self.resource != "waiting":
            return f"{self.resource}, in use for {self.share:.0%} of the time"
        path = sorted(self.critical_path.items(), key=lambda item: -item[1])
        steps = ", ".join(f"{engine} {share:.0%}" for engine, share in path if share >= 0.01)
        return (
            f"waiting: nothing is in use for more than {self.share:.0%} of the time ({self.busiest}); "
            f"critical path: {steps}"
        )


@dataclass(frozen=True)
class ProgramSummary:
    """The figures of a program for one inference from cold; sizes in bytes, a kB of 1000.

    `peak_local_bytes` and `peak_accumulator_bytes`: for each core, the most bytes that hold something still needed.
    `placed_local_bytes`: for each core, the bytes up to the end of its last buffer, never fewer than the peak.
    `cores_used`: the cores on which an engine works; `cores`: those of the target. `batch`: axis 0 of every input, None
    if they differ. `samples_per_second`: batch ÷ time, one inference after the other. `lower_bound`: in how many cycles
    any schedule runs the network at least; None for a program that was not compiled from a network.
    """

    name: str
    target: str
    instructions: int
    cores: int
    cores_used: int
    inputs: list[Port]
    outputs: list[Port]
    batch: int | None
    code_bytes: int
    segment_bytes: dict[str, int]
    peak_local_bytes: list[int]
    placed_local_bytes: list[int]
    local_memory_bytes: int
    peak_accumulator_bytes: list[int]
    accumulator_bytes: int
    cycles: int
    milliseconds: float
    energy_picojoules: float
    lower_bound: LowerBound | None
    bound: Bound
    advice: str | None

    @property
    def inferences_per_second(self) -> float:
        """How many runs a second has, one after the other."""
        return 1e3 / self.milliseconds if self.milliseconds else 0.0

    @property
    def samples_per_second(self) -> float:
        """Inferences per second times the batch (1 if the inputs have none)."""
        return self.inferences_per_second * (self.batch or 1)

    @property
    def local_packing(self) -> float | None:
        """How many times the peak of its local memory the core uses on which that is most; None if no core uses any."""
        pairs = zip(self.placed_local_bytes, self.peak_local_bytes, strict=True)
        return max((placed / peak for placed, peak in pairs if peak), default=None)

    def to_json(self) -> dict[str, Any]:
        """Return all figures as JSON values, units in the names."""
        bound = self.lower_bound
        least = bound and {
            "cycles": bound.cycles,
            "resource": bound.resource,
            "ratio": bound.ratio(self.cycles),
            "parts": dict(bound.parts),
        }
        return {
            **asdict(replace(self, lower_bound=None)),
            "lower_bound": least,
            "local_packing": self.local_packing,
            "inferences_per_second": self.inferences_per_second,
            "samples_per_second": self.samples_per_second,
        }


def summarize_program(program: Program) -> ProgramSummary:
    """Time a program once, without values, and return its figures.

    Raises DiagnosticError if the program cannot end, or if its target cannot run it.
    """
    timing = simulate(program, mode="timing").timing
    assert timing is not None
    used = {use.core for use in timing.engines if use.instructions}
    peaks = {key: int(level.max(initial=0)) for key, (_, level) in memory_use(timing).items()}
    cores = range(len(program.streams))
    target = program.target
    use = resource_use(timing)
    return ProgramSummary(
        name=program.name,
        target=target.name,
        instructions=program.instruction_count,
        cores=target.cores,
        cores_used=len(used),
        inputs=program.inputs,
        outputs=program.outputs,
        batch=batch_of(program),
        code_bytes=program.instruction_count * WORD.itemsize,
        segment_bytes=dict(program.segment_sizes),
        peak_local_bytes=[peaks.get(("local", core), 0) for core in cores],
        placed_local_bytes=[*program.local_bytes],
        local_memory_bytes=target.local_memory.size_bytes,
        peak_accumulator_bytes=[peaks.get(("acc", core), 0) for core in cores],
        accumulator_bytes=target.matrix.accumulator_bytes,
        cycles=timing.cycles,
        milliseconds=timing.milliseconds,
        energy_picojoules=timing.energy_picojoules,
        lower_bound=program.lower_bound,
        bound=_bound(timing, use),
        advice=advice_for(timing, len(used), batch_of(program)),
    )


def batch_of(program: Program) -> int | None:
    """Return axis 0 of the inputs, or None if they do not have the same."""
    sizes = {port.shape[0] if port.shape else None for port in program.inputs}
    return sizes.pop() if len(sizes) == 1 else None


def resource_use(timing: Timing) -> dict[str, float]:
    """Return the share of the run for which each resource is in use: units on their busiest core, memories by bytes
    over bandwidth.
    """
    cycles, target, moved = (
        max(timing.cycles, 1),
        timing.streams.program.target,
        timing.memory_bytes,
    )

    def unit(engine: str) -> float:
        return max((use.busy for use in timing.engines if use.engine == engine), default=0.0)

    return {
        "matrix unit": unit("matrix") / cycles,
        "vector unit": unit("vector") / cycles,
        "global memory": moved["global_bus"] / target.global_bytes_per_cycle / cycles,
        "interconnect": moved["interconnect"] / target.interconnect_bytes_per_cycle / cycles,
    }


def _bound(timing: Timing, use: dict[str, float]) -> Bound:
    busiest = max(use, key=lambda name: use[name])
    path: dict[str, float] = dict.fromkeys(ENGINES, 0.0)
    for number, cycles in timing.critical_path:
        path[ENGINES[timing.streams.words["engine"][number]]] += cycles / max(timing.cycles, 1)
    bounded = use[busiest] >= BUSY_SHARE
    return Bound(busiest if bounded else "waiting", use[busiest], busiest, path)
