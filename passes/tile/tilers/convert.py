"""Cuts element-wise ops of one operand: casts, requantization, clamps."""

from __future__ import annotations

from ....dialects import tile, tpu
from ...tiling.windows import Window, sizes_of
from .box import BoxTiler
from .constants import Constants
from .emitter import Emitter

_IDENTITY = (2**30, 30)
"""Multiplier and shift of 1."""


class ConvertTiler(BoxTiler):
    """tpu.cast, tpu.requantize and tpu.clamp: input and output have one shape."""

    def vector_cycles(self, window: Window) -> int:
        wider = max(
            self.layer.inputs[0], self.layer.output, key=lambda buffer: buffer.element_bytes
        )
        return self.machine.vector_cycles(wider.storage, self.elements_of(sizes_of(window)))

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
