"""Finds from when to when each buffer of a tile program is in use, and which step writes it last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.ir import SSAValue

from ..buffer import BufferOp, MemoryPlace, buffer_of
from ..program import ProgramOp
from ..step_op import StepOp

if TYPE_CHECKING:
    from ....backends.targets.target import Target


@dataclass
class BufferUse:
    """A buffer, with the positions of the first and last step that use it and of the last step that writes it."""

    op: BufferOp
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
        return self.memory[1] < 0


class BufferUses:
    """The uses of the buffers that a program declares, for its steps in any order."""

    def __init__(self, program: ProgramOp, steps: Sequence[StepOp]) -> None:
        self._buffers = [(op, op.memory, op.size_bytes) for op in program.buffers]
        numbers: dict[SSAValue, int] = {
            op.output: number for number, (op, _, _) in enumerate(self._buffers)
        }
        self._used = {
            op: (
                [numbers[buffer_of(operand)] for operand in op.operands],
                numbers[buffer_of(op.buffer_written)],
            )
            for op in steps
        }

    def within(self, steps: Sequence[StepOp]) -> dict[SSAValue, BufferUse]:
        """Return the use of every buffer when the steps run in that order.

        Positions count only steps, so they do not depend on where the declarations stand. Who uses a view uses its
        buffer.
        """
        count = len(steps)
        uses = [BufferUse(op, memory, size, count) for op, memory, size in self._buffers]
        for index, op in enumerate(steps):
            numbers, written = self._used[op]
            for number in numbers:
                use = uses[number]
                if index < use.first:
                    use.first = index
                use.last = index
            uses[written].last_write = index
        return {use.op.output: use for use in uses}


def buffer_uses(program: ProgramOp, steps: Sequence[StepOp]) -> dict[SSAValue, BufferUse]:
    """Return the use of every buffer that the program declares, when its steps run in the order of `steps`."""
    return BufferUses(program, steps).within(steps)


def memory_capacity(target: Target, memory: MemoryPlace) -> int:
    """Return how many bytes a memory has: a core's local or accumulator memory, or global memory, whatever the
    segment.
    """
    if memory[0] == "local":
        return target.local_memory.size_bytes
    if memory[0] == "acc":
        return target.matrix.accumulator_bytes
    return target.global_memory.size_bytes
