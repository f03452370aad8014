"""Writes what ran when as a trace for Perfetto (ui.perfetto.dev) and chrome://tracing.

A trace has the JSON form of Chrome's Trace Event Format (Google, "Trace Event Format", 2016). Each core is a
process with a thread per engine; its slices are the instructions (of a DMA engine: the time in
which data move; of the matrix unit: until its last fold has streamed) and, between them, what the
engine waits for. Arrows lead from an instruction to those that waited for it. A further process
has counters of bandwidth, and each core one of the bytes of its memories that hold something still
needed.

Times are in microseconds, as the format demands, at the target's clock, rounded to whole nanoseconds. Start and end of
a slice are rounded separately, so that neighbors never overlap. The exact cycles are among a slice's arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..instructions.instruction_set import ENGINES, Gather, Load, Store
from ..instructions.movement import moved_bytes
from .occupancy import memory_use
from .streams.streams import ENGINE_COUNT
from .timing.costs import GLOBAL, INTERCONNECT
from .timing.timing_result import Timing

Event = dict[str, Any]
"""One event of the format: a JSON object with `ph`, `pid`, `tid`, `ts` and more."""

_STALL_COLOR = "grey"
_LANES = 1000
"""How many numbers of threads a core has: enough for two DMA engines of up to 256 queues and two other engines."""


@dataclass
class _Trace:
    """The events so far. `slices[o]` has the thread (within its core), the start and the end (in nanoseconds) of the
    slice of occurrence o; the stores of a multicast have one slice.
    """

    timing: Timing
    events: list[Event] = field(default_factory=list)
    slices: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def nanoseconds(self, cycles: float) -> int:
        """Return a time since the start of the run at the target's clock, rounded."""
        return round(cycles / self.timing.clock_ghz)

    def add(self, ph: str, core: int, lane: int, nanoseconds: int, **more: Any) -> None:
        """Append an event; `ts` is in microseconds. Perfetto keeps thread 0 for the idle task and likes threads of
        different processes to have different numbers.
        """
        pid, tid = core + 1, (core + 1) * _LANES + lane + 1
        self.events.append({"ph": ph, "pid": pid, "tid": tid, "ts": nanoseconds / 1000, **more})


def trace(timing: Timing) -> dict[str, Any]:
    """Return a run with all its repetitions as the JSON object of a trace file, its events in order of time."""
    result = _Trace(timing)
    _add_names(result)
    _add_instructions(result)
    _add_stalls(result)
    _add_waits(result)
    _add_bandwidth(result)
    _add_memory_use(result)
    program = timing.streams.program
    return {
        "traceEvents": sorted(result.events, key=lambda event: (event["ph"] != "M", event["ts"])),
        "displayTimeUnit": "ns",
        "otherData": {
            "program": program.name,
            "target": program.target.name,
            "clock_ghz": timing.clock_ghz,
            "run_cycles": timing.cycles,
        },
    }


def _add_names(trace: _Trace) -> None:
    timing = trace.timing
    queues = timing.streams.program.queues
    names: list[tuple[int, str]] = []
    for engine, name in enumerate(ENGINES):
        names.append((engine, name))
        if name.startswith("dma"):
            extra = ENGINE_COUNT + engine * (queues - 1)
            names += [(extra + q, f"{name} queue {q + 2}") for q in range(queues - 1)]
    for core in range(timing.streams.cores + 1):
        last = core == timing.streams.cores
        trace.add("M", core, 0, 0, name="process_name",
                  args={"name": "shared memory and network" if last else f"core {core}"})  # fmt: skip
        trace.add("M", core, 0, 0, name="process_sort_index", args={"sort_index": core})
        for order, (lane, name) in enumerate([] if last else names):
            trace.add("M", core, lane, 0, name="thread_name", args={"name": name})
            trace.add("M", core, lane, 0, name="thread_sort_index", args={"sort_index": order})


def _add_instructions(trace: _Trace) -> None:
    """Add a slice for each occurrence, on the first thread of its engine that is free; one for the stores of a
    multicast.
    """
    timing = trace.timing
    streams, history = timing.streams, timing.history
    queues = streams.program.queues
    free: dict[tuple[int, int], int] = {}
    size = len(streams)
    for occurrence in np.argsort(history.move, kind="stable").tolist():
        repetition, number = divmod(occurrence, size)
        if streams.follows[number]:
            first = repetition * size + streams.groups[streams.group[number]][0]
            trace.slices[occurrence] = trace.slices[first]
            continue
        core, engine = divmod(streams.engine[number], ENGINE_COUNT)
        start = trace.nanoseconds(float(history.move[occurrence]))
        end = trace.nanoseconds(float(history.drain[occurrence]))
        lanes = [engine]
        if ENGINES[engine].startswith("dma"):
            extra = ENGINE_COUNT + engine * (queues - 1)
            lanes += range(extra, extra + queues - 1)
        # With several queues a transfer retires after those issued before it, so there may be no
        # free thread. Then take the thread that is free first; the slice begins when it is.
        lane = min(
            lanes, key=lambda lane: (free.get((core, lane), 0) > start, free.get((core, lane), 0))
        )
        start = max(start, free.get((core, lane), 0))
        end = free[core, lane] = max(start, end)
        trace.slices[occurrence] = lane, start, end
        trace.add("X", core, lane, start, dur=(end - start) / 1000, cat="instruction",
                  name=streams.kinds[number].mnemonic, args=_arguments(timing, occurrence))  # fmt: skip


def _arguments(timing: Timing, occurrence: int) -> dict[str, Any]:
    """Return what a click on an instruction shows."""
    streams, costs, history = timing.streams, timing.costs, timing.history
    repetition, number = divmod(occurrence, len(streams))
    origin = streams.program.origin(streams.fields[number]["debug"])
    result: dict[str, Any] = {
        "nodes": " + ".join(origin.nodes),
        "op": origin.op,
        "instruction": streams.index[number],
        "start_cycle": float(history.move[occurrence]),
        "end_cycle": float(history.end[occurrence]),
    }
    if timing.repeat > 1:
        result["repetition"] = repetition
    if costs.macs[number]:
        result["macs"] = int(costs.macs[number])
    if streams.kinds[number] in (Load, Store, Gather):
        result["bytes"] = moved_bytes(streams.fields[number])
    together = streams.starting_with(number)
    if len(together) > 1:
        result["multicast"] = [streams.index[member] for member in together]
    return result


def _add_stalls(trace: _Trace) -> None:
    """Add a slice for each time that an engine stands still, on the engine's first thread."""
    for stall in trace.timing.history.stalls:
        core, engine = divmod(stall.engine, ENGINE_COUNT)
        start, end = trace.nanoseconds(stall.start), trace.nanoseconds(stall.end)
        if end > start:
            number = stall.occurrence % len(trace.timing.streams)
            trace.add("X", core, engine, start, dur=(end - start) / 1000, cat="stall",
                      name="drain" if stall.cause == "drain" else f"wait: {stall.cause}", cname=_STALL_COLOR,
                      args={"instruction": trace.timing.streams.index[number],
                            "cycles": stall.end - stall.start})  # fmt: skip


def _add_waits(trace: _Trace) -> None:
    """Add an arrow from the end of an instruction to the start of each one that waited for it.

    If an instruction waited for a counter, the arrow starts at the signal that brought the counter to the awaited
    value.
    """
    timing = trace.timing
    streams, size = timing.streams, len(timing.streams)
    brought: dict[tuple[int, int], list[int]] = {}
    for occurrence in range(size * timing.repeat):
        repetition, number = divmod(occurrence, size)
        sources = [streams.queues[other][count - 1] for other, count in streams.waits[number]]
        wait = streams.counter_wait[number]
        if wait is not None:
            key = repetition, wait[0]
            if key not in brought:
                brought[key] = _arrivals(timing, repetition, wait[0])
            sources.append(brought[key][wait[1] - 1])
        for source in sources:
            before = repetition * size + source
            lane, start, end = trace.slices[before]
            identity = len(trace.events)
            # The arrow's ends have to lie within their slices: the last nanosecond, and the first.
            trace.add("s", streams.core[source], lane, max(end - 1, start), cat="wait",
                      name="wait", id=identity)  # fmt: skip
            lane, start, _ = trace.slices[occurrence]
            trace.add("f", streams.core[number], lane, start, cat="wait", name="wait",
                      id=identity, bp="e")  # fmt: skip


def _arrivals(timing: Timing, repetition: int, counter: int) -> list[int]:
    """Return the instructions that signal a counter, in the order in which the signals arrive."""
    streams, size = timing.streams, len(timing.streams)
    target = streams.program.target
    own = counter // streams.program.counters

    def arrival(number: int) -> float:
        hop = 0 if streams.core[number] == own else target.interconnect.latency_cycles
        return timing.history.end[repetition * size + number] + hop

    return sorted(streams.signalers[counter], key=arrival)


def _add_bandwidth(trace: _Trace) -> None:
    """Add counters of the gigabytes per second that transfers take of global memory and of the interconnect."""
    timing = trace.timing
    names = {GLOBAL: "global memory", INTERCONNECT: "interconnect"}
    for resource, name in names.items():
        steps: dict[int, float] = {}
        for cycle, loads in timing.history.loads:
            steps[trace.nanoseconds(cycle)] = round(loads[resource] * timing.clock_ghz, 6)
        if any(steps.values()):
            for time, rate in steps.items():
                trace.add("C", timing.streams.cores, 0, time, name=f"{name} bandwidth (GB/s)",
                          args={"GB/s": rate})  # fmt: skip


def _add_memory_use(trace: _Trace) -> None:
    """Add counters of the bytes of each core's memories that hold something still needed."""
    for (space, core), (times, sizes) in memory_use(trace.timing).items():
        name = {"local": "local memory use (bytes)", "acc": "accumulator use (bytes)"}[space]
        steps: dict[int, int] = {}
        for time, size in zip(times.tolist(), sizes.tolist(), strict=True):
            steps[trace.nanoseconds(time)] = size
        for time, size in steps.items():
            trace.add("C", core, 0, time, name=name, args={"bytes": size})
