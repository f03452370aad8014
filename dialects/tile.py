"""The tile dialect: what each core does with which bytes.

A `tile.program` is one block in program order, and it means what executing it in that order means.
Buffers are memrefs of storage types with physical (packed, padded) shapes in memory space "global",
"local" or "acc". At first each network layer is one `tile.layer` on global buffers; cutting
replaces it by copies and computations on local ones, in destination-passing style on whole tiles:
the buffer that an op writes follows an arrow in its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, Self

from xdsl.dialects.builtin import (
    LocationAttr,
    MemRefType,
    NoneAttr,
    StringAttr,
    UnitAttr,
)
from xdsl.ir import Block, Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import (
    EffectInstance,
    IsolatedFromAbove,
    IsTerminator,
    MemoryEffect,
    MemoryEffectKind,
    MemoryReadEffect,
    MemoryWriteEffect,
    NoTerminator,
    Pure,
    SymbolOpInterface,
)

from . import tile_rules as rules
from . import tile_text
from .assembly import Defaults, TextOp
from .attribute import (
    INTEGER,
    INTS,
    REAL,
    REALS,
    integer,
    ints,
    optional_integer,
    optional_text,
    text,
)
from .element import type_of_storage
from .tile_checks import NO_CLAMP
from .tile_core import CoreOp
from .tile_pointwise import BinaryOp, ConvertOp, LookupOp, SelectOp, UnaryOp


def buffer_type(shape: Sequence[int], storage: str, space: str) -> MemRefType:
    """The type of a buffer of a storage type in memory space "global", "local" or "acc"; `shape` is
    physical. Equal ones share one: thousands of buffers have few types.
    """
    return _buffer_type(tuple(shape), storage, space)


@lru_cache(maxsize=1 << 16)
def _buffer_type(shape: tuple[int, ...], storage: str, space: str) -> MemRefType:
    return MemRefType(type_of_storage(storage), shape, NoneAttr(), text(space))


class DeclaresBuffer(MemoryEffect):
    """The op only makes its result: it can go when nobody uses that, but two of them are never one.

    A global buffer of segment "input" or "output" is part of the program's interface, and stays.
    """

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        segment = op.properties.get("segment")
        if isinstance(segment, StringAttr) and segment.data in ("input", "output"):
            return {EffectInstance(MemoryEffectKind.WRITE)}
        return {EffectInstance(MemoryEffectKind.ALLOC, op.results[0])}


@irdl_op_definition
class ProgramOp(TextOp):
    """A program: one block of buffers, layers, copies and computations in program order, without
    terminator.

    tile.program @main {
      %x = tile.alloc core 0 : memref<16xi8, "local">
      tile.fill core 0 -> %x value = 0.0 : memref<16xi8, "local">
    }
    """

    name = "tile.program"
    sym_name = prop_def(StringAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator(), IsolatedFromAbove(), SymbolOpInterface())

    @classmethod
    def make(
        cls, name: str, ops: Sequence[Operation] = (), *, location: LocationAttr | None = None
    ) -> Self:
        """A program of the given ops."""
        op = cls.build(properties={"sym_name": StringAttr(name)}, regions=[Region(Block(ops))])
        if location is not None:
            op.location = location
        return op

    @classmethod
    def parse(cls, parser: Parser) -> ProgramOp:
        return tile_text.parse_program(cls, parser)

    def print(self, printer: Printer) -> None:
        tile_text.print_program(self, printer)


@irdl_op_definition
class GlobalOp(TextOp):
    """A buffer in global memory holding the logical tensor `shape`.

    `segment`: "weights" (bytes of `key` in the weight store, or random ones of `seed`), "input",
    "output" or "scratch". `order` lists the logical axes in physical order; the last physical axis
    may be padded. `address` is the offset in the segment, in bytes.

    %x = tile.global "x" segment = "scratch" shape = [1, 8, 4, 4] order = [0, 2, 3, 1] :
        memref<1x4x4x16xi8, "global">
    """

    name = "tile.global"
    buffer_name = prop_def(StringAttr, prop_name="name")
    segment = prop_def(StringAttr)
    key = opt_prop_def(StringAttr)
    seed = opt_prop_def(INTEGER)
    shape = prop_def(INTS)
    order = prop_def(INTS)
    address = opt_prop_def(INTEGER)
    output = result_def(MemRefType)
    traits = traits_def(DeclaresBuffer())
    OWN_PROPERTIES: ClassVar[frozenset[str]] = frozenset({"address"})

    @classmethod
    def make(
        cls,
        name: str,
        segment: str,
        shape: Sequence[int],
        storage: str,
        *,
        order: Sequence[int] | None = None,
        physical: Sequence[int] | None = None,
        key: str | None = None,
        seed: int | None = None,
        address: int | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A global buffer; without `order` row-major, without `physical` unpadded."""
        axes = range(len(shape)) if order is None else order
        op = cls.build(
            result_types=[
                buffer_type(physical or [shape[axis] for axis in axes], storage, "global")
            ],
            properties={
                "name": StringAttr(name),
                "segment": StringAttr(segment),
                "key": optional_text(key),
                "seed": optional_integer(seed),
                "shape": ints(shape),
                "order": ints(axes),
                "address": optional_integer(address),
            },
        )
        if location is not None:
            op.location = location
        return op

    def verify_(self) -> None:
        rules.verify_global(self)


@irdl_op_definition
class AllocOp(TextOp):
    """A buffer in the local or accumulator memory of a core; `address` is set by the pass that
    assigns addresses.

    %a = tile.alloc core 0 address = 64 : memref<1x4x4x16xi8, "local">
    """

    name = "tile.alloc"
    core = prop_def(INTEGER)
    address = opt_prop_def(INTEGER)
    output = result_def(MemRefType)
    traits = traits_def(DeclaresBuffer())
    OWN_PROPERTIES: ClassVar[frozenset[str]] = frozenset({"address"})

    @classmethod
    def make(
        cls,
        core: int,
        shape: Sequence[int],
        storage: str,
        space: str = "local",
        *,
        address: int | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A buffer of the physical `shape` in `space` "local" or "acc" of `core`."""
        op = cls.build(
            result_types=[buffer_type(shape, storage, space)],
            properties={"core": integer(core), "address": optional_integer(address)},
        )
        if location is not None:
            op.location = location
        return op

    def verify_(self) -> None:
        rules.verify_alloc(self)


@irdl_op_definition
class LayerOp(TextOp):
    """A layer before cutting: the tpu ops in its body, computed for `window` of the output.

    Block arguments are the logical tensors (tpu types) of `inputs`; the body ends in `tile.yield`.
    `window` is (low, high) per logical axis of the output: only that part of `output` is written.
    Without `core` the layer is not split yet.

    tile.layer core 0 (%a = %x : memref<1x10xf32, "global"> as tensor<1x10xf32>)
            -> %y : memref<1x10xf32, "global"> window = [0, 1, 0, 10] {
        %r = tpu.softmax "p" %a axis = 1 : (tensor<1x10xf32>) -> tensor<1x10xf32>
        tile.yield %r : tensor<1x10xf32>
    }
    """

    name = "tile.layer"
    core = opt_prop_def(INTEGER)
    window = prop_def(INTS)
    inputs = var_operand_def(MemRefType)
    output = operand_def(MemRefType)
    body = region_def("single_block")
    traits = traits_def(IsolatedFromAbove(), MemoryReadEffect(), MemoryWriteEffect())

    @classmethod
    def make(
        cls,
        inputs: Sequence[SSAValue],
        output: SSAValue,
        body: Region | Block,
        *,
        window: Sequence[int],
        core: int | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A layer; `body` is one block whose arguments are the logical tensors of `inputs`."""
        op = cls.build(
            operands=[list(inputs), output],
            properties={"core": optional_integer(core), "window": ints(window)},
            regions=[body if isinstance(body, Region) else Region(body)],
        )
        if location is not None:
            op.location = location
        return op

    @classmethod
    def parse(cls, parser: Parser) -> LayerOp:
        return tile_text.parse_layer(cls, parser)

    def print(self, printer: Printer) -> None:
        tile_text.print_layer(self, printer)

    def verify_(self) -> None:
        rules.verify_layer(self)


@irdl_op_definition
class YieldOp(TextOp):
    """Ends a layer's body with the value that the layer writes.

    tile.program @main {
      %x = tile.global "x" segment = "input" shape = [4] order = [0] : memref<4xf32, "global">
      %y = tile.global "y" segment = "output" shape = [4] order = [0] : memref<4xf32, "global">
      tile.layer (%a = %x : memref<4xf32, "global"> as tensor<4xf32>)
          -> %y : memref<4xf32, "global"> window = [0, 4] {
        %r = tpu.clamp "r" %a clamp_low = 0.0 : (tensor<4xf32>) -> tensor<4xf32>
        tile.yield %r : tensor<4xf32>
      }
    }
    """

    name = "tile.yield"
    value = operand_def()
    traits = traits_def(IsTerminator(), Pure())

    @classmethod
    def make(cls, value: SSAValue, *, location: LocationAttr | None = None) -> Self:
        """The end of a layer's body."""
        op = cls.build(operands=[value])
        if location is not None:
            op.location = location
        return op


@irdl_op_definition
class CopyOp(CoreOp):
    """Copies a strided box of elements between global and local memory (or between cores' local
    memories).

    Element i of the box goes from `source_offset + Σ i_d·source_strides[d]` to `target_offset + Σ
    i_d·target_strides[d]`, all in elements; the last axis has stride 1 on both sides. After each
    run along the last axis `pad` elements of `pad_value` (a storage value) are written. `group`:
    multicast group.

    tile.copy core 0 %out -> %y source_strides = [1] target_strides = [1] sizes = [1024] :
        memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "global">
    """

    name = "tile.copy"
    source_offset = prop_def(INTEGER)
    source_strides = prop_def(INTS)
    target_offset = prop_def(INTEGER)
    target_strides = prop_def(INTS)
    sizes = prop_def(INTS)
    pad = opt_prop_def(INTEGER)
    pad_value = opt_prop_def(INTEGER)
    group = opt_prop_def(INTEGER)
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "target"
    DEFAULTS: ClassVar[Defaults] = {"source_offset": integer(0), "target_offset": integer(0)}


@irdl_op_definition
class FillOp(CoreOp):
    """Writes `value` (a storage value) to every element.

    tile.fill core 0 -> %dw value = 1.0 : memref<9x16xi8, "local">
    """

    name = "tile.fill"
    value = prop_def(REAL)
    target = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "target"


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


@irdl_op_definition
class PoolOp(CoreOp):
    """A tile of max or average pooling; x [n,h,w,pitch]; `pads` (top, left, bottom, right); `kind`:
    max, average.

    tile.pool core 0 %lx -> %out kind = "average" kernel = [3, 3] pads = [1, 1, 1, 1]
        count_include_pad multiplier = 1073741824 shift = 30 zero_points = [-3, 4] :
        memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "local">
    """

    name = "tile.pool"
    kind = prop_def(StringAttr)
    kernel = prop_def(INTS)
    strides = prop_def(INTS)
    dilations = prop_def(INTS)
    pads = prop_def(INTS)
    count_include_pad = opt_prop_def(UnitAttr)
    multiplier = prop_def(INTEGER)
    shift = prop_def(INTEGER)
    zero_points = prop_def(INTS)
    clamp = prop_def(REALS)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {
        "strides": ints([1, 1]),
        "dilations": ints([1, 1]),
        "pads": ints([0, 0, 0, 0]),
        "multiplier": integer(0),
        "shift": integer(0),
        "zero_points": ints([0, 0]),
        "clamp": NO_CLAMP,
    }


@irdl_op_definition
class ReduceOp(CoreOp):
    """The reduction `kind` (see top.reduce) over the middle of three axes of x: `sizes` (outer,
    length, inner), `strides` (outer, length), in elements.

    tile.reduce core 2 %x -> %mean kind = "mean" sizes = [2, 3, 12] strides = [48, 16] :
        memref<2x3x16xf32, "local"> -> memref<2x16xf32, "local">
    """

    name = "tile.reduce"
    kind = prop_def(StringAttr)
    sizes = prop_def(INTS)
    strides = prop_def(INTS)
    multiplier = prop_def(INTEGER)
    shift = prop_def(INTEGER)
    zero_points = prop_def(INTS)
    clamp = prop_def(REALS)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {
        "multiplier": integer(0),
        "shift": integer(0),
        "zero_points": ints([0, 0]),
        "clamp": NO_CLAMP,
    }


@irdl_op_definition
class ResampleOp(CoreOp):
    """Interpolation along the physical `axis` of x; index i32 [out,taps], weight f32 [out,taps]
    (none: a gather).

    tile.resample core 2 %x, %gi -> %long axis = 1 :
        memref<2x3x16xf32, "local">, memref<6x1xi32, "local"> -> memref<2x6x16xf32, "local">
    """

    name = "tile.resample"
    axis = prop_def(INTEGER)
    x = operand_def(MemRefType)
    index = operand_def(MemRefType)
    weight = opt_operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"


@irdl_op_definition
class SoftmaxOp(CoreOp):
    """Softmax, with `log` its logarithm, of each row (last axis) of `columns` elements.

    tile.softmax core 2 %x -> %x columns = 12 log :
        memref<2x3x16xf32, "local"> -> memref<2x3x16xf32, "local">
    """

    name = "tile.softmax"
    columns = prop_def(INTEGER)
    log = opt_prop_def(UnitAttr)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"


@irdl_op_definition
class NormalizeOp(CoreOp):
    """Rows (last axis) of length · inner elements normalised over `length`; parameters f32 [2, rows,
    length, inner]: see isa.normalize.

    tile.normalize core 0 %x parameters %table -> %out kind = "rms" length = 3 inner = 16
        epsilon = 0.5 :
        memref<6x48xf32, "local">, memref<2x3x1x16xf32, "local"> -> memref<6x48xf32, "local">
    """

    name = "tile.normalize"
    kind = prop_def(StringAttr)
    length = prop_def(INTEGER)
    inner = prop_def(INTEGER)
    epsilon = prop_def(REAL)
    x = operand_def(MemRefType)
    parameters = opt_operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"
    DEFAULTS: ClassVar[Defaults] = {"inner": integer(1)}


@irdl_op_definition
class LocalResponseNormOp(CoreOp):
    """Local response normalisation along each row (last axis) of `columns` elements; see
    top.local_response_norm.

    tile.local_response_norm core 0 %x -> %out columns = 37 size = 5 alpha = 0.5 beta = 0.75
        offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
    """

    name = "tile.local_response_norm"
    columns = prop_def(INTEGER)
    size = prop_def(INTEGER)
    alpha = prop_def(REAL)
    beta = prop_def(REAL)
    offset = prop_def(REAL)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"


@irdl_op_definition
class HostCallOp(CoreOp):
    """The host's `function` of x, sizes [outer, length, inner, out_length]; both are dense buffers in
    global memory: see isa.host_call.

    tile.host_call core 0 %x -> %out function = "argmax" sizes = [1, 10, 1, 1] :
        memref<1x10xf32, "global"> -> memref<1xi64, "global">
    """

    name = "tile.host_call"
    function = prop_def(StringAttr)
    sizes = prop_def(INTS)
    largest = opt_prop_def(UnitAttr)
    last = opt_prop_def(UnitAttr)
    exclusive = opt_prop_def(UnitAttr)
    reverse = opt_prop_def(UnitAttr)
    x = operand_def(MemRefType)
    out = operand_def(MemRefType)
    DESTINATION: ClassVar[str | None] = "out"


_OPS: list[Any] = [
    ProgramOp,
    GlobalOp,
    AllocOp,
    LayerOp,
    YieldOp,
    CopyOp,
    FillOp,
    Conv2dOp,
    DepthwiseConv2dOp,
    MatmulOp,
    EpilogueOp,
    ConvertOp,
    BinaryOp,
    SelectOp,
    UnaryOp,
    LookupOp,
    PoolOp,
    ReduceOp,
    ResampleOp,
    SoftmaxOp,
    NormalizeOp,
    LocalResponseNormOp,
    HostCallOp,
]

Tile = Dialect("tile", _OPS, [])
