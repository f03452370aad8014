"""Tiles reshapes and transposes of tensors that stay on chip: what a tile reads is brought together, and its runs are
copied to their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import lcm, prod

from ....backends.numerics.rounding_up import ceil_div, round_up
from ....dialects import tile, tpu
from ...tiling.copy_planning import Padding, plan
from ...tiling.cost import CostModel, Work
from ...tiling.layout import dense_strides
from ...tiling.windows import Range, Window, sizes_of
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Layer
from ..tiler_bases.tiler import Tiler, Tilers, padded_units
from .relayout import RelayoutTiler, nest_strides, nests_side_by_side


class RearrangementTiler(BoxTiler):
    """Tiles tpu.reshape and tpu.transpose if the innermost elements stay side by side: an axis of the input or the
    output is a nest of consecutive *factors*, and the innermost factor of both contiguous axes is the same.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        found = nests_side_by_side(layer)
        assert found is not None, "asked of layers whose innermost elements stay side by side"
        self.factors, self.source_nests, self.nests = found

    def units(self) -> tuple[int, ...]:
        units = [prod(self.factors[f] for f in nest[1:]) for nest in self.nests]
        last = self.order[-1]
        units[last] = lcm(units[last], self.costs.lane_group)
        return padded_units(self.layer.output.layout, units, self.costs.lane_group)

    def _factor_box(self, window: Window) -> list[Range]:
        """Return the ranges of the factors that make up `window` of the output."""
        box: list[Range] = [(0, size) for size in self.factors]
        for (low, high), nest in zip(window, self.nests, strict=True):
            if nest:
                inside = prod(self.factors[f] for f in nest[1:])
                box[nest[0]] = (low // inside, ceil_div(high, inside))
        return box

    def local_order(self, index: int) -> Sequence[int]:
        return self.layer.inputs[index].layout.order

    def input_boxes(self, window: Window) -> Sequence[Window]:
        box = self._factor_box(window)
        result: list[Range] = []
        for nest in self.source_nests:
            low = high = 0
            for factor in nest:
                low = low * self.factors[factor] + box[factor][0]
                high = high * self.factors[factor] + box[factor][1] - 1
            result.append((low, high + 1))
        return [tuple(result)]

    def vector_cycles(self, window: Window) -> int:
        """Return the cycles for which the core's DMA engine is busy with the copy: one for the address of each run."""
        sizes = sizes_of(window)
        return prod(sizes) // max(1, min(self._run, sizes[self.order[-1]]))

    @cached_property
    def _run(self) -> int:
        nest = self.nests[self.order[-1]]
        return self.factors[nest[-1]] if nest else 1

    def least_work(self, window: Window) -> Work:
        """Return no work: the producer and the readers of the output may agree on a place."""
        return Work()

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes, pitch = self.layer, sizes_of(window), self.pitch_of(sizes_of(window))
        source, (box,) = layer.inputs[0], self.input_boxes(window)
        read, order = sizes_of(box), source.layout.order
        row = round_up(read[order[-1]], self.costs.lane_group)
        x = self.load_kept(emitter, 0, box, order, row)
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        factors = self._factor_box(window)
        come = _local_strides(read, order, row)
        steps = nest_strides(come, self.source_nests, self.factors)
        first = sum(low * step for (low, _), step in zip(factors, steps, strict=True))
        first -= sum(low * step for (low, _), step in zip(box, come, strict=True))
        go = nest_strides(_local_strides(sizes, self.order, pitch), self.nests, self.factors)
        last = self.nests[self.order[-1]]
        padding = pitch - sizes[self.order[-1]]
        if padding and len(last) > 1:
            emitter.compute(tile.FillOp, [out], {"value": float(layer.result.zero_point)})
            padding = 0
        copies = plan(
            [high - low for low, high in factors], steps, go,
            source_offset=first, padding=Padding(last[-1], padding),
        )  # fmt: skip
        emitter.copy(x, out, copies, layer.result.zero_point)
        self.store(emitter, out, window, pitch)


def _local_strides(sizes: Sequence[int], order: Sequence[int], pitch: int) -> list[int]:
    """Return the distances, in elements, between neighbors along each axis of a local buffer of `sizes`, whose axes lie
    in `order` and whose rows have `pitch` elements.
    """
    padded = [pitch if axis == order[-1] else size for axis, size in enumerate(sizes)]
    return dense_strides(padded, order)


def rearranging_tiler(layer: Layer, costs: CostModel) -> Tiler:
    """Return the tiler of a reshape or transpose: through local memory only where its tensors stay there."""
    is_kept = layer.inputs[0].is_kept or layer.output.is_kept
    if is_kept and nests_side_by_side(layer) is not None:
        return RearrangementTiler(layer, costs)
    return RelayoutTiler(layer, costs)


TILERS: Tilers = {
    tpu.ReshapeOp: rearranging_tiler,
    tpu.TransposeOp: rearranging_tiler,
}
"""The tiler of each op that only changes where elements lie."""
