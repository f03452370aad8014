"""Checks that steps read no buffer of a core before a step has written to it.

There the bytes are those of an older buffer at the same address, or of the program that ran before. The verifier of a
program checks global memory element by element; buffers of cores may hold less than their readers touch, as in the
lanes beyond the last channel, and are checked as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects.ir.location import place_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.tile import AllocOp
from ...dialects.tile.step_op import StepOp


def check_written_before_read(steps: Sequence[StepOp]) -> None:
    """Raise DiagnosticError at the first step that reads a buffer of a core which no step before it writes."""
    written: set[SSAValue] = set()
    for index, step in enumerate(steps):
        for value in step.buffers_read:
            if value not in written and isinstance(value.owner, AllocOp):
                later = any(value is other.buffer_written for other in steps[index + 1 :])
                raise _unwritten(step, value, later)
        written.add(step.buffer_written)


def _unwritten(step: StepOp, value: SSAValue, is_written_later: bool) -> DiagnosticError:
    name = value_name(value.name_hint or "") or "a buffer"
    when = "a step writes only later" if is_written_later else "no step writes"
    return DiagnosticError(
        f"{step.name}: reads {'%' if value.name_hint else ''}{name} of type {value.type}, which {when}",
        place_of(step),
        hint="write the buffer in a step above: load it with tile.copy, or fill it with tile.fill",
    )
