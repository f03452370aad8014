"""Computes what each instruction costs: engine time, transfers on shared resources, operations and bytes.

The result is everything that the timing simulation needs to know about an instruction before it runs, as flat arrays.
The formulas themselves are in `backends/targets/cycles.py` and reach this module through `Instruction.cycles`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError, contained
from ...instructions.columns import Columns
from ...instructions.instruction_set import (
    ENGINES,
    SPACES,
    Fill,
    Gather,
    HostCall,
    Load,
    Store,
    Sync,
)
from ...numerics.storage import bytes_of
from ...program.encoding import select
from ...program.program import Program
from ...targets import cycles
from ...targets.target import Target
from ..streams.streams import ENGINE_COUNT, Streams
from .machine_state import PASSES
from .sharing import FlowClass, FlowClasses

TICKS_PER_CYCLE = 1 << 12
"""Simulated time is an integer number of ticks of 1/4096 of a clock cycle (int64 holds 2^51
cycles).
"""
WORK_PER_BYTE = 1 << 36
"""Transfers count work in units of 2^-36 byte, so that a rate in units per tick is exact to 2^-24
byte per cycle.
"""

GLOBAL, INTERCONNECT, PORTS = 0, 1, 2
"""The shared resources: the bus of global memory, the interconnect, and from `PORTS` on the port of
each core's local memory, which all transfers that read or write it share."""


MAX_CYCLES = 1 << 48
"""The most cycles that one instruction may take."""


@dataclass(eq=False)
class Costs:
    """Costs by instruction number: arrays [n], int64 unless stated otherwise.

    `ticks`: engine time of the instruction alone; of a transfer, the time to issue it. Of a matrix instruction that
    streams folds, `fill`, `stream` and `drain` are the parts of `ticks` before the first fold, of the last fold and
    after it, and `interval` the ticks from one fold to the next; all 0 for others, but `interval` is `PASSES` for a
    sync beside which the array goes on. `transfer`: class of transfers, -1 for other instructions. `bus_bytes`: what a
    transfer moves, on global memory in whole bursts (for a multicast group: its first member's is what counts).
    `latency`: ticks from the end of issue to the first byte. `macs`, `mac_picojoules` and `mac_time` (f64; cycles of
    the whole array at its peak rate), `vector_ops` (lanes times cycles), and bytes: of global memory read and written
    (what is used, and `global_bus`, in whole bursts), moved between cores, of local and of accumulator memory read and
    written (the first store of a multicast reads for all of them). `flow_classes` has the classes that `transfer`
    numbers. `reaches` is 1 for transfers that reach into another core without its taking part.
    """

    ticks: np.ndarray
    fill: np.ndarray
    stream: np.ndarray
    drain: np.ndarray
    interval: np.ndarray
    transfer: np.ndarray
    bus_bytes: np.ndarray
    latency: np.ndarray
    macs: np.ndarray
    mac_picojoules: np.ndarray
    mac_time: np.ndarray
    vector_ops: np.ndarray
    global_read: np.ndarray
    global_written: np.ndarray
    global_bus: np.ndarray
    interconnect_bytes: np.ndarray
    local_bytes: np.ndarray
    acc_bytes: np.ndarray
    reaches: np.ndarray
    flow_classes: FlowClasses


def merged_runs(
    run: np.ndarray, counts: np.ndarray, strides: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (bytes of a run, number of runs), int64 [n] each, after joining runs that touch each other, as a bus does.

    `run` is int64 [n], `counts` and `strides` int64 [n, dimensions].
    """
    run, runs = run.copy(), np.ones_like(run)
    steps = np.abs(strides)
    # Sort by stride, then by count, which fits 32 bits.
    order = np.argsort(steps << 32 | counts, axis=1)
    counts, steps = (np.take_along_axis(array, order, axis=1) for array in (counts, steps))
    for count, step in zip(counts.T, steps.T, strict=True):
        touching = (step == run) & (runs == 1) | (count <= 1)
        run *= np.where(touching, count, 1)
        runs *= np.where(touching, 1, count)
    return run, runs


def cost_program(streams: Streams) -> Costs:
    """Compute the costs of every instruction of a program on its own target; takes less than 1 µs an instruction.

    Raises DiagnosticError if the target has no rate for a type that an instruction uses, or if an instruction takes
    more than `MAX_CYCLES`.
    """
    target, size = streams.program.target, len(streams)
    ports = [target.local_memory.bytes_per_cycle] * streams.cores
    capacities = [target.global_bytes_per_cycle, target.interconnect_bytes_per_cycle, *ports]

    f64 = {"mac_picojoules", "mac_time"}
    arrays: dict[str, Any] = {
        each.name: np.zeros(size, np.float64 if each.name in f64 else np.int64)
        for each in fields(Costs)
        if each.name != "flow_classes"
    }
    costs = Costs(**arrays, flow_classes=FlowClasses([_rate(c) for c in capacities]))
    costs.transfer -= 1
    busy = _busy_cycles(streams)
    costs.ticks[:] = busy.astype(np.int64) * TICKS_PER_CYCLE
    for columns in streams.columns:
        kind, numbers = columns.instruction, columns.numbers
        if kind in (Load, Store):
            continue
        if kind is Sync and target.matrix.overlap:
            is_matrix = streams.engine_numbers[numbers] % ENGINE_COUNT == ENGINES.index("matrix")
            costs.interval[numbers[is_matrix]] = PASSES
        if kind.engine == "matrix":
            _cost_products(costs, columns, streams)
            _cost_folds(costs, columns, target)
        elif kind.engine == "vector":
            storage = kind.counted_type(columns.fields)
            active = np.maximum(busy[numbers] - target.vector.startup_cycles, 0)
            costs.vector_ops[numbers] = active * target.lanes_of(storage)
        if kind is HostCall:
            _cost_host_calls(costs, columns, target)
            continue
        if kind is Fill:
            _cost_fills(costs, numbers, busy[numbers], streams)
        if kind is Gather:
            _cost_gathers(costs, columns, streams)
        for access in kind.accesses(columns.fields):
            if access.space in ("local", "acc"):
                moved = access.run_bytes * np.prod(np.broadcast_arrays(1, *access.counts), axis=0)
                count = costs.local_bytes if access.space == "local" else costs.acc_bytes
                count[numbers] += moved.astype(np.int64)
    for kind in (Load, Store):
        _cost_transfers(costs, *select(streams.words, kind), streams)
    issue = cycles.further_store_issue_cycles(target)
    costs.ticks[streams.follows] = issue * TICKS_PER_CYCLE
    return costs


def _busy_cycles(streams: Streams) -> np.ndarray:
    """Compute the cycles of every instruction by its formula: whole numbers in f64 [n]."""
    target = streams.program.target
    busy = np.zeros(len(streams))
    problems: list[tuple[int, DiagnosticError]] = []
    with np.errstate(all="ignore"):
        for columns in streams.columns:
            try:
                with contained(f"in the cycles of {columns.instruction.mnemonic}"):
                    busy[columns.numbers] = columns.instruction.cycles(columns.fields, target)
            except DiagnosticError as error:
                problems.append((int(columns.numbers[0]), error))
    if problems:
        number, error = min(problems, key=lambda problem: problem[0])
        raise _cannot_run(streams, number, error)
    endless = np.flatnonzero(~(busy <= MAX_CYCLES))
    if len(endless):
        raise DiagnosticError(
            f"{streams.name(int(endless[0]))} takes more than {MAX_CYCLES} cycles",
            hint="compile the program again",
        )
    return busy


def _cannot_run(streams: Streams, number: int, error: DiagnosticError) -> DiagnosticError:
    """Say that the program's target cannot run an instruction, and why."""
    target = streams.program.target
    return DiagnosticError(
        f"{streams.name(number)} cannot run on target '{target.name}'",
        notes=[error.message],
        hint=error.hint,
    )


def _rate(bytes_per_cycle: float) -> int:
    """Convert bytes per cycle to units of work per tick."""
    return max(1, round(bytes_per_cycle * WORK_PER_BYTE / TICKS_PER_CYCLE))


def _cost_products(costs: Costs, columns: Columns, streams: Streams) -> None:
    """Count the multiply-accumulates of matrix instructions, their energy and their time at the unit's peak.

    Raises DiagnosticError if the target's matrix unit has no rate for their storage type: an instruction
    of a plugin may have a formula of cycles that does not ask for it.
    """
    target = streams.program.target
    numbers, storage = columns.numbers, columns.instruction.counted_type(columns.fields)
    macs = columns.instruction.multiply_accumulates(columns.fields)
    if not np.any(macs):
        return
    try:
        rate = cycles.matrix_rate(target, storage)
    except DiagnosticError as error:
        raise _cannot_run(streams, int(numbers[0]), error) from None
    costs.macs[numbers] = macs
    costs.mac_picojoules[numbers] = macs * target.energy.per_mac(storage)
    costs.mac_time[numbers] = macs / (target.matrix.cells * rate)


def _cost_folds(costs: Costs, columns: Columns, target: Target) -> None:
    """Set the parts of matrix instructions that overlap with their neighbors, if the target's unit can."""
    folds = columns.instruction.folds(columns.fields, target)
    if folds is None or not target.matrix.overlap:
        return
    parts = {
        "fill": folds.load,
        "stream": folds.stream,
        "drain": folds.drain,
        "interval": folds.interval(target.matrix.rows),
    }
    for name, cycles_ in parts.items():
        getattr(costs, name)[columns.numbers] = (
            np.asarray(cycles_).astype(np.int64) * TICKS_PER_CYCLE
        )


def _cost_transfers(costs: Costs, numbers: np.ndarray, words: np.ndarray, streams: Streams) -> None:
    """Set the classes, work, latencies and bytes of loads or stores.

    A transfer never moves faster than the port of a local memory, which it shares with all others that read
    or write that memory; a run shorter than a burst takes the port as long as the bus. With global memory
    it takes whole bursts of that bandwidth; with another core it takes the interconnect's. A multicast reads
    its source once, for which its first member is charged, and takes the interconnect once, or once for each
    receiver (but the sender itself) if the target has no multicast.
    """
    if not len(numbers):
        return
    target = streams.program.target
    run, pad = words["run"].astype(np.int64), words["pad"].astype(np.int64)
    counts = np.stack([words[f"count{d}"].astype(np.int64) for d in range(4)], axis=1)
    runs = counts.prod(axis=1)
    moved, written = run * runs, (run + pad) * runs
    first, crossings = _multicast(streams.group_numbers[numbers], words["peer_core"] != 0)
    between = crossings > 0
    if target.interconnect.multicast:
        crossings = between.astype(np.int64)
    source, sink = (words[f"{side}_space"] == SPACES.index("global") for side in ("src", "dst"))
    work, latency = moved.copy(), np.zeros_like(moved)
    for side, chosen in (("src", source), ("dst", sink & ~source)):
        strides = np.stack([words[f"{side}_stride{d}"].astype(np.int64) for d in range(4)], axis=1)
        length = run if side == "src" else run + pad
        merged = merged_runs(length[chosen], counts[chosen], strides[chosen])
        work[chosen] = cycles.transfer_bytes_on_bus(target, *merged)
    shared = source | sink
    latency[shared] = target.global_memory.latency_cycles
    latency[between] = np.maximum(latency[between], target.interconnect.latency_cycles)
    costs.reaches[numbers] = words["peer_core"] != 0
    costs.global_bus[numbers] = np.where(shared & first, work, 0)
    costs.global_read[numbers] = np.where(source & first, moved, 0)
    costs.global_written[numbers] = np.where(sink & ~source & first, written, 0)
    costs.interconnect_bytes[numbers] = np.where(first, moved * crossings, 0)
    for name, count in (("local", costs.local_bytes), ("acc", costs.acc_bytes)):
        code = SPACES.index(name)
        reads, writes = (words[f"{side}_space"] == code for side in ("src", "dst"))
        count[numbers] = moved * (reads & first) + written * writes
    uses = _uses(streams, numbers, words, first, crossings)
    costs.transfer[numbers] = _classes(costs, target, uses)
    costs.bus_bytes[numbers] = work
    costs.latency[numbers] = latency * TICKS_PER_CYCLE


def _cost_fills(
    costs: Costs, numbers: np.ndarray, write_cycles: np.ndarray, streams: Streams
) -> None:
    """Let fills share the port of their memory, whose whole width they take in every cycle, with transfers."""
    target = streams.program.target
    uses = np.zeros((len(numbers), PORTS + streams.cores), np.int64)
    uses[np.arange(len(numbers)), PORTS + streams.core_numbers[numbers]] = 1
    costs.transfer[numbers] = _classes(costs, target, uses)
    costs.bus_bytes[numbers] = np.ceil(write_cycles * target.local_memory.bytes_per_cycle)
    costs.ticks[numbers] = 0


def _cost_gathers(costs: Costs, columns: Columns, streams: Streams) -> None:
    """Set the costs of gathers, which take the bus of global memory, each row in bursts of its own, and the port of the
    local memory that they write. Where indices are in global memory, they cross the bus first, and the rows wait for
    them.
    """
    target, numbers, f = streams.program.target, columns.numbers, columns.fields
    rows, row_bytes = (_whole(f[name], len(numbers)) for name in ("rows", "row_bytes"))
    moved, work = rows * row_bytes, cycles.transfer_bytes_on_bus(target, row_bytes, rows)
    latency = target.global_memory.latency_cycles
    if f["index_space"] == "global":
        index_bytes = np.asarray(bytes_of(rows, f["index_type"]))
        moved += index_bytes
        work += cycles.transfer_bytes_on_bus(target, index_bytes, np.ones_like(rows))
        latency *= 2
    uses = np.zeros((len(numbers), PORTS + streams.cores), np.int64)
    uses[:, GLOBAL] = 1
    uses[np.arange(len(numbers)), PORTS + streams.core_numbers[numbers]] = 1
    costs.transfer[numbers] = _classes(costs, target, uses)
    costs.global_read[numbers] = moved
    costs.global_bus[numbers] = costs.bus_bytes[numbers] = work
    costs.latency[numbers] = latency * TICKS_PER_CYCLE


def _whole(value: Any, count: int) -> np.ndarray:
    """Return a field, a number or a column, as a column int64 [count] of its own."""
    return np.array(np.broadcast_to(value, count), np.int64)


def _cost_host_calls(costs: Costs, columns: Columns, target: Target) -> None:
    """Set the costs of host calls, which move operands to the host over the bus of global memory, and the result back.

    Each way takes the memory's latency. Local memories take no part, and the time of the host itself is not counted.
    """
    numbers = columns.numbers
    total = np.zeros(len(numbers), np.int64)
    for access in columns.instruction.accesses(columns.fields):
        size = np.broadcast_to(access.run_bytes, len(numbers)).astype(np.int64)
        (costs.global_written if access.write else costs.global_read)[numbers] += size
        total += cycles.transfer_bytes_on_bus(target, size, np.ones_like(size))
    costs.global_bus[numbers] = costs.bus_bytes[numbers] = total
    costs.latency[numbers] = 2 * target.global_memory.latency_cycles * TICKS_PER_CYCLE
    limit = _rate(target.global_bytes_per_cycle)
    costs.transfer[numbers] = costs.flow_classes.number(FlowClass(limit, ((GLOBAL, 1),)))


def _multicast(groups: np.ndarray, is_peer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each transfer is alone or the first of its group, and how many copies of its bytes, or of its
    group's, go from core to core, int64.

    `groups` int64 [n]; `is_peer` bool [n]: whether the transfer goes from core to core. No load of a group does, but
    if there are several, the bytes reach each of their cores over the interconnect.
    """
    _, first, which, sizes = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    alone = groups == 0
    begins = np.zeros(len(groups), np.bool_)
    begins[first] = True
    peers = np.bincount(which, is_peer, len(sizes)).astype(np.int64)
    copies = np.where((peers == 0) & (sizes > 1), sizes, peers)
    return begins | alone, np.where(alone, is_peer, copies[which])


def _uses(
    streams: Streams,
    numbers: np.ndarray,
    words: np.ndarray,
    first: np.ndarray,
    crossings: np.ndarray,
) -> np.ndarray:
    """Return how many times its rate each load or store takes of every resource, int64 [n, resources].

    `first` bool [n]: whether it is alone or the first of its group; `crossings` [n]: how often it crosses the
    interconnect. A transfer takes the port of a memory that it reads, and of one that it writes; a multicast that of
    its source once, and those of all memories that it writes.
    """
    uses = np.zeros((len(numbers), PORTS + streams.cores), np.int64)
    core, peer = streams.core_numbers[numbers], words["peer_core"].astype(np.int64) - 1
    is_load, code = words["opcode"] == Load.opcode, SPACES.index("local")
    for side, is_far in (("src", is_load), ("dst", ~is_load)):
        memory = np.where(is_far & (peer >= 0), peer, core)
        takes = np.flatnonzero((words[f"{side}_space"] == code) & (first | (side == "dst")))
        uses[takes, PORTS + memory[takes]] += 1
    groups = streams.group_numbers[numbers]
    members = np.flatnonzero(groups)
    if len(members):
        _, which = np.unique(groups[members], return_inverse=True)
        whole = np.zeros((which.max() + 1, uses.shape[1]), np.int64)
        np.add.at(whole, which, uses[members])
        uses[members] = whole[which]
    code = SPACES.index("global")
    uses[:, GLOBAL] = (words["src_space"] == code) | (words["dst_space"] == code)
    uses[:, INTERCONNECT] = crossings
    return uses


def _classes(costs: Costs, target: Target, uses: np.ndarray) -> np.ndarray:
    """Return the number of the class of each transfer, int64; classes are numbered in order of first use."""
    limit = _rate(target.local_memory.bytes_per_cycle)
    kinds, first, which = np.unique(uses, axis=0, return_index=True, return_inverse=True)
    numbers = np.empty(len(kinds), np.int64)
    for place in np.argsort(first).tolist():
        taken = np.flatnonzero(kinds[place]).tolist()
        pairs = tuple((resource, int(kinds[place, resource])) for resource in taken)
        numbers[place] = costs.flow_classes.number(FlowClass(limit, pairs))
    return numbers[which.ravel()]


def memory_totals(costs: Costs, program: Program) -> dict[str, int]:
    """Add up the bytes moved in one run, by memory."""
    return {
        "global_read": int(costs.global_read.sum()),
        "global_written": int(costs.global_written.sum()),
        "global_bus": int(costs.global_bus.sum()),
        "interconnect": int(costs.interconnect_bytes.sum()),
        "local": int(costs.local_bytes.sum()),
        "accumulator": int(costs.acc_bytes.sum()),
        "weights_stored": int(program.weight_bytes.size),
    }
