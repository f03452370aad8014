"""The loop that convolutions and matrix products share: tiles of rows × channels × depth, whose buffers are kept while
later tiles can use them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product as combinations
from math import gcd
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ....backends.numerics.device.packing import (
    epilogue_table_bytes,
    epilogue_table_rows,
    pack_epilogue_table,
)
from ....backends.numerics.rounding_up import ceil_div, round_up
from ....dialects import tile
from ....dialects.tile import Schedule
from ...tiling.cost import CostModel, Work
from ...tiling.tile_sizes import (
    Footprint,
    GivenTile,
    Product,
    ProductTiling,
    TriedTile,
    depth_parts,
    keeps_weights,
    product_footprint,
    similar_products,
    tile_product,
)
from ...tiling.windows import Range, Window, common_unit, sizes_of, tiles
from .constants import Constants
from .emitter import Emitter
from .layer import Buffer, Layer, one_of
from .tiler import Tiler, TileWork, given_tile
from .weight_packing import WeightPacking

Key = tuple[object, ...]

NOTHING_GIVEN = GivenTile()


class _Kept:
    """The buffers of the preceding tile: each also serves the next tile if its key is the same there."""

    def __init__(self) -> None:
        self._buffers: dict[str, tuple[Key, SSAValue]] = {}
        self._asked: tuple[str, Key] = ("", ())

    def get(self, name: str, key: Key) -> SSAValue | None:
        """Return the buffer `name` if it was kept for this `key`."""
        self._asked = name, key
        found = self._buffers.get(name)
        return found[1] if found is not None and found[0] == key else None

    def put(self, buffer: SSAValue) -> SSAValue:
        """Keep a buffer for the key that was asked for last, in place of the one before, and return it."""
        name, key = self._asked
        self._buffers[name] = key, buffer
        return buffer


class AccumulatingTiler(Tiler):
    """Tiles a layer that sums products in accumulators, which an epilogue then turns into outputs.

    Row axes of the output are all but the channel axis, outermost first.
    """

    moves_by_emitter = True
    bias: Buffer | None
    residual: int | None
    """Which operand of the op is the residual."""
    accumulator: str
    packs: bool = True
    """Whether the weights are packed into blocks beforehand, the same for all parts."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        self.packing = WeightPacking.of(*self.layer.elements[:2])
        self._tilings: dict[tuple[Window, int, int, GivenTile], ProductTiling | Footprint] = {}

    @property
    @abstractmethod
    def channel_axis(self) -> int:
        """The output's axis of channels (columns)."""

    @property
    @abstractmethod
    def row_axes(self) -> tuple[int, ...]:
        """The other axes, outermost first, as in the local buffers."""

    @abstractmethod
    def product(self, window: Window, block: int) -> Product:
        """Describe `window` as far as tile sizes depend on it, with weights in blocks of `block` channels."""

    @abstractmethod
    def load_rows(self, emitter: Emitter, rows: Window, channels: Range, depth: Range) -> SSAValue:
        """Load the input that `rows` of the output (ranges of the row axes) read, for the given channels and depth, and
        return its buffer.
        """

    @abstractmethod
    def load_weights(
        self,
        emitter: Emitter,
        constants: Constants,
        rows: Window,
        channels: Range,
        depth: Range,
        block: int,
    ) -> SSAValue:
        """Load the weights of a tile of channels, and return their buffer."""

    @abstractmethod
    def multiply(
        self,
        emitter: Emitter,
        operands: tuple[SSAValue, SSAValue, SSAValue],
        rows: Window,
        channels: Range,
        depth: Range,
        block: int,
    ) -> None:
        """Emit the computation: its operands are input, weights in blocks of `block` channels, and accumulators. It
        adds to the accumulators if the depth does not start at 0.
        """

    @abstractmethod
    def rows_key(self, rows: Window, channels: Range) -> Key:
        """Return what the input of a tile depends on besides the depth: tiles with equal keys may share the buffer."""

    @abstractmethod
    def weights_key(self, rows: Window, channels: Range) -> Key:
        """Return what the weights of a tile depend on besides the depth."""

    @abstractmethod
    def local_shape(self, rows: Window, pitch: int) -> tuple[int, ...]:
        """Return the shape of the accumulators, residual and output of a tile."""

    @abstractmethod
    def folded_bias(self, constants: Constants) -> np.ndarray:
        """Return the bias with the input's zero point folded in: i64 [channels], or f32."""

    def product_scales(self) -> np.ndarray:
        """Return the real value of one step of the accumulator per channel, f64 [channels] (integer types)."""
        x, w = self.layer.elements[:2]
        return np.broadcast_to(x.scale * w.scales, self.channel_count)

    def local_order(self, index: int) -> Sequence[int]:
        # Pixels or rows outside, their channels inside; weights are packed in the order in which they are read.
        buffer = self.layer.inputs[index]
        is_image = len(buffer.layout.shape) == len(self.stored_order)
        return self.stored_order if is_image else buffer.layout.order

    @property
    def stored_order(self) -> Sequence[int]:
        return (*self.row_axes, self.channel_axis)

    @property
    def channel_count(self) -> int:
        """How many channels the whole output has."""
        return self.layer.shape[self.channel_axis]

    @property
    def table_rows(self) -> int:
        """How many rows the table of parameters has."""
        return epilogue_table_rows(self.accumulator, self.residual is not None, self.is_scaled)

    @property
    def is_scaled(self) -> bool:
        """Whether sums are floats and weights have scales, by which, and those of the inputs, the epilogue multiplies
        the sums.
        """
        x, w = self.layer.elements[:2]
        return x.sums_floats and w.is_quantized and w.groups is None

    def elements_read(self, index: int) -> int:
        # The table of parameters holds the bias.
        return 0 if self.layer.inputs[index] is self.bias else super().elements_read(index)

    @property
    def table_bytes(self) -> int:
        """The parameters of the channels, if the weights are constant, without those of a residual: it may be added by
        an instruction of its own. Products of activations may use one column of parameters for all channels.
        """
        if not self.layer.inputs[1].is_weights:
            return 0
        return epilogue_table_bytes(
            epilogue_table_rows(self.accumulator, False, self.is_scaled), self.channel_count
        )

    def block_for(self) -> int:
        """Return how many channels a block of packed weights has: so many that every window's slice is whole blocks,
        and that a tile fits.
        """
        group = self.costs.lane_group
        block = self._widest_block()
        while block > group and not self._fits(block):
            block = max(b for b in range(group, block, group) if block % b == 0)
        return block

    def _widest_block(self) -> int:
        """Return how many channels a block has at most, so that every window's slice is whole blocks."""
        block = common_unit(self._first_channels(), self.costs.columns)
        return block or min(self.costs.columns, round_up(self.channel_count, self.costs.lane_group))

    def _first_channels(self) -> list[int]:
        """Return the first channel of each part of the layer."""
        return [window[self.channel_axis][0] for window in self.layer.siblings]

    def _fits(self, block: int) -> bool:
        return all(
            isinstance(self.tiling(window, block), ProductTiling) for window in self.layer.siblings
        )

    def tiling(
        self, window: Window, block: int, given: GivenTile = NOTHING_GIVEN
    ) -> ProductTiling | Footprint:
        """Return the tile sizes for `window`, or the footprint of a tile that does not fit."""
        shape = tuple((0, size) for size in sizes_of(window))
        sharing = self._sharing_weights(window)
        found = self._tilings.get((shape, sharing, block, given))
        if found is None:
            found = self._search(window, block, given)
            self._tilings[shape, sharing, block, given] = found
        return found

    def _search(
        self, window: Window, block: int, given: GivenTile, tried: list[TriedTile] | None = None
    ) -> ProductTiling | Footprint:
        sharing = self._sharing_weights(window)
        product = replace(self.product(window, block), sharing_weights=sharing)
        return tile_product(self.costs, product, len(self.layer.siblings), given, tried)

    def _sharing_weights(self, window: Window) -> int:
        """Return how many cores load at once the weights that `window` of the output needs."""
        if not self.multicasts_weights:
            return 1
        own = self.weights_of(window)
        return max(1, sum(self.weights_of(other) == own for other in self.layer.siblings))

    def plan(self, window: Window, decided: Schedule, constants: Constants) -> Schedule:
        self._widen(constants)
        block = self._block(decided, constants)
        given = self._given(window, decided, block)
        tiling = self.tiling(window, block, given)
        if isinstance(tiling, Footprint):
            tile = decided.tile[0] if decided.tile else None
            raise self.layer.too_big(tiling.local, tiling.acc, self.costs, tile)
        if self.tried is not None:
            # The search, whose result is known, is made again to see what it looks at.
            trials: list[TriedTile] = []
            self._search(window, block, given, trials)
            for each in trials:
                *rows, channels = each.sizes
                self.tried.append(each._replace(sizes=self.tile_of(rows, channels)))
        return self._schedule(tiling, block)

    def tile_of(self, rows: Sequence[int], channels: int) -> tuple[int, ...]:
        """Return the tile of a schedule that has these sizes along the row axes and of the channels."""
        sizes = [channels] * len(self.layer.shape)
        for axis, size in zip(self.row_axes, rows, strict=True):
            sizes[axis] = size
        return tuple(sizes)

    def footprint(self, window: Window, schedule: Schedule) -> Footprint:
        assert schedule.tile and schedule.depth and schedule.block
        (tile,), (depth,) = schedule.tile, schedule.depth
        return product_footprint(
            self.costs,
            self.product(window, schedule.block),
            [tile[axis] for axis in self.row_axes],
            tile[self.channel_axis],
            depth,
        )

    def _given(self, window: Window, decided: Schedule, block: int) -> GivenTile:
        """Return what is decided about the tiles. Raises DiagnosticError if it cannot be carried out."""
        product = self.product(window, block)
        units = [1] * len(self.layer.shape)
        units[self.channel_axis] = product.unit
        tile = given_tile(self.layer, decided, window, units)
        depth = None if decided.depth is None else min(decided.depth[0], self.depth)
        if depth is not None and depth < self.depth:
            if not product.can_split_depth:
                raise self.layer.schedule_error(
                    "depth",
                    f"its {self.depth} input channels are summed at once, not {depth} at a time",
                    "leave 'depth' out of the schedule",
                )
            if depth % self.costs.lane_group:
                raise self.layer.schedule_error(
                    "depth",
                    f"depth {depth} is no multiple of {self.costs.lane_group} (a lane group)",
                    "change the depth, or leave it out of the schedule",
                )
        return GivenTile(
            None if tile is None else tuple(tile[axis] for axis in self.row_axes),
            None if tile is None else tile[self.channel_axis],
            depth,
            None if decided.order is None else decided.order[0] == "channels_outer",
        )

    def emit(
        self, window: Window, schedule: Schedule, emitter: Emitter, constants: Constants
    ) -> None:
        assert schedule.tile and schedule.depth and schedule.block
        (tile,), (size,), block = schedule.tile, schedule.depth, schedule.block
        product, widest = self.product(window, block), tile[self.channel_axis]
        stay = keeps_weights(self.costs, product, min(widest, product.channels))
        depths = [
            (f"w{number}" if stay else "w", depth)
            for number, depth in enumerate(depth_parts(self.depth, size))
        ]
        kept = _Kept()
        for rows, channels in self._tiles(window, schedule):
            self._tile(emitter, constants, kept, rows, channels, depths, block)

    def _tiles(self, window: Window, schedule: Schedule) -> Iterator[tuple[Window, Range]]:
        """Return the rows and channels of each tile of `window`, in their order."""
        assert schedule.tile and schedule.order
        (tile,), (order,) = schedule.tile, schedule.order
        row_windows: Sequence[Window] = list(
            combinations(*(tiles(window[axis], tile[axis]) for axis in self.row_axes))
        )
        channel_ranges = tiles(window[self.channel_axis], tile[self.channel_axis])
        if order == "channels_outer":
            return ((r, c) for c in channel_ranges for r in row_windows)
        return ((r, c) for r in row_windows for c in channel_ranges)

    def tile_boxes(self, window: Window, schedule: Schedule) -> list[Window]:
        return [self.output_box(*each) for each in self._tiles(window, schedule)]

    def tile_work(self, box: Window, schedule: Schedule) -> TileWork:
        assert schedule.depth
        work = self.work(box)
        if not work.matrix_cycles:
            return TileWork(0, (), work.vector_cycles, work.boxes)
        storage, rows = self.packing.rate, self.costs.target.matrix.rows
        # Neighbors hide the rest, and a part of the depth takes as many of the folds as it is of the rows.
        cycles = work.matrix_cycles - self.costs.hidden_matrix_cycles(storage)
        parts = depth_parts(self.depth, schedule.depth[0])
        folds = [ceil_div(high - low, rows) for low, high in parts]
        early = [each for each in work.boxes if each[0] != self.residual]
        products = tuple(
            (
                cycles * count / sum(folds),
                tuple((index, self._at_depth(index, own, depth)) for index, own in early),
            )
            for depth, count in zip(parts, folds, strict=True)
        )
        late = tuple(each for each in work.boxes if each[0] == self.residual)
        return TileWork(0, products, work.vector_cycles, late)

    def _at_depth(self, index: int, box: Window, depth: Range) -> Window:
        """Return what a product over a part of the depth reads of `box`, which the whole reads of input `index`."""
        if depth == (0, self.depth):
            return box
        axis = self.depth_axis(index)
        return (*box[:axis], depth, *box[axis + 1 :])

    def tile_options(self, window: Window, schedule: Schedule) -> list[Schedule]:
        assert schedule.block and schedule.depth and schedule.tile and schedule.order
        (tile,), (depth,) = schedule.tile, schedule.depth
        if depth != self.depth:
            return []
        sharing = self._sharing_weights(window)
        product = replace(self.product(window, schedule.block), sharing_weights=sharing)
        rows = tuple(tile[axis] for axis in self.row_axes)
        own = ProductTiling(
            rows, tile[self.channel_axis], depth, schedule.order[0] == "channels_outer"
        )
        found = similar_products(self.costs, product, own, len(self.layer.siblings))
        return [self._schedule(tiling, schedule.block) for tiling in found]

    def _schedule(self, tiling: ProductTiling, block: int) -> Schedule:
        return Schedule(
            tile=(self.tile_of(tiling.rows, tiling.channels),),
            depth=(tiling.depth,),
            order=("channels_outer" if tiling.channels_outer else "rows_outer",),
            block=block,
        )

    def _widen(self, constants: Constants) -> None:
        """Sum in i64 if the bias exceeds 32 bits once the input's zero point is folded in; the sums stay the same."""

        def overflows() -> int:
            return int(np.abs(self.folded_bias(constants)).max(initial=0) >= 2**31)

        if self.accumulator == "i32" and constants.decide(
            ("wide", self.layer.output.value), overflows
        ):
            self.accumulator = "i64"

    def _block(self, decided: Schedule, constants: Constants) -> int:
        """Return the block size, one for all cores. Raises DiagnosticError if the one that is decided does not suit the
        parts of the layer.
        """
        widest = self._widest_block()
        # Narrower blocks have whole lane groups, as the widest has, but on targets whose lanes and columns do not fit.
        step = gcd(self.costs.lane_group, widest)
        if decided.block is None:
            if decided.tile is None:
                return constants.decide(("block", self.layer.output.value), self.block_for)
            block = self._block_for_tile(decided.tile[0], widest)
            return block if block % step == 0 else step
        block, starts = decided.block, self._first_channels() if self.packs else []
        most = max(self.costs.columns, self.costs.lane_group)
        allowed = [
            size
            for size in range(step, most + 1, step)
            if all(start % size == 0 for start in starts)
        ]
        if block not in allowed:
            at = ", ".join(map(str, sorted(set(starts))))
            raise self.layer.schedule_error(
                "block",
                f"block {block} does not suit the layer"
                + (f", whose parts begin at channel {at}" if any(starts) else ""),
                f"the block may be {one_of(allowed)}: change it, or leave it out of the schedule",
            )
        return block

    def _block_for_tile(self, tile: Sequence[int], widest: int) -> int:
        """Return the size of blocks of which a tile of the schedule has whole ones."""
        axis = self.channel_axis
        size = tile[axis] if axis < len(tile) else 0
        windows = self.layer.siblings
        if all(size >= window[axis][1] - window[axis][0] for window in windows):
            return widest
        return common_unit([*self._first_channels(), size], self.costs.columns) or widest

    def _tile(
        self,
        emitter: Emitter,
        constants: Constants,
        kept: _Kept,
        rows: Window,
        channels: Range,
        depths: Sequence[tuple[str, Range]],
        block: int,
    ) -> None:
        """Emit one tile: load what is not in local memory yet, multiply over the depth, run the epilogue, store.
        `depths` are the parts of the depth, each with the name by which its weights are kept.
        """
        pitch = round_up(channels[1] - channels[0], self.costs.lane_group)
        acc: SSAValue | None = None
        for name, depth in depths:
            w = kept.get(name, (*self.weights_key(rows, channels), depth))
            if w is None:
                w = kept.put(self.load_weights(emitter, constants, rows, channels, depth, block))
            x = kept.get("x", (*self.rows_key(rows, channels), depth))
            if x is None:
                x = kept.put(self.load_rows(emitter, rows, channels, depth))
            if acc is None:
                acc = emitter.alloc(self.local_shape(rows, pitch), self.accumulator, "acc", "acc")
            self.multiply(emitter, (x, w, acc), rows, channels, depth, block)
        table = kept.get("table", channels)
        if table is None:
            source = self._table(constants)
            # Whole rows of lanes: the table has columns for the padding of the last ones.
            end = min(channels[0] + pitch, source.layout.shape[1])
            box = ((0, self.table_rows), (channels[0], end))
            table = kept.put(emitter.load(source, box, (0, 1), pitch))
        assert acc is not None
        self._finish(emitter, acc, table, rows, channels)

    def _finish(
        self, emitter: Emitter, acc: SSAValue, table: SSAValue, rows: Window, channels: Range
    ) -> None:
        """Emit the epilogue that turns the accumulators of a tile into outputs."""
        layer = self.layer
        pitch = round_up(channels[1] - channels[0], self.costs.lane_group)
        shape = self.local_shape(rows, pitch)
        box = self.output_box(rows, channels)
        order = (*self.row_axes, self.channel_axis)
        operands, residual_zero = [acc, table], 0
        if self.residual is not None:
            source = layer.inputs[self.residual]
            residual_zero = layer.elements[self.residual].zero_point
            operands.append(
                emitter.load(
                    source,
                    box,
                    order,
                    pitch,
                    shape=shape,
                    pad_value=residual_zero,
                    takes_pitch=True,
                )
            )
        zero_point = layer.result.zero_point
        out = emitter.alloc(shape, layer.output.storage, name="out")
        emitter.compute(
            tile.EpilogueOp,
            [*operands, out],
            {"channels": channels[1] - channels[0], "zero_points": (residual_zero, zero_point)},
            layer.clamp,
        )
        emitter.store(out, layer.output, box, order, pitch, pad_value=zero_point)

    def depth_axis(self, index: int) -> int:
        """Return the axis of input `index` over which a product sums."""
        return 1

    @property
    @abstractmethod
    def depth(self) -> int:
        """How many input channels one output channel sums over (per tap)."""

    def epilogue_cycles(self, outputs: int) -> int:
        """Return the cycles in which the vector unit turns `outputs` accumulators, padding included, into outputs."""
        operations = self.costs.epilogue_operations(self.residual is not None)
        return self.costs.vector_cycles(self.accumulator, outputs, operations)

    def stored_operands(self) -> dict[str, Any]:
        """Return the fields of `Product` that say how operands are stored: what stays in local memories, what has
        another order there, and how weights are packed.
        """
        layer, residual = self.layer, self.residual
        return {
            "packed": self.packing.narrower,
            "scale_group": self.packing.group,
            "rate": self.packing.rate,
            "keeps_input": layer.inputs[0].is_kept,
            "keeps_residual": residual is not None and layer.inputs[residual].is_kept,
            "keeps_output": layer.output.is_kept,
            "gathers_input": tuple(self.local_order(0)) != layer.inputs[0].layout.order,
            "scatters_output": tuple(self.stored_order) != layer.output.layout.order,
        }

    def part_work(
        self, window: Window, x: Window, weight_bytes: int, matrix_cycles: int, vector_cycles: int
    ) -> Work:
        """Return what `window` costs, which reads the box `x` of the input, so many bytes of weights, or of the tensor
        in their place, and for the epilogue the table and the residual.
        """
        boxes = [(0, x)] if self.residual is None else [(0, x), (self.residual, window)]
        read = self.reading(boxes)
        copied = read.copied_bytes
        low, high = window[self.channel_axis]
        constants = epilogue_table_bytes(self.table_rows, high - low)
        if self.layer.inputs[1].is_kept:
            copied += weight_bytes
        else:
            constants += weight_bytes
        stored = self.store_bytes(window)
        shared = self.multicasts_weights and self.layer.inputs[1].is_weights
        return Work(
            matrix_cycles,
            vector_cycles,
            read.load_bytes if shared else read.load_bytes + constants,
            stored,
            copied,
            read.boxes,
            shared_load_bytes=constants if shared else 0,
            shared=self.weights_of(window) if shared else None,
            constant_bytes=constants,
            load_runs=read.load_runs,
            store_runs=self.store_runs(window),
        )

    def weights_of(self, window: Window) -> Key:
        """Return what the weights depend on that `window` of the output needs."""
        return self.weights_key(
            tuple(window[axis] for axis in self.row_axes), window[self.channel_axis]
        )

    def output_box(self, rows: Window, channels: Range) -> Window:
        """Return the window of the output for these ranges of the row axes and of the channels."""
        box: list[Range] = [channels] * len(self.layer.shape)
        for axis, range_ in zip(self.row_axes, rows, strict=True):
            box[axis] = range_
        return tuple(box)

    def _table(self, constants: Constants) -> Buffer:
        """Return the table of the epilogue's parameters for all channels, which is made once."""
        return constants.once(
            ("table", self.layer.output.value),
            f"{self.layer.output.name}.table",
            lambda: self._table_values(constants),
        )

    def _table_values(self, constants: Constants) -> np.ndarray:
        """Return the values of the table, [rows, channels rounded up to lane groups]: f32 bias (and scales); or i32
        bias (low, high), multiplier, shift (and those of the residual).
        """
        pitch = round_up(self.channel_count, self.costs.lane_group)
        bias = self.folded_bias(constants)
        if self.layer.elements[0].sums_floats:
            table = np.zeros((self.table_rows, pitch), dtype=np.float32)
            table[0, : self.channel_count] = bias
            if self.is_scaled:
                table[1, : self.channel_count] = self.product_scales()
            return table
        scales = self.product_scales()
        multiplier, shift = self.layer.rescalings(scales / self.layer.result.scale)
        residual_multiplier, residual_shift = None, None
        if self.residual is not None:
            ratio = self.layer.elements[self.residual].scale / scales
            residual_multiplier, residual_shift = self.layer.rescalings(ratio)
        return pack_epilogue_table(
            bias, multiplier, shift, pitch, acc_type=self.accumulator,
            residual_multiplier=residual_multiplier, residual_shift=residual_shift,
        )  # fmt: skip
