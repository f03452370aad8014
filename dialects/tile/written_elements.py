"""Finds what a tile program reads without having written it, and what two of its layers write.

The buffers looked at are those in global memory that steps write: the network's outputs and the values between layers.
What was written is noted by buffer, so that bytes which an older value left at its address do not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...backends.instructions.coverage import Box, Coverage, window_around
from ..ir.attribute import Ints, values_of
from .buffer import GlobalOp
from .layer import LayerOp
from .movement import CopyOp
from .step_op import StepOp

Fault = tuple[Operation, str]
"""An op, and what is wrong with it."""


class _Touch(NamedTuple):
    op: StepOp
    buffer: GlobalOp
    box: Box
    is_write: bool


def find_fault(steps: Sequence[StepOp], declared: Sequence[Operation]) -> Fault | None:
    """Return the first step that reads elements which no step has written, the first layer that writes elements which
    another one has written, or the first output with a hole; None if there is none. Layers of different slices may
    write the same elements, and a layer in a slice may read what slices have written so far.

    `declared` are the program's buffers. Buffers that no step writes are left out: a piece of a program may read them.
    """
    targets = {op.buffer_written for op in steps}
    buffers = [
        op
        for op in declared
        if isinstance(op, GlobalOp) and op.output in targets and prod(op.physical_shape)
    ]
    written = {buffer: Coverage(prod(buffer.physical_shape)) for buffer in buffers}
    slices = _SlicedWrites()
    for op, buffer, box, is_write in _touches(steps, {op.output: op for op in buffers}):
        if not is_write:
            if isinstance(op, LayerOp) and op.slice is not None and slices.has(buffer):
                continue
            if not written[buffer].covers(box):
                missing = written[buffer].part(box, covered=False)
                return op, f"reads {_shown(missing, buffer)}, which no step above writes"
            continue
        if isinstance(op, LayerOp) and written[buffer].touches(box) and not slices.allow(op):
            twice = written[buffer].part(box, covered=True)
            return op, f"writes {_shown(twice, buffer)}, which a layer above writes, too"
        written[buffer].add(box)
        if isinstance(op, LayerOp):
            slices.add(op)
    for buffer in buffers:
        whole = _whole(buffer)
        if buffer.segment.data == "output" and not written[buffer].covers(whole):
            missing = written[buffer].part(whole, covered=False)
            return (
                buffer,
                f"no step writes {_shown(missing, buffer)}, expected the steps to write every element of an output",
            )
    return None


class _SlicedWrites:
    """The windows of each buffer that layers have written, with the numbers of their slices."""

    def __init__(self) -> None:
        self._windows: dict[SSAValue, list[tuple[int | None, Ints]]] = defaultdict(list)

    def add(self, op: LayerOp) -> None:
        """Note what a layer writes."""
        self._windows[op.output].append((op.slice_number, op.window))

    def has(self, buffer: GlobalOp) -> bool:
        """Tell whether slices have written what is written of a buffer."""
        numbers = [number for number, _ in self._windows[buffer.output]]
        return bool(numbers) and None not in numbers

    def allow(self, op: LayerOp) -> bool:
        """Tell whether only layers of other slices have written elements that a layer writes."""
        return op.slice is not None and all(
            number is not None and (number != op.slice_number or not _share(window, op.window))
            for number, window in self._windows[op.output]
        )


def _share(a: Ints, b: Ints) -> bool:
    """Tell whether two windows, as low and high of each axis, share elements."""
    own, other = values_of(a), values_of(b)
    return all(
        max(own[at], other[at]) < min(own[at + 1], other[at + 1]) for at in range(0, len(own), 2)
    )


def _touches(steps: Sequence[StepOp], buffers: dict[SSAValue, GlobalOp]) -> Iterator[_Touch]:
    """Return what the steps read and write of some buffers, in program order."""
    for op in steps:
        for value in op.buffers_read:
            buffer = buffers.get(value)
            if buffer is not None:
                yield _Touch(op, buffer, _read(op, buffer), False)
        buffer = buffers.get(op.buffer_written)
        if buffer is not None:
            yield _Touch(op, buffer, _write(op, buffer), True)


def _read(op: StepOp, buffer: GlobalOp) -> Box:
    return op.source_box if isinstance(op, CopyOp) else _whole(buffer)


def _write(op: StepOp, buffer: GlobalOp) -> Box:
    if isinstance(op, CopyOp):
        return op.target_box
    return _window(buffer, values_of(op.window)) if isinstance(op, LayerOp) else _whole(buffer)


def _whole(buffer: GlobalOp) -> Box:
    """Return all elements of a buffer but its padding."""
    box = _window(buffer, [b for size in values_of(buffer.shape) for b in (0, size)])
    return box._replace(run=buffer.padding[0])


def _window(buffer: GlobalOp, bounds: Sequence[int]) -> Box:
    """Return the elements of a logical window; one that reaches the end of rows also takes their padding."""
    order, shape = values_of(buffer.order), buffer.physical_shape
    if not order:
        return Box(0, (), (), 1)
    ranges = [(bounds[2 * axis], bounds[2 * axis + 1]) for axis in order]
    pitches = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    offset = sum(low * pitch for (low, _), pitch in zip(ranges, pitches, strict=True))
    low, high = ranges[-1]
    used, physical = buffer.padding
    run = (physical if high == used else high) - low
    return Box(offset, tuple([end - begin for begin, end in ranges[:-1]]), tuple(pitches[:-1]), run)


def _shown(elements: np.ndarray, buffer: GlobalOp) -> str:
    """Name the window of a buffer that holds some of its elements, bool [elements]."""
    name = f"'{buffer.buffer_name.data}'"
    logical = buffer.to_logical(elements.reshape(1, *buffer.physical_shape))[0]
    return f"{window_around(logical)} of {name}" if logical.any() else f"padding of {name}"
