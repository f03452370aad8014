"""What each instruction costs: engine time, transfers on shared resources, operations and bytes.

Everything that the timing simulation needs to know about an instruction before it runs, as flat
lists; the formulas themselves are in `backends/targets/cycles.py` and reach this module through
`Instruction.cycles`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from ...dialects.diagnostic import DiagnosticError
from ...dialects.instruction import Conv2d, Load, Matmul, Store
from ..program.program import Program
from ..targets import cycles
from ..targets.target import Target, TargetError
from .network import Network
from .sharing import FlowClass
from .streams import Streams

TICKS_PER_CYCLE = 1 << 12
"""Simulated time is an integer number of ticks of 1/4096 of a clock cycle (int64 holds 2^51
cycles).
"""
WORK_PER_BYTE = 1 << 36
"""Transfers count work in units of 2^-36 byte, so that a rate in units per tick is exact to 2^-24
byte per cycle.
"""

GLOBAL, INTERCONNECT = 0, 1
"""The shared resources."""


@dataclass(eq=False)
class Costs:
    """Costs by instruction number.

    `ticks`: engine time; of a transfer, the time to issue it. `transfer`: class in the network, -1
    for what is no transfer. `work`: units that a transfer moves (for a multicast group: its first
    member's). `latency`: ticks from the end of issue to the first byte. `macs` and `mac_time`
    (cycles of the whole array at its peak rate), `vector_ops` (lanes times cycles), and bytes: of
    global memory read and written (what is used, and `bus_bytes`, in whole bursts), moved between
    cores, of local and of accumulator memory read and written. `peer` is true if a transfer reaches
    into another core without its taking part.
    """

    ticks: list[int]
    transfer: list[int]
    work: list[int]
    latency: list[int]
    macs: list[int]
    mac_picojoules: list[float]
    mac_time: list[float]
    vector_ops: list[int]
    global_read: list[int]
    global_written: list[int]
    bus_bytes: list[int]
    interconnect_bytes: list[int]
    local_bytes: list[int]
    acc_bytes: list[int]
    network: Network
    peer: bool = field(default=False)


def merged_runs(run: int, counts: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    """(bytes of a run, number of runs), runs that touch each other counting as one, as on a bus."""
    runs = 1
    for stride, count in sorted((abs(s), c) for s, c in zip(strides, counts, strict=True) if c > 1):
        if stride == run and runs == 1:
            run *= count
        else:
            runs *= count
    return run, runs


def cost_program(streams: Streams) -> Costs:
    """The costs of every instruction of a program on its own target; about 10 µs an instruction.

    Raises DiagnosticError if the target has no rate for a type that an instruction uses.
    """
    target, size = streams.program.target, len(streams)

    def zeros() -> list[int]:
        return [0] * size

    capacities = [target.global_bytes_per_cycle, target.interconnect_bytes_per_cycle]
    costs = Costs(
        zeros(),
        [-1] * size,
        zeros(),
        zeros(),
        zeros(),
        [0.0] * size,
        [0.0] * size,
        zeros(),
        zeros(),
        zeros(),
        zeros(),
        zeros(),
        zeros(),
        zeros(),
        Network([_rate(c) for c in capacities]),
    )
    for number, (kind, fields) in enumerate(zip(streams.kinds, streams.fields, strict=True)):
        try:
            busy = kind.cycles(fields, target)
        except TargetError as error:
            raise DiagnosticError(
                f"{streams.name(number)} cannot run on target '{target.name}'", notes=[str(error)]
            ) from None
        costs.ticks[number] = busy * TICKS_PER_CYCLE
        if kind in (Load, Store):
            _cost_transfer(costs, number, streams, target)
            continue
        if kind in (Conv2d, Matmul):
            _cost_product(costs, number, fields, target)
        elif kind.engine == "vector":
            storage = fields.get("type") or fields["out_type"]
            active = max(busy - target.vector.startup_cycles, 0)
            costs.vector_ops[number] = active * target.lanes_of(storage)
        _count_bytes(costs, number, streams)
    return costs


def _rate(bytes_per_cycle: float) -> int:
    """Units of work per tick."""
    return max(1, round(bytes_per_cycle * WORK_PER_BYTE / TICKS_PER_CYCLE))


def _cost_product(costs: Costs, number: int, f: dict[str, Any], target: Target) -> None:
    if "batch" in f and "m" in f:
        macs = f["batch"] * f["m"] * f["k"] * f["n"]
    else:
        outputs = f["batch"] * f["out_height"] * f["out_width"] * f["out_channels"]
        macs = outputs * f["kernel_height"] * f["kernel_width"] * (f["in_channels"] // f["groups"])
    costs.macs[number] = macs
    costs.mac_picojoules[number] = macs * target.energy.per_mac(f["type"])
    peak = target.matrix.cells * target.matrix.macs_per_cycle[f["type"]]
    costs.mac_time[number] = macs / peak


def _count_bytes(costs: Costs, number: int, streams: Streams) -> None:
    for access in streams.kinds[number].accesses(streams.fields[number]):
        size = access.run_bytes * prod(access.counts)
        if access.space == "local":
            costs.local_bytes[number] += size
        elif access.space == "acc":
            costs.acc_bytes[number] += size


def _cost_transfer(costs: Costs, number: int, streams: Streams, target: Target) -> None:
    """Class, work, latency and bytes of a load or store.

    A transfer never moves faster than one port of local memory. With global memory it takes whole
    bursts of that bandwidth; with another core it takes the interconnect's. A multicast reads its
    source once, for which its first member is charged, and takes the interconnect once, or once for
    each receiver if the target has no multicast.
    """
    f = streams.fields[number]
    counts = [f[f"count{d}"] for d in range(4)]
    runs = prod(counts)
    moved, written = f["run"] * runs, (f["run"] + f["pad"]) * runs
    members = streams.groups.get(f["group"], [number])
    first = members[0] == number
    copies = 1 if target.interconnect.multicast else len(members)
    spaces = (f["src_space"], f["dst_space"])
    uses: list[tuple[int, int]] = []
    latency, work = 0, moved
    if "global" in spaces:
        side = "src" if spaces[0] == "global" else "dst"
        run = f["run"] if side == "src" else f["run"] + f["pad"]
        run, separate = merged_runs(run, counts, [f[f"{side}_stride{d}"] for d in range(4)])
        work = cycles.transfer_bytes_on_bus(target, run, separate)
        uses.append((GLOBAL, 1))
        latency = target.global_memory.latency_cycles
        costs.bus_bytes[number] = work if first else 0
        count = costs.global_read if side == "src" else costs.global_written
        count[number] = (moved if side == "src" else written) if first else 0
    if len(members) > 1 or f["peer_core"]:
        uses.append((INTERCONNECT, copies))
        latency = max(latency, target.interconnect.latency_cycles)
        costs.interconnect_bytes[number] = moved * copies if first else 0
        costs.peer |= bool(f["peer_core"])
    for size, space in zip((moved, written), spaces, strict=True):
        costs.local_bytes[number] += size if space == "local" else 0
        costs.acc_bytes[number] += size if space == "acc" else 0
    limit = _rate(target.local_memory.bytes_per_cycle)
    costs.transfer[number] = costs.network.number(FlowClass(limit, tuple(uses)))
    costs.work[number] = work * WORK_PER_BYTE
    costs.latency[number] = latency * TICKS_PER_CYCLE


def memory_totals(costs: Costs, program: Program) -> dict[str, int]:
    """Bytes moved in one run, by memory."""
    return {
        "global_read": sum(costs.global_read),
        "global_written": sum(costs.global_written),
        "global_bus": sum(costs.bus_bytes),
        "interconnect": sum(costs.interconnect_bytes),
        "local": sum(costs.local_bytes),
        "accumulator": sum(costs.acc_bytes),
        "weights_stored": int(program.weight_bytes.size),
    }
