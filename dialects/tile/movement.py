"""The tile ops that bring values to buffers without computing them: copies, alone or in multicast groups, gathers,
fills and transpositions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import ClassVar

from xdsl.ir import Operation, SSAValue
from xdsl.irdl import irdl_op_definition
from xdsl.utils.exceptions import VerifyException

from ...backends.instructions.coverage import Box, Coverage
from ...backends.instructions.instruction_set import SEGMENTS
from ...backends.instructions.movement import INDEX_TYPES
from ...backends.numerics.storage import PERMUTED_NAMES, size_bytes
from ..ir.attribute import Integer, Ints, Real, integer, ints, optional_integer, real, values_of
from ..ir.field import buffer, prop
from ..quant.element_type import shape_of
from .buffer import GlobalOp, check_writable, core_of, is_global, viewed
from .checks import (
    check_local_pair,
    check_space,
    check_storage,
    check_storage_value,
    fail_unless,
    list_of_at_least,
    space_of,
    storage_of,
)
from .core_op import CoreOp, Fields, Translation
from .instruction_fields import named
from .step_op import StepOp


@irdl_op_definition
class CopyOp(CoreOp):
    """Copies a strided box of elements between global and local memory, or between the local memories of cores.

    Element i of the box goes from `source_offset + Σ i_d·source_strides[d]` to
    `target_offset + Σ i_d·target_strides[d]`, all in elements; the last axis has stride 1 on both sides. After each run
    along the last axis `pad` elements of `pad_value` (a storage value) are written. Copies side by side in one `group`,
    which bring the same elements to the local memories of several cores, are a multicast: they start together, and the
    source is read once. From global memory each core copies for itself; from a core's local memory that core copies to
    all, itself among them or not.

    tile.copy core 0 %out -> %y source_strides = [1] target_strides = [1] sizes = [1024] :
        memref<1x8x8x16xi8, "local"> -> memref<1x8x8x16xi8, "global">
    """

    name = "tile.copy"
    source_offset: Integer = prop(converter=integer, default=0)
    source_strides: Ints = prop(converter=ints)
    target_offset: Integer = prop(converter=integer, default=0)
    target_strides: Ints = prop(converter=ints)
    sizes: Ints = prop(converter=ints)
    pad: Integer | None = prop(converter=optional_integer, default=None)
    pad_value: Integer | None = prop(converter=optional_integer, default=None)
    group: Integer | None = prop(converter=optional_integer, default=None)
    source: SSAValue = buffer()
    target: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "target"
    MOVES_ONLY: ClassVar[bool] = True
    REACHES_OTHER_CORES: ClassVar[bool] = True

    @property
    def is_load(self) -> bool:
        """Whether the copy takes the core's `dma_in`: it reads global memory or another core's. What reads the core's
        own memory takes `dma_out`, wherever it goes.
        """
        return core_of(self.source) != self.core.value.data

    @property
    def may_run_ahead(self) -> bool:
        """Whether the op only brings something to a buffer of a core, from global memory or another buffer."""
        return not is_global(self.target)

    @property
    def source_box(self) -> Box:
        """The elements of the source that the copy reads."""
        return _box(self.source_offset, self.source_strides, values_of(self.sizes), 0)

    @property
    def target_box(self) -> Box:
        """The elements of the target that the copy writes, padding included."""
        pad = 0 if self.pad is None else self.pad.value.data
        return _box(self.target_offset, self.target_strides, values_of(self.sizes), pad)

    def verify_fields(self) -> None:
        check_space(self, "source", "global", "local")
        check_space(self, "target", "global", "local")
        fail_unless(
            "local" in (space_of(self.source), space_of(self.target)),
            "source or target must be local memory",
        )
        check_storage("target", self.target, storage_of(self.source))
        check_writable("target", self.target)
        if self.group is not None:
            group = self.group.value.data
            fail_unless(group >= 1, f"group must be at least 1, got {group}")
            if not is_global(self.source):
                fail_unless(
                    not self.is_load,
                    "a multicast reads global memory, or the local memory of its own core",
                )
                fail_unless(
                    not is_global(self.target),
                    "a multicast from local memory writes local memories",
                )
        sizes = values_of(self.sizes)
        fail_unless(len(sizes) >= 1, "a copy needs at least one axis")
        list_of_at_least("sizes", self.sizes, len(sizes), 1)
        pad = 0 if self.pad is None else self.pad.value.data
        if pad < 0:
            raise VerifyException(f"pad must not be negative, got {pad}")
        if self.pad_value is not None:
            check_storage_value("pad value", self.pad_value.value.data, storage_of(self.target))
        source_offset, target_offset = self.source_offset.value.data, self.target_offset.value.data
        _check_box("source", self.source, source_offset, self.source_strides, sizes, 0)
        _check_box("target", self.target, target_offset, self.target_strides, sizes, pad)


def _box(offset: Integer, strides: Ints, sizes: Sequence[int], pad: int) -> Box:
    return Box(offset.value.data, tuple(sizes[:-1]), values_of(strides)[:-1], sizes[-1] + pad)


def _check_box(
    name: str, buffer: SSAValue, offset: int, strides: Ints, sizes: Sequence[int], pad: int
) -> None:
    """Raise VerifyException unless the box of elements, and the `pad` elements after each run, lie inside the
    buffer.
    """
    steps = list_of_at_least(f"{name}_strides", strides, len(sizes), 0)
    if steps[-1] != 1:
        raise VerifyException(f"the last axis of {name} must have stride 1, got {steps[-1]}")
    last = offset + sum([(n - 1) * step for n, step in zip(sizes, steps, strict=True)]) + pad
    total = prod(shape_of(buffer))
    if offset < 0 or last >= total:
        raise VerifyException(
            f"{name} box covers elements {offset} to {last}, the buffer has {total}"
        )


@irdl_op_definition
class GatherOp(CoreOp):
    """Copies rows of a table in global memory that indices name to local memory, one after the other; see isa.gather.

    The elements of table are divided evenly among `rows` rows, those of out among the indices: out[i] is as many
    elements of row index[i] of the table, from `first` on. Indices, in local or global memory, count from the end if
    they are negative; one that names no row ends the run with an error.

    tile.gather core 0 %words, %chosen -> %embedded rows = 50 :
        memref<50x8xf32, "global">, memref<4xi64, "local"> -> memref<4x8xf32, "local">
    """

    name = "tile.gather"
    rows: Integer = prop(converter=integer)
    first: Integer = prop(converter=integer, default=0)
    table: SSAValue = buffer()
    index: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    MOVES_ONLY: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_space(self, "table", "global")
        check_space(self, "index", "local", "global")
        check_space(self, "out", "local")
        check_storage("index", self.index, *INDEX_TYPES)
        check_storage("out", self.out, storage_of(self.table))
        rows, first = self.rows.value.data, self.first.value.data
        _check_pitch("table", self.table, rows, 1)
        _check_pitch("out", self.out, _elements(self.index), 1)
        columns = _elements(self.out) // _elements(self.index)
        pitch = _elements(self.table) // rows
        if first < 0 or first + columns > pitch:
            raise VerifyException(
                f"elements {first} to {first + columns} of each row are copied, rows of table have {pitch}"
            )

    def instruction(self) -> Translation:
        element_bytes, count = size_bytes(storage_of(self.table)), _elements(self.index)
        fields: Fields = {
            "index_space": space_of(self.index),
            "table_rows": self.rows.value.data,
            "row_offset": self.first.value.data * element_bytes,
            "row_bytes": _elements(self.out) // count * element_bytes,
            "pitch": _elements(self.table) // self.rows.value.data * element_bytes,
            "index_type": storage_of(self.index),
            "rows": count,
        }
        for name, value in (("table", self.table), ("index", self.index)):
            owner = value.owner
            is_declared = isinstance(owner, GlobalOp)
            fields[f"{name}_segment"] = owner.segment.data if is_declared else SEGMENTS[0]
        return "gather", fields, {"table": self.table, "index": self.index, "out": self.out}


@irdl_op_definition
class FillOp(CoreOp):
    """Writes `value` (a storage value) to every element.

    tile.fill core 0 -> %dw value = 1.0 : memref<9x16xi8, "local">
    """

    name = "tile.fill"
    value: Real = prop(converter=real)
    target: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "target"
    MOVES_ONLY: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_space(self, "target", "local")
        check_storage_value("value", self.value.value.data, storage_of(self.target))

    def instruction(self) -> Translation:
        fields = {
            "count": prod(shape_of(self.target)),
            "type": storage_of(self.target),
            "value": self.value.value.data,
        }
        return "fill", fields, {"dst": self.target}


@irdl_op_definition
class PermuteOp(CoreOp):
    """Transposes the last two of three axes. `sizes` are (tiles, rows, columns); the elements of x are divided evenly
    among tiles · rows rows, those of out among tiles · columns rows.

    out[t,c,r] = x[t,r,c]. Each row of out is filled with `zero_point` from `rows` up to its end.

    tile.permute core 0 %x -> %y sizes = [2, 3, 10] zero_point = -5 :
        memref<2x3x16xi8, "local"> -> memref<2x10x16xi8, "local">
    """

    name = "tile.permute"
    sizes: Ints = prop(converter=ints)
    zero_point: Integer = prop(converter=integer, default=0)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    MOVES_ONLY: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_local_pair(self)
        storage = storage_of(self.x)
        check_storage("x", self.x, *PERMUTED_NAMES)
        check_storage("out", self.out, storage)
        check_storage_value("zero point", self.zero_point.value.data, storage)
        tiles, rows, columns = list_of_at_least("sizes", self.sizes, 3, 1)
        _check_pitch("x", self.x, tiles * rows, columns)
        _check_pitch("out", self.out, tiles * columns, rows)

    def instruction(self) -> Translation:
        tiles, rows, columns = values_of(self.sizes)
        fields = {
            "type": storage_of(self.x),
            **named(("tiles", "rows", "columns"), self.sizes),
            "in_pitch": _elements(self.x) // (tiles * rows),
            "out_pitch": _elements(self.out) // (tiles * columns),
            "zero_point": self.zero_point.value.data,
        }
        return "permute", fields, {"x": self.x, "out": self.out}


def _elements(value: SSAValue) -> int:
    return prod(shape_of(value))


def _check_pitch(name: str, value: SSAValue, rows: int, length: int) -> None:
    """Raise VerifyException unless the elements of a buffer make up that many rows of at least `length` elements."""
    elements = _elements(value)
    fail_unless(rows >= 1, f"{name} must have at least one row, got {rows}")
    fail_unless(
        elements % rows == 0 and elements >= rows * length,
        f"{name} has {elements} elements, expected {rows} equal rows of at least {length}",
    )


_ALIKE = ("source_offset", "source_strides", "target_strides", "sizes", "pad", "pad_value")
"""The fields in which the members of a group do not differ."""


def find_group_fault(steps: Sequence[StepOp]) -> tuple[Operation, str] | None:
    """Return the first copy that cannot be in its multicast group, with the reason; None if there is none.

    A group is one event: none of its members starts before all can. If other steps stood between them, one member could
    wait for a step that waits for another member, and the program would never end. So it would with two groups that two
    cores meet in different orders.
    """
    complete: set[int] = set()
    for event in events_of(steps):
        first = steps[event[0]]
        group = group_of(first)
        if group is None or not isinstance(first, CopyOp):
            continue
        if group in complete:
            return first, (
                f"multicast group {group} has copies further up, with other steps between: its copies start together "
                "and stand side by side"
            )
        complete.add(group)
        receivers: set[int | None] = set()
        for number in event:
            op = steps[number]
            assert isinstance(op, CopyOp)
            if op.source is not first.source:
                return op, f"the copies of multicast group {group} read different buffers"
            receiver = core_of(op.target)
            if receiver in receivers:
                return op, f"multicast group {group} has two copies to core {receiver}"
            receivers.add(receiver)
            for name in _ALIKE:
                if op.properties.get(name) != first.properties.get(name):
                    return op, f"the copies of multicast group {group} differ in '{name}'"
            if len(event) > 1 and _overwrites_source(op):
                return op, f"a copy of multicast group {group} writes elements that the others read"
    return None


def _overwrites_source(op: CopyOp) -> bool:
    """Return whether a copy writes elements that it reads."""
    (source, begin), (target, target_begin) = viewed(op.source), viewed(op.target)
    if source is not target:
        return False
    read = Coverage(prod(shape_of(source.output)))
    read.add(op.source_box._replace(offset=begin + op.source_box.offset))
    return read.touches(op.target_box._replace(offset=target_begin + op.target_box.offset))


def group_of(op: Operation) -> int | None:
    """Return the multicast group of an op; None if it is in none."""
    return op.group.value.data if isinstance(op, CopyOp) and op.group is not None else None


def events_of(steps: Sequence[StepOp]) -> Iterator[range]:
    """Return the numbers of the steps that start together, in order: those of a step, or of copies side by side in one
    multicast group.
    """
    begin, group = 0, None
    for number, op in enumerate(steps):
        own = group_of(op)
        if number and (own is None or own != group):
            yield range(begin, number)
            begin = number
        group = own
    if steps:
        yield range(begin, len(steps))
