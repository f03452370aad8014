"""Tiles of convolutions and matrix products, and what takes their sums to outputs."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import MemRefType, UnitAttr
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, opt_prop_def, prop_def

from ..ir.attribute import INTEGER, INTS, REALS, integer, ints
from ..ir.text.assembly import Defaults
from .checks import NO_CLAMP
from .core_op import CoreOp


class ConvOp(CoreOp):
    """Base of tiles of convolutions: x [n,h,w,pitch], acc [n,oh,ow,pitch]; `channels` (in, out),
    `pads` (top, left).
    """

    channels = prop_def(INTS)
    kernel = prop_def(INTS)
    strides = prop_def(INTS)
    dilations = prop_def(INTS)
    pads = prop_def(INTS)
    pad_value = prop_def(INTEGER)
    groups = prop_def(INTEGER)
    accumulate = opt_prop_def(UnitAttr)
    x = operand_def(MemRefType)
    w = operand_def(MemRefType)
    acc = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "acc"
    DEFAULTS: ClassVar[Defaults] = {
        "strides": ints([1, 1]),
        "dilations": ints([1, 1]),
        "pads": ints([0, 0]),
        "pad_value": integer(0),
        "groups": integer(1),
    }


@irdl_op_definition
class Conv2dOp(ConvOp):
    """A tile of a convolution on the matrix unit; w [blocks, kh·kw·c/groups, block] (its middle
    axes may be split).

    tile.conv2d core 0 %lx, %lw -> %acc channels = [4, 8] kernel = [3, 3] pads = [1, 1]
        pad_value = -3 :
        memref<1x8x8x16xi8, "local">, memref<1x36x32xi8, "local"> -> memref<1x8x8x16xi32, "acc">
    """

    name = "tile.conv2d"


@irdl_op_definition
class DepthwiseConv2dOp(ConvOp):
    """A tile of a depthwise convolution on the vector unit; w [kh·kw, pitch]; output channel o
    reads input channel o·in/out.

    tile.depthwise_conv2d core 0 %lx, %dw -> %acc64 channels = [4, 4] kernel = [3, 3]
        dilations = [2, 1] pads = [1, 1] groups = 4 accumulate :
        memref<1x8x8x16xi8, "local">, memref<9x16xi8, "local"> -> memref<1x8x8x16xi64, "acc">
    """

    name = "tile.depthwise_conv2d"


@irdl_op_definition
class MatmulOp(CoreOp):
    """A tile of a matrix product: x [b,m,pitch], w [b or 1, blocks, k, block] (transposed: [b or 1,
    1, n, pitch]), acc [b,m,pitch].

    `depth` is k, `columns` n, `zero_points` those of x and w.

    tile.matmul core 2 %x, %w -> %acc depth = 10 columns = 12 :
        memref<2x3x16xf32, "local">, memref<1x1x10x16xf32, "local"> -> memref<2x3x16xf32, "acc">
    """

    name = "tile.matmul"
    depth = prop_def(INTEGER)
    columns = prop_def(INTEGER)
    zero_points = prop_def(INTS)
    transpose_w = opt_prop_def(UnitAttr)
    accumulate = opt_prop_def(UnitAttr)
    x = operand_def(MemRefType)
    w = operand_def(MemRefType)
    acc = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "acc"
    DEFAULTS: ClassVar[Defaults] = {"zero_points": ints([0, 0])}


@irdl_op_definition
class EpilogueOp(CoreOp):
    """Accumulators to outputs: bias, residual, requantization and clamp by the rows of `table`;
    last axes are channels.

    `zero_points`: of the residual and of the output; `clamp`: two storage values (f64).

    tile.epilogue core 2 %acc, %table -> %x channels = 12 clamp = [0.0, 0x7FF0000000000000] :
        memref<2x3x16xf32, "acc">, memref<1x16xf32, "local"> -> memref<2x3x16xf32, "local">
    """

    name = "tile.epilogue"
    channels = prop_def(INTEGER)
    zero_points = prop_def(INTS)
    clamp = prop_def(REALS)
    acc = operand_def(MemRefType)
    table = operand_def(MemRefType)
    residual = opt_operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {"zero_points": ints([0, 0]), "clamp": NO_CLAMP}
