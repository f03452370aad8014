"""How layers of the ops are cut: which boxes of the operands a tile loads, and what computes it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from smalti.dialects import tile
from smalti.passes.tile.tiler_bases.box_tiler import BoxTiler
from smalti.passes.tile.tiler_bases.constants import Constants
from smalti.passes.tile.tiler_bases.emitter import Emitter
from smalti.passes.tile.tiler_bases.layer import Layer
from smalti.passes.tiling.cost import CostModel
from smalti.passes.tiling.windows import Window, sizes_of

from .dialect import TileLeakyClampOp, TpuLeakyClampOp
from .instruction import OPERATIONS
from .numerics import EPSILON


class LeakyClampTiler(BoxTiler):
    """gates.tpu_leaky_clamp: rows of a tile are pixels, so that each bound meets its channel."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        axes = range(len(layer.shape))
        self.order = (*(axis for axis in axes if axis != 1), 1)

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        bound = self.layer.output.bytes_of(self.pitch_of(sizes))
        return [*super().buffer_bytes(sizes), bound, bound]

    def input_boxes(self, window: Window) -> Sequence[Window]:
        return [window, window[1:2], window[1:2]]

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        return self.costs.vector_cycles(self.layer.output.storage, elements, OPERATIONS)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        op = layer.op
        assert isinstance(op, TpuLeakyClampOp)
        pitch = self.pitch_of(sizes)
        x = self.load_kept(emitter, 0, window, self.order, pitch)
        low, high = (self.load_kept(emitter, index, window[1:2], (0,), pitch) for index in (1, 2))
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        fields = {
            "columns": sizes[1],
            "shift": op.shift.value.data,
            "zero_point": layer.result.zero_point,
        }
        emitter.compute(TileLeakyClampOp, [x, low, high, out], fields)
        self.store(emitter, out, window, pitch)


class RowScaleTiler(BoxTiler):
    """gates.tpu_row_scale: whole rows, by three instructions that are there: |x|, the maximum, the quotient."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        self.order = tuple(range(len(layer.shape)))
        self.fixed = frozenset(self.order[-1:])

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        size = self.layer.output.bytes_of
        tile_bytes = size(self.elements_of(sizes))
        return [tile_bytes, tile_bytes, size(prod(sizes[:-1])), tile_bytes]

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        operations = sum(map(self.costs.operations_of, ("abs", "max", "div")))
        return self.costs.vector_cycles(self.layer.output.storage, elements, operations)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        storage, sizes = self.layer.output.storage, sizes_of(window)
        rows, columns, pitch = prod(sizes[:-1]), sizes[-1], self.pitch_of(sizes)
        x = self.load_kept(emitter, 0, window, self.order, pitch, (rows, pitch))
        magnitudes = emitter.alloc((rows, pitch), storage, name="magnitudes")
        greatest = emitter.alloc((rows, 1), storage, name="greatest")
        out = emitter.alloc((rows, pitch), storage, name="out")
        at_least = (EPSILON, float("inf"))
        emitter.compute(
            tile.UnaryOp, [x, magnitudes], {"kind": "abs", "columns": columns}, at_least
        )
        sizes_and_strides = {"sizes": (rows, columns, 1), "strides": (pitch, 1)}
        emitter.compute(tile.ReduceOp, [magnitudes, greatest], {"kind": "max", **sizes_and_strides})
        emitter.compute(tile.BinaryOp, [x, greatest, out], {"kind": "div"})
        self.store(emitter, out, window, pitch)
