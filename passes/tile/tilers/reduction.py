"""Tiles reductions over axes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from ....backends.numerics.reduction import SELECTING_KINDS
from ....backends.numerics.rounding_up import round_up
from ....dialects import tile, tpu
from ....dialects.tile.checks import columns_of, pitch_of
from ...tiling.cost import CostModel
from ...tiling.windows import Window, sizes_of
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Layer, integers
from ..tiler_bases.tiler import Tilers, padded_units


class ReduceTiler(BoxTiler):
    """Tiles tpu.reduce: the input is loaded as [outer, length, inner] and reduced over the middle axis.

    If the reduced axes are neighbors in the input's physical order, they are the middle as they lie. Otherwise the
    copies bring them to the end, and inner is 1. The reduced axes are never divided.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        op = layer.op
        assert isinstance(op, tpu.ReduceOp)
        self.kind = op.kind.data
        source = layer.inputs[0].layout
        self.reduced = frozenset(integers(op.axes))
        self.axis_of = self._output_axes(len(source.shape), op.keepdims is not None)
        """The output's axis of each input axis that is kept."""
        kept = [axis for axis in source.order if axis not in self.reduced]
        flags = [axis in self.reduced for axis in source.order if source.shape[axis] > 1]
        changes = sum(a != b for a, b in pairwise(flags))
        in_place = changes + (flags[:1] == [True]) <= 2
        if in_place:
            self.input_order = source.order
        else:
            position = {axis: layer.output.layout.order.index(self.axis_of[axis]) for axis in kept}
            kept.sort(key=lambda axis: position[axis])
            self.input_order = (*kept, *(a for a in source.order if a in self.reduced))
        self.kept = [axis for axis in self.input_order if axis not in self.reduced]
        self.in_lanes = bool(self.kept) and self._last_significant() == self.kept[-1]
        """Whether the innermost axis is kept: then it lies in lanes, in the input and the output.
        """
        if self.in_lanes:
            self.input_order = (*(a for a in self.input_order if a != self.kept[-1]), self.kept[-1])
        self.order = self._local_order()
        self.multiplier, self.shift = 0, 0
        if not layer.result.is_float and self.kind not in SELECTING_KINDS:
            self.multiplier, self.shift = layer.rescaling(
                layer.elements[0].scale / layer.result.scale
            )

    def _output_axes(self, rank: int, keepdims: bool) -> dict[int, int]:
        kept = [axis for axis in range(rank) if axis not in self.reduced]
        if keepdims:
            return {axis: axis for axis in kept}
        return {axis: index for index, axis in enumerate(kept)}

    def _last_significant(self) -> int | None:
        """Return the innermost axis in the local order whose size is not 1 (the innermost of all if there is none)."""
        shape = self.layer.inputs[0].layout.shape
        significant = [axis for axis in self.input_order if shape[axis] > 1]
        return significant[-1] if significant else self.input_order[-1]

    def _local_order(self) -> tuple[int, ...]:
        """Return the output's axes as the local result has them: kept axes as in the input, axes of size 1
        outermost.
        """
        kept = [self.axis_of[axis] for axis in self.kept]
        ones = [axis for axis in range(len(self.layer.shape)) if axis not in kept]
        return (*ones, *kept)

    def units(self) -> tuple[int, ...]:
        units = [1] * len(self.layer.shape)
        if self.in_lanes:
            units[self.order[-1]] = self.costs.lane_group
        return padded_units(self.layer.output.layout, units, self.costs.lane_group)

    def pitch_of(self, sizes: Sequence[int]) -> int:
        last = sizes[self.order[-1]]
        return round_up(last, self.costs.lane_group) if self.in_lanes else last

    def local_order(self, index: int) -> Sequence[int]:
        return self.input_order

    def input_boxes(self, window: Window) -> Sequence[Window]:
        shape = self.layer.inputs[0].layout.shape
        return [
            tuple(
                (0, size) if axis in self.reduced else window[self.axis_of[axis]]
                for axis, size in enumerate(shape)
            )
        ]

    @property
    def _length(self) -> int:
        """How many elements each reduction takes."""
        shape = self.layer.inputs[0].layout.shape
        return prod(shape[axis] for axis in self.reduced)

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        outputs = self.elements_of(sizes)
        return [
            self.layer.inputs[0].bytes_of(outputs * self._length),
            self.layer.output.bytes_of(outputs),
        ]

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window)) * self._length
        operations = self.costs.operations_of(self.kind)
        return self.costs.vector_cycles(self.layer.inputs[0].storage, elements, operations)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        box = self.input_boxes(window)[0]
        extents = sizes_of(box)
        pitch = self.pitch_of(sizes)
        lanes = pitch if self.in_lanes else extents[self.input_order[-1]]
        outer, inner = self._outer_inner(extents, lanes)
        # Where a row is all that lies inside the reduced axes, there may be gaps between rows, and no padding.
        by_rows = self.in_lanes and inner == lanes
        x = self.load_kept(emitter, 0, box, self.input_order, lanes, takes_pitch=by_rows)
        columns, row = (columns_of(x), pitch_of(x)) if by_rows else (inner, inner)
        length = self._length
        out = emitter.alloc((outer, inner), layer.output.storage, name="out")
        emitter.compute(
            tile.ReduceOp,
            [x, out],
            {
                "kind": self.kind,
                "sizes": (outer, length, columns),
                "strides": (length * row, row),
                "multiplier": self.multiplier,
                "shift": self.shift,
                "zero_points": (layer.elements[0].zero_point, layer.result.zero_point),
            },
            layer.clamp,
        )
        self.store(emitter, out, window, pitch)

    def _outer_inner(self, extents: Sequence[int], lanes: int) -> tuple[int, int]:
        """Return how many elements lie outside and inside the reduced axes of a local input of these extents, whose
        last axis is padded to `lanes`.
        """
        outer, inner, inside = 1, 1, False
        shape = self.layer.inputs[0].layout.shape
        last = len(self.input_order) - 1
        for position, axis in enumerate(self.input_order):
            if axis in self.reduced:
                inside = inside or shape[axis] > 1
                continue
            size = lanes if position == last else extents[axis]
            if inside or (position == last and self.in_lanes):
                inner *= size
            else:
                outer *= size
        return outer, inner


TILERS: Tilers = {tpu.ReduceOp: ReduceTiler}
"""The tiler of each reduction."""
