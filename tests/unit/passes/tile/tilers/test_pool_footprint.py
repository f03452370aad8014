"""The local memory that the tiler of pools expects a tile to take is what the tile takes, square or not."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from smalti.backends.numerics.storage import bytes_of
from smalti.backends.numerics.windows.sliding_windows import pool_output_size
from smalti.backends.targets.target import load_target
from smalti.dialects import tile, tpu
from smalti.dialects.ir.context import weights_of
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.passes.tile.tiler_bases.constants import Constants
from smalti.passes.tile.tiler_bases.emitter import Emitter
from smalti.passes.tile.tiler_bases.layer import Buffer, Layer
from smalti.passes.tile.tiler_bases.residents import Residents
from smalti.passes.tile.tiler_bases.slabs import SlabPlan
from smalti.passes.tile.tilers.pooling import PoolTiler
from smalti.passes.tiling.cost import CostModel

from .random_network import Network

TARGET = load_target("default-8c")
CHANNELS = 20
Pair = tuple[int, int]


def tiler_and_constants(
    size: Pair, kernel: Pair, strides: Pair, pads: tuple[int, ...], quantized: bool
) -> tuple[PoolTiler, Constants, Layer]:
    """Return the tiler of a maximum pool of [1, 20, *size]."""
    network = Network(quantized, np.random.default_rng(0))
    pool = tpu.MaxPoolOp(
        "pool", network.input(1, CHANNELS, *size), kernel=kernel, strides=strides, pads=pads, dilations=(1, 1)
    )  # fmt: skip
    module = network.module(network.add(pool), "default-8c")
    run_pipeline(network.ctx, module, parse_pipeline("convert-tpu-to-tile"))
    buffers = {}
    for op in tile.program_of(module).body.block.ops:
        if isinstance(op, tile.GlobalOp):
            buffers[op.output] = Buffer.of(op)
        elif isinstance(op, tile.LayerOp):
            layer = Layer.of(op, buffers)
            if isinstance(layer.op, tpu.MaxPoolOp):
                constants = Constants(weights_of(network.ctx))
                return PoolTiler(layer, CostModel(TARGET)), constants, layer
    raise AssertionError("the program has no layer of the pool")


def allocated(tiler: PoolTiler, layer: Layer, constants: Constants, rows: Pair, columns: Pair):
    """Return the bytes of every buffer of one tile."""
    emitter = Emitter(
        0, layer.operation.location, "pool", Residents(SlabPlan(TARGET.vector.lane_group))
    )
    tiler.emit_tile(((0, 1), (0, CHANNELS), rows, columns), emitter, constants)
    allocs = [op for op in emitter.operations if isinstance(op, tile.AllocOp)]
    return [bytes_of(prod(op.output.type.get_shape()), layer.output.storage) for op in allocs]


def test_rows_and_columns_are_not_taken_for_one_another():
    """A tile of 5 x 4 outputs reads (5 - 1) * 2 + 3 = 11 rows and (4 - 1) * 1 + 2 = 5 columns of 32 channels; at the
    end of the rows there may be one more, which the last step passes over.
    """
    tiler, constants, layer = tiler_and_constants((30, 8), (3, 2), (2, 1), (0, 0, 0, 0), True)
    assert tiler.buffer_bytes((1, CHANNELS, 5, 4)) == [12 * 5 * 32, 5 * 4 * 32]
    assert allocated(tiler, layer, constants, (3, 8), (1, 5)) == [11 * 5 * 32, 5 * 4 * 32]


@settings(max_examples=30)
@given(
    size=st.tuples(st.integers(2, 24), st.integers(2, 24)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    pads=st.tuples(*[st.integers(0, 1)] * 4),
    quantized=st.booleans(),
    data=st.data(),
)
def test_no_tile_takes_more_than_is_expected(size, kernel, strides, pads, quantized, data):
    pads = tuple(min(pad, kernel[axis % 2] - 1) for axis, pad in enumerate(pads))
    output = [
        pool_output_size(size[d], kernel[d], strides[d], 1, pads[d], pads[2 + d]) for d in range(2)
    ]
    assume(min(output) > 0)
    tiler, constants, layer = tiler_and_constants(size, kernel, strides, pads, quantized)
    ranges = []
    for count in output:
        low = data.draw(st.integers(0, count - 1))
        ranges.append((low, data.draw(st.integers(low + 1, count))))
    sizes = (1, CHANNELS, *(high - low for low, high in ranges))
    taken = allocated(tiler, layer, constants, *ranges)
    assert all(a <= b for a, b in zip(taken, tiler.buffer_bytes(sizes), strict=True))
