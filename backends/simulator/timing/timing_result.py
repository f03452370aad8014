"""The result of a timing simulation, in cycles: what took how long, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...diagnostics.html_table import html_table, nodes_text
from ...instructions.instruction_set import ENGINES, HostCall
from ...numerics.rounding_up import ceil_div
from ...program.encoding import select
from ...program.program import DebugEntry
from ..streams.streams import ENGINE_COUNT, Streams
from .costs import TICKS_PER_CYCLE, WORK_PER_BYTE, Costs, memory_totals
from .part_times import PartTime, part_times
from .timeline import BUSY, FINISHED, STATE_NAMES, Timeline


@dataclass(frozen=True)
class EngineUse:
    """How one engine of one core spent the run, in cycles; busy, stalled and finished add up to the whole run.

    `stalled` by cause: "dma_in", "dma_out", "matrix", "vector" (an engine of the same core whose result is awaited),
    "counter" (another core), "repetition" (the end of the previous run), "latency" (data of transfers that were
    issued), "multicast" (other members of one), "drain" (its own last results leave the array). `finished`: it had
    nothing left to do.
    """

    core: int
    engine: str
    busy: float
    stalled: dict[str, float]
    finished: float
    instructions: int


@dataclass
class NodeCost:
    """What the instructions of one set of fused ONNX nodes cost.

    `cycles`: their part of the critical path; over all nodes these add up to the run. `busy`:
    cycles by engine, summed over cores (they overlap in time; the stores of a multicast count
    once). `macs`, `bytes_read`, `bytes_written` (global memory) for one run.
    """

    nodes: tuple[str, ...]
    cycles: float = 0.0
    busy: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ENGINES, 0.0))
    instructions: int = 0
    macs: int = 0
    bytes_read: int = 0
    bytes_written: int = 0


@dataclass(frozen=True)
class InstructionTimes:
    """Times in cycles of every instruction of the last repetition, f64 [n] in the order of
    `streams.Streams`.

    `start`: leaves its queue; `move`: the engine works on it (computes, or moves its data); `drain`: it does so no
    longer, only its results are still leaving the array; `end`: complete. `core` and `index` (int64) say where it
    stands.
    """

    core: np.ndarray
    index: np.ndarray
    start: np.ndarray
    move: np.ndarray
    drain: np.ndarray
    end: np.ndarray


@dataclass(frozen=True)
class Stall:
    """A time in which an engine stood still.

    `cause` is as in `EngineUse.stalled`, `occurrence` the instruction that the engine could not start; `start` and
    `end` are in cycles.
    """

    engine: int
    cause: str
    occurrence: int
    start: float
    end: float


@dataclass(frozen=True)
class History:
    """The times of all instructions in all repetitions, in cycles, f64 [repeat * n], as in `InstructionTimes`.

    Entry `o` is the instruction with number `o % n` in repetition `o // n`. `loads`: at each time
    when transfers began or ended, the bytes per cycle that they take of global memory (whole bursts)
    and of the interconnect from then on.
    """

    start: np.ndarray
    move: np.ndarray
    drain: np.ndarray
    end: np.ndarray
    stalls: list[Stall]
    loads: list[tuple[float, list[float]]]


class Timing:
    """Cycles, energy and traffic of a run. Cycles are rounded up to whole ones only in `cycles`."""

    def __init__(self, streams: Streams, costs: Costs, timeline: Timeline) -> None:
        self._streams, self._costs, self._timeline = streams, costs, timeline
        self._totals = memory_totals(costs, streams.program)
        self.repeat = timeline.repeat
        self.ticks = int(timeline.end.max(initial=0))
        self.clock_ghz = streams.program.target.clock_ghz

    def __repr__(self) -> str:
        program = self.streams.program
        figures = f"{self.cycles:,} cycles, {self.milliseconds:.4f} ms"
        return f"<Timing of {program.name!r}: {figures} on {program.target.name}>"

    def _repr_html_(self) -> str:
        return _html(self)

    @property
    def cycles(self) -> int:
        """The cycles from the cold start to the end of the last instruction, over all repetitions, rounded up."""
        return ceil_div(self.ticks, TICKS_PER_CYCLE)

    @property
    def steady_cycles(self) -> float:
        """The cycles from the end of the last repetition but one to the end of the last: the inverse of the throughput.

        With one repetition it is the whole run.
        """
        size, end = self._timeline.size, self._timeline.end
        if self.repeat == 1:
            return float(self.cycles)
        before = int(end[size * (self.repeat - 2) : size * (self.repeat - 1)].max(initial=0))
        return (self.ticks - before) / TICKS_PER_CYCLE

    @property
    def parts(self) -> list[PartTime]:
        """The times of each of the programs that were joined (`program/side_by_side.py`), or of the one program."""
        return part_times(self._streams, self._timeline)

    @property
    def milliseconds(self) -> float:
        """`cycles` at the target's clock."""
        return self.cycles / (self.clock_ghz * 1e6)

    @property
    def host_calls(self) -> int:
        """The number of calls of the host in one run; the time that the host takes is not part of the cycles."""
        return len(select(self._streams.words, HostCall)[0])

    @property
    def macs(self) -> int:
        """Multiply-accumulates on the matrix units in one run."""
        return int(self._costs.macs.sum())

    @property
    def utilization(self) -> float:
        """Multiply-accumulates on the matrix units divided by the most that the program's cores could have made, 0 to
        1.

        With operands of several types, each counts by the time that it takes at its own peak rate.
        """
        cores = len(self._streams.program.streams)
        return self.repeat * float(self._costs.mac_time.sum()) / max(self.cycles * cores, 1)

    @property
    def bytes_read(self) -> int:
        """Bytes that one run reads from global memory (a multicast reads once; bursts: see
        `memory_bytes`).
        """
        return self._totals["global_read"]

    @property
    def bytes_written(self) -> int:
        """Bytes that one run writes to global memory."""
        return self._totals["global_written"]

    @property
    def memory_bytes(self) -> dict[str, int]:
        """Bytes of one run by memory.

        `global_read`, `global_written`, `global_bus` (both, in whole bursts), `interconnect`,
        `local` and `accumulator` (read and written, all cores; what an instruction touches counts
        once), `weights_stored` (the size of the weights).
        """
        return dict(self._totals)

    @cached_property
    def engines(self) -> list[EngineUse]:
        """Every engine of every core, in order."""
        result: list[EngineUse] = []
        totals = (self._streams.queue_lengths * self.repeat).tolist()
        for engine, spent in enumerate(self._timeline.spent.tolist()):
            cycles = [ticks / TICKS_PER_CYCLE for ticks in spent]
            result.append(
                EngineUse(
                    engine // ENGINE_COUNT, ENGINES[engine % ENGINE_COUNT], cycles[BUSY],
                    {STATE_NAMES[s]: cycles[s] for s in range(BUSY) if cycles[s]},
                    cycles[FINISHED], totals[engine],
                )
            )  # fmt: skip
        return result

    @cached_property
    def instructions(self) -> InstructionTimes:
        """Start and end of every instruction."""
        timeline, streams = self._timeline, self._streams
        last = slice(timeline.size * (self.repeat - 1), None)
        return InstructionTimes(
            streams.core_numbers,
            np.array(streams.index, dtype=np.int64),
            *(
                times[last] / TICKS_PER_CYCLE
                for times in (timeline.start, timeline.move, timeline.drain, timeline.end)
            ),
        )

    @property
    def streams(self) -> Streams:
        """The program that was timed, decoded; instructions have its numbers everywhere."""
        return self._streams

    @property
    def costs(self) -> Costs:
        """What each instruction costs by itself."""
        return self._costs

    @cached_property
    def history(self) -> History:
        """Times of all instructions in all repetitions, and when and why engines stood still."""
        timeline = self._timeline
        stalls = [
            Stall(engine, STATE_NAMES[state], occurrence, since / TICKS_PER_CYCLE,
                  until / TICKS_PER_CYCLE)
            for engine, state, occurrence, since, until in timeline.stalls.tolist()
        ]  # fmt: skip
        # Work per tick, in bytes per cycle.
        scale = TICKS_PER_CYCLE / WORK_PER_BYTE
        rows = zip(timeline.load_times.tolist(), timeline.loads.tolist(), strict=True)
        loads = [(time / TICKS_PER_CYCLE, [load * scale for load in row]) for time, row in rows]
        times = (timeline.start, timeline.move, timeline.drain, timeline.end)
        start, move, drain, end = (ticks / TICKS_PER_CYCLE for ticks in times)
        return History(start, move, drain, end, stalls, loads)

    @cached_property
    def critical_path(self) -> list[tuple[int, float]]:
        """The chain of instructions that made the run as long as it is, first to last, with each
        one's cycles.

        It goes back from the instruction that ended last to the one whose end let it start, and so forth. An
        instruction's part is the time from that end to its own, so the parts add up to the run. Instructions have their
        numbers in `streams.Streams`; with several repetitions the same numbers come again.
        """
        end, cause, size = self._timeline.end, self._timeline.cause, self._timeline.size
        if not size:
            return []
        occurrence = int(end.argmax())
        path: list[tuple[int, float]] = []
        while occurrence >= 0:
            before = int(cause[occurrence])
            since = int(end[before]) if before >= 0 else 0
            path.append((occurrence % size, (int(end[occurrence]) - since) / TICKS_PER_CYCLE))
            occurrence = before
        path.reverse()
        return path

    @cached_property
    def energy_parts(self) -> dict[str, float]:
        """Picojoules of one run: "macs", "vector", a part for each memory, and "static" (power
        times time).
        """
        energy, costs, totals = self._streams.program.target.energy, self._costs, self._totals
        nanoseconds = self.cycles / self.clock_ghz / self.repeat
        return {
            "macs": float(costs.mac_picojoules.sum()),
            "vector": int(costs.vector_ops.sum()) * energy.vector_operation_picojoules,
            "local": totals["local"] * energy.local_byte_picojoules,
            "accumulator": totals["accumulator"] * energy.accumulator_byte_picojoules,
            "global": totals["global_bus"] * energy.global_byte_picojoules,
            "interconnect": totals["interconnect"] * energy.interconnect_byte_picojoules,
            "static": nanoseconds * energy.static_watts * 1e3,
        }

    @property
    def energy_picojoules(self) -> float:
        """Energy of one run: the sum of `energy_parts`."""
        return sum(self.energy_parts.values())

    def by_node(self) -> list[tuple[str, int]]:
        """Return pairs (ONNX node, cycles), the most expensive first: each node's part of the critical path.

        So the cycles add up to one run (apart from rounding), and work hidden behind something slower counts nothing;
        `node_costs` has the engines' busy times. The nodes of one fused operation are one entry, "a + b".
        """
        return [(key, round(cost.cycles)) for key, cost in self.node_costs().items()]

    def node_costs(self) -> dict[str, NodeCost]:
        """Return the costs by ONNX node, the most expensive first.

        Instructions that come from several nodes (a convolution with its batch normalization and activation) are one
        entry, "a + b": how their time divides among them has no meaning. The key is the op's name if no node is known,
        and "" if neither is.
        """
        return self._grouped(lambda entry: (" + ".join(entry.nodes) or entry.op, entry.nodes))

    def op_costs(self) -> dict[str, NodeCost]:
        """Return the costs by `tpu` op (the name of its result), the most expensive first."""
        return self._grouped(lambda entry: (entry.op, entry.nodes))

    def _grouped(
        self, key_of: Callable[[DebugEntry], tuple[str, tuple[str, ...]]]
    ) -> dict[str, NodeCost]:
        streams, costs = self._streams, self._costs
        result: dict[str, NodeCost] = {}
        keys: dict[str, int] = {}
        entries, debug = np.unique(streams.words["debug"], return_inverse=True)
        row_of_entry: list[int] = []
        for entry in entries.tolist():
            key, nodes = key_of(streams.program.origin(entry))
            row_of_entry.append(keys.setdefault(key, len(keys)))
            result.setdefault(key, NodeCost(nodes))
        row = np.array(row_of_entry, np.int64)[debug]

        def summed(values: np.ndarray, chosen: np.ndarray | slice = slice(None)) -> list[float]:
            return np.bincount(row[chosen], values[chosen], len(keys)).tolist()

        busy = self.instructions.drain - self.instructions.move
        busy[streams.follows] = 0.0
        engines = streams.words["engine"]
        by_engine = [summed(busy, engines == code) for code in range(ENGINE_COUNT)]
        counts = np.bincount(row, minlength=len(keys)).tolist()
        sums = [summed(c) for c in (costs.macs, costs.global_read, costs.global_written)]
        path = np.zeros(len(keys))
        for number, cycles in self.critical_path:
            path[row[number]] += cycles / self.repeat
        for place, cost in enumerate(result.values()):
            cost.cycles, cost.instructions = float(path[place]), counts[place]
            cost.macs, cost.bytes_read, cost.bytes_written = (int(s[place]) for s in sums)
            cost.busy = {name: by_engine[code][place] for code, name in enumerate(ENGINES)}
        order = sorted(
            result, key=lambda key: (-result[key].cycles, -sum(result[key].busy.values()), key)
        )
        return {key: result[key] for key in order}

    def to_json(self) -> dict[str, Any]:
        """Return everything except the times of single instructions, as JSON values."""
        return {
            "cycles": self.cycles,
            "steady_cycles": self.steady_cycles,
            "milliseconds": self.milliseconds,
            "repeat": self.repeat,
            "utilization": self.utilization,
            "macs": self.macs,
            "bytes_read": self.bytes_read,
            "bytes_written": self.bytes_written,
            "memory_bytes": self.memory_bytes,
            "energy_picojoules": self.energy_picojoules,
            "energy_parts": self.energy_parts,
            "engines": [vars(engine) for engine in self.engines],
            "nodes": {
                key: {**vars(cost), "nodes": list(cost.nodes)}
                for key, cost in self.node_costs().items()
            },
        }


def _html(timing: Timing) -> str:
    """Return the figures of a run, and the ONNX nodes that take most cycles of its critical path."""
    figures = [
        ["cycles", f"{timing.cycles:,}"],
        ["time", f"{timing.milliseconds:.4f} ms"],
        ["matrix unit utilization", f"{timing.utilization:.2%}"],
        ["read from global memory", f"{timing.bytes_read:,} bytes"],
        ["written to global memory", f"{timing.bytes_written:,} bytes"],
    ]
    nodes = [
        [nodes_text(cost.nodes or (key,)), f"{cost.cycles:,.0f}"]
        for key, cost in timing.node_costs().items()
    ]
    program = timing.streams.program
    caption = f"{program.name} on {program.target.name}"
    return html_table(caption, ["", ""], figures) + html_table(
        "by ONNX node", ["node", "cycles"], nodes
    )
