"""What the ops of a tile program do with its buffers: who reads, who writes, from when to when each
is in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import MemRefType, ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from .. import tile
from ..quant.element_type import type_bytes

if TYPE_CHECKING:
    from ...backends.targets.target import Target

MemoryPlace = tuple[str, int]
"""A memory: ("local" or "acc", core), or (segment of global memory, -1)."""


Declaration = tile.GlobalOp | tile.AllocOp
"""The ops that declare buffers."""


@dataclass
class BufferUse:
    """A buffer, and the positions of the first and last step that use it and of the last that
    writes it.
    """

    op: Declaration
    memory: MemoryPlace
    size_bytes: int
    first: int
    last: int = -1
    last_write: int = -1

    @property
    def is_used(self) -> bool:
        """Whether any op uses the buffer."""
        return self.last >= 0

    @property
    def is_global(self) -> bool:
        """Whether the buffer is in global memory."""
        return isinstance(self.op, tile.GlobalOp)


def program_of(module: ModuleOp) -> tile.ProgramOp:
    """The tile.program of a module; DiagnosticError where there is not exactly one."""
    programs = [op for op in module.ops if isinstance(op, tile.ProgramOp)]
    if len(programs) != 1:
        raise DiagnosticError(
            f"the module has {len(programs)} tile.program ops, expected one",
            hint="lower a module of tpu ops with convert-tpu-to-tile",
        )
    return programs[0]


def written_operand(op: Operation) -> SSAValue:
    """The buffer that an op of a tile program writes."""
    if isinstance(op, tile.LayerOp):
        return op.output
    if isinstance(op, tile.CoreOp) and op.DESTINATION is not None:
        return getattr(op, op.DESTINATION)
    raise DiagnosticError(f"{op.name} cannot stand in a tile.program")


def memory_of(op: tile.GlobalOp | tile.AllocOp) -> MemoryPlace:
    """The memory that a buffer is in."""
    if isinstance(op, tile.GlobalOp):
        return op.segment.data, -1
    type = op.output.type
    space = type.memory_space if isinstance(type, MemRefType) else None
    return (space.data if isinstance(space, StringAttr) else "local"), op.core.value.data


def steps_of(program: tile.ProgramOp) -> list[Operation]:
    """The ops of a program that do something, in program order: all but the declarations of
    buffers.
    """
    return [op for op in program.body.block.ops if not isinstance(op, Declaration)]


def buffer_uses(program: tile.ProgramOp, steps: Sequence[Operation]) -> dict[SSAValue, BufferUse]:
    """The use of every buffer that the program declares, when its other ops run in the order of
    `steps`.

    Positions count steps only: they do not depend on where the declarations stand.
    """
    uses: dict[SSAValue, BufferUse] = {}
    for op in program.body.block.ops:
        if isinstance(op, Declaration):
            size = type_bytes(op.output.type)
            uses[op.output] = BufferUse(op, memory_of(op), size, len(steps))
    for index, op in enumerate(steps):
        for operand in op.operands:
            use = uses[operand]
            if index < use.first:
                use.first = index
            use.last = index
        uses[written_operand(op)].last_write = index
    return uses


def memory_capacity(target: Target, memory: MemoryPlace) -> int:
    """Bytes of a memory: of a core's local or accumulator memory, or of global memory for any of
    its segments.
    """
    if memory[0] == "local":
        return target.local_memory.size_bytes
    if memory[0] == "acc":
        return target.matrix.accumulator_bytes
    return target.global_memory.size_bytes
