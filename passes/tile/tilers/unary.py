"""Cuts functions of one operand: computed, and looked up in a table."""

from __future__ import annotations

from collections.abc import Sequence

from ....backends.instructions.pointwise import TABLE_ENTRIES
from ....backends.targets.cycles import LOOKUP_OPERATIONS, unary_operations
from ....dialects import tile, tpu
from ...tiling.windows import Window, sizes_of
from .box import BoxTiler
from .constants import Constants
from .emitter import Emitter


class UnaryTiler(BoxTiler):
    """tpu.unary: input and output have one shape."""

    def vector_cycles(self, window: Window) -> int:
        op = self.layer.op
        assert isinstance(op, tpu.UnaryOp)
        elements = self.elements_of(sizes_of(window))
        operations = unary_operations(op.kind.data)
        return self.machine.vector_cycles(self.layer.inputs[0].storage, elements, operations)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        op = layer.op
        assert isinstance(op, tpu.UnaryOp)
        pitch = self.pitch_of(sizes)
        x = self.load_kept(emitter, 0, window, self.order, pitch)
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        alpha, beta = op.parameters
        emitter.compute(
            tile.UnaryOp,
            [x, out],
            {
                "kind": op.kind.data,
                "columns": sizes[self.order[-1]],
                "alpha": alpha,
                "beta": beta,
            },
            layer.clamp,
        )
        self.store(emitter, out, window, pitch)


class LookupTiler(BoxTiler):
    """tpu.lookup: input and output have one shape; the table stays in local memory."""

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        table = TABLE_ENTRIES * self.layer.output.element_bytes
        return [*super().buffer_bytes(sizes), table]

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        return self.machine.vector_cycles(self.layer.output.storage, elements, LOOKUP_OPERATIONS)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        pitch = self.pitch_of(sizes)
        x = self.load_kept(emitter, 0, window, self.order, pitch)
        table = self.load_kept(emitter, 1, ((0, TABLE_ENTRIES),), (0,), TABLE_ENTRIES)
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        emitter.compute(
            tile.LookupOp,
            [x, table, out],
            {"columns": sizes[self.order[-1]], "zero_point": layer.result.zero_point},
        )
        self.store(emitter, out, window, pitch)
