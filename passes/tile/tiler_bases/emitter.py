"""Builds the copies and computations of one core; tiling makes operations nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from xdsl.dialects.builtin import LocationAttr, UnitAttr
from xdsl.ir import Attribute, Operation, SSAValue

from ....backends.numerics.storage import repeats_one_byte
from ....dialects import tile
from ....dialects.ir.attribute import integer, ints, real, reals, text
from ....dialects.ir.text.value_name import value_name
from ....dialects.quant.element_type import shape_of
from ....dialects.tile import buffer_type
from ....dialects.tile.buffer import core_of
from ....dialects.tile.checks import storage_of
from ...tiling.copy_planning import Padding, plan
from ...tiling.layout import Layout, offset_of
from ...tiling.strided_copy import StridedCopy
from ...tiling.windows import Window, sizes_of, steps_inside, with_axes_of
from .held_buffers import HeldBuffers
from .layer import Buffer
from .residents import Piece, Residents, Rows
from .slabs import Slab

_UNIT = UnitAttr()


Field = int | float | str | bool | tuple[int, ...] | Attribute | None
"""A property's value: False and None leave it out, True is a unit attribute; an attribute stands for itself."""


LoadedConstants = dict[tuple[object, ...], SSAValue]
"""The buffers of constants in a core's memory, by what they hold and how it lies there."""


def _attribute(value: Field) -> Attribute:
    if isinstance(value, Attribute):
        return value
    if value is True:
        return _UNIT
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return real(value)
    if isinstance(value, str):
        return text(value)
    assert isinstance(value, tuple)
    return ints(value)


def global_buffer(
    name: str,
    segment: str,
    layout: Layout,
    storage: str,
    *,
    key: str | None = None,
    seed: int | None = None,
) -> tile.GlobalOp:
    """Declare a buffer in global memory; if it holds weights, `key` or `seed` says their values."""
    properties: dict[str, Attribute] = {"name": text(name), "segment": text(segment)}
    if key is not None:
        properties["key"] = text(key)
    if seed is not None:
        properties["seed"] = integer(seed)
    properties["shape"] = ints(layout.shape)
    properties["order"] = ints(layout.order)
    result = buffer_type(layout.physical, storage, "global")
    return tile.GlobalOp.create(result_types=[result], properties=properties)


class Emitter:
    """Collects the operations of one core for one layer, in program order.

    `origin` is the name of the `tpu` result that the layer computes; `residents` says where tensors lie. `number` is
    that of the slice that is computed, None if that is no slice, and `loaded` are the constants that the core has
    loaded and keeps for the layer's later slices, None if it keeps none.
    """

    def __init__(
        self,
        core: int,
        location: LocationAttr,
        origin: str,
        residents: Residents,
        number: int | None = None,
        loaded: LoadedConstants | None = None,
    ) -> None:
        self.core = core
        self.location = location
        self.operations: list[Operation] = []
        self._residents = residents
        self._slice = number
        self._loaded = loaded
        self._held = HeldBuffers(residents, location)
        self._core = integer(core)
        self._origin = text(origin)

    @property
    def declarations(self) -> Sequence[Operation]:
        """The declarations of buffers that stand before the operations of all cores."""
        return self._held.declarations

    def alloc(
        self, shape: Sequence[int], storage: str, space: str = "local", name: str = "tile"
    ) -> SSAValue:
        """Return a new buffer in the core's memory `space`; `name` is a hint for readers of the IR."""
        op = tile.AllocOp.create(
            result_types=[buffer_type(shape, storage, space)],
            properties={"core": self._core},
            location=self.location,
        )
        op.output.name_hint = name
        self.operations.append(op)
        return op.output

    def compute(
        self,
        kind: type[tile.CoreOp],
        operands: Sequence[SSAValue],
        fields: Mapping[str, Field],
        clamp: tuple[float, float] | None = None,
    ) -> None:
        """Add a computation on whole buffers; `fields` are its properties."""
        properties: dict[str, Attribute] = {"core": self._core, "origin": self._origin}
        for name, value in fields.items():
            if value is not None and value is not False:
                properties[name] = _attribute(value)
        if clamp is not None:
            properties["clamp"] = reals(clamp)
        self.operations.append(
            kind.create(operands=operands, properties=properties, location=self.location)
        )

    def permute(
        self, source: SSAValue, target: SSAValue, sizes: tuple[int, int, int], pad_value: int = 0
    ) -> None:
        """Add the transposition of (tiles, rows, columns) from `source` to `target`; rows of the target are filled
        with `pad_value`.
        """
        fields: dict[str, Field] = {"sizes": sizes, "zero_point": pad_value}
        self.compute(tile.PermuteOp, [source, target], fields)

    def copy(
        self, source: SSAValue, target: SSAValue, copies: Sequence[StridedCopy], pad_value: int = 0
    ) -> None:
        """Add the planned copies from `source` to `target`; padding is filled with the storage value `pad_value`.

        What lies in another core's memory is sent by that core, so that this one's loads from global memory need not
        wait until it is computed.
        """
        storage = storage_of(target)
        if not repeats_one_byte(pad_value, storage):
            padded = [copy for copy in copies if copy.pad]
            copies = [replace(copy, pad=0) for copy in copies]
            if padded:
                self._copy_padding(target, padded, pad_value)
        core = core_of(source)
        for copy in copies:
            properties: dict[str, Attribute] = {
                "core": self._core if core is None else integer(core),
                "origin": self._origin,
                "source_offset": integer(copy.source_offset),
                "source_strides": ints(copy.source_strides),
                "target_offset": integer(copy.target_offset),
                "target_strides": ints(copy.target_strides),
                "sizes": ints(copy.sizes),
            }
            if copy.pad:
                properties["pad"] = integer(copy.pad)
                properties["pad_value"] = integer(pad_value)
            self.operations.append(
                tile.CopyOp.create(
                    operands=[source, target], properties=properties, location=self.location
                )
            )

    def _copy_padding(
        self, target: SSAValue, padded: Sequence[StridedCopy], pad_value: int
    ) -> None:
        """Copy the padding of copies from a run of `pad_value`: DMA engines fill bytes, and it has other ones."""
        run = self.alloc((max(copy.pad for copy in padded),), storage_of(target), name="padding")
        self.compute(tile.FillOp, [run], {"value": float(pad_value)})
        runs = [
            StridedCopy(
                sizes=(*copy.sizes[:-1], copy.pad),
                source_offset=0,
                source_strides=(*[0] * (len(copy.sizes) - 1), 1),
                target_offset=copy.target_offset + copy.sizes[-1],
                target_strides=copy.target_strides,
            )
            for copy in padded
        ]
        self.copy(run, target, runs)

    def fill_box(
        self,
        target: SSAValue,
        buffer: Buffer,
        box: Window,
        target_strides: Sequence[int],
        *,
        target_offset: int = 0,
        steps: Sequence[int] | None = None,
        padding: tuple[int, int] | None = None,
        uses_spare: bool = True,
        pad_value: int = 0,
    ) -> None:
        """Copy `box` of a tensor into a local buffer, which has a stride for each logical axis.

        With `steps` (at least 1), element i of the box along axis d is element low + i · steps[d] of the tensor.
        `padding` is (axis, how many elements to write after the box along it); with `uses_spare` they may be what pads
        the tensor.
        """
        steps = steps or (1,) * len(box)
        missing = prod(sizes_of(box))
        for piece in self._sources(buffer, box, steps):
            part = steps_inside(box, steps, piece.box)
            if part is None:
                continue
            missing -= prod(sizes_of(part))
            self._fill_from(
                piece, target, box, part, steps, target_strides, target_offset,
                padding, uses_spare, pad_value,
            )  # fmt: skip
        assert not missing, f"{missing} elements of {box} of {buffer.name} are nowhere"

    def _sources(self, buffer: Buffer, box: Window, steps: Sequence[int]) -> list[Piece]:
        """Return the pieces from which a box is copied: one of this core if it has all, else those of all cores."""
        if self._residents.keeps(buffer):
            reach = tuple(
                (low, low + (high - low - 1) * step + 1)
                for (low, high), step in zip(box, steps, strict=True)
            )
            own = self._residents.holding(buffer, self.core, reach, self._slice)
            if own is not None:
                return [own]
        return self._residents.pieces_of(buffer, self._slice)

    def _fill_from(
        self,
        piece: Piece,
        target: SSAValue,
        box: Window,
        part: Window,
        steps: Sequence[int],
        target_strides: Sequence[int],
        target_offset: int,
        padding: tuple[int, int] | None,
        uses_spare: bool,
        pad_value: int,
    ) -> None:
        """Copy what a piece has of `box`, unless it is there: the elements number `part` along each axis."""
        first = [low + i * step for (low, _), (i, _), step in zip(box, part, steps, strict=True)]
        last = [
            low + (i - 1) * step for (low, _), (_, i), step in zip(box, part, steps, strict=True)
        ]
        after = None
        if padding is not None and part[padding[0]][1] == box[padding[0]][1] - box[padding[0]][0]:
            axis, count = padding
            at_end = uses_spare and axis == piece.last_axis and last[axis] + 1 == piece.box[axis][1]
            after = Padding(axis, count, piece.spare if at_end else 0)
        strides = [stride * step for stride, step in zip(piece.strides, steps, strict=True)]
        come = piece.offset_of(first)
        go = target_offset + offset_of(target_strides, [i for i, _ in part])
        is_there = piece.value is target and come == go
        is_there &= after is None or after.spare >= after.count
        if is_there and all(
            size == 1 or own == wanted
            for size, own, wanted in zip(sizes_of(part), strides, target_strides, strict=True)
        ):
            return
        copies = plan(
            sizes_of(part),
            strides,
            target_strides,
            source_offset=come,
            target_offset=go,
            padding=after,
        )
        self.copy(piece.value, target, copies, pad_value)

    def load(
        self,
        buffer: Buffer,
        box: Window,
        order: Sequence[int],
        pitch: int,
        *,
        shape: Sequence[int] | None = None,
        pad_value: int = 0,
        takes_pitch: bool = False,
    ) -> SSAValue:
        """Return a local buffer that holds `box` of a tensor: with the logical axes in `order`, the last one padded to
        `pitch` elements. It is a new one, or a view of what this core keeps of the tensor.

        Axes that `order` leaves out must have size 1 in the box. `shape` is the shape of the buffer if it is not that
        of the axes in order. With `takes_pitch`, rows of a view may have gaps between them, and no padding: what reads
        them allows that.
        """
        sizes = sizes_of(box)
        local = (*(sizes[axis] for axis in order[:-1]), pitch)
        shape = local if shape is None else shape
        strides, padding = _strides(len(sizes), order, local), pitch - sizes[order[-1]]
        if self._residents.keeps(buffer):
            self._gather(buffer, box, pad_value)
            found = self._in_place(buffer, box, order, pitch, takes_pitch)
            if found is not None:
                value, rows = found
                if rows.columns != pitch or rows.pitch != pitch:
                    shape = (*shape[:-1], rows.columns)
                return self._view(value, rows, shape, f"{buffer.name}_tile")
        key = (buffer.value, box, tuple(order), pitch, tuple(shape))
        if self._loaded is not None and buffer.is_weights and key in self._loaded:
            return self._loaded[key]
        target = self.alloc(shape, buffer.storage, name=value_name(f"{buffer.name}_tile") or "tile")
        if self._loaded is not None and buffer.is_weights:
            self._loaded[key] = target
        after: tuple[int, int] | None = (order[-1], padding)
        if padding and not repeats_one_byte(pad_value, buffer.storage):
            self.compute(tile.FillOp, [target], {"value": float(pad_value)})
            after = None
        self.fill_box(target, buffer, box, strides, padding=after, pad_value=pad_value)
        return target

    def has_in_place(
        self,
        buffer: Buffer,
        box: Window,
        order: Sequence[int],
        pitch: int,
        takes_pitch: bool = False,
    ) -> bool:
        """Tell whether this core keeps `box` of a tensor such that `load` returns a view."""
        return (
            self._residents.keeps(buffer)
            and self._in_place(buffer, box, order, pitch, takes_pitch) is not None
        )

    def _in_place(
        self, buffer: Buffer, box: Window, order: Sequence[int], pitch: int, takes_pitch: bool
    ) -> tuple[SSAValue, Rows] | None:
        """Return the buffer that holds `box` of a tensor that stays as `load` wants it, and the rows of it; None if
        this core keeps no such thing.
        """
        piece = self._residents.holding(buffer, self.core, box, self._slice)
        rows = None if piece is None else piece.rows(box, order)
        if piece is None or rows is None:
            return None
        if rows.columns == rows.pitch == pitch:
            return piece.value, rows
        if not takes_pitch:
            return None
        # Padding is left out where it is not all there.
        columns = pitch if rows.columns >= pitch else sizes_of(box)[order[-1]]
        return piece.value, rows._replace(columns=columns)

    def _view(self, source: SSAValue, rows: Rows, shape: Sequence[int], name: str) -> SSAValue:
        """Return rows of a buffer as one of `shape`."""
        pitch = None if rows.columns == rows.pitch else rows.pitch
        if _is_whole(source, shape):
            return source
        view = tile.ViewOp(source, shape, offset=rows.offset, pitch=pitch, location=self.location)
        view.output.name_hint = value_name(name) or "tile"
        self.operations.append(view)
        return view.output

    def _gather(self, buffer: Buffer, box: Window, pad_value: int) -> None:
        """Bring together what the plan says that this core gathers for `box` of a tensor, unless it is there."""
        residents = self._residents
        if residents.holding(buffer, self.core, box, self._slice) is not None:
            return
        gathering = residents.gathering(buffer, self.core, box, self._slice)
        if gathering is None:
            return
        tensor = residents.plan.tensors[buffer.value]
        target = self._held.gathering(tensor, gathering)
        assert target.last_axis is not None
        self.fill_box(
            target.value, tensor, gathering.box, target.strides,
            padding=(target.last_axis, target.spare), pad_value=pad_value,
        )  # fmt: skip
        residents.note_sent(tensor, gathering, gathering.box)

    def store(
        self,
        source: SSAValue,
        buffer: Buffer,
        box: Window,
        order: Sequence[int],
        pitch: int,
        *,
        pad_value: int = 0,
    ) -> None:
        """Write a local buffer, as `load` makes it, to `box` of a tensor, and the padding that follows the box; or keep
        it, if the tensor stays in local memories.
        """
        sizes = sizes_of(box)
        local = (*(sizes[axis] for axis in order[:-1]), pitch)
        if self._residents.keeps(buffer):
            self._keep(source, buffer, box, order, local, pad_value)
            return
        layout = buffer.layout
        last = layout.order[-1]
        padding = None
        if layout.padding and box[last][1] == layout.extent:
            spare = pitch - sizes[last] if order[-1] == last else 0
            padding = Padding(last, layout.padding, spare)
        copies = plan(
            sizes,
            _strides(len(sizes), order, local),
            layout.strides,
            target_offset=offset_of(layout.strides, [low for low, _ in box]),
            padding=padding,
        )
        self.copy(source, buffer.value, copies, pad_value)

    def _keep(
        self,
        source: SSAValue,
        buffer: Buffer,
        box: Window,
        order: Sequence[int],
        local: Sequence[int],
        pad_value: int,
    ) -> None:
        """Put a local buffer of shape `local` into this core's slab of a tensor that stays, and send to other cores
        what their slabs cover of it.
        """
        sizes, piece = sizes_of(box), self.place_of(buffer, box)
        assert piece is not None
        rows = piece.rows(box, order)
        if rows is None or not self._becomes_view(source, piece.value, rows, local):
            strides, padding = _strides(len(sizes), order, local), local[-1] - sizes[order[-1]]
            own = Piece(source, self.core, box, tuple(strides), order[-1], padding)
            self._send(own, piece, box, pad_value)
        self.share(buffer, box, pad_value)

    def place_of(self, buffer: Buffer, box: Window) -> Piece | None:
        """Return where this core keeps `box` of a tensor, which it computes; None if the tensor is in global memory."""
        residents = self._residents
        if not residents.keeps(buffer):
            return None
        # A layer may see the tensor with axes of one element more.
        tensor = residents.plan.tensors[buffer.value]
        shape, seen = tensor.layout.shape, buffer.layout
        slab = residents.slab_of(
            buffer, self.core, with_axes_of(shape, box, seen.shape), self._slice
        )
        return self._held.slab(tensor, slab).seen_with(seen, shape).part(box)

    def share(self, buffer: Buffer, box: Window, pad_value: int) -> None:
        """Send `box` of a tensor, which this core has put into its slab, to the slabs and gatherings that cover it."""
        residents = self._residents
        tensor = residents.plan.tensors[buffer.value]
        box = with_axes_of(tensor.layout.shape, box, buffer.layout.shape)
        slab = residents.slab_of(buffer, self.core, box, self._slice)
        own = self._held.slab(tensor, slab)
        for cell, others in residents.sends(tensor, slab, box):
            for other in others:
                if isinstance(other, Slab):
                    self._send(own, self._held.slab(tensor, other), cell, pad_value)
                else:
                    self._send(own, self._held.gathering(tensor, other), cell, pad_value)
                    residents.note_sent(tensor, other, cell)

    def _send(self, source: Piece, target: Piece, box: Window, pad_value: int) -> None:
        """Copy `box` of a tensor, and what pads it in the target, from one piece to another."""
        come, go = source.part(box), target.part(box)
        padding = None
        if go.last_axis is not None and go.spare:
            spare = come.spare if come.last_axis == go.last_axis else 0
            padding = Padding(go.last_axis, go.spare, spare)
        copies = plan(
            sizes_of(box), come.strides, go.strides,
            source_offset=come.offset, target_offset=go.offset, padding=padding,
        )  # fmt: skip
        self.copy(source.value, target.value, copies, pad_value)

    def _becomes_view(
        self, source: SSAValue, slab: SSAValue, rows: Rows, local: Sequence[int]
    ) -> bool:
        """Let a buffer of shape `local` that this layer computes be rows of a slab; tell whether it can."""
        alloc = source.owner
        if not isinstance(alloc, tile.AllocOp) or alloc not in self.operations:
            return False
        shape, pitch = shape_of(source), None
        if rows.columns != local[-1] or rows.pitch != local[-1]:
            if shape[-1] != local[-1] or not _all_take(source, rows):
                return False
            shape, pitch = (*shape[:-1], rows.columns), rows.pitch
        if _is_whole(slab, shape):
            self.operations.remove(alloc)
            source.replace_all_uses_with(slab)
            return True
        view = tile.ViewOp(slab, shape, offset=rows.offset, pitch=pitch, location=self.location)
        view.output.name_hint = source.name_hint
        self.operations[self.operations.index(alloc)] = view
        source.replace_all_uses_with(view.output)
        return True


def _all_take(buffer: SSAValue, rows: Rows) -> bool:
    """Tell whether all ops that use a buffer could use these rows of another one in its place."""
    for use in buffer.uses:
        op = use.operation
        if not isinstance(op, tile.CoreOp):
            return False
        if not op.names_of(buffer) <= op.PITCHED:
            return False
        if rows.columns != shape_of(buffer)[-1] and not op.FILLS_ROWS:
            return False
    return True


def _is_whole(buffer: SSAValue, shape: Sequence[int]) -> bool:
    """Tell whether a buffer has this shape, so that it needs no view."""
    return shape_of(buffer) == tuple(shape)


def _strides(rank: int, order: Sequence[int], local: Sequence[int]) -> list[int]:
    """Return the distances, in elements, between neighbors along each logical axis of a local buffer of shape
    `local`.
    """
    result = [0] * rank
    for position, axis in enumerate(order):
        result[axis] = prod(local[position + 1 :])
    return result
