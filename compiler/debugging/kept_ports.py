"""Makes inputs and outputs of tensors whose parts stay in the local memories of cores, where a program is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...backends.instructions.coverage import Coverage
from ...dialects import tile
from ...dialects.ir.attribute import values_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.tile.analysis.buffer_ranges import BufferRanges, extent_written, extents_read
from ...dialects.tile.buffer import whole_of
from ...passes.tiling.copy_planning import Padding, plan
from ...passes.tiling.layout import Layout, dense_strides, offset_of


class KeptTensor:
    """A tensor that cores keep, and the buffers that hold its parts.

    As an input or output it has the axes that it has in memory, in that order, without padding.
    """

    def __init__(self, name: str, parts: Sequence[tile.AllocOp]) -> None:
        self.name = name
        self.parts = parts
        bounds = [values_of(part.window) for part in parts if part.window is not None]
        self.shape = tuple(max(each) for each in zip(*(b[1::2] for b in bounds), strict=True))
        assert parts[0].order is not None
        self.order = values_of(parts[0].order)

    def values(self, logical: np.ndarray) -> np.ndarray:
        """Return the values of the input, given those of the tensor, one sample after the other along axis 0."""
        stacked = logical.reshape(-1, *self.shape)
        moved = stacked.transpose(0, *(1 + axis for axis in self.order))
        return moved.reshape(-1, *moved.shape[2:])

    def port(self, segment: str) -> tile.GlobalOp:
        """Declare the input or output."""
        physical = [self.shape[axis] for axis in self.order]
        return tile.GlobalOp(self.name, segment, physical, self.parts[0].storage)

    def load(self, port: tile.GlobalOp, part: tile.AllocOp) -> list[tile.CopyOp]:
        """Return the copies from the input to a part, with zeros as padding."""
        return self._copies(port, part, is_load=True)

    def store(self, port: tile.GlobalOp, part: tile.AllocOp) -> list[tile.CopyOp]:
        """Return the copies from a part to the output."""
        return self._copies(port, part, is_load=False)

    def _copies(
        self, port: tile.GlobalOp, part: tile.AllocOp, *, is_load: bool
    ) -> list[tile.CopyOp]:
        assert part.window is not None and part.order is not None
        bounds, order = values_of(part.window), values_of(part.order)
        lows = list(bounds[::2])
        sizes = [high - low for low, high in zip(lows, bounds[1::2], strict=True)]
        rows = int(np.prod([sizes[axis] for axis in order[:-1]], dtype=np.int64))
        pitch = int(np.prod(part.physical_shape, dtype=np.int64)) // rows
        own = Layout(tuple(sizes), order, pitch).strides
        whole = dense_strides(self.shape, self.order)
        offset, last = offset_of(whole, lows), order[-1]
        if is_load:
            padding = Padding(last, pitch - sizes[last])
            copies = plan(sizes, whole, own, source_offset=offset, padding=padding)
        else:
            copies = plan(sizes, own, whole, target_offset=offset)
        source, target = (port, part) if is_load else (part, port)
        return [
            tile.CopyOp(
                part.core.value.data,
                source.output,
                target.output,
                source_offset=copy.source_offset,
                source_strides=copy.source_strides,
                target_offset=copy.target_offset,
                target_strides=copy.target_strides,
                sizes=copy.sizes,
                pad=copy.pad or None,
                pad_value=0 if copy.pad else None,
            )
            for copy in copies
        ]


def open_kept_tensors(program: tile.ProgramOp) -> dict[tile.GlobalOp, KeptTensor]:
    """Give a program, of which steps were taken away, an input for each kept tensor of which something is read that no
    step above writes, and an output for each whose parts are written in whole and never read. Return them, each with
    its tensor.
    """
    known = _KnownParts.of(program.steps)
    parts: dict[str, list[tile.AllocOp]] = {}
    for op in program.buffers:
        if isinstance(op, tile.AllocOp) and op.tensor is not None:
            parts.setdefault(op.tensor.data, []).append(op)
    opened: dict[tile.GlobalOp, KeptTensor] = {}
    for name, own in parts.items():
        tensor = KeptTensor(name, own)
        lacking = [p for p in own if p.output in known.lacking]
        unread = all(p.output in known.complete and p.output not in known.read for p in own)
        if not lacking and not unread:
            continue
        port = tensor.port("input" if lacking else "output")
        port.output.name_hint = value_name(name)
        opened[port] = tensor
        first = program.body.block.first_op
        assert first is not None
        program.body.block.insert_op_before(port, first)
        for part in lacking:
            _insert(part, tensor.load(port, part), known.first_users[part.output])
        for part in () if lacking else own:
            program.body.block.add_ops(tensor.store(port, part))
    return opened


@dataclass
class _KnownParts:
    """The buffers that steps read, those of which they read something that no step above writes, and those that they
    write in whole; and the first step that uses each. A buffer of which no step uses a view counts as written in whole
    once a step writes to it.
    """

    read: set[SSAValue] = field(default_factory=set)
    lacking: set[SSAValue] = field(default_factory=set)
    complete: set[SSAValue] = field(default_factory=set)
    first_users: dict[SSAValue, Operation] = field(default_factory=dict)

    @staticmethod
    def of(steps: Sequence[tile.StepOp]) -> _KnownParts:
        """Return what steps, in program order, read and write."""
        known, ranges = _KnownParts(), BufferRanges(steps)
        written: dict[SSAValue, Coverage] = {}
        for step in steps:
            for buffer, box in extents_read(step):
                known.read.add(buffer)
                if buffer not in written or not written[buffer].covers(box):
                    known.lacking.add(buffer)
            buffer, box = extent_written(step)
            whole = whole_of(buffer)
            own = written.setdefault(buffer, Coverage(whole.run))
            own.add(box if ranges.is_cut(buffer) else whole)
            for value in map(tile.buffer_of, step.operands):
                known.first_users.setdefault(value, step)
        known.complete = {buffer for buffer, own in written.items() if own.is_whole}
        return known


def _insert(part: tile.AllocOp, copies: Sequence[Operation], user: Operation) -> None:
    """Put the copies that fill a part before the step that uses it first, and its declaration and views before them."""
    block = part.parent_block()
    assert block is not None
    views = [use.operation for use in part.output.uses if isinstance(use.operation, tile.ViewOp)]
    for op in (part, *views):
        op.detach()
    block.insert_ops_before([part, *views, *copies], user)
