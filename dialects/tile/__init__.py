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

from ..ir.attribute import INTEGER, INTS, REAL, integer, ints, optional_integer, optional_text, text
from ..ir.text.assembly import Defaults, TextOp
from ..quant.element_type import type_of_storage
from . import program_text
from . import rules as rules
from .core_op import CoreOp
from .pointwise import BinaryOp, ConvertOp, LookupOp, SelectOp, UnaryOp
from .product import Conv2dOp, DepthwiseConv2dOp, EpilogueOp, MatmulOp
from .statistic import LocalResponseNormOp, NormalizeOp, PoolOp, ReduceOp, ResampleOp, SoftmaxOp


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
        return program_text.parse_program(cls, parser)

    def print(self, printer: Printer) -> None:
        program_text.print_program(self, printer)


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
        return program_text.parse_layer(cls, parser)

    def print(self, printer: Printer) -> None:
        program_text.print_layer(self, printer)

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
