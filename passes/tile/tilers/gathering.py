"""Tiles gathers whose indices are computed at run time: rows of a table in global memory, copied to local memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod

from ....dialects import tile, tpu
from ....dialects.quant.element_type import shape_of
from ...tiling.cost import CostModel, Work
from ...tiling.windows import Window, sizes_of, whole
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Layer
from ..tiler_bases.tiler import Tilers


class GatherTiler(BoxTiler):
    """Tiles tpu.gather: a tile has the rows of a box of indices, or a part of each along the first axis of the rows."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        op = layer.op
        assert isinstance(op, tpu.GatherOp)
        self.axis = op.axis.value.data
        table, indices = layer.inputs
        rank = len(shape_of(op.indices))
        self.index_axes = range(self.axis, self.axis + rank)
        self.row_axes = range(self.axis + rank, layer.rank)
        longer = [axis for axis in self.row_axes if layer.shape[axis] > 1]
        self.fixed = frozenset(longer[1:])
        for buffer in (table, indices, layer.output):
            order = tuple(range(len(buffer.layout.shape)))
            if buffer.layout.order != order or buffer.layout.padding:
                raise layer.error(f"buffer '{buffer.name}' must be dense and row-major")

    @property
    def global_inputs(self) -> Collection[int]:
        return (0,)

    @property
    def row_elements(self) -> int:
        """The elements of a row of the table."""
        return prod(self.layer.shape[axis] for axis in self.row_axes)

    def index_box(self, window: Window) -> Window:
        """Return the box of the indices whose rows `window` of the output has."""
        return tuple(window[axis] for axis in self.index_axes) or ((0, 1),)

    def columns(self, window: Window) -> int:
        """Return how many elements of each row `window` has."""
        return prod(high - low for low, high in (window[axis] for axis in self.row_axes))

    def input_boxes(self, window: Window) -> Sequence[Window]:
        return [whole(self.layer.inputs[0].layout.shape), self.index_box(window)]

    def elements_read(self, index: int) -> int:
        shape = self.layer.inputs[index].layout.shape
        if index:
            return prod(shape)
        return min(prod(shape), prod(self.layer.shape))

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        indices = prod(sizes[axis] for axis in self.index_axes)
        return [
            self.layer.inputs[1].bytes_of(indices),
            self.layer.output.bytes_of(self.elements_of(sizes)),
        ]

    @property
    def in_place(self) -> Sequence[bool]:
        return [self.layer.inputs[1].is_kept, self.lies_in_place(self.layer.output)]

    def pitch_of(self, sizes: Sequence[int]) -> int:
        # No unit computes on the tile.
        return sizes[self.order[-1]]

    def vector_cycles(self, window: Window) -> int:
        return 0

    def work(self, window: Window) -> Work:
        table, box = self.layer.inputs[0], self.index_box(window)
        rows, read = prod(sizes_of(box)), self.reading([(1, box)])
        on_bus = self.costs.bus_bytes(table.bytes_of(self.columns(window)), rows)
        return Work(
            load_bytes=read.load_bytes + on_bus,
            store_bytes=self.store_bytes(window),
            copied_bytes=read.copied_bytes,
            boxes=read.boxes,
            load_runs=read.load_runs + rows,
            store_runs=self.store_runs(window),
        )

    def local_order(self, index: int) -> Sequence[int]:
        return self.layer.inputs[index].layout.order

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes, box = self.layer, sizes_of(window), self.index_box(window)
        table, indices = layer.inputs
        index = self.load_kept(emitter, 1, box, indices.layout.order, sizes_of(box)[-1])
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        fields = {
            "rows": table.layout.shape[self.axis],
            "first": self._first_element(window),
        }
        emitter.compute(tile.GatherOp, [table.value, index, out], fields)
        self.store(emitter, out, window, self.pitch_of(sizes))

    def _first_element(self, window: Window) -> int:
        """Return which element of a row is the first in `window`: only one axis of rows is ever divided."""
        shape = self.layer.shape
        return sum(window[axis][0] * prod(shape[axis + 1 :]) for axis in self.row_axes)


TILERS: Tilers = {tpu.GatherOp: GatherTiler}
"""The tiler of gathers at run time."""
