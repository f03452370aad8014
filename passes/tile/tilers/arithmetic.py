"""Tiles element-wise ops of two and three operands, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from math import prod

from xdsl.ir import SSAValue

from ....backends.numerics.quantization import add_parameters
from ....dialects import tile, tpu
from ....dialects.tile import Schedule
from ...tiling.cost import CostModel
from ...tiling.layout import with_unit_axis
from ...tiling.windows import Window, grid, sizes_of
from ..tiler_bases.box_tiler import BoxTiler
from ..tiler_bases.constants import Constants
from ..tiler_bases.emitter import Emitter
from ..tiler_bases.layer import Layer
from ..tiler_bases.tiler import Tilers

_AXES = 4
"""How many axes one instruction can describe."""


class BinaryTiler(BoxTiler):
    """Tiles arithmetic, comparisons and logic, whose operands (constants among them) broadcast to the output's shape.

    Neighboring axes along which the same operands repeat become one axis of the instruction; if more than four remain,
    the outer ones become a loop over tiles.
    """

    def __init__(self, layer: Layer, costs: CostModel) -> None:
        inputs = []
        for buffer in layer.inputs:
            layout = buffer.layout
            while len(layout.shape) < len(layer.shape):
                layout = with_unit_axis(layout, 0)
            inputs.append(buffer.seen_as(layout))
        super().__init__(replace(layer, inputs=inputs), costs)
        self.kind = layer.op.tile_kind()

    def _repeats(self, axis: int) -> tuple[bool, ...]:
        """Tell for each operand whether it has size 1 along an axis along which the output is longer."""
        out = self.layer.shape[axis]
        return tuple(buffer.layout.shape[axis] != out for buffer in self.layer.inputs)

    def input_boxes(self, window: Window) -> Sequence[Window]:
        return [
            tuple(
                (0, 1) if self._repeats(axis)[index] else range_
                for axis, range_ in enumerate(window)
            )
            for index in range(len(self.layer.inputs))
        ]

    def _operand_shape(self, index: int, sizes: Sequence[int]) -> tuple[int, ...]:
        """Return the local shape of an operand's tile: the axes in order, with size 1 where the operand repeats."""
        shape = self.local_shape(sizes)
        return tuple(
            1 if self._repeats(axis)[index] else size
            for axis, size in zip(self.order, shape, strict=True)
        )

    def buffer_bytes(self, sizes: tuple[int, ...]) -> Sequence[int]:
        layer = self.layer
        operands = [
            layer.inputs[index].bytes_of(prod(self._operand_shape(index, sizes)))
            for index in range(len(self.layer.inputs))
        ]
        return [*operands, layer.output.bytes_of(self.elements_of(sizes))]

    @property
    def in_place(self) -> Sequence[bool]:
        return [self.lies_in_place(each) for each in (*self.layer.inputs, self.layer.output)]

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        # The last operand decides the storage type: a choice's first one is bools.
        storage = self.layer.inputs[-1].storage
        operations = self.costs.operations_of(self.kind)
        return self.costs.vector_cycles(storage, elements, operations)

    def plan(self, window: Window, decided: Schedule, constants: Constants) -> Schedule:
        return super().plan(next(iter(self._loop(window))), decided, constants)

    def emit(
        self, window: Window, schedule: Schedule, emitter: Emitter, constants: Constants
    ) -> None:
        for part in self._loop(window):
            super().emit(part, schedule, emitter, constants)

    def _loop(self, window: Window) -> Iterator[Window]:
        """Return the parts of `window` that the axes outside the instruction's four make."""
        sizes = sizes_of(window)
        looped = set(self._looped_axes(sizes))
        return grid(window, [1 if axis in looped else size for axis, size in enumerate(sizes)])

    def _axis_groups(self, sizes: Sequence[int]) -> list[list[int]]:
        """Return for each axis of the instruction the positions in `order` of the axes that it joins."""
        last = len(self.order) - 1
        positions = [p for p, axis in enumerate(self.order) if sizes[axis] > 1 or p == last]
        runs = groupby(positions, key=lambda position: self._repeats(self.order[position]))
        return [list(run) for _, run in runs]

    def _looped_axes(self, sizes: Sequence[int]) -> list[int]:
        """Return the axes that lie outside the instruction's four."""
        groups = self._axis_groups(sizes)
        return [self.order[position] for group in groups[:-_AXES] for position in group]

    @cached_property
    def _parameters(self) -> tuple[tuple[int, int], int]:
        """The multipliers of a and b, and the shift; integers can only be added or multiplied."""
        a, b = self.layer.elements[:2]
        result = self.layer.result
        if result.is_float or self.kind not in ("add", "mul"):
            return (0, 0), 0
        if self.kind == "mul":
            multiplier, shift = self.layer.rescaling(a.scale * b.scale / result.scale)
            return (multiplier, 0), shift
        try:
            m_a, m_b, shift = add_parameters(a.scale, b.scale, result.scale)
            return (m_a, m_b), shift
        except ValueError as error:
            raise self.layer.error(f"cannot requantize: {error}") from None

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        groups = self._axis_groups(sizes)
        # Where rows have gaps they are not joined.
        apart = [*groups[:-1], groups[-1][:-1], groups[-1][-1:]] if groups[-1][1:] else groups
        has_gaps = len(apart) <= _AXES and self._has_gaps(window, emitter)
        if has_gaps:
            groups = apart
        operands = []
        for index, box in enumerate(self.input_boxes(window)):
            full = self._operand_shape(index, sizes)
            shape = tuple(prod(full[p] for p in group) for group in groups)
            operands.append(
                self.load_kept(
                    emitter, index, box, self.order, full[-1], shape, takes_pitch=has_gaps
                )
            )
        local = self.local_shape(sizes)
        out = emitter.alloc(
            tuple(prod(local[p] for p in group) for group in groups),
            layer.output.storage,
            name="out",
        )
        self.compute([*operands, out], emitter)
        self.store(emitter, out, window, local[-1])

    def _has_gaps(self, window: Window, emitter: Emitter) -> bool:
        """Tell whether rows of a tile have gaps between them where tensors stay in local memories: some of the
        channels of more. All of a row is computed, so there must be no padding.
        """
        sizes, order = sizes_of(window), self.order
        if self.pitch_of(sizes) != sizes[order[-1]]:
            return False
        place = emitter.place_of(self.layer.output, window)
        rows = None if place is None else place.rows(window, order)
        if rows is not None and rows.pitch != rows.columns:
            return True
        return any(
            emitter.has_in_place(self.layer.inputs[index], box, order, shape[-1], takes_pitch=True)
            and not emitter.has_in_place(self.layer.inputs[index], box, order, shape[-1])
            for index, box in enumerate(self.input_boxes(window))
            if (shape := self._operand_shape(index, sizes))[-1] == sizes[order[-1]]
        )

    def compute(self, operands: Sequence[SSAValue], emitter: Emitter) -> None:
        """Emit the computation of a tile; the output is the last of its operands."""
        layer = self.layer
        multipliers, shift = self._parameters
        emitter.compute(
            tile.BinaryOp,
            operands,
            {
                "kind": self.kind,
                "zero_points": (*(e.zero_point for e in layer.elements), layer.result.zero_point),
                "multipliers": multipliers,
                "shift": shift,
            },
            layer.clamp,
        )


TILERS: Tilers = {
    tpu.AddOp: BinaryTiler,
    tpu.SubOp: BinaryTiler,
    tpu.MulOp: BinaryTiler,
    tpu.DivOp: BinaryTiler,
    tpu.MinOp: BinaryTiler,
    tpu.MaxOp: BinaryTiler,
    tpu.PowerOp: BinaryTiler,
    tpu.ModuloOp: BinaryTiler,
    tpu.PreluOp: BinaryTiler,
}
"""The tiler of each op of arithmetic."""
