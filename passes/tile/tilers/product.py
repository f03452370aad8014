"""Tiles matrix products: activations times weights, and activations times activations, with
broadcast leading axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

import numpy as np
from xdsl.ir import SSAValue

from ....backends.numerics.device.packing import pack_matmul_weights
from ....backends.numerics.packing import in_whole_bytes
from ....backends.numerics.rounding_up import ceil_div, round_up
from ....backends.numerics.storage import OPERAND_NAMES
from ....dialects import tile, tpu
from ....dialects.quant.element_type import shape_of
from ....dialects.tile import Schedule
from ...tiling.cost import CostModel, Work
from ...tiling.layout import Layout, with_unit_axis
from ...tiling.tile_sizes import Footprint, Product, ProductTiling, Reach
from ...tiling.windows import Range, Window, grid, sizes_of, tiles
from ..tiler_bases.accumulating_tiler import AccumulatingTiler, Key
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Buffer, Layer
from ..tiler_bases.tiler import Tilers, padded_units


class MatmulTiler(AccumulatingTiler):
    """Tiles tpu.matmul by NumPy's rules: lhs [..., M, K] (or [K]) times rhs [..., K, N] (or [K]).

    All buffers are seen with the axes [leading..., M, ·], with size 1 for an axis that they do not have. If the
    right-hand matrix is the same for all leading axes, these are rows of one product, like M; otherwise each of their
    matrices is a product of its own.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        op = layer.op
        assert isinstance(op, tpu.MatmulOp)
        self._inserted = _inserted_axes(op)
        super().__init__(_with_all_axes(layer, self._inserted), costs)
        self.x, self.w = self.layer.inputs[0], self.layer.inputs[1]
        self.bias = None if op.bias is None else layer.inputs[2]
        if self.bias is not None and not self.bias.is_weights:
            raise layer.error("its bias must be constant", "add it in an op of its own")
        self.residual = None if op.residual is None else len(layer.inputs) - 1
        self.accumulator = op.accumulator.data
        self.shared = all(size == 1 for size in self.w.layout.shape[:-2])
        """Whether one right-hand matrix serves every row."""
        self.packs = self.w.is_weights and self.shared
        self.transposed = not self.packs and self.w.layout.last_axis == self.channel_axis - 1
        """Whether the right-hand matrix lies in memory as rows of K elements."""
        if self.packing.is_packed and not self.packs:
            raise layer.error(
                f"its weights of {self.packing.storage} must be one constant matrix",
                "fold the computation of the weights into the model",
            )
        self.folds = self.packs and not layer.elements[1].zero_point
        """Whether the zero point of the left side is folded into the bias."""
        rows, matrices = self._rows_and_matrices(self.layer.shape[:-1])
        product = layer.elements[0].storage, rows, self.depth, self.layer.shape[-1], matrices
        self.on_vector_unit = (
            not self.transposed
            and product[0] in OPERAND_NAMES
            and costs.suits_vector_unit(*product)
        )
        """Whether the vector unit multiplies, in fewer cycles than the matrix unit: rows are few."""

    @property
    def channel_axis(self) -> int:
        return len(self.layer.shape) - 1

    @property
    def row_axes(self) -> tuple[int, ...]:
        return tuple(range(self.channel_axis))

    @property
    def depth(self) -> int:
        return self.x.layout.shape[-1]

    def _extended(self, window: Window) -> Window:
        """Return a window of the op's output with the axes added that the output does not have, unless it has them."""
        has_all = len(window) == len(self.layer.shape)
        return window if has_all else _with_unit_ranges(window, self._inserted)

    def units(self) -> tuple[int, ...]:
        units = [1] * self.channel_axis + [self.costs.lane_group]
        padded = padded_units(self.layer.output.layout, units, self.costs.lane_group)
        return tuple(unit for axis, unit in enumerate(padded) if axis not in self._inserted)

    def work(self, window: Window) -> Work:
        window = self._extended(window)
        costs = self.costs
        *leading, columns = sizes_of(window)
        rows, matrices = self._rows_and_matrices(leading)
        outputs = rows * matrices * round_up(columns, costs.lane_group)
        product = rows, self.depth, columns, matrices
        matrix, vector = 0, self.epilogue_cycles(outputs)
        if self.on_vector_unit:
            vector += costs.vector_product_cycles(self.layer.elements[0].storage, *product)
        else:
            matrix = costs.matrix_cycles(self.packing.rate, *product)
        x = self._matrix_box(self.x, window[:-1], (0, self.depth))
        weights = self.packing.size_bytes(round_up(columns, costs.lane_group), self.depth, matrices)
        work = self.part_work(window, x, weights, matrix, vector)
        if not self.w.is_kept:
            return work
        box = self._matrix_box(self.w, (*window[:-2], (0, self.depth)), window[-1])
        return replace(work, boxes=(*work.boxes, (1, box)))

    def _rows_and_matrices(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Return how many rows each product has that computes outputs of these leading sizes, and how many products
        there are.
        """
        matrices = 1 if self.shared else prod(sizes[:-1])
        return prod(sizes) // matrices, matrices

    @property
    def mixes_all(self) -> bool:
        return self.packs

    def product(self, window: Window, block: int) -> Product:
        *rows, columns = sizes_of(window)
        element = self.layer.elements[0]
        return Product(
            engine="vector" if self.on_vector_unit else "matrix",
            storage=element.storage,
            acc_storage=self.accumulator,
            rows=tuple(rows),
            reach=tuple(Reach(1, 1, size) for size in rows),
            channels=columns,
            unit=block,
            block=block,
            taps=1,
            depth=self.depth,
            fan_in=0,
            groups=1,
            out_storage=self.layer.output.storage,
            residual=self.residual is not None,
            table_rows=self.table_rows,
            can_split_depth=not element.sums_floats and not self.packing.group,
            depth_unit=self.costs.lane_group if self.transposed else 1,
            **self.stored_operands(),
        )

    def plan(self, window: Window, decided: Schedule, constants: Constants) -> Schedule:
        if decided.tile is not None:
            (tile,) = decided.tile
            decided = replace(decided, tile=(_with_unit_sizes(tile, self._inserted),))
        return super().plan(next(iter(self._products(window))), decided, constants)

    def tile_of(self, rows: Sequence[int], channels: int) -> tuple[int, ...]:
        tile = super().tile_of(rows, channels)
        return tuple(size for axis, size in enumerate(tile) if axis not in self._inserted)

    @property
    def may_stay_on_chip(self) -> bool:
        # Of an output without rows or columns a tile has rows of one element, which a piece cannot say.
        return not self._inserted

    def loads(self, index: int) -> bool:
        # Columns of the right-hand side are brought into blocks.
        return index != 1 or self.transposed

    def footprint(self, window: Window, schedule: Schedule) -> Footprint:
        return super().footprint(next(iter(self._products(window))), self._with_all(schedule))

    def _with_all(self, schedule: Schedule) -> Schedule:
        """Return a complete schedule with the axes added that the output does not have."""
        assert schedule.tile is not None
        (tile,) = schedule.tile
        return replace(schedule, tile=(_with_unit_sizes(tile, self._inserted),))

    def emit(
        self, window: Window, schedule: Schedule, emitter: Emitter, constants: Constants
    ) -> None:
        extended = self._with_all(schedule)
        for part in self._products(window):
            super().emit(part, extended, emitter, constants)

    def tile_boxes(self, window: Window, schedule: Schedule) -> list[Window]:
        if self._inserted:
            return [self._extended(window)]
        boxes: list[Window] = []
        for part in self._products(window):
            boxes += super().tile_boxes(part, schedule)
        return boxes

    def tile_options(self, window: Window, schedule: Schedule) -> list[Schedule]:
        if self._inserted:
            return []
        return super().tile_options(next(iter(self._products(window))), schedule)

    def _products(self, window: Window) -> Iterator[Window]:
        """Return the windows of the products that `window` of the op's output consists of, with all axes."""
        window = self._extended(window)
        if self.shared:
            return iter((window,))
        return ((*index, *window[-2:]) for index in grid(window[:-2], (1,) * len(window[:-2])))

    def block_for(self) -> int:
        if self.packs:
            return super().block_for()
        # What is not packed beforehand is brought into blocks of any size by its copies.
        block = min(self.costs.columns, round_up(self.channel_count, self.costs.lane_group))
        while block > self.costs.lane_group and not self._fits(block):
            block = round_up(block // 2, self.costs.lane_group)
        return block

    def _fits(self, block: int) -> bool:
        windows = self.layer.siblings
        if not self.shared:
            lead = ((0, 1),) * (self.channel_axis - 1)
            windows = [(*lead, *window[-2:]) for window in windows]
        return all(isinstance(self.tiling(window, block), ProductTiling) for window in windows)

    def depth_axis(self, index: int) -> int:
        return len(self.layer.inputs[index].layout.shape) - 1 - index

    @staticmethod
    def _matrix_box(buffer: Buffer, rows: Window, last: Range) -> Window:
        """Return the box of an operand for ranges of the leading axes and the second-last; an axis that broadcasts
        keeps its whole range.
        """
        sizes = buffer.layout.shape
        kept = ((0, 1) if size == 1 else range_ for size, range_ in zip(sizes, rows, strict=False))
        return (*kept, last)

    def rows_key(self, rows: Window, channels: Range) -> Key:
        return (rows,)

    def weights_key(self, rows: Window, channels: Range) -> Key:
        return (channels,) if self.shared else (channels, rows[:-1])

    def local_shape(self, rows: Window, pitch: int) -> tuple[int, ...]:
        return (1, prod(sizes_of(rows)), pitch)

    def load_rows(self, emitter: Emitter, rows: Window, channels: Range, depth: Range) -> SSAValue:
        box = self._matrix_box(self.x, rows, depth)
        pitch = round_up(depth[1] - depth[0], self.costs.lane_group)
        return emitter.load(
            self.x,
            box,
            range(len(box)),
            pitch,
            shape=self.local_shape(rows, pitch),
            pad_value=self.layer.elements[0].zero_point,
            takes_pitch=True,
        )

    def load_weights(
        self,
        emitter: Emitter,
        constants: Constants,
        rows: Window,
        channels: Range,
        depth: Range,
        block: int,
    ) -> SSAValue:
        if self.packs:
            packed = self._packed(constants, block)
            blocks = (channels[0] // block, ceil_div(channels[1], block))
            row = self.packing.row_elements(block)
            if self.packing.group:
                depth = (0, self.packing.stored_rows(self.depth))
            shape = (1, blocks[1] - blocks[0], depth[1] - depth[0], row)
            return emitter.load(packed, (blocks, depth, (0, row)), (0, 1, 2), row, shape=shape)
        rank = len(self.w.layout.shape)
        size, columns = depth[1] - depth[0], channels[1] - channels[0]
        box = self._matrix_box(self.w, (*rows[:-1], depth), channels)
        zero = self.layer.elements[1].zero_point
        if self.transposed:
            pitch = round_up(size, self.costs.lane_group)
            order = (*range(rank - 2), rank - 1, rank - 2)
            shape = (1, 1, columns, pitch)
            return emitter.load(self.w, box, order, pitch, shape=shape, pad_value=zero)
        blocks = tiles(channels, block)
        target = emitter.alloc((1, len(blocks), size, block), self.w.storage)
        for index, range_ in enumerate(blocks):
            emitter.fill_box(
                target,
                self.w,
                (*box[:-1], range_),
                (*(0,) * (rank - 2), block, 1),
                target_offset=index * size * block,
                padding=(rank - 1, block - (range_[1] - range_[0])),
                pad_value=zero,
            )
        return target

    def _packed(self, constants: Constants, block: int) -> Buffer:
        """Return the right-hand matrix as the device reads it: [blocks, K, block], with rows of scales if it has
        them.
        """

        def make() -> np.ndarray:
            matrix = in_whole_bytes(self.w.constant(constants.store))
            matrix = matrix.reshape(self.w.layout.shape[-2:])
            return self.packing.stored(pack_matmul_weights(matrix, block))

        return constants.once(("packed", self.w.value, block), f"{self.w.name}.packed", make)

    def _matrix(self, constants: Constants) -> np.ndarray:
        """Return the right-hand matrix [K, N] as numbers that the left side is multiplied with."""
        x, w = self.layer.elements[:2]
        matrix = self.w.constant(constants.store).reshape(self.w.layout.shape[-2:])
        return w.multiplied(matrix, x.storage)

    def multiply(
        self,
        emitter: Emitter,
        operands: tuple[SSAValue, SSAValue, SSAValue],
        rows: Window,
        channels: Range,
        depth: Range,
        block: int,
    ) -> None:
        x, w = self.layer.elements[:2]
        emitter.compute(
            tile.MatmulOp,
            operands,
            {
                "depth": depth[1] - depth[0],
                "columns": channels[1] - channels[0],
                "zero_points": (0, 0) if self.folds else (x.zero_point, w.zero_point),
                "transpose_w": self.transposed,
                "on_vector_unit": self.on_vector_unit,
                "accumulate": depth[0] > 0,
                **self.packing.fields(block),
            },
        )

    def folded_bias(self, constants: Constants) -> np.ndarray:
        count = self.channel_count
        bias = np.zeros(count) if self.bias is None else self.bias.constant(constants.store)
        if self.layer.elements[0].sums_floats:
            return np.broadcast_to(bias, count).astype(np.float32)
        bias = np.broadcast_to(bias, count).astype(np.int64)
        if not self.folds:
            return bias
        return bias - self.layer.elements[0].zero_point * self._matrix(constants).sum(
            axis=0, dtype=np.int64
        )


def _inserted_axes(op: tpu.MatmulOp) -> list[int]:
    """Return the positions, ascending and counted after insertion, of the axes of [leading..., M, N] that the output
    lacks.
    """
    rank = len(shape_of(op.output))
    columns_missing, rows_missing = len(shape_of(op.rhs)) == 1, len(shape_of(op.lhs)) == 1
    if columns_missing and rows_missing:
        # An output without axes is seen as one of shape (1,): that axis counts as N.
        return [0]
    if columns_missing:
        return [rank]
    return [rank - 1] if rows_missing else []


def _with_unit_ranges(window: Window, inserted: list[int]) -> Window:
    """Return the window with a range of one element at each inserted axis."""
    result = list(window)
    for position in inserted:
        result.insert(position, (0, 1))
    return tuple(result)


def _with_unit_sizes(tile: tuple[int, ...], inserted: list[int]) -> tuple[int, ...]:
    """Return the sizes of a tile with size 1 at each inserted axis."""
    return sizes_of(_with_unit_ranges(tuple((0, size) for size in tile), inserted))


def _with_all_axes(layer: Layer, inserted: list[int]) -> Layer:
    """Return the layer with all buffers seen with the axes [leading..., M, ·]."""
    op = layer.op
    assert isinstance(op, tpu.MatmulOp)

    def output(layout: Layout) -> Layout:
        for position in inserted:
            layout = with_unit_axis(layout, position)
        return layout

    seen = layer.output.seen_as(output(layer.output.layout))
    rank = len(seen.layout.shape)
    inputs = list(layer.inputs)
    for index, buffer in enumerate(inputs[:2]):
        layout = buffer.layout
        if len(layout.shape) == 1:
            layout = with_unit_axis(layout, index)
        while len(layout.shape) < rank:
            layout = with_unit_axis(layout, 0)
        inputs[index] = buffer.seen_as(layout)
    if op.residual is not None:
        inputs[-1] = inputs[-1].seen_as(output(inputs[-1].layout))
    return replace(
        layer,
        inputs=inputs,
        output=seen,
        window=_with_unit_ranges(layer.window, inserted),
        siblings=[_with_unit_ranges(sibling, inserted) for sibling in layer.siblings],
    )


TILERS: Tilers = {tpu.MatmulOp: MatmulTiler}
"""The tiler of each matrix product."""
