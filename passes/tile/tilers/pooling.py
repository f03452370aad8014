"""Tiles max and average pooling."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ....dialects import tile, tpu
from ...tiling.cost import CostModel
from ...tiling.tile_sizes import MAX_POSITIONS
from ...tiling.windows import (
    InputRange,
    Range,
    Window,
    input_range,
    positions_read,
    sizes_of,
)
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter, Field
from ..tiler_bases.layer import Layer, integers
from ..tiler_bases.tiler import Tilers


class PoolTiler(BoxTiler):
    """Tiles tpu.max_pool, and is the base for other pools: [N,C,OH,OW] from [N,C,H,W]; tiles are channel-last."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        op = layer.op
        assert isinstance(op, tpu.PoolOp)
        self.order = (0, 2, 3, 1)
        self.kernel, self.strides = integers(op.kernel), integers(op.strides)
        self.pads, self.dilations = integers(op.pads), integers(op.dilations)

    def _input_range(self, axis: int, outputs: Range) -> InputRange:
        """Return the input rows (axis 0) or columns (axis 1) that a range of outputs reads; up to the end of the input
        if only positions follow that the last step of the kernel passes over, so that rows are whole.
        """
        size, stride = self.layer.inputs[0].layout.shape[2 + axis], self.strides[axis]
        found = input_range(
            outputs,
            size,
            kernel=self.kernel[axis],
            stride=stride,
            dilation=self.dilations[axis],
            pad_before=self.pads[axis],
            pad_after=self.pads[2 + axis],
        )
        return found if size - found.high >= stride else found._replace(high=size)

    def fields_of_kind(self) -> dict[str, Field]:
        """Return the fields of tile.pool that tell one kind of pool from another."""
        return {"kind": "max", "count_include_pad": False, "multiplier": 0, "shift": 0}

    def input_boxes(self, window: Window) -> Sequence[Window]:
        rows, columns = self._input_range(0, window[2]), self._input_range(1, window[3])
        return [(window[0], window[1], (rows.low, rows.high), (columns.low, columns.high))]

    def elements_read(self, index: int) -> int:
        batch, channels, *sizes = self.layer.inputs[0].layout.shape
        positions = [
            positions_read(
                self.layer.shape[2 + axis],
                sizes[axis],
                kernel=self.kernel[axis],
                stride=self.strides[axis],
                dilation=self.dilations[axis],
                pad_before=self.pads[axis],
            )
            for axis in range(2)
        ]
        return batch * channels * prod(positions)

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        reads = sizes[0] * self.pitch_of(sizes)
        positions = max(sizes[2:])
        for axis in range(2):
            span = (sizes[2 + axis] - 1) * self.strides[axis]
            span += (self.kernel[axis] - 1) * self.dilations[axis] + 1
            # The last tile may end with positions that the last step passes over.
            span = min(span + self.strides[axis] - 1, self.layer.inputs[0].layout.shape[2 + axis])
            positions = max(positions, span)
            reads *= span
        layer = self.layer
        if positions > MAX_POSITIONS:
            # A size that the instruction's fields cannot hold: say that it fits no memory.
            return [2**62]
        return [
            layer.inputs[0].bytes_of(reads),
            layer.output.bytes_of(self.elements_of(sizes)),
        ]

    def vector_cycles(self, window: Window) -> int:
        operations = prod(self.kernel) * self.costs.operations_of("pool")
        return self.costs.vector_cycles(
            self.layer.output.storage, self.elements_of(sizes_of(window)), operations
        )

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        rows, columns = self._input_range(0, window[2]), self._input_range(1, window[3])
        pitch = self.pitch_of(sizes)
        x = self.load_kept(
            emitter, 0, self.input_boxes(window)[0], self.order, pitch, takes_pitch=True
        )
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        emitter.compute(
            tile.PoolOp,
            [x, out],
            {
                "kernel": self.kernel,
                "strides": self.strides,
                "dilations": self.dilations,
                "pads": (rows.before, columns.before, rows.after, columns.after),
                "columns": sizes[1],
                "zero_points": (layer.elements[0].zero_point, layer.result.zero_point),
                **self.fields_of_kind(),
            },
            layer.clamp,
        )
        self.store(emitter, out, window, pitch)


class AveragePoolTiler(PoolTiler):
    """Tiles tpu.avg_pool."""

    def fields_of_kind(self) -> dict[str, Field]:
        layer, op = self.layer, self.layer.op
        assert isinstance(op, tpu.AvgPoolOp)
        multiplier, shift = 0, 0
        if not layer.result.is_float:
            multiplier, shift = layer.rescaling(layer.elements[0].scale / layer.result.scale)
        return {
            "kind": "average",
            "count_include_pad": op.count_include_pad is not None,
            "multiplier": multiplier,
            "shift": shift,
        }


TILERS: Tilers = {
    tpu.MaxPoolOp: PoolTiler,
    tpu.AvgPoolOp: AveragePoolTiler,
}
"""The tiler of each pooling op."""
