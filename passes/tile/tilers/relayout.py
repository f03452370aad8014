"""Tiles the ops that only move elements (reshape and transpose) from global memory to global memory: copies through
local memory; a tile is transposed there if the contiguous axis changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm, prod

from ....backends.numerics.rounding_up import ceil_div, round_up
from ....backends.numerics.storage import PERMUTED_NAMES
from ....backends.targets.alignment import align
from ....dialects import tile
from ....dialects.network.traits import Rearranges
from ....dialects.tile import Schedule
from ...tiling.copy_planning import Padding, plan
from ...tiling.cost import CostModel, Work, split_cycles
from ...tiling.layout import dense_strides, offset_of
from ...tiling.tile_sizes import Footprint, TriedTile, tile_box
from ...tiling.transposition import Transposition, transposition_of
from ...tiling.windows import Range, Window, factors_of_axes, grid, refine, sizes_of
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Layer
from ..tiler_bases.tiler import Tiler, check_no_product, given_tile, padded_units


class RelayoutTiler(Tiler):
    """Tiles the ops that rearrange elements, such as tpu.reshape and tpu.transpose: a tile is a box of *factors*, each
    with a stride in the input and one in the output.

    If the op only permutes axes, the factors are the output's axes. If it reshapes, they are the common refinement of
    both shapes: each axis of either is a nest of consecutive factors.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        source, target = layer.inputs[0].layout, layer.output.layout
        rearranged = Rearranges.of(layer.op)
        assert rearranged is not None
        permutation = list(rearranged.permutation(layer.op)) or [0]
        shape = tuple(source.shape[axis] for axis in permutation)
        strides = [source.strides[axis] for axis in permutation]
        if permutation != sorted(permutation) and shape == target.shape:
            self.factors = shape
            self.nests = [[axis] for axis in range(len(shape))]
            self.source_strides = strides
        else:
            factors = refine(shape, target.shape)
            if factors is None:
                raise layer.error(
                    f"shapes {list(shape)} and {list(target.shape)} have no axes in common",
                    "reshape to one axis first, as convert-tpu-to-tile does",
                )
            self.factors = factors or (1,)
            self.nests = factors_of_axes(target.shape, factors)
            self.source_strides = nest_strides(strides, factors_of_axes(shape, factors), factors)
        self.target_strides = nest_strides(target.strides, self.nests, self.factors)
        inner = range(len(self.factors))
        self.order = sorted(inner, key=lambda f: (-self.target_strides[f], -self.source_strides[f]))
        self.transposition: Transposition | None = None
        if layer.output.storage in PERMUTED_NAMES:
            loaded = sorted(inner, key=lambda f: -self.source_strides[f])
            gathered = split_cycles(costs, [self.work(layer.whole)])
            self.transposition = transposition_of(loaded, self.order, self.factors)
            if split_cycles(costs, [self.work(layer.whole)]) >= gathered:
                self.transposition = None

    @property
    def may_stay_on_chip(self) -> bool:
        # Another tiler takes the layer then; see `rearrangement.py`.
        return nests_side_by_side(self.layer) is not None

    @property
    def loop_order(self) -> Sequence[int]:
        """The factors in the order in which a window is divided into tiles."""
        return self.order if self.transposition is None else self.transposition.loop_order

    def units(self) -> tuple[int, ...]:
        units = [prod(self.factors[f] for f in nest[1:]) for nest in self.nests]
        last = self.layer.output.layout.last_axis
        if last is not None and self.layer.output.layout.padding == 0:
            units[last] = lcm(units[last], self.costs.lane_group)
        return padded_units(self.layer.output.layout, units, self.costs.lane_group)

    def work(self, window: Window) -> Work:
        turned, sizes = self.transposition, sizes_of(self._factor_box(window))
        local = self.target_strides if turned is None else dense_strides(sizes, turned.before)
        copies = plan(sizes, self.source_strides, local)
        run = max(copy.sizes[-1] for copy in copies)
        runs = ceil_div(prod(sizes), run)
        loads = self.costs.bus_bytes(self.layer.output.bytes_of(run), runs)
        busy = runs
        if turned is not None:
            storage = self.layer.output.storage
            busy = max(runs, self.costs.permute_cycles(storage, *turned.sizes(sizes)))
        # A core's DMA engine makes one address per cycle; count it like a unit that is busy.
        return Work(0, busy, loads, self.store_bytes(window))

    def least_work(self, window: Window) -> Work:
        """Return no work: the producer and the readers of the output may agree on a layout."""
        return Work()

    def _factor_box(self, window: Window) -> Window:
        """Return the ranges of the factors that make up `window` of the output."""
        box: list[Range] = [(0, size) for size in self.factors]
        for (low, high), nest in zip(window, self.nests, strict=True):
            if not nest:
                continue
            inside = prod(self.factors[f] for f in nest[1:])
            # The last part of an axis may end inside no factor: the axis' end is a multiple of all.
            box[nest[0]] = (low // inside, high // inside)
        return tuple(box)

    @property
    def _last_nest(self) -> list[int]:
        """The factors of the output's contiguous axis, outermost first."""
        axis = self.layer.output.layout.last_axis
        return [] if axis is None else self.nests[axis]

    def _loops(self, window: Window) -> tuple[int, ...]:
        """Return the extent of each factor in a window."""
        return sizes_of(self._factor_box(window))

    def plan(self, window: Window, decided: Schedule, constants: Constants) -> Schedule:
        """Return the schedule; the loops that a tile has a size for are the factors, outermost of the output first."""
        check_no_product(self.layer, decided)
        sizes = self._loops(window)
        tile = given_tile(self.layer, decided, window, (1,) * len(sizes), self._loops)
        if tile is not None:
            needed = self._footprint([tile[f] for f in self.loop_order])
            if not needed.fits(self.costs, 1.0):
                raise self.layer.too_big(needed.local, needed.acc, self.costs, tile)
            return Schedule(tile=(tile,))
        work = self.work(window)
        share = self.costs.bytes_per_cycle / len(self.layer.siblings)
        tried: list[TriedTile] | None = None if self.tried is None else []
        found = tile_box(
            self.costs,
            [sizes[f] for f in self.loop_order],
            [1] * len(self.loop_order),
            self._footprint,
            (work.load_bytes / share, work.vector_cycles, work.store_bytes / share),
            tried,
        )
        if self.tried is not None and tried is not None:
            self.tried += [each._replace(sizes=self._by_factor(each.sizes)) for each in tried]
        if isinstance(found, Footprint):
            raise self.layer.too_big(found.local, found.acc, self.costs)
        return Schedule(tile=(self._by_factor(found),))

    def _by_factor(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """Return sizes, given in `loop_order`, by factor."""
        by_factor = dict(zip(self.loop_order, sizes, strict=True))
        return tuple(by_factor[f] for f in range(len(sizes)))

    def footprint(self, window: Window, schedule: Schedule) -> Footprint:
        assert schedule.tile is not None
        return self._footprint([schedule.tile[0][f] for f in self.loop_order])

    def _footprint(self, extents: Sequence[int]) -> Footprint:
        """Return the memory of a tile with these extents in `loop_order`."""
        whole = prod(extents)
        last = extents[self.loop_order.index(self.order[-1])]
        buffers = [whole // last * round_up(last, self.costs.lane_group)]
        if self.transposition is not None:
            buffers.append(whole)
        return Footprint(sum(align(self.layer.output.bytes_of(each)) for each in buffers), 0)

    def emit(
        self, window: Window, schedule: Schedule, emitter: Emitter, constants: Constants
    ) -> None:
        assert schedule.tile is not None
        (tile,) = schedule.tile
        box, order, turned = self._factor_box(window), self.loop_order, self.transposition
        for part in grid([box[f] for f in order], [tile[f] for f in order]):
            if turned is None:
                self._tile(emitter, part)
            else:
                ranges = dict(zip(order, part, strict=True))
                self._transposed_tile(emitter, turned, [ranges[f] for f in range(len(order))])
        if len(self._last_nest) != 1:
            self._pad(emitter, window)

    def _tile(self, emitter: Emitter, part: Window) -> None:
        """Move one box of factors, given in `order`: load it to local memory in the output's order, then store it."""
        layer = self.layer
        layout = layer.output.layout
        extents = sizes_of(part)
        innermost = self.order[-1]
        padding = 0
        if self._last_nest == [innermost] and part[-1][1] == layout.extent:
            padding = layout.padding
        local = [*extents[:-1], extents[-1] + padding]
        local_strides = [prod(local[position + 1 :]) for position in range(len(local))]
        source_strides = [self.source_strides[f] for f in self.order]
        target_strides = [self.target_strides[f] for f in self.order]
        lows = [low for low, _ in part]
        buffer = emitter.alloc(local, layer.output.storage)
        last = len(local) - 1
        source = layer.inputs[0]
        at_end = source_strides[last] == 1 and self._ends_source_rows(part[-1])
        emitter.copy(
            source.value,
            buffer,
            plan(
                extents,
                source_strides,
                local_strides,
                source_offset=offset_of(source_strides, lows),
                padding=Padding(last, padding, source.layout.padding if at_end else 0),
            ),
            layer.result.zero_point,
        )
        emitter.copy(
            buffer,
            layer.output.value,
            plan(
                local, local_strides, target_strides, target_offset=offset_of(target_strides, lows)
            ),
        )

    def _transposed_tile(
        self, emitter: Emitter, turned: Transposition, box: Sequence[Range]
    ) -> None:
        """Move one box of factors in whole runs: load it in the input's order, transpose it in local memory, store
        it.
        """
        layer, zero_point = self.layer, self.layer.result.zero_point
        sizes, lows = list(sizes_of(tuple(box))), [low for low, _ in box]
        loaded = emitter.alloc([sizes[f] for f in turned.before], layer.output.storage)
        copies = plan(
            sizes,
            self.source_strides,
            dense_strides(sizes, turned.before),
            source_offset=offset_of(self.source_strides, lows),
        )
        emitter.copy(layer.inputs[0].value, loaded, copies)
        innermost, layout = self.order[-1], layer.output.layout
        at_end = self._last_nest == [innermost] and box[innermost][1] == layout.extent
        padding, written = layout.padding if at_end else 0, list(sizes)
        if turned.rows == (innermost,):
            # The transposition fills rows up to their pitch.
            written[innermost], padding = sizes[innermost] + padding, 0
        after = (*turned.tiles, *turned.columns, *turned.rows)
        out = emitter.alloc([written[f] for f in after], layer.output.storage)
        emitter.permute(loaded, out, turned.sizes(sizes), zero_point)
        copies = plan(
            written,
            dense_strides(written, after),
            self.target_strides,
            target_offset=offset_of(self.target_strides, lows),
            padding=Padding(innermost, padding),
        )
        emitter.copy(out, layer.output.value, copies, zero_point)

    def _ends_source_rows(self, innermost: Range) -> bool:
        """Tell whether a range of the innermost factor ends where the input's padding begins."""
        return innermost[1] == self.layer.inputs[0].layout.extent

    def _pad(self, emitter: Emitter, window: Window) -> None:
        """Write the padding of the rows in `window`, if the contiguous axis is a nest of several factors or of none."""
        layer = self.layer
        layout = layer.output.layout
        axis = layout.last_axis
        if axis is None or not layout.padding or window[axis][1] != layout.extent:
            return
        zeros = emitter.alloc((layout.padding,), layer.output.storage)
        emitter.compute(tile.FillOp, [zeros], {"value": float(layer.result.zero_point)})
        rows = [size for other, size in enumerate(sizes_of(window)) if other != axis]
        strides = [stride for other, stride in enumerate(layout.strides) if other != axis]
        lows = [low for other, (low, _) in enumerate(window) if other != axis]
        emitter.copy(
            zeros,
            layer.output.value,
            plan(
                [*rows, layout.padding],
                [*(0 for _ in rows), 1],
                [*strides, 1],
                target_offset=offset_of(strides, lows) + layout.extent,
            ),
        )


def nest_strides(
    strides: Sequence[int], nests: Sequence[Sequence[int]], factors: Sequence[int]
) -> list[int]:
    """Return the stride of each factor in a buffer whose axes, with these `strides`, are nests of factors."""
    result = [1] * max(1, len(factors))
    for stride, nest in zip(strides, nests, strict=True):
        for factor in reversed(nest):
            result[factor] = stride
            stride *= factors[factor]
    return result


def nests_side_by_side(
    layer: Layer,
) -> tuple[tuple[int, ...], list[list[int]], list[list[int]]] | None:
    """Return the factors of a reshape or transpose, and those of each axis of its input and of its output; None if
    there are none, or if the innermost elements do not stay side by side.
    """
    source, target = layer.inputs[0].layout, layer.output.layout
    rearranged = Rearranges.of(layer.op)
    assert rearranged is not None
    permutation = list(rearranged.permutation(layer.op)) or [0]
    shape = tuple(source.shape[axis] for axis in permutation)
    factors = refine(shape, target.shape)
    if not factors or source.last_axis is None or target.last_axis is None:
        return None
    permuted = factors_of_axes(shape, factors)
    source_nests = [permuted[permutation.index(axis)] for axis in range(len(permutation))]
    nests = factors_of_axes(target.shape, factors)
    own, other = source_nests[source.last_axis], nests[target.last_axis]
    if not own or not other or own[-1] != other[-1]:
        return None
    return factors, source_nests, nests
