"""Tiles convolutions: dense and grouped ones for the matrix unit, depthwise ones for the vector
unit.
"""

from __future__ import annotations

from dataclasses import replace
from math import lcm, prod

import numpy as np
from xdsl.ir import SSAValue

from ....backends.numerics.device.packing import pack_conv_weights, pack_depthwise_weights
from ....backends.numerics.packing import in_whole_bytes
from ....backends.numerics.rounding_up import ceil_div, round_up
from ....backends.numerics.windows.sliding_windows import window_extent
from ....dialects import tile, tpu
from ...tiling.cost import CostModel, Work
from ...tiling.tile_sizes import MAX_POSITIONS, Product, Reach
from ...tiling.windows import (
    InputRange,
    Range,
    Window,
    input_range,
    positions_read,
    sizes_of,
)
from ..tiler_bases.accumulating_tiler import AccumulatingTiler, Key
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Buffer, Layer, integers
from ..tiler_bases.tiler import Tilers, padded_units

_CHANNEL_LAST = (0, 2, 3, 1)
"""The order of the axes [N,C,H,W] in the buffers of tiles."""


class ConvolutionTiler(AccumulatingTiler):
    """Tiles tpu.conv2d: output [N,O,OH,OW] from input [N,C,H,W] and constant weights [O,C/groups,KH,KW]."""

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        super().__init__(layer, costs)
        op = layer.op
        assert isinstance(op, tpu.Conv2dOp)
        self.x = layer.inputs[0]
        self.weight = self._constant(1, "weights")
        self.bias = None if op.bias is None else self._constant(2, "bias")
        self.residual = None if op.residual is None else len(layer.inputs) - 1
        self.accumulator = op.accumulator.data
        self.groups = op.groups.value.data
        self.strides = integers(op.strides)
        self.pads = integers(op.pads)
        self.dilations = integers(op.dilations)
        self.outputs, self.group_channels, *kernel = self.weight.layout.shape
        self.kernel: tuple[int, ...] = tuple(kernel)
        self.depthwise = op.is_depthwise
        self._ranges: dict[tuple[int, Range], InputRange] = {}
        """The input ranges that were asked for, by axis and range of outputs: a search asks for the same ones often."""
        if self.depthwise and self.packing.group:
            raise layer.error("the device convolves channel by channel with one scale per channel")
        if layer.elements[1].zero_point:
            raise layer.error("the device convolves with weights whose zero point is 0")

    @property
    def skips_positions(self) -> bool:
        """Whether the kernel is one position and steps over others, which no output reads."""
        return prod(self.kernel) == 1 and prod(self.strides) > 1 and not any(self.pads)

    def loads(self, index: int) -> bool:
        # What no output reads is not worth gathering.
        return index != 0 or not self.skips_positions

    def _constant(self, index: int, what: str) -> Buffer:
        buffer = self.layer.inputs[index]
        if not buffer.is_weights:
            raise self.layer.error(
                f"its {what} must be constant", "fold the computation of the weights into the model"
            )
        return buffer

    @property
    def channel_axis(self) -> int:
        return 1

    @property
    def row_axes(self) -> tuple[int, ...]:
        return (0, 2, 3)

    @property
    def depth(self) -> int:
        return self.group_channels

    def units(self) -> tuple[int, ...]:
        # The weights of a part of the channels begin at a whole byte.
        channels = lcm(self.costs.lane_group, self.packing.per_byte)
        if self.groups > 1:
            channels = lcm(channels, self.outputs // self.groups)
        return padded_units(self.layer.output.layout, [1, channels, 1, 1], self.costs.lane_group)

    def _input_range(self, axis: int, outputs: Range) -> InputRange:
        """Return the input rows (axis 0) or columns (axis 1) that a range of outputs reads; up to the end of the input
        if only positions follow that the last step of the kernel passes over, so that rows are whole.
        """
        found = self._ranges.get((axis, outputs))
        if found is None:
            found = self._ranges[axis, outputs] = self._derived_input_range(axis, outputs)
        return found

    def _derived_input_range(self, axis: int, outputs: Range) -> InputRange:
        size, stride = self.x.layout.shape[2 + axis], self.strides[axis]
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

    def _input_channels(self, channels: Range, depth: Range) -> Range:
        """Return the input channels that a tile of output channels reads."""
        if self.groups == 1:
            return depth
        per_group = self.outputs // self.groups
        first, last = channels[0] // per_group, ceil_div(channels[1], per_group)
        return first * self.group_channels, last * self.group_channels

    def _input_box(self, rows: Window, channels: Range, depth: Range) -> Window:
        vertical, horizontal = self._input_range(0, rows[1]), self._input_range(1, rows[2])
        return (
            rows[0],
            self._input_channels(channels, depth),
            (vertical.low, vertical.high),
            (horizontal.low, horizontal.high),
        )

    def work(self, window: Window) -> Work:
        costs, layer = self.costs, self.layer
        batch, channels, height, width = sizes_of(window)
        rows = (window[0], window[2], window[3])
        pixels = batch * height * width
        outputs = pixels * round_up(channels, costs.lane_group)
        taps = prod(self.kernel)
        vector = self.epilogue_cycles(outputs)
        x = self._input_box(rows, window[1], (0, self.group_channels))
        weights = self.packing.size_bytes(round_up(channels, costs.lane_group), self.depth, taps)
        storage = layer.elements[0].storage
        matrix = 0
        if self.depthwise:
            operations = taps * costs.operations_of("depthwise_conv2d")
            vector += costs.vector_cycles(storage, outputs, operations)
        else:
            groups = self._groups_of(channels)
            matrix = costs.matrix_cycles(
                self.packing.rate, pixels, taps * self.depth, ceil_div(channels, groups), groups
            )
        work = self.part_work(window, x, weights, matrix, vector)
        if self.skips_positions and self.x.is_kept:
            work = replace(work, density=1 / prod(self.strides))
        return work

    def elements_read(self, index: int) -> int:
        if index:
            return super().elements_read(index)
        batch, channels, *sizes = self.x.layout.shape
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

    @property
    def mixes_all(self) -> bool:
        return self.groups == 1

    def _groups_of(self, channels: int) -> int:
        """Return how many groups a slice of output channels spans."""
        return ceil_div(channels, self.outputs // self.groups)

    def block_for(self) -> int:
        # The weights of a depthwise convolution are rows of all channels: there are no blocks.
        if not self.depthwise:
            return super().block_for()
        return lcm(self.costs.lane_group, self.packing.per_byte)

    def product(self, window: Window, block: int) -> Product:
        batch, channels, height, width = sizes_of(window)
        unit = block if self.groups == 1 else lcm(block, self.outputs // self.groups)
        span = [window_extent(k, d) for k, d in zip(self.kernel, self.dilations, strict=True)]
        sizes = self.x.layout.shape[2:]
        steps = (1, 1) if self.skips_positions else self.strides
        reaches = (
            Reach(1, 1, batch),
            *(Reach(s, k, n) for s, k, n in zip(steps, span, sizes, strict=True)),
        )
        layer = self.layer
        return Product(
            engine="vector" if self.depthwise else "matrix",
            storage=layer.elements[0].storage,
            acc_storage=self.accumulator,
            rows=(batch, height, width),
            reach=reaches,
            channels=channels,
            unit=unit,
            block=block,
            taps=prod(self.kernel),
            depth=self.group_channels,
            fan_in=0 if self.groups == 1 else self.groups * self.group_channels / self.outputs,
            groups=self._groups_of(min(unit, channels)) if self.groups > 1 else 1,
            out_storage=layer.output.storage,
            residual=self.residual is not None,
            table_rows=self.table_rows,
            row_limit=MAX_POSITIONS,
            can_split_depth=self.groups == 1
            and not layer.elements[0].sums_floats
            and not self.packing.group,
            **self.stored_operands(),
        )

    def rows_key(self, rows: Window, channels: Range) -> Key:
        return (rows,) if self.groups == 1 else (rows, channels)

    def weights_key(self, rows: Window, channels: Range) -> Key:
        return (channels,)

    def local_shape(self, rows: Window, pitch: int) -> tuple[int, ...]:
        return (*sizes_of(rows), pitch)

    def load_rows(self, emitter: Emitter, rows: Window, channels: Range, depth: Range) -> SSAValue:
        box = self._input_box(rows, channels, depth)
        pitch = self._input_pitch(box[1])
        pad_value = self.layer.elements[0].zero_point
        in_place = self._stepped_in_place(emitter, box)
        if in_place is not None or not self.skips_positions:
            return emitter.load(
                self.x, in_place or box, _CHANNEL_LAST, pitch, pad_value=pad_value, takes_pitch=True
            )
        batch, height, width = sizes_of(rows)
        target = emitter.alloc((batch, height, width, pitch), self.x.storage)
        (low, _), (left, _) = box[2:]
        picked = (box[0], box[1], (low, low + height), (left, left + width))
        emitter.fill_box(
            target,
            self.x,
            picked,
            (height * width * pitch, 1, width * pitch, pitch),
            steps=(1, 1, *self.strides),
            padding=(1, pitch - (box[1][1] - box[1][0])),
            pad_value=pad_value,
        )
        return target

    def _input_pitch(self, channels: Range) -> int:
        """Return how many elements a pixel has in a tile of the input: whole lane groups, or just the channels if the
        input lies so, as that of a network may: then the matrix unit reads whole rows of it as they are.
        """
        size, layout = channels[1] - channels[0], self.x.layout
        lies_dense = layout.last_axis == 1 and layout.padding == 0 and size == layout.extent
        if lies_dense and not self.depthwise and not self.x.is_kept:
            return size
        return round_up(size, self.costs.lane_group)

    def _stepped_in_place(self, emitter: Emitter, box: Window) -> Window | None:
        """Return the box of which a tile of an input that the kernel steps over is a view; None if this core does not
        keep it, so that the tile is made of the positions that are read. The box may end with positions that the last
        steps pass over, for the tile's rows must be whole where they lie.
        """
        if not self.skips_positions:
            return None
        pitch = round_up(box[1][1] - box[1][0], self.costs.lane_group)
        height, width = (
            (low, min(high - 1 + stride, size))
            for (low, high), stride, size in zip(
                box[2:], self.strides, self.x.layout.shape[2:], strict=True
            )
        )
        for each in (box, (*box[:3], width), (*box[:2], height, width)):
            if emitter.has_in_place(self.x, each, _CHANNEL_LAST, pitch, takes_pitch=True):
                return each
        return None

    def load_weights(
        self,
        emitter: Emitter,
        constants: Constants,
        rows: Window,
        channels: Range,
        depth: Range,
        block: int,
    ) -> SSAValue:
        packed = self._packed(constants, block)
        taps = prod(self.kernel)
        low, high = channels
        if self.depthwise:
            pitch = round_up(high - low, self.costs.lane_group)
            first, row = self.packing.row_elements(low), self.packing.row_elements(pitch)
            end = min(first + row, packed.layout.shape[1])
            return emitter.load(packed, ((0, taps), (first, end)), (0, 1), row)
        blocks = (low // block, ceil_div(high, block))
        if self.packing.group:
            depth = (0, self.packing.stored_rows(self.depth))
        size = depth[1] - depth[0]
        row = self.packing.row_elements(block)
        box = (blocks, (0, taps), depth, (0, row))
        shape = (blocks[1] - blocks[0], taps * size, row)
        return emitter.load(packed, box, (0, 1, 2, 3), row, shape=shape)

    def _packed(self, constants: Constants, block: int) -> Buffer:
        """Return the weights as the device reads them: [blocks, taps, C/groups, block], or depthwise [taps, pitch]; the
        last axis counts bytes if weights share them, and rows of scales are among those of weights if there are any.
        """

        def make() -> np.ndarray:
            w = in_whole_bytes(self.weight.constant(constants.store)).transpose(2, 3, 1, 0)
            if self.depthwise:
                pitch = round_up(self.outputs, self.costs.lane_group)
                return self.packing.stored(pack_depthwise_weights(w, pitch))
            taps = prod(self.kernel)
            packed = self.packing.stored(pack_conv_weights(w, block), taps)
            return packed.reshape(len(packed), taps, -1, packed.shape[-1])

        identity = ("packed", self.weight.value, block, self.depthwise)
        return constants.once(identity, f"{self.weight.name}.packed", make)

    def _weights(self, constants: Constants) -> np.ndarray:
        """Return the weights [O, C/groups, KH, KW] as numbers that the input is multiplied with."""
        x, w = self.layer.elements[:2]
        return w.multiplied(self.weight.constant(constants.store), x.storage)

    def multiply(
        self,
        emitter: Emitter,
        operands: tuple[SSAValue, SSAValue, SSAValue],
        rows: Window,
        channels: Range,
        depth: Range,
        block: int,
    ) -> None:
        inputs = self._input_channels(channels, depth)
        in_channels = inputs[1] - inputs[0]
        in_place = self._stepped_in_place(emitter, self._input_box(rows, channels, depth))
        is_picked = self.skips_positions and in_place is None
        row = block
        if self.depthwise:
            row = round_up(channels[1] - channels[0], self.costs.lane_group)
        emitter.compute(
            tile.DepthwiseConv2dOp if self.depthwise else tile.Conv2dOp,
            operands,
            {
                "channels": (in_channels, channels[1] - channels[0]),
                "kernel": self.kernel,
                "strides": (1, 1) if is_picked else self.strides,
                "dilations": self.dilations,
                "pads": (
                    self._input_range(0, rows[1]).before,
                    self._input_range(1, rows[2]).before,
                ),
                "pad_value": self.layer.elements[0].zero_point,
                "groups": in_channels // self.group_channels if self.groups > 1 else 1,
                "accumulate": depth[0] > 0,
                **self.packing.fields(row),
            },
        )

    def folded_bias(self, constants: Constants) -> np.ndarray:
        bias = np.zeros(self.outputs) if self.bias is None else self.bias.constant(constants.store)
        if self.layer.elements[0].sums_floats:
            return bias.astype(np.float32)
        sums = self._weights(constants).sum(axis=(1, 2, 3), dtype=np.int64)
        return bias.astype(np.int64) - self.layer.elements[0].zero_point * sums


TILERS: Tilers = {tpu.Conv2dOp: ConvolutionTiler}
"""The tiler of each convolution."""
