"""The ops that declare the buffers of a tile program, in global memory and in the memories of cores, and views of parts
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import (
    LocationAttr,
    MemRefType,
    NoneAttr,
    StridedLayoutAttr,
    StringAttr,
)
from xdsl.ir import Block, Operation, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind, Pure
from xdsl.utils.exceptions import VerifyException

from ...backends.instructions.coverage import Box
from ...backends.instructions.instruction_set import SEGMENTS
from ...backends.numerics.ports.port_format import PortFormat
from ...backends.numerics.quantization import Quantization
from ...backends.numerics.storage import ACCUMULATOR_NAMES
from ...backends.targets.alignment import ALIGNMENT_BYTES
from ..ir.attribute import (
    INTEGER,
    INTS,
    REAL,
    check_one_of,
    integer,
    ints,
    optional_integer,
    optional_text,
    text,
    values_of,
)
from ..ir.text.assembly import TextOp
from ..quant.element_type import element_storage, shape_of, type_bytes, type_of_storage
from .checks import (
    check_core,
    check_storage,
    fail_unless,
    is_dense,
    pitch_of,
    row_strides,
    rows_of,
    space_of,
    storage_of,
)

MemoryPlace = tuple[str, int]
"""A memory: ("local" or "acc", core), or (segment of global memory, -1)."""


def buffer_type(
    shape: Sequence[int], storage: str, space: str, pitch: int | None = None
) -> MemRefType:
    """Return the type of a buffer of a storage type in memory space "global", "local" or "acc"; `shape` is physical.
    If there is a `pitch`, rows begin every so many elements. Equal types share one object, because thousands of buffers
    have few types.
    """
    return _buffer_type(tuple(shape), storage, space, pitch)


@lru_cache(maxsize=1 << 16)
def _buffer_type(shape: tuple[int, ...], storage: str, space: str, pitch: int | None) -> MemRefType:
    layout = NoneAttr()
    if pitch is not None and pitch != shape[-1] and prod(shape[:-1]) > 1:
        layout = StridedLayoutAttr(row_strides(shape, pitch))
    return MemRefType(type_of_storage(storage), shape, layout, text(space))


class DeclaresBuffer(MemoryEffect):
    """Says that an op allocates its result: the op may be erased if nobody uses the result, but two such ops are never
    merged into one.

    A global buffer of segment "input" or "output" is part of the program's interface, and is never erased.
    """

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        segment = op.properties.get("segment")
        if isinstance(segment, StringAttr) and segment.data in ("input", "output"):
            return {EffectInstance(MemoryEffectKind.WRITE)}
        return {EffectInstance(MemoryEffectKind.ALLOC, op.results[0])}


class BufferOp(TextOp):
    """Base of the ops that declare a buffer. The address, in bytes, counts from the start of the buffer's memory or
    segment.
    """

    address = opt_prop_def(INTEGER)
    output = result_def(MemRefType)
    traits = traits_def(DeclaresBuffer())
    OWN_PROPERTIES: ClassVar[frozenset[str]] = frozenset({"address"})

    @property
    def memory(self) -> MemoryPlace:
        """The memory that the buffer is in."""
        raise NotImplementedError

    def verify_layout(self) -> None:
        """Raise VerifyException if the buffer has gaps, as only views of it may have."""
        if not isinstance(self.output.type.layout, NoneAttr):
            raise VerifyException(f"a buffer has no layout map, got {self.output.type}")

    @property
    def size_bytes(self) -> int:
        """Size of the buffer in bytes, padding included."""
        return type_bytes(self.output.type)

    @property
    def physical_shape(self) -> tuple[int, ...]:
        """The shape of the buffer in memory."""
        return shape_of(self.output)

    @property
    def storage(self) -> str:
        """The storage type of the elements."""
        return element_storage(self.output.type)


@irdl_op_definition
class GlobalOp(BufferOp):
    """A buffer in global memory holding the logical tensor `shape`.

    `segment`: "weights" (bytes of `key` in the weight store, or random ones of `seed`), "input",
    "output" or "scratch". `order` lists the logical axes in physical order; the last physical axis
    may be padded. `address` is the offset in the segment, in bytes.

    An input or output that holds other elements than the model's tensor says the `model`'s storage type and, if its
    integers stand for real numbers, their `scale` and `zero_point`.

    %image = tile.global "image" segment = "input" shape = [1, 3, 8, 8] order = [0, 2, 3, 1] model = "f32"
        scale = 0.5 zero_point = -3 : memref<1x8x8x3xi8, "global">
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
    model = opt_prop_def(StringAttr)
    scale = opt_prop_def(REAL)
    zero_point = opt_prop_def(INTEGER)

    def __init__(
        self,
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
    ):
        """Make a global buffer. Without `order` it is row-major; without `physical` it has no padding."""
        axes = range(len(shape)) if order is None else order
        super().__init__(
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
            self.location = location

    @property
    def memory(self) -> MemoryPlace:
        return self.segment.data, -1

    @property
    def format(self) -> PortFormat:
        """How an input or output holds the model's tensor."""
        quantization = None
        if self.scale is not None and self.zero_point is not None:
            quantization = Quantization(self.scale.value.data, self.zero_point.value.data)
        model = self.storage if self.model is None else self.model.data
        shape, order = values_of(self.shape), values_of(self.order)
        return PortFormat(shape, self.storage, order, model, quantization)

    @property
    def is_read_only(self) -> bool:
        """Whether no step of the program may write the buffer."""
        return self.segment.data in ("weights", "input")

    @property
    def padding(self) -> tuple[int, int]:
        """The physical elements [low, high) of the last axis that are padding."""
        shape, order, physical = values_of(self.shape), values_of(self.order), self.physical_shape
        used = shape[order[-1]] if order else prod(shape)
        return used, physical[-1] if physical else 1

    def to_logical(self, physical: np.ndarray) -> np.ndarray:
        """Return a view of [S, physical shape] as [S, logical shape]: without padding, with the axes in logical
        order.
        """
        order = values_of(self.order)
        if not order:
            return physical.reshape(physical.shape[0])
        cut = physical[..., : self.padding[0]]
        return cut.transpose(0, *(1 + int(axis) for axis in np.argsort(order)))

    def to_physical(self, logical: np.ndarray) -> np.ndarray:
        """Lay [S, logical shape] out as [S, physical shape], with zeros as padding; the result is a view if it
        can be.
        """
        moved = logical.transpose(0, *(1 + axis for axis in values_of(self.order)))
        if moved.shape[1:] == self.physical_shape:
            return moved
        padded = np.zeros((len(logical), *self.physical_shape), dtype=logical.dtype)
        padded[..., : moved.shape[-1]] = moved
        return padded

    def verify_(self) -> None:
        self.verify_layout()
        fail_unless(space_of(self.output) == "global", 'result must be in memory space "global"')
        segment = self.segment.data
        check_one_of("segment", segment, SEGMENTS)
        sources = (self.key is not None) + (self.seed is not None)
        if segment == "weights":
            fail_unless(sources == 1, "a buffer of segment weights needs a key or a seed")
            negative = self.seed is not None and self.seed.value.data < 0
            fail_unless(not negative, "seed must be at least 0")
        else:
            fail_unless(sources == 0, f"a buffer of segment {segment} has neither key nor seed")
        shape, order = self.shape.get_values(), self.order.get_values()
        fail_unless(
            sorted(order) == list(range(len(shape))),
            f"order {list(order)} is no permutation of {len(shape)} axes",
        )
        physical, logical = self.physical_shape, tuple(shape[axis] for axis in order)
        holds = len(physical) == len(logical) and physical[:-1] == logical[:-1]
        holds = holds and (not physical or physical[-1] >= logical[-1])
        fail_unless(
            holds,
            f"physical shape {list(physical)} does not hold {list(logical)}, the shape in order",
        )
        if self.address is not None:
            address = self.address.value.data
            fail_unless(address >= 0, f"address must not be negative, got {address}")
        self._verify_port()

    def _verify_port(self) -> None:
        """Raise VerifyException unless what is said of the model's tensor is said in whole, of a port that can hold
        it.
        """
        said = [each is not None for each in (self.model, self.scale, self.zero_point)]
        if not any(said):
            return
        segment = self.segment.data
        fail_unless(
            segment in ("input", "output"),
            f"only an input or output says 'model', 'scale' and 'zero_point', not a buffer of segment {segment}",
        )
        fail_unless(
            said in ([True, False, False], [True, True, True]),
            "'scale' and 'zero_point' belong together, and to a 'model' type",
        )
        problem = self.format.error()
        fail_unless(problem is None, str(problem))


@irdl_op_definition
class AllocOp(BufferOp):
    """A buffer in the local or accumulator memory of a core. The pass that assigns addresses sets `address`.

    A buffer in local memory may be where a part of a tensor is kept: the `window` (low and high of each axis) of the
    tensor named `tensor`, with the axes in `order`, the last one padded.

    %a = tile.alloc core 0 tensor = "y" window = [0, 1, 0, 10, 0, 4, 4, 8] order = [0, 2, 3, 1] address = 64 :
        memref<1x4x4x16xi8, "local">
    """

    name = "tile.alloc"
    core = prop_def(INTEGER)
    tensor = opt_prop_def(StringAttr)
    window = opt_prop_def(INTS)
    order = opt_prop_def(INTS)

    def __init__(
        self,
        core: int,
        shape: Sequence[int],
        storage: str,
        space: str = "local",
        *,
        address: int | None = None,
        location: LocationAttr | None = None,
    ):
        """Make a buffer of the physical `shape` in `space` "local" or "acc" of `core`."""
        super().__init__(
            result_types=[buffer_type(shape, storage, space)],
            properties={"core": integer(core), "address": optional_integer(address)},
        )
        if location is not None:
            self.location = location

    @property
    def memory(self) -> MemoryPlace:
        return space_of(self.output), self.core.value.data

    def verify_(self) -> None:
        check_core(self.core)
        self.verify_layout()
        space = space_of(self.output)
        fail_unless(space != "global", 'a core\'s buffer is in memory space "local" or "acc"')
        if space == "acc":
            check_storage("an accumulator", self.output, *ACCUMULATOR_NAMES)
        self._verify_tensor(space)
        if self.address is not None:
            address = self.address.value.data
            if address < 0 or address % ALIGNMENT_BYTES:
                raise VerifyException(
                    f"address must be a multiple of {ALIGNMENT_BYTES}, got {address}"
                )

    def _verify_tensor(self, space: str) -> None:
        """Raise VerifyException unless what is said of the tensor is said in whole, and the buffer can hold it."""
        window, order = self.window, self.order
        if self.tensor is None or window is None or order is None:
            is_silent = self.tensor is None and window is None and order is None
            fail_unless(is_silent, "'tensor', 'window' and 'order' belong together")
            return
        fail_unless(space == "local", "only a buffer in local memory keeps a part of a tensor")
        bounds, axes = values_of(window), values_of(order)
        fail_unless(
            bool(axes) and sorted(axes) == list(range(len(axes))),
            f"order {list(axes)} is no permutation of the tensor's axes",
        )
        fail_unless(
            len(bounds) == 2 * len(axes)
            and all(low < high for low, high in zip(bounds[::2], bounds[1::2], strict=True)),
            f"window must have low < high for each of {len(axes)} axes, got {list(bounds)}",
        )
        sizes = [bounds[2 * axis + 1] - bounds[2 * axis] for axis in axes]
        elements, rows = prod(self.physical_shape), prod(sizes[:-1])
        fail_unless(
            elements % rows == 0 and elements >= rows * sizes[-1],
            f"the buffer has {elements} elements, expected {rows} equal rows of at least {sizes[-1]}",
        )

    def to_logical(self, physical: np.ndarray) -> np.ndarray:
        """Return a view of [S, physical shape] as [S, sizes of the window]: without padding, with the tensor's axes in
        logical order. The buffer must keep a part of a tensor.
        """
        assert self.window is not None and self.order is not None
        bounds, order = values_of(self.window), values_of(self.order)
        sizes = [bounds[2 * axis + 1] - bounds[2 * axis] for axis in order]
        rows = physical.reshape(physical.shape[0], *sizes[:-1], -1)[..., : sizes[-1]]
        return rows.transpose(0, *(1 + int(axis) for axis in np.argsort(order)))


@irdl_op_definition
class ViewOp(TextOp):
    """A part of a core's buffer as a buffer of its own, from element `offset` of `source` on: elements that lie one
    after the other, or, with a strided layout, rows (last axis) that begin at one pitch, with gaps between.

    Who writes the view writes the buffer, and the view is where its buffer is: it has no core and no address, and the
    strides of its type count from its own first element. Like a declaration, a view is not a step.

    %slab = tile.alloc core 0 : memref<1x14x56x64xi8, "local">
    %v = tile.view %slab offset = 7168 :
        memref<1x14x56x64xi8, "local"> -> memref<1x2x56x64xi8, "local">
    %columns = tile.view %slab offset = 7184 : memref<1x14x56x64xi8, "local"> ->
        memref<1x2x56x32xi8, strided<[7168, 3584, 64, 1]>, "local">
    """

    name = "tile.view"
    source = operand_def(MemRefType)
    offset = prop_def(INTEGER, integer(0))
    output = result_def(MemRefType)
    traits = traits_def(Pure())
    HAS_BARE_TYPES: ClassVar[bool] = True
    IS_SEEN_THROUGH: ClassVar[bool] = True

    def __init__(
        self,
        source: SSAValue,
        shape: Sequence[int],
        *,
        offset: int = 0,
        pitch: int | None = None,
        location: LocationAttr | None = None,
    ):
        """Make a view of `shape` of a core's buffer, which begins at the buffer's element `offset`, and whose rows
        begin every `pitch` elements; None if they follow one another.
        """
        type = buffer_type(shape, storage_of(source), space_of(source), pitch)
        super().__init__(
            operands=[source],
            result_types=[type],
            properties={"offset": integer(offset)},
        )
        if location is not None:
            self.location = location

    def verify_(self) -> None:
        self._verify_source()
        space, whole = space_of(self.output), space_of(self.source)
        fail_unless(
            space == whole, f'result is in memory space "{space}", its buffer is in "{whole}"'
        )
        held, storage = storage_of(self.output), storage_of(self.source)
        fail_unless(held == storage, f"result is stored as {held}, its buffer holds {storage}")
        offset = self.offset.value.data
        fail_unless(offset >= 0, f"offset must not be negative, got {offset}")
        end, total = whole_of(self.output).end, prod(shape_of(self.source))
        fail_unless(
            end <= total,
            f"elements {offset} to {end - 1} reach {end - total} past the end of the buffer, which has {total}",
        )

    def _verify_source(self) -> None:
        """Raise VerifyException unless the view is one of a core's buffer."""
        owner = self.source.owner
        if isinstance(owner, ViewOp):
            raise VerifyException(
                "the operand is a view itself: view its buffer, and add the offset of that view"
            )
        fail_unless(
            isinstance(owner, AllocOp),
            "the operand must be a buffer of a core, the result of a tile.alloc",
        )


def viewed(value: SSAValue) -> tuple[BufferOp, int]:
    """Return the declaration of the buffer whose bytes a value is, and the element of the buffer at which it begins."""
    owner, offset = value.owner, 0
    # Comparing classes costs a fifth of `isinstance`, which asks the metaclass of ops.
    if type(owner) is ViewOp:
        owner, offset = owner.source.owner, owner.offset.value.data
    if type(owner) is not AllocOp:
        assert isinstance(owner, BufferOp), "the verifier asks for buffers and views of them"
    return owner, offset


def whole_of(value: SSAValue) -> Box:
    """Return the elements of its buffer that a buffer or view has."""
    _, offset = viewed(value)
    if is_dense(value):
        return Box(offset, (), (), prod(shape_of(value)))
    return Box(offset, (rows_of(value),), (pitch_of(value),), shape_of(value)[-1])


def buffer_of(value: SSAValue) -> SSAValue:
    """Return the buffer whose bytes a value is: the value itself, or what it is a view of."""
    owner = value.owner
    return owner.source if type(owner) is ViewOp else value


def core_of(value: SSAValue) -> int | None:
    """Return the core whose memory a buffer or view is in; None for one that is in global memory."""
    owner = buffer_of(value).owner
    return owner.core.value.data if type(owner) is AllocOp else None


def erase_unused_views(block: Block) -> None:
    """Erase the views in a block that no op uses."""
    for op in list(block.ops):
        if isinstance(op, ViewOp) and op.output.first_use is None:
            op.detach()
            op.erase()


def is_global(buffer: SSAValue) -> bool:
    """Tell whether a buffer is declared in global memory."""
    return type(buffer.owner) is GlobalOp


def check_writable(name: str, buffer: SSAValue) -> None:
    """Raise VerifyException if an op writes a buffer that holds an input or weights."""
    owner = buffer.owner
    if isinstance(owner, GlobalOp) and owner.is_read_only:
        raise VerifyException(f"{name} is written, but segment {owner.segment.data} is read-only")
