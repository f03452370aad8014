"""Tiles interpolation along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from xdsl.ir import SSAValue

from ....backends.numerics.rounding_up import round_up
from ....dialects import tile, tpu
from ...tiling.cost import CostModel
from ...tiling.windows import Window, sizes_of
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Layer
from ..tiler_bases.tiler import Tilers


class ResampleTiler(BoxTiler):
    """Tiles tpu.resample: the axis stays whole in the input and the output, everything else may be divided.

    If the axis lies along the lanes, the tables get rows for the padding, too: index 0 with weight 0.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        op = layer.op
        assert isinstance(op, tpu.ResampleOp)
        self.axis = op.axis.value.data
        self.fixed = frozenset((self.axis,))
        self.position = self.order.index(self.axis)
        self.along_lanes = self.position == len(self.order) - 1
        self.tables = range(1, len(layer.inputs))
        if not all(layer.inputs[index].is_weights for index in self.tables):
            raise layer.error("its indices and weights must be constant")

    def _input_sizes(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """Return the sizes of the input box of a tile."""
        length = self.layer.inputs[0].layout.shape[self.axis]
        return tuple(length if axis == self.axis else size for axis, size in enumerate(sizes))

    @property
    def _table_shape(self) -> tuple[int, int]:
        """The shape [out, taps], with rows for the padding if the axis lies in lanes."""
        out, taps = self.layer.inputs[1].layout.shape
        return (round_up(out, self.costs.lane_group) if self.along_lanes else out), taps

    def input_boxes(self, window: Window) -> Sequence[Window]:
        length = self.layer.inputs[0].layout.shape[self.axis]
        box = tuple((0, length) if axis == self.axis else r for axis, r in enumerate(window))
        tables = [tuple((0, n) for n in self.layer.inputs[i].layout.shape) for i in self.tables]
        return [box, *tables]

    def elements_read(self, index: int) -> int:
        shape = self.layer.inputs[index].layout.shape
        if index:
            return prod(shape)
        positions = min(shape[self.axis], prod(self.layer.inputs[1].layout.shape))
        return prod(shape) // shape[self.axis] * positions

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        layer = self.layer
        return [
            layer.inputs[0].bytes_of(self.elements_of(self._input_sizes(sizes))),
            layer.output.bytes_of(self.elements_of(sizes)),
            *(layer.inputs[i].bytes_of(prod(self._table_shape)) for i in self.tables),
        ]

    def vector_cycles(self, window: Window) -> int:
        operations = self._table_shape[1] * self.costs.operations_of("resample")
        elements = self.elements_of(sizes_of(window))
        return self.costs.vector_cycles(self.layer.output.storage, elements, operations)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        box = self.input_boxes(window)[0]
        x = self.load_kept(emitter, 0, box, self.order, self.pitch_of(sizes_of(box)))
        tables = [self._load_table(emitter, constants, index) for index in self.tables]
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        emitter.compute(tile.ResampleOp, [x, *tables, out], {"axis": self.position})
        self.store(emitter, out, window, self.pitch_of(sizes))

    def _load_table(self, emitter: Emitter, constants: Constants, index: int) -> SSAValue:
        """Load the index or weight table once for the window, and return its local buffer."""
        buffer = self.layer.inputs[index]
        out, taps = buffer.layout.shape
        rows = self._table_shape[0]
        if rows == out:
            return self.load_kept(emitter, index, ((0, out), (0, taps)), (0, 1), taps)
        key = (buffer.value,)
        found = self._kept.get(key)
        if found is None:

            def make() -> np.ndarray:
                return np.pad(buffer.constant(constants.store), ((0, rows - out), (0, 0)))

            padded = constants.once(("padded", buffer.value, rows), f"{buffer.name}.padded", make)
            found = emitter.load(padded, ((0, rows), (0, taps)), (0, 1), taps)
            self._kept[key] = found
        return found


TILERS: Tilers = {tpu.ResampleOp: ResampleTiler}
"""The tiler of each op that resamples."""
