"""Checks that steps read nothing of a core's buffers, and no value between layers, that no step has written before.

There the bytes are those of an older buffer at the same address, or of the program that ran before. Buffers of cores
are checked by the byte: what a step reads is what its copy or its instruction touches, so that lanes which an
instruction passes over may hold anything. Computations write whole buffers and views; only copies write parts of them.
The verifier of a program checks buffers in global memory element by element, once a step writes to them: a piece of a
program may lack the steps that do, but cannot run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from xdsl.ir import SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.coverage import Box, Coverage, window_around
from ...backends.instructions.instruction_set import BY_MNEMONIC
from ...backends.instructions.operand_access import operand_accesses, with_operands_apart
from ...backends.numerics.storage import bytes_of, size_bytes
from ...dialects.ir.location import place_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.tile import AllocOp, CopyOp, CoreOp, GlobalOp
from ...dialects.tile.buffer import buffer_of, viewed, whole_of
from ...dialects.tile.checks import storage_of
from ...dialects.tile.step_op import StepOp


def check_written_before_read(steps: Sequence[StepOp]) -> None:
    """Raise DiagnosticError at the first step that reads what no step before it has written, of a buffer that only
    steps write.
    """
    written: set[SSAValue] = set()
    parts: dict[SSAValue, Coverage] = {}
    for index, step in enumerate(steps):
        for value in step.buffers_read:
            buffer = buffer_of(value)
            if buffer in parts:
                _check_part(step, value, parts[buffer])
            elif buffer not in written and _is_left_to_steps(buffer):
                later = any(buffer is buffer_of(s.buffer_written) for s in steps[index + 1 :])
                raise _unwritten(step, buffer, later)
        if buffer_of(step.buffer_written) not in written:
            _note(step, written, parts)


def _note(step: StepOp, written: set[SSAValue], parts: dict[SSAValue, Coverage]) -> None:
    """Note in `written` or in `parts` that a step writes the whole of a buffer, or a part."""
    value = step.buffer_written
    buffer, first = viewed(value)
    if isinstance(buffer, AllocOp) and (isinstance(step, CopyOp) or buffer.output is not value):
        box = whole_of(value)
        if isinstance(step, CopyOp):
            box = step.target_box._replace(offset=step.target_box.offset + first)
        part = parts.setdefault(buffer.output, Coverage(buffer.size_bytes))
        part.add(box.scaled(size_bytes(buffer.storage)))
        if not part.is_whole:
            return
    parts.pop(buffer.output, None)
    written.add(buffer.output)


def _check_part(step: StepOp, value: SSAValue, part: Coverage) -> None:
    """Raise DiagnosticError if a step reads more of a core's buffer than the part that was written."""
    buffer, first = viewed(value)
    assert isinstance(buffer, AllocOp)
    for box in _boxes_read(step, value):
        box = box._replace(offset=box.offset + first * size_bytes(buffer.storage))
        if part.covers(box):
            continue
        missing = part.part(box, covered=False)
        elements = np.asarray(missing.reshape(*buffer.physical_shape, -1).any(axis=-1))
        count = int(missing.sum())
        raise DiagnosticError(
            f"{step.name}: reads {window_around(elements)} of {_name(buffer.output)} of type "
            f"{buffer.output.type}, which no step above writes ({count} byte{'' if count == 1 else 's'})",
            place_of(step),
            hint="write them in a step above: load or store to them with tile.copy, or fill the buffer with "
            "tile.fill before its parts are written",
        )


def _boxes_read(step: StepOp, value: SSAValue) -> Iterator[Box]:
    """Return the bytes that a step reads of a buffer or view, counted from its start."""
    whole = whole_of(value)
    size = bytes_of(whole.end - whole.offset, storage_of(value))
    if isinstance(step, CopyOp):
        yield step.source_box.scaled(size_bytes(storage_of(value)))
    elif isinstance(step, CoreOp):
        mnemonic, fields, operands = step.checked_instruction()
        instruction, names = BY_MNEMONIC[mnemonic], list(operands)
        apart = with_operands_apart(instruction, fields, names)
        for name, access in operand_accesses(instruction, apart, names):
            if operands[name] is not value or access.write:
                continue
            first, last = access.extent()
            if first < 0 or last > size:
                raise DiagnosticError(
                    f"{step.name}: its instruction '{mnemonic}' reads bytes {first} to {last - 1} of {_name(value)} of "
                    f"type {value.type}, which has {size}",
                    place_of(step),
                    hint=f"say what the instruction reads in the method `accesses` of {instruction.__name__}",
                )
            yield Box(access.address, access.counts, access.strides, access.run_bytes)


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
