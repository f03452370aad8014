"""Describes the buffers of a tile program to its interpreter: shapes, addresses, first and last uses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from xdsl.ir import SSAValue

from ....dialects import tile
from ....dialects.ir.attribute import values_of
from ....dialects.tile.analysis.buffer_uses import BufferUse, buffer_uses
from ....dialects.tile.buffer import MemoryPlace
from ....passes.tiling.allocation import Lifetime, live_bytes
from ...numerics.storage import dtype_of
from ...targets.alignment import align


@dataclass(frozen=True)
class BufferSpec:
    """What the IR says about one buffer; `number` counts from 1, `label` names the buffer in messages."""

    number: int
    label: str
    use: BufferUse
    shape: tuple[int, ...]
    storage: str
    address: int | None

    @staticmethod
    def of(number: int, use: BufferUse) -> BufferSpec:
        """Read the declaration of a buffer."""
        op = use.op
        address = None if op.address is None else op.address.value.data
        label = f"%{op.output.name_hint or number}"
        if isinstance(op, tile.GlobalOp):
            label = op.buffer_name.data
        return BufferSpec(number, label, use, op.physical_shape, op.storage, address)

    @property
    def tensor(self) -> tile.GlobalOp:
        """The declaration of a buffer in global memory, which says what logical tensor it holds."""
        assert isinstance(self.use.op, tile.GlobalOp)
        return self.use.op

    @property
    def logical_shape(self) -> tuple[int, ...]:
        """The shape of the tensor that a buffer in global memory holds."""
        return values_of(self.tensor.shape)

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


@dataclass
class ProgramBuffers:
    """The steps of a program and its buffers, found in one walk over it.

    `memory_sizes`: bytes of the memories in which buffers have addresses (weights have none: they
    are in the store).
    """

    steps: list[tile.StepOp]
    specs: dict[SSAValue, BufferSpec] = field(default_factory=dict)
    inputs: dict[str, SSAValue] = field(default_factory=dict)
    outputs: dict[str, SSAValue] = field(default_factory=dict)
    memory_sizes: dict[MemoryPlace, int] = field(default_factory=dict)

    @staticmethod
    def of(program: tile.ProgramOp) -> ProgramBuffers:
        """Read the buffers of a program, their uses, and the sizes of the memories."""
        found = ProgramBuffers(program.steps)
        for value, use in buffer_uses(program, found.steps).items():
            spec = found.specs[value] = BufferSpec.of(len(found.specs) + 1, use)
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
        """An upper bound on the bytes that one sample takes at any time."""
        last = len(self.steps)
        own = [
            Lifetime(spec.size_bytes, 0, last)
            if spec.segment in ("input", "output")
            else Lifetime(spec.size_bytes, spec.use.first, spec.use.last)
            for spec in self.specs.values()
            if spec.address is None and spec.segment != "weights" and spec.use.is_used
        ]
        return live_bytes(own) + sum(self.memory_sizes.values())
