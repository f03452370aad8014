"""Tiles element-wise ops of one operand: functions, look-ups and conversions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xdsl.ir import SSAValue

from ....backends.instructions.pointwise import TABLE_ENTRIES
from ....dialects import tile, tpu
from ...tiling.cost import Work
from ...tiling.windows import Window
from ..tiler_bases.element_tiler import ElementTiler
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.tiler import Tilers
from .arithmetic import BinaryTiler

_IDENTITY = (2**30, 30)
"""The multiplier and shift that stand for a factor of 1."""


class SelectTiler(BinaryTiler):
    """Tiles tpu.select, whose three operands broadcast to the output's shape."""

    def compute(self, operands: Sequence[SSAValue], emitter: Emitter) -> None:
        emitter.compute(tile.SelectOp, operands, {})


class UnaryTiler(ElementTiler):
    """Tiles tpu.unary, whose input and output have one shape."""

    takes_pitch: ClassVar[bool] = True

    def cycles_of(self, elements: int) -> int:
        op = self.layer.op
        assert isinstance(op, tpu.UnaryOp)
        operations = self.costs.operations_of(op.kind.data)
        return self.costs.vector_cycles(self.layer.inputs[0].storage, elements, operations)

    def compute(
        self, x: SSAValue, shape: tuple[int, ...], columns: int, emitter: Emitter
    ) -> SSAValue:
        op = self.layer.op
        assert isinstance(op, tpu.UnaryOp)
        alpha, beta = op.parameters
        fields = {"kind": op.kind.data, "columns": columns, "alpha": alpha, "beta": beta}
        out = emitter.alloc(shape, self.layer.output.storage, name="out")
        emitter.compute(tile.UnaryOp, [x, out], fields, self.layer.clamp)
        return out


class LookupTiler(ElementTiler):
    """Tiles tpu.lookup, whose input and output have one shape; the table stays in local memory."""

    takes_pitch: ClassVar[bool] = True

    def buffer_bytes(self, sizes: tuple[int, ...]) -> list[int]:
        table = self.layer.output.bytes_of(TABLE_ENTRIES)
        return [*super().buffer_bytes(sizes), table]

    def cycles_of(self, elements: int) -> int:
        operations = self.costs.operations_of("lookup")
        return self.costs.vector_cycles(self.layer.output.storage, elements, operations)

    def compute(
        self, x: SSAValue, shape: tuple[int, ...], columns: int, emitter: Emitter
    ) -> SSAValue:
        table = self.load_kept(emitter, 1, ((0, TABLE_ENTRIES),), (0,), TABLE_ENTRIES)
        fields = {"columns": columns, "zero_point": self.layer.result.zero_point}
        out = emitter.alloc(shape, self.layer.output.storage, name="out")
        emitter.compute(tile.LookupOp, [x, table, out], fields)
        return out


class ConvertTiler(ElementTiler):
    """Tiles tpu.cast, tpu.requantize, tpu.clamp and tpu.storage_cast, whose input and output have one shape."""

    takes_pitch: ClassVar[bool] = True

    def least_work(self, window: Window) -> Work:
        # A copy, such as between an input and the layers, is nothing if both lie alike.
        return Work() if self.layer.op.fold() is not None else super().least_work(window)

    def cycles_of(self, elements: int) -> int:
        wider = max(self.layer.inputs[0], self.layer.output, key=lambda buffer: buffer.bytes_of(8))
        return self.costs.vector_cycles(
            wider.storage, elements, self.costs.operations_of("convert")
        )

    def compute(
        self, x: SSAValue, shape: tuple[int, ...], columns: int, emitter: Emitter
    ) -> SSAValue:
        layer = self.layer
        source, result = layer.elements[0], layer.result
        out = emitter.alloc(shape, layer.output.storage, name="out")
        multiplier, shift, scale = 0, 0, 1.0
        zero_points = source.zero_point, result.zero_point
        if isinstance(layer.op, tpu.RequantizeOp):
            multiplier, shift = layer.op.multiplier.value.data, layer.op.shift.value.data
        elif isinstance(layer.op, tpu.StorageCastOp):
            zero_points, (multiplier, shift) = (0, 0), _IDENTITY
        elif source.is_float != result.is_float:
            scale = result.scale if source.is_float else source.scale
        elif not source.is_float:
            multiplier, shift = _IDENTITY
        emitter.compute(
            tile.ConvertOp,
            [x, out],
            {
                "columns": columns,
                "scale": float(scale),
                "multiplier": multiplier,
                "shift": shift,
                "zero_points": zero_points,
            },
            layer.clamp,
        )
        return out


TILERS: Tilers = {
    tpu.UnaryOp: UnaryTiler,
    tpu.LookupOp: LookupTiler,
    tpu.CastOp: ConvertTiler,
    tpu.RequantizeOp: ConvertTiler,
    tpu.ClampOp: ConvertTiler,
    tpu.StorageCastOp: ConvertTiler,
    tpu.CompareOp: BinaryTiler,
    tpu.LogicalOp: BinaryTiler,
    tpu.SelectOp: SelectTiler,
}
"""The tiler of each element-wise op."""
