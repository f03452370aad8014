"""A plugin with passes of level tile that make mistakes: the IR that they make is still accepted by the verifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from smalti.compiler import Plugin
from smalti.dialects import tile
from smalti.dialects.level import Level
from smalti.dialects.tile.analysis.buffer_uses import BufferUse, buffer_uses
from smalti.passes.smalti_pass import SmaltiPass
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp


@dataclass(frozen=True)
class ShareBuffers(SmaltiPass):
    """Let a buffer in local memory take the place of another one of its type: with `bug` of one that is still read
    later.
    """

    name = "mine-share-buffers"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {"shared": "buffers that others take the place of"}
    bug: bool = False

    def run(self, ctx: Context, module: ModuleOp) -> None:
        program = tile.program_of(module)
        for first, second in self._pairs(program):
            second.op.output.replace_all_uses_with(first.op.output)
            second.op.detach()
            second.op.erase()
            self.count("shared")
            return

    def _pairs(self, program: tile.ProgramOp) -> Iterator[tuple[BufferUse, BufferUse]]:
        uses = [use for use in buffer_uses(program, program.steps).values() if use.is_used]
        local = sorted((use for use in uses if not use.is_global), key=lambda use: use.first)
        for number, first in enumerate(local):
            for second in local[number + 1 :]:
                later = first.last - second.first
                fits = later > 0 if self.bug else later < 0
                if first.op.output.type == second.op.output.type and fits:
                    yield first, second


@dataclass(frozen=True)
class HoistLoads(SmaltiPass):
    """Move loads from global memory as early as the data allow; with `bug` everything that fills local memory, even
    from an accumulator that nothing has computed yet.
    """

    name = "mine-hoist-loads"
    level: ClassVar[Level] = "tile"
    counts: ClassVar[Mapping[str, str]] = {"moved": "loads moved"}
    bug: bool = False

    def run(self, ctx: Context, module: ModuleOp) -> None:
        program = tile.program_of(module)
        order = program.steps
        for op in program.steps:
            begin = order.index(op)
            end = begin
            while end > 0 and self._may_pass(op, order[end - 1]):
                end -= 1
            if end < begin:
                order.insert(end, order.pop(begin))
                self.count("moved")
        for op in order:
            op.detach()
            program.body.block.add_op(op)

    def _may_pass(self, op: tile.StepOp, before: tile.StepOp) -> bool:
        """Tell whether `op` may run before `before`, which stands above it."""
        if self.bug and isinstance(op, tile.EpilogueOp):
            return op.buffer_written not in before.operands
        is_load = isinstance(op, tile.CopyOp) and isinstance(op.source.owner, tile.GlobalOp)
        return (
            is_load
            and not isinstance(op.buffer_written.owner, tile.GlobalOp)
            and before.buffer_written not in op.operands
            and op.buffer_written not in before.operands
        )


PLUGIN = Plugin(passes={each.name: each for each in (ShareBuffers, HoistLoads)})
