"""Finds what a tile program reads without having written it, and what two of its layers write.

The buffers looked at are those in global memory that steps write: the network's outputs and the values between layers.
Each has a mask of what was written through it so far, so that bytes which an older value left at its address do not
count. The mask is made of blocks of elements, inside which no step begins or ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd, prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from xdsl.ir import Operation, SSAValue

from ..ir.attribute import values_of
from .buffer import GlobalOp
from .layer import LayerOp
from .movement import CopyOp
from .step_op import StepOp

Fault = tuple[Operation, str]
"""An op, and what is wrong with it."""


class _Box(NamedTuple):
    """Elements of a buffer: runs of `run` elements side by side, at regular strides."""

    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    run: int

    def grain(self) -> int:
        """Return the size of the largest blocks in which the box begins, ends and steps."""
        steps = [stride for stride, n in zip(self.strides, self.sizes, strict=True) if n > 1]
        return gcd(self.offset, self.run, *steps)

    def of(self, mask: np.ndarray, grain: int) -> np.ndarray:
        """Return the box as a view of a mask bool [blocks]."""
        strides = tuple([stride // grain for stride in self.strides])
        return as_strided(
            mask[self.offset // grain :], (*self.sizes, self.run // grain), (*strides, 1)
        )


class _Touch(NamedTuple):
    op: StepOp
    buffer: GlobalOp
    box: _Box
    is_write: bool


def find_fault(steps: Sequence[StepOp], declared: Sequence[Operation]) -> Fault | None:
    """Return the first step that reads elements which no step has written, the first layer that writes elements which
    another one has written, or the first output with a hole; None if there is none.

    `declared` are the program's buffers. Buffers that no step writes are left out: a piece of a program may read them.
    """
    written = {op.buffer_written for op in steps}
    buffers = [
        op
        for op in declared
        if isinstance(op, GlobalOp) and op.output in written and prod(op.physical_shape)
    ]
    touches = list(_touches(steps, {buffer.output: buffer for buffer in buffers}))
    grains = {buffer: _whole(buffer).grain() for buffer in buffers}
    for touch in touches:
        grains[touch.buffer] = gcd(grains[touch.buffer], touch.box.grain())
    masks = {
        buffer: np.zeros(prod(buffer.physical_shape) // grains[buffer], np.bool_)
        for buffer in buffers
    }
    for op, buffer, box, is_write in touches:
        blocks = box.of(masks[buffer], grains[buffer])
        if not is_write:
            if not blocks.all():
                missing = _elements(~masks[buffer], grains[buffer], box)
                return op, f"reads {_shown(missing, buffer)}, which no step above writes"
            continue
        if isinstance(op, LayerOp) and blocks.any():
            twice = _elements(masks[buffer], grains[buffer], box)
            return op, f"writes {_shown(twice, buffer)}, which a layer above writes, too"
        blocks[...] = True
    for buffer in buffers:
        whole = _whole(buffer)
        if buffer.segment.data == "output" and not whole.of(masks[buffer], grains[buffer]).all():
            missing = _elements(~masks[buffer], grains[buffer], whole)
            return (
                buffer,
                f"no step writes {_shown(missing, buffer)}, expected the steps to write every element of an output",
            )
    return None


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


def _read(op: StepOp, buffer: GlobalOp) -> _Box:
    if not isinstance(op, CopyOp):
        return _whole(buffer)
    sizes = values_of(op.sizes)
    strides = values_of(op.source_strides)[:-1]
    return _Box(op.source_offset.value.data, sizes[:-1], strides, sizes[-1])


def _write(op: StepOp, buffer: GlobalOp) -> _Box:
    if isinstance(op, CopyOp):
        sizes = values_of(op.sizes)
        strides = values_of(op.target_strides)[:-1]
        pad = 0 if op.pad is None else op.pad.value.data
        return _Box(op.target_offset.value.data, sizes[:-1], strides, sizes[-1] + pad)
    return _window(buffer, values_of(op.window)) if isinstance(op, LayerOp) else _whole(buffer)


def _whole(buffer: GlobalOp) -> _Box:
    """Return all elements of a buffer but its padding."""
    box = _window(buffer, [b for size in values_of(buffer.shape) for b in (0, size)])
    return box._replace(run=buffer.padding[0])


def _window(buffer: GlobalOp, bounds: Sequence[int]) -> _Box:
    """Return the elements of a logical window; one that reaches the end of rows also takes their padding."""
    order, shape = values_of(buffer.order), buffer.physical_shape
    if not order:
        return _Box(0, (), (), 1)
    ranges = [(bounds[2 * axis], bounds[2 * axis + 1]) for axis in order]
    pitches = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    offset = sum(low * pitch for (low, _), pitch in zip(ranges, pitches, strict=True))
    low, high = ranges[-1]
    used, physical = buffer.padding
    run = (physical if high == used else high) - low
    return _Box(
        offset, tuple([end - begin for begin, end in ranges[:-1]]), tuple(pitches[:-1]), run
    )


def _elements(mask: np.ndarray, grain: int, box: _Box) -> np.ndarray:
    """Return a mask bool [blocks] as one of single elements, False outside of the box."""
    elements = np.repeat(mask, grain)
    inside = np.zeros_like(elements)
    box.of(inside, 1)[...] = True
    return elements & inside


def _shown(elements: np.ndarray, buffer: GlobalOp) -> str:
    """Name the smallest window of a buffer that holds some of its elements, and how many there are if not all."""
    name = f"'{buffer.buffer_name.data}'"
    logical = buffer.to_logical(elements.reshape(1, *buffer.physical_shape))[0]
    indices = np.nonzero(logical)
    count = len(indices[0]) if logical.ndim else int(logical)
    if not count:
        return f"padding of {name}"
    window = [bound for axis in indices for bound in (int(axis.min()), int(axis.max()) + 1)]
    size = prod(end - begin for begin, end in zip(window[::2], window[1::2], strict=True))
    return f"{'' if size == count else f'{count} elements in '}window {window if logical.ndim else []} of {name}"
