"""Makes a tile program or an isa program smaller: fewer layers, copies and instructions."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, StringAttr
from xdsl.ir import Operation

from ...dialects import isa, tile
from ...dialects.tile.buffer import erase_unused_views
from .experiment import IrExperiment
from .kept_ports import open_kept_tensors


def _steps(experiment: IrExperiment) -> list[Operation]:
    """Return the ops that execute: layers, copies and computations, or instructions."""
    kinds = (tile.StepOp, isa.InstructionOp)
    return [op for op in experiment.module.walk() if isinstance(op, kinds)]


def count(experiment: IrExperiment) -> int:
    """Return the number of layers, copies, computations or instructions."""
    return len(_steps(experiment))


def keep(experiment: IrExperiment, kept: Sequence[int]) -> IrExperiment:
    """Return the program with these steps only, by number.

    Buffers and views that nobody uses go, and no instruction waits for one that is gone. A tensor between layers
    becomes an input if the steps that write it are gone, and an output if those that read it are, in global memory and
    where cores keep it.
    """
    copy = IrExperiment(experiment.passes, experiment.module.clone(), experiment.ctx)
    written = {op: _writers(op) for op in copy.module.walk() if isinstance(op, tile.GlobalOp)}
    chosen = set(kept)
    gone: dict[Operation | None, set[str]] = {}
    for number, op in enumerate(_steps(copy)):
        if number in chosen:
            continue
        if isinstance(op, isa.InstructionOp):
            gone.setdefault(op.parent_op(), set()).add(op.instruction_name.data)
        op.detach()
        op.erase()
    for program in [op for op in copy.module.ops if isinstance(op, tile.ProgramOp)]:
        open_kept_tensors(program)
        erase_unused_views(program.body.block)
    for op in list(copy.module.walk()):
        if isinstance(op, isa.InstructionOp) and op.after is not None:
            _forget(op, gone.get(op.parent_op(), set()))
        elif isinstance(op, tile.BufferOp) and op.output.first_use is None:
            op.detach()
            op.erase()
        elif isinstance(op, tile.GlobalOp) and op.segment.data == "scratch":
            _make_port(op, written[op])
    return copy


def _writers(op: tile.GlobalOp) -> int:
    """Return how many steps write a buffer."""
    steps = [use.operation for use in op.output.uses]
    return sum(isinstance(s, tile.StepOp) and s.buffer_written is op.output for s in steps)


def _make_port(op: tile.GlobalOp, written: int) -> None:
    """Make a tensor between layers an input if no step writes it, and an output if no step reads it and all `written`
    steps that wrote it are there.
    """
    left = _writers(op)
    if left == 0:
        op.properties["segment"] = StringAttr("input")
    elif left == written == op.output.uses.get_length():
        op.properties["segment"] = StringAttr("output")


def _forget(op: isa.InstructionOp, gone: set[str]) -> None:
    """Take the names of instructions that are gone out of `after`."""
    assert op.after is not None
    left = [StringAttr(name.data) for name in op.after.data if name.data not in gone]
    if left:
        op.properties["after"] = ArrayAttr(left)
    else:
        del op.properties["after"]


def bypass(experiment: IrExperiment, number: int) -> None:
    """Return None: no result of a listing can be replaced by an operand."""
    return None


def sizes(experiment: IrExperiment) -> set[int]:
    """Return no sizes: the sizes of tiles were decided when the layers were tiled."""
    return set()


def shrink(experiment: IrExperiment, size: int, smaller: int) -> None:
    """Return None: there are no sizes to shrink (see `sizes`)."""
    return None
