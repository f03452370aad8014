"""The cost of each op, as comments beside the IR: cycles, bytes of global memory, energy.

An op costs what it becomes. To find out, the default passes lower a copy of the IR the rest of the way, with each op
marked by a location, and the simulator times it. The cycles of an op are its part of the critical path, so that they
add up to the run; those of an instruction are its engine's time. Energy leaves out static power, which belongs to the
whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from ...backends.simulator.timing.costs import Costs
from ...backends.simulator.timing.timing_result import Timing
from ...backends.targets.target import Target
from ...dialects import isa
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.location import named
from ..compilation.lowering import lower_to_isa, timing_of
from ..compilation.pipelines import level_of

_MARK = "smalti.cost:"


@dataclass(frozen=True)
class OpCost:
    """What one op costs: `cycles` of the run's critical path (of an instruction: of its engine),
    `bytes` of global memory read and written, `picojoules`.
    """

    cycles: float
    bytes: int
    picojoules: float


def cost_comments(module: ModuleOp, ctx: SmaltiContext) -> dict[Operation, str]:
    """Return a comment for each op that costs something.

    Lowers top IR without ranges as f32, for the default target, and lower IR as it says. Tile IR must have no layer
    that is half tiled. Raises DiagnosticError if the IR cannot be lowered.
    """
    costs, timing = costs_of(module, ctx)
    whole = max(timing.cycles, 1)
    parts = level_of(module) != "isa"
    return {op: _comment(cost, whole if parts else None) for op, cost in costs.items()}


def _comment(cost: OpCost, whole: int | None) -> str:
    share = f" ({cost.cycles / whole:.1%})" if whole else ""
    return f"{cost.cycles:,.0f} cycles{share}, {cost.bytes:,} B, {cost.picojoules / 1000:,.1f} nJ"


def costs_of(module: ModuleOp, ctx: SmaltiContext) -> tuple[dict[Operation, OpCost], Timing]:
    """Return the cost of each op of a module of any level, and the timing of the whole from cold."""
    if level_of(module) == "isa":
        timing = timing_of(module, ctx)
        return _instruction_costs(module, timing), timing
    copy, forked = module.clone(), ctx.fork()
    ops = list(_marked(module))
    for number, op in enumerate(_marked(copy)):
        op.location = named(f"{_MARK}{number}")
        for inner in op.walk():
            inner.location = op.location
    lower_to_isa(copy, forked)
    timing = timing_of(copy, forked)
    return {ops[number]: cost for number, cost in _shares(timing).items()}, timing


def _marked(module: ModuleOp) -> Iterable[Operation]:
    """Return the ops that may cost something: those that stand directly in a function or program."""
    for holder in module.body.block.ops:
        for region in holder.regions:
            for block in region.blocks:
                yield from (op for op in block.ops if not isinstance(op, func.ReturnOp))


def _picojoules(costs: Costs, target: Target) -> np.ndarray:
    """Return the energy of each instruction, f64 [n], without static power."""
    energy = target.energy
    return (
        costs.mac_picojoules
        + costs.vector_ops * energy.vector_operation_picojoules
        + costs.local_bytes * energy.local_byte_picojoules
        + costs.acc_bytes * energy.accumulator_byte_picojoules
        + costs.global_bus * energy.global_byte_picojoules
        + costs.interconnect_bytes * energy.interconnect_byte_picojoules
    )


def _instruction_costs(module: ModuleOp, timing: Timing) -> dict[Operation, OpCost]:
    """Return each instruction's own time, bytes and energy."""
    ops = [op for op in module.walk() if isinstance(op, isa.InstructionOp)]
    times, costs = timing.instructions, timing.costs
    cycles = times.end - times.start
    moved = np.asarray(costs.global_read) + np.asarray(costs.global_written)
    energy = _picojoules(costs, timing.streams.program.target)
    return {
        op: OpCost(float(cycles[n]), int(moved[n]), float(energy[n])) for n, op in enumerate(ops)
    }


def _shares(timing: Timing) -> dict[int, OpCost]:
    """Return costs by the number in the marks.

    An instruction that stems from several ops counts for the last of them, whose result it makes.
    """
    program, costs = timing.streams.program, timing.costs
    words = timing.streams.words["debug"]
    owner = np.array([_owner(program.origin(int(entry)).nodes) for entry in words], np.int64)
    cycles = np.zeros(len(owner))
    for number, part in timing.critical_path:
        cycles[number] += part
    moved = np.asarray(costs.global_read) + np.asarray(costs.global_written)
    energy = _picojoules(costs, program.target)
    result: dict[int, OpCost] = {}
    for number in np.unique(owner[owner >= 0]).tolist():
        chosen = owner == number
        result[number] = OpCost(
            float(cycles[chosen].sum()), int(moved[chosen].sum()), float(energy[chosen].sum())
        )
    return result


def _owner(nodes: tuple[str, ...]) -> int:
    numbers = [int(node.removeprefix(_MARK)) for node in nodes if node.startswith(_MARK)]
    return max(numbers, default=-1)
