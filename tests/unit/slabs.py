"""Programs whose steps share buffers of cores, slabs, through views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from smalti.backends.targets.target import load_target
from smalti.dialects import tile
from smalti.dialects.ir.attribute import ints, text
from smalti.dialects.ir.target_attribute import set_target
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

ROW = 64


def module_of(ops: Sequence[Operation]) -> ModuleOp:
    """Return a module of one program for the default target."""
    module = ModuleOp([tile.ProgramOp("main", ops)])
    set_target(module, "default-8c", load_target("default-8c"))
    return module


def copy(
    core: int, source: SSAValue, target: SSAValue, count: int, *, at: int = 0, to: int = 0
) -> tile.CopyOp:
    """A copy of `count` contiguous elements, from element `at` to element `to`."""
    return tile.CopyOp(
        core,
        source,
        target,
        source_offset=at,
        source_strides=[1],
        target_offset=to,
        target_strides=[1],
        sizes=[count],
    )


def plus_one(
    core: int, source: SSAValue, target: SSAValue, columns: int | None = None
) -> tile.ConvertOp:
    """A computation that adds 1 to values of i8, and saturates: to `columns` of each row, or to all."""
    if columns is None:
        columns = source.type.get_shape()[-1]  # pyright: ignore[reportAttributeAccessIssue]
    assert columns is not None
    return tile.ConvertOp(
        core, source, target, columns=columns, multiplier=1 << 30, shift=30, zero_points=[0, 1]
    )


@dataclass
class TwoRanges:
    """Two steps write four rows each of a slab of eight, through views; a third one reads two of each. `tensor` says
    that the slab keeps a tensor of that name.
    """

    tensor: str | None = None
    x: tile.GlobalOp = field(default_factory=lambda: tile.GlobalOp("x", "input", (8, ROW), "i8"))
    y: tile.GlobalOp = field(default_factory=lambda: tile.GlobalOp("y", "output", (8, ROW), "i8"))

    def __post_init__(self) -> None:
        properties: dict[str, Sequence[int] | str] = {}
        if self.tensor is not None:
            properties = {"tensor": self.tensor, "window": (0, 8, 0, ROW), "order": (0, 1)}
        self.slab = alloc(0, (8, ROW), **properties)
        self.low, self.high, self.middle = (
            tile.ViewOp(self.slab.output, (4, ROW), offset=row * ROW) for row in (0, 4, 2)
        )
        self.parts = [tile.AllocOp(0, (4, ROW), "i8") for _ in range(3)]
        a, b, out = [part.output for part in self.parts]
        self.steps: list[tile.StepOp] = [
            copy(0, self.x.output, a, 4 * ROW),
            plus_one(0, a, self.low.output),
            copy(0, self.x.output, b, 4 * ROW, at=4 * ROW),
            plus_one(0, b, self.high.output),
            plus_one(0, self.middle.output, out),
            copy(0, out, self.y.output, 4 * ROW, to=2 * ROW),
            copy(0, self.low.output, self.y.output, 2 * ROW),
            copy(0, self.slab.output, self.y.output, 2 * ROW, at=6 * ROW, to=6 * ROW),
        ]
        for number, step in enumerate(self.steps):
            step.properties["origin"] = text("m" if number < 4 else "y")

    @property
    def module(self) -> ModuleOp:
        """The program as a module, which takes the ops."""
        views = [self.low, self.high, self.middle]
        return module_of([self.x, self.y, self.slab, *views, *self.parts, *self.steps])

    @staticmethod
    def expected(x: np.ndarray) -> np.ndarray:
        """What y is, i8 [8, 64]."""
        y = np.clip(x.astype(np.int32) + 1, -128, 127)
        y[2:6] += 1
        return np.clip(y, -128, 127).astype(np.int8)


def alloc(core: int, shape: Sequence[int], **fields: Sequence[int] | str) -> tile.AllocOp:
    """A buffer of i8 in local memory that keeps a part of a tensor, as `fields` say."""
    op = tile.AllocOp(core, shape, "i8")
    for name, value in fields.items():
        op.properties[name] = text(value) if isinstance(value, str) else ints(value)
    return op
