"""Estimates how long each step of a tile program keeps its engine busy, by the formulas of the target."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from ....backends.instructions.instruction_set import BY_MNEMONIC, Gather
from ....backends.instructions.movement import moved_bytes
from ....backends.numerics.storage import bytes_of
from ....backends.targets import cycles as formulas
from ....dialects import tile
from ....dialects.ir.attribute import values_of
from ....dialects.isa.field_values import field_values
from ....dialects.tile.buffer import is_global
from ....dialects.tile.checks import storage_of
from ....dialects.tile.core_op import Fields

if TYPE_CHECKING:
    from ....backends.targets.target import Target


@dataclass(frozen=True)
class StepTime:
    """The engine that a step takes, for how many cycles, after how many more its result is there, and for how many it
    takes the whole bus of global memory, once for all copies of a multicast.
    """

    engine: str
    busy: float
    latency: float = 0.0
    bus: float = 0.0


_NOTHING = StepTime("", 0.0)


class EngineTimes:
    """The times of steps on a target; those of equal instructions are computed once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._known: dict[tuple[Any, ...], StepTime] = {}

    def of(self, op: tile.StepOp) -> StepTime:
        """Return the time of a step; a layer that is not cut yet takes none."""
        if isinstance(op, tile.CopyOp):
            return self._of_copy(op)
        if not isinstance(op, tile.CoreOp):
            return _NOTHING
        mnemonic, fields, _ = op.checked_instruction()
        key = (mnemonic, *sorted(fields.items()))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._of_instruction(mnemonic, fields)
        return found

    def _of_instruction(self, mnemonic: str, fields: Fields) -> StepTime:
        instruction, target = BY_MNEMONIC[mnemonic], self.target
        engine = instruction.engine
        assert engine is not None
        complete = {**field_values(instruction).defaults, **fields, "engine": engine}
        if instruction is Gather:
            on_bus = formulas.transfer_bytes_on_bus(target, fields["row_bytes"], fields["rows"])
            moved = moved_bytes(complete) / target.local_memory.bytes_per_cycle
            return StepTime(
                engine,
                max(instruction.cycles(complete, target), moved),
                float(target.global_memory.latency_cycles),
                on_bus / target.global_bytes_per_cycle,
            )
        folds = instruction.folds(complete, target) if engine == "matrix" else None
        if folds is None or not target.matrix.overlap:
            return StepTime(engine, float(instruction.cycles(complete, target)))
        # Between instructions the load of the first fold and the drain of the last one are hidden.
        busy = folds.busy(target.matrix.rows, target.matrix.overlap)
        return StepTime(engine, float(busy), float(folds.drain))

    def _of_copy(self, op: tile.CopyOp) -> StepTime:
        """Return the time of a transfer: its addresses, or its bytes through the port of a local memory."""
        target, storage = self.target, storage_of(op.target)
        sizes = values_of(op.sizes)
        runs = prod(sizes[:-1])
        run_bytes = bytes_of(sizes[-1], storage)
        busy = max(
            formulas.transfer_issue_cycles(target, runs),
            run_bytes * runs / target.local_memory.bytes_per_cycle,
        )
        engine = "dma_in" if op.is_load else "dma_out"
        if not is_global(op.source) and not is_global(op.target):
            return StepTime(engine, busy, float(target.interconnect.latency_cycles))
        on_bus = formulas.transfer_bytes_on_bus(target, run_bytes, runs)
        latency = target.global_memory.latency_cycles
        if op.group is not None:
            latency = max(latency, target.interconnect.latency_cycles)
        return StepTime(
            engine,
            busy,
            float(latency),
            on_bus / target.global_bytes_per_cycle,
        )
