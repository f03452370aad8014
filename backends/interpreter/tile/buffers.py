"""The buffers of a tile program as its interpreter sees them: shapes, layouts, addresses, first and
last uses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue

from ....dialects import tile
from ....dialects.quant.element_type import element_storage
from ....dialects.tile.buffer_uses import BufferUse, Declaration, MemoryPlace, buffer_uses, steps_of
from ....passes.tiling.allocation import Lifetime, align, live_bytes
from ...numerics.storage import dtype_of


@dataclass(frozen=True)
class BufferSpec:
    """What the IR says about one buffer; `number` counts from 1, `label` is for messages.

    `logical_shape` and `order` (logical axes in physical order) are those of buffers in global
    memory.
    """

    number: int
    label: str
    use: BufferUse
    shape: tuple[int, ...]
    storage: str
    address: int | None
    logical_shape: tuple[int, ...] = ()
    order: tuple[int, ...] = ()

    @staticmethod
    def of(number: int, op: Declaration, use: BufferUse) -> BufferSpec:
        """Reads a declaration."""
        kind = op.output.type
        assert isinstance(kind, MemRefType)
        storage = element_storage(kind)
        address = None if op.address is None else op.address.value.data
        if isinstance(op, tile.GlobalOp):
            return BufferSpec(
                number, op.buffer_name.data, use, kind.get_shape(), storage, address,
                tuple(op.shape.get_values()), tuple(op.order.get_values()),
            )  # fmt: skip
        label = f"%{op.output.name_hint or number}"
        return BufferSpec(number, label, use, kind.get_shape(), storage, address)

    @property
    def dtype(self) -> np.dtype:
        """The NumPy type of the elements."""
        return dtype_of(self.storage)

    @property
    def size_bytes(self) -> int:
        """Bytes of one sample."""
        return self.use.size_bytes

    @property
    def segment(self) -> str:
        """The segment of global memory, or the memory space of a core."""
        return self.use.memory[0]

    @property
    def padding(self) -> tuple[int, int]:
        """The physical elements [low, high) of the last axis that belong to no logical element."""
        used = self.logical_shape[self.order[-1]] if self.order else prod(self.logical_shape)
        return used, self.shape[-1] if self.shape else 1

    def to_logical(self, physical: np.ndarray) -> np.ndarray:
        """A view of [S, physical shape] as [S, logical shape]: padding cut off, axes in logical
        order.
        """
        if not self.order:
            flat = physical.reshape(physical.shape[0], -1)[:, : prod(self.logical_shape)]
            return flat.reshape(physical.shape[0], *self.logical_shape)
        cut = physical[..., : self.padding[0]]
        return cut.transpose(0, *(1 + int(axis) for axis in np.argsort(self.order)))

    def to_physical(self, logical: np.ndarray) -> np.ndarray:
        """A copy of [S, logical shape] as [S, physical shape], padding zero."""
        physical = np.zeros((logical.shape[0], *self.shape), dtype=self.dtype)
        self.to_logical(physical)[...] = logical
        return physical


@dataclass
class ProgramBuffers:
    """The steps of a program and its buffers, found in one walk over it.

    `memory_sizes`: bytes of the memories in which buffers have addresses (weights have none: they
    are in the store).
    """

    steps: list[Operation]
    specs: dict[SSAValue, BufferSpec] = field(default_factory=dict)
    inputs: dict[str, SSAValue] = field(default_factory=dict)
    outputs: dict[str, SSAValue] = field(default_factory=dict)
    memory_sizes: dict[MemoryPlace, int] = field(default_factory=dict)

    @staticmethod
    def of(program: tile.ProgramOp) -> ProgramBuffers:
        """Reads the buffers of a program, their uses, and the sizes of the memories."""
        found = ProgramBuffers(steps_of(program))
        for value, use in buffer_uses(program, found.steps).items():
            spec = found.specs[value] = BufferSpec.of(len(found.specs) + 1, use.op, use)
            if spec.segment == "input":
                found.inputs[spec.label] = value
            elif spec.segment == "output":
                found.outputs[spec.label] = value
            if spec.address is not None and spec.segment != "weights":
                end = align(spec.address + spec.size_bytes)
                found.memory_sizes[use.memory] = max(end, found.memory_sizes.get(use.memory, 0))
        return found

    @property
    def bytes_per_sample(self) -> int:
        """An upper bound of the bytes that one sample takes at a time."""
        last = len(self.steps)
        own = [
            Lifetime(spec.size_bytes, 0, last)
            if spec.segment in ("input", "output")
            else Lifetime(spec.size_bytes, spec.use.first, spec.use.last)
            for spec in self.specs.values()
            if spec.address is None and spec.segment != "weights" and spec.use.is_used
        ]
        return live_bytes(own) + sum(self.memory_sizes.values())
