"""The tile dialect: what each core does with which bytes.

A `tile.program` is one block in program order, and it means what executing it in that order means. Buffers are
memrefs of storage types with physical (packed, padded) shapes in memory space "global", "local" or "acc". At first each
network layer is one `tile.layer` on global buffers; cutting replaces it by copies and computations on local ones.
"""

from __future__ import annotations

from xdsl.dialects.builtin import (
    DenseArrayBase, FloatAttr, IntegerAttr, MemRefType, StringAttr, UnitAttr,
)  # fmt: skip
from xdsl.ir import Dialect
from xdsl.irdl import (
    IRDLOperation, irdl_op_definition, operand_def, opt_operand_def, opt_prop_def, prop_def, region_def, result_def, traits_def,
    var_operand_def,
)  # fmt: skip
from xdsl.traits import IsTerminator, NoTerminator


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """A program: one block of buffers, layers, copies and computations in program order, without terminator."""

    name = "tile.program"
    sym_name = prop_def(StringAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator())


@irdl_op_definition
class GlobalOp(IRDLOperation):
    """A buffer in global memory holding the logical tensor `shape`.

    `segment`: "weights" (bytes of `key` in the weight store), "input", "output" or "scratch". `order` lists the logical axes in
    physical order; the last physical axis may be padded. `address` is the offset in the segment, in bytes.
    """

    name = "tile.global"
    buffer_name = prop_def(StringAttr, prop_name="name")
    segment = prop_def(StringAttr)
    key = opt_prop_def(StringAttr)
    seed = opt_prop_def(IntegerAttr)
    shape = prop_def(DenseArrayBase)
    order = prop_def(DenseArrayBase)
    address = opt_prop_def(IntegerAttr)
    output = result_def(MemRefType)


@irdl_op_definition
class AllocOp(IRDLOperation):
    """A buffer in the local or accumulator memory of a core; `address` is set by the pass that assigns addresses."""

    name = "tile.alloc"
    core = prop_def(IntegerAttr)
    address = opt_prop_def(IntegerAttr)
    output = result_def(MemRefType)


@irdl_op_definition
class LayerOp(IRDLOperation):
    """A layer before cutting: the tpu ops in its body, computed for `window` of the output.

    Block arguments are the logical tensors (tpu types) of `inputs`; the body ends in `tile.yield`. `window` is (low, high) per
    logical axis of the output: only that part of `output` is written. Without `core` the layer is not split yet.
    """

    name = "tile.layer"
    core = opt_prop_def(IntegerAttr)
    window = prop_def(DenseArrayBase)
    inputs = var_operand_def(MemRefType)
    output = operand_def(MemRefType)
    body = region_def("single_block")


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends a layer's body with the value that the layer writes."""

    name = "tile.yield"
    value = operand_def()
    traits = traits_def(IsTerminator())


class CoreOp(IRDLOperation):
    """Base of what a core executes: copies and computations on whole tiles, in destination-passing style."""

    core = prop_def(IntegerAttr)


@irdl_op_definition
class CopyOp(CoreOp):
    """Copies a strided box of elements between global and local memory (or between cores' local memories).

    Element i of the box goes from `source_offset + Σ i_d·source_strides[d]` to `target_offset + Σ i_d·target_strides[d]`, all in
    elements; the last axis has stride 1 on both sides. After each run along the last axis `pad` elements of
    `pad_value` (a storage value) are written. `group`: multicast group.
    """

    name = "tile.copy"
    core = prop_def(IntegerAttr)
    source_offset = prop_def(IntegerAttr)
    source_strides = prop_def(DenseArrayBase)
    target_offset = prop_def(IntegerAttr)
    target_strides = prop_def(DenseArrayBase)
    sizes = prop_def(DenseArrayBase)
    pad = opt_prop_def(IntegerAttr)
    pad_value = opt_prop_def(IntegerAttr)
    group = opt_prop_def(IntegerAttr)
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)


@irdl_op_definition
class FillOp(CoreOp):
    """Writes `value` (a storage value) to every element."""

    name = "tile.fill"
    core = prop_def(IntegerAttr)
    value = prop_def(FloatAttr)
    target = operand_def(MemRefType)


class ConvOp(CoreOp):
    """Base of tiles of convolutions: x [n,h,w,pitch], acc [n,oh,ow,pitch]; `channels` (in, out), `pads` (top, left)."""

    core = prop_def(IntegerAttr)
    channels = prop_def(DenseArrayBase)
    kernel = prop_def(DenseArrayBase)
    strides = prop_def(DenseArrayBase)
    dilations = prop_def(DenseArrayBase)
    pads = prop_def(DenseArrayBase)
    pad_value = prop_def(IntegerAttr)
    groups = prop_def(IntegerAttr)
    accumulate = opt_prop_def(UnitAttr)
    x = operand_def(MemRefType)
    w = operand_def(MemRefType)
    acc = operand_def(MemRefType)


@irdl_op_definition
class Conv2dOp(ConvOp):
    """A tile of a convolution on the matrix unit; w [blocks, kh·kw·c/groups, block]."""

    name = "tile.conv2d"


@irdl_op_definition
class DepthwiseConv2dOp(ConvOp):
    """A tile of a depthwise convolution on the vector unit; w [kh·kw, pitch]."""

    name = "tile.depthwise_conv2d"


@irdl_op_definition
class MatmulOp(CoreOp):
    """A tile of a matrix product: x [b,m,pitch], w [b or 1, blocks, k, block] (transposed: [b or 1, 1, n, pitch]), acc [b,m,pitch]."""

    name = "tile.matmul"
    core = prop_def(IntegerAttr)
    depth = prop_def(IntegerAttr)
    columns = prop_def(IntegerAttr)
    zero_points = prop_def(DenseArrayBase)
    transpose_w = opt_prop_def(UnitAttr)
    accumulate = opt_prop_def(UnitAttr)
    x = operand_def(MemRefType)
    w = operand_def(MemRefType)
    acc = operand_def(MemRefType)


@irdl_op_definition
class EpilogueOp(CoreOp):
    """Accumulators to outputs: bias, residual, requantization and clamp by the rows of `table`; last axes are channels.

    `zero_points`: of the residual and of the output; `clamp`: two storage values (f64).
    """

    name = "tile.epilogue"
    core = prop_def(IntegerAttr)
    channels = prop_def(IntegerAttr)
    zero_points = prop_def(DenseArrayBase)
    clamp = prop_def(DenseArrayBase)
    acc = operand_def(MemRefType)
    table = operand_def(MemRefType)
    residual = opt_operand_def(MemRefType)
    out = operand_def(MemRefType)


@irdl_op_definition
class ConvertOp(CoreOp):
    """Changes storage type or quantization of rows (last axis) of `columns` elements; see isa.convert."""

    name = "tile.convert"
    core = prop_def(IntegerAttr)
    columns = prop_def(IntegerAttr)
    scale = prop_def(FloatAttr)
    multiplier = prop_def(IntegerAttr)
    shift = prop_def(IntegerAttr)
    zero_points = prop_def(DenseArrayBase)
    clamp = prop_def(DenseArrayBase)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)


@irdl_op_definition
class BinaryOp(CoreOp):
    """Element-wise arithmetic; the physical shapes of a and b broadcast to that of out (at most four axes).

    `kind`: add, sub, mul, div. `zero_points`: of a, b, out; `multipliers`: of a, b.
    """

    name = "tile.binary"
    core = prop_def(IntegerAttr)
    kind = prop_def(StringAttr)
    zero_points = prop_def(DenseArrayBase)
    multipliers = prop_def(DenseArrayBase)
    shift = prop_def(IntegerAttr)
    clamp = prop_def(DenseArrayBase)
    a = operand_def(MemRefType)
    b = operand_def(MemRefType)
    out = operand_def(MemRefType)


@irdl_op_definition
class PoolOp(CoreOp):
    """A tile of max or average pooling; x [n,h,w,pitch]; `pads` (top, left, bottom, right); `kind`: max, average."""

    name = "tile.pool"
    core = prop_def(IntegerAttr)
    kind = prop_def(StringAttr)
    kernel = prop_def(DenseArrayBase)
    strides = prop_def(DenseArrayBase)
    dilations = prop_def(DenseArrayBase)
    pads = prop_def(DenseArrayBase)
    count_include_pad = opt_prop_def(UnitAttr)
    multiplier = prop_def(IntegerAttr)
    shift = prop_def(IntegerAttr)
    zero_points = prop_def(DenseArrayBase)
    clamp = prop_def(DenseArrayBase)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)


@irdl_op_definition
class ReduceOp(CoreOp):
    """Mean over the middle of three axes of x: `sizes` (outer, length, inner), `strides` (outer, length), in elements."""

    name = "tile.reduce"
    core = prop_def(IntegerAttr)
    kind = prop_def(StringAttr)
    sizes = prop_def(DenseArrayBase)
    strides = prop_def(DenseArrayBase)
    multiplier = prop_def(IntegerAttr)
    shift = prop_def(IntegerAttr)
    zero_points = prop_def(DenseArrayBase)
    clamp = prop_def(DenseArrayBase)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)


@irdl_op_definition
class ResampleOp(CoreOp):
    """Interpolation along the physical `axis` of x; index i32 [out,taps], weight f32 [out,taps] (none: a gather)."""

    name = "tile.resample"
    core = prop_def(IntegerAttr)
    axis = prop_def(IntegerAttr)
    x = operand_def(MemRefType)
    index = operand_def(MemRefType)
    weight = opt_operand_def(MemRefType)
    out = operand_def(MemRefType)


@irdl_op_definition
class SoftmaxOp(CoreOp):
    """Softmax of each row (last axis) of `columns` elements."""

    name = "tile.softmax"
    core = prop_def(IntegerAttr)
    columns = prop_def(IntegerAttr)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)


Tile = Dialect(
    "tile",
    [
        ProgramOp, GlobalOp, AllocOp, LayerOp, YieldOp, CopyOp, FillOp, Conv2dOp, DepthwiseConv2dOp, MatmulOp, EpilogueOp,
        ConvertOp, BinaryOp, PoolOp, ReduceOp, ResampleOp, SoftmaxOp,
    ],
    [],
)  # fmt: skip
