"""`tile-order-engines`: moves loads earlier, so that they run while the preceding tile is computed.

    load x0, w; conv x0; epilogue y0; store y0; load x1; conv x1; epilogue y1; store y1
⇒
    load x0, w; load x1; conv x0; epilogue y0; store y0; conv x1; epilogue y1; store y1

The engines of a core run side by side, each in order, and wait for each other only if they share bytes. If a load
stands earlier, the lifetime of its buffer begins earlier, so that the buffer gets bytes that the preceding computation
does not use. No load moves across a step that writes what it reads or that touches what it writes, so the program means
the same.

The pass marks the program as `ordered`, and leaves one that is marked as it is: its order is this pass's own, or that
of a person who edited it. So it leaves one whose buffers have addresses, too: the addresses hold for the order that the
program had when they were assigned, in which buffers that live one after the other share bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics.rounding_up import ceil_div
from ...backends.targets.alignment import align
from ...dialects import tile
from ...dialects.ir.target_attribute import target_of
from ...dialects.tile.analysis.buffer_uses import BufferUse, buffer_uses, memory_capacity
from ..smalti_pass import Level, SmaltiPass
from ..tiling.allocation import Lifetime, place

_BUDGETS = (1.0, 0.9, 0.75, 0.5, 0.0)
"""Shares of local memory that buffers may fill after moving, tried in turn for each core until its
buffers can be placed.
"""


@dataclass(frozen=True)
class OrderEngines(SmaltiPass):
    """Move loads and fills up to `prefetch` tiles ahead; a tile of a core ends with its stores, or with what stays."""

    name = "tile-order-engines"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {"moved": "loads and fills moved to an earlier place"}
    prefetch: int = 1
    """How many tiles ahead loads and fills may move."""

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Reorder the block. Raises DiagnosticError if `prefetch` is negative."""
        if self.prefetch < 0:
            raise DiagnosticError(f"{self.name}: prefetch is at least 0, got {self.prefetch}")
        program = tile.program_of(module)
        steps = program.steps
        if program.is_ordered or has_addresses(program):
            return
        program.is_ordered = True
        if not self.prefetch or not steps:
            return
        capacity = memory_capacity(target_of(module), ("local", 0))
        uses = buffer_uses(program, steps)
        goals = _goals(steps, self.prefetch)
        attempt: dict[int, int] = defaultdict(int)
        while True:
            budgets = {core: capacity * _BUDGETS[attempt[core]] for core in goals.cores}
            positions = _positions(steps, uses, goals, budgets)
            order = np.lexsort((np.arange(len(steps)), positions)).tolist()
            ordered = [steps[i] for i in order]
            crowded = [
                core
                for core in _crowded_cores(buffer_uses(program, ordered), capacity)
                if attempt[core] < len(_BUDGETS) - 1 and core in goals.cores
            ]
            if not crowded:
                break
            for core in crowded:
                attempt[core] += 1
        moved = [i for i in range(len(steps)) if positions[i] < 2 * i + 1]
        self.count("moved", len(moved))
        if moved:
            _rebuild(program, ordered)


@dataclass(frozen=True)
class _Goals:
    """For each step that may move, the step before which it would best stand; -1 for a step that stays."""

    before: np.ndarray
    cores: tuple[int, ...]


def has_addresses(program: tile.ProgramOp) -> bool:
    """Tell whether addresses were assigned to a core's buffers."""
    allocs = (op for op in program.buffers if isinstance(op, tile.AllocOp))
    return any(op.address is not None for op in allocs)


def _completes_piece(op: tile.StepOp) -> bool:
    """Tell whether an op computes a tile that stays in local memory."""
    target = op.buffer_written.owner
    return isinstance(target, tile.AllocOp) and target.tensor is not None


def _core_of(op: tile.StepOp) -> int:
    return op.core.value.data if isinstance(op, tile.CoreOp) else -1


def _goals(steps: Sequence[tile.StepOp], prefetch: int) -> _Goals:
    """Return where steps should move: a load of tile t goes before the first computation or store of tile t −
    prefetch.
    """
    first: dict[int, list[int]] = defaultdict(list)
    ended: dict[int, bool] = defaultdict(lambda: True)
    tile_of = np.full(len(steps), -1, dtype=np.int64)
    for index, op in enumerate(steps):
        core = _core_of(op)
        is_store = isinstance(op, tile.CoreOp) and op.is_store
        if ended[core] and not is_store:
            first[core].append(-1)
        ended[core] = is_store or _completes_piece(op)
        if not first[core]:
            continue
        if isinstance(op, tile.CoreOp) and op.may_run_ahead:
            tile_of[index] = len(first[core]) - 1
        elif first[core][-1] < 0:
            first[core][-1] = index
    before = np.full(len(steps), -1, dtype=np.int64)
    for index in np.flatnonzero(tile_of >= 0).tolist():
        tiles = first[_core_of(steps[index])]
        goal = tiles[max(0, int(tile_of[index]) - prefetch)]
        before[index] = goal if 0 <= goal < index else index
    return _Goals(before, tuple(sorted(core for core in first if core >= 0)))


def _positions(
    steps: Sequence[tile.StepOp],
    uses: dict[SSAValue, BufferUse],
    goals: _Goals,
    budgets: dict[int, float],
) -> np.ndarray:
    """Return sort keys that say where each step goes: step i has 2i + 1 if it stays, and 2j if it moves before
    step j.
    """
    positions = 2 * np.arange(len(steps), dtype=np.int64) + 1
    live = _live_bytes(uses, budgets, len(steps))
    last_write: dict[SSAValue, int] = {}
    last_use: dict[SSAValue, int] = {}
    for index, op in enumerate(steps):
        written = op.buffer_written
        if goals.before[index] >= 0:
            # Not before what writes its source or uses its target; equal keys keep their order.
            after = max(last_use.get(written, 0), *(last_write.get(v, 0) for v in op.operands))
            before = max(int(goals.before[index]), ceil_div(after, 2))
            use = uses[written]
            if use.first == index and before < index:
                free = budgets[_core_of(op)] - align(use.size_bytes)
                bytes_then = live[_core_of(op)][before:index]
                full = np.flatnonzero(bytes_then > free)
                if len(full):
                    before += int(full[-1]) + 1
                live[_core_of(op)][before:index] += align(use.size_bytes)
            if before < index:
                positions[index] = 2 * before
        key = int(positions[index])
        for operand in op.operands:
            last_use[operand] = max(key, last_use.get(operand, 0))
        last_write[written] = max(key, last_write.get(written, 0))
    return positions


def _live_bytes(
    uses: dict[SSAValue, BufferUse], cores: dict[int, float], count: int
) -> dict[int, np.ndarray]:
    """Return for each core the bytes of local memory that are in use at each step, before anything moves."""
    change = {core: np.zeros(count + 1, dtype=np.int64) for core in cores}
    for use in uses.values():
        if use.memory[0] == "local" and use.is_used and use.memory[1] in change:
            change[use.memory[1]][use.first] += align(use.size_bytes)
            change[use.memory[1]][use.last + 1] -= align(use.size_bytes)
    return {core: np.cumsum(delta)[:-1] for core, delta in change.items()}


def _crowded_cores(uses: dict[SSAValue, BufferUse], capacity: int) -> list[int]:
    """Return the cores whose local buffers cannot be placed."""
    buffers: dict[int, list[Lifetime]] = defaultdict(list)
    for use in uses.values():
        if use.memory[0] == "local" and use.is_used:
            buffers[use.memory[1]].append(Lifetime(use.size_bytes, use.first, use.last))
    return [core for core, own in buffers.items() if place(own, capacity) is None]


def _rebuild(program: tile.ProgramOp, ordered: Sequence[tile.StepOp]) -> None:
    """Put the block in its new order; a core's buffers are declared before their first use."""
    block = program.body.block
    declarations = program.buffers
    for op in list(block.ops):
        op.detach()
    used = {operand.owner for op in ordered for operand in op.operands}
    order: dict[Operation, None] = {
        op: None for op in declarations if isinstance(op, tile.GlobalOp) or op not in used
    }
    for op in ordered:
        for operand in op.operands:
            if isinstance(operand.owner, Operation):
                order.setdefault(operand.owner)
        order[op] = None
    block.add_ops(order)
