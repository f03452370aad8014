"""Tiles element-wise ops of one operand: functions, look-ups and conversions."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from ....backends.instructions.pointwise import TABLE_ENTRIES
from ....dialects import tile, tpu
from ...tiling.windows import Window, sizes_of
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.tiler import Tilers
from .arithmetic import BinaryTiler

_IDENTITY = (2**30, 30)
"""The multiplier and shift that stand for a factor of 1."""


class SelectTiler(BinaryTiler):
    """Tiles tpu.select, whose three operands broadcast to the output's shape."""

    def compute(self, operands: Sequence[SSAValue], emitter: Emitter) -> None:
        emitter.compute(tile.SelectOp, operands, {})


class UnaryTiler(BoxTiler):
    """Tiles tpu.unary, whose input and output have one shape."""

    def vector_cycles(self, window: Window) -> int:
        op = self.layer.op
        assert isinstance(op, tpu.UnaryOp)
        elements = self.elements_of(sizes_of(window))
        operations = self.costs.operations_of(op.kind.data)
        return self.costs.vector_cycles(self.layer.inputs[0].storage, elements, operations)

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
    """Tiles tpu.lookup, whose input and output have one shape; the table stays in local memory."""

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        table = self.layer.output.bytes_of(TABLE_ENTRIES)
        return [*super().buffer_bytes(sizes), table]

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        operations = self.costs.operations_of("lookup")
        return self.costs.vector_cycles(self.layer.output.storage, elements, operations)

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


class ConvertTiler(BoxTiler):
    """Tiles tpu.cast, tpu.requantize and tpu.clamp, whose input and output have one shape."""

    def vector_cycles(self, window: Window) -> int:
        wider = max(self.layer.inputs[0], self.layer.output, key=lambda buffer: buffer.bytes_of(8))
        operations = self.costs.operations_of("convert")
        return self.costs.vector_cycles(
            wider.storage, self.elements_of(sizes_of(window)), operations
        )

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        source, result = layer.elements[0], layer.result
        pitch = self.pitch_of(sizes)
        x = self.load_kept(emitter, 0, window, self.order, pitch)
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        multiplier, shift, scale = 0, 0, 1.0
        if isinstance(layer.op, tpu.RequantizeOp):
            multiplier, shift = layer.op.multiplier.value.data, layer.op.shift.value.data
        elif source.is_float != result.is_float:
            scale = result.scale if source.is_float else source.scale
        elif not source.is_float:
            multiplier, shift = _IDENTITY
        emitter.compute(
            tile.ConvertOp,
            [x, out],
            {
                "columns": sizes[self.order[-1]],
                "scale": float(scale),
                "multiplier": multiplier,
                "shift": shift,
                "zero_points": (source.zero_point, result.zero_point),
            },
            layer.clamp,
        )
        self.store(emitter, out, window, pitch)


TILERS: Tilers = {
    tpu.UnaryOp: UnaryTiler,
    tpu.LookupOp: LookupTiler,
    tpu.CastOp: ConvertTiler,
    tpu.RequantizeOp: ConvertTiler,
    tpu.ClampOp: ConvertTiler,
    tpu.CompareOp: BinaryTiler,
    tpu.LogicalOp: BinaryTiler,
    tpu.SelectOp: SelectTiler,
}
"""The tiler of each element-wise op."""
