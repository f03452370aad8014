"""Checks that steps read no buffer of a core, and no value between layers, before a step has written to it.

There the bytes are those of an older buffer at the same address, or of the program that ran before. The verifier of a
program checks buffers in global memory element by element, once a step writes to them: a piece of a program may lack
the steps that do, but cannot run. Buffers of cores may hold less than their readers touch, as in the lanes beyond the
last channel, and are checked as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects.ir.location import place_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.tile import AllocOp, GlobalOp
from ...dialects.tile.buffer import buffer_of
from ...dialects.tile.step_op import StepOp


def check_written_before_read(steps: Sequence[StepOp]) -> None:
    """Raise DiagnosticError at the first step that reads a buffer which only steps write, and none before it does."""
    written: set[SSAValue] = set()
    for index, step in enumerate(steps):
        for value in map(buffer_of, step.buffers_read):
            if value not in written and _is_left_to_steps(value):
                later = any(value is buffer_of(s.buffer_written) for s in steps[index + 1 :])
                raise _unwritten(step, value, later)
        written.add(buffer_of(step.buffer_written))


def _is_left_to_steps(value: SSAValue) -> bool:
    """Tell whether a buffer holds nothing when the program starts, unlike inputs and weights."""
    owner = value.owner
    return isinstance(owner, AllocOp) or (
        isinstance(owner, GlobalOp) and owner.segment.data in ("scratch", "output")
    )


def _unwritten(step: StepOp, value: SSAValue, is_written_later: bool) -> DiagnosticError:
    when = "a step writes only later" if is_written_later else "no step writes"
    return DiagnosticError(
        f"{step.name}: reads {_name(value)} of type {value.type}, which {when}",
        place_of(step),
        hint="write the buffer in a step above: load or store to it with tile.copy, or fill it with tile.fill",
    )


def _name(value: SSAValue) -> str:
    """Return what the error calls a buffer; the numbers at the end of names in the text are not kept, those of buffers
    in global memory are.
    """
    if isinstance(value.owner, GlobalOp):
        return f"'{value.owner.buffer_name.data}'"
    name = value_name(value.name_hint or "")
    return f"%{name}" if name else "a buffer"
