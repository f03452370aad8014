"""Reads from a `tile.layer` what passes need of it: its op, its buffers with their layouts, its number formats."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from xdsl.ir import Block, BlockArgument, SSAValue

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from ....backends.numerics import quantization
from ....backends.numerics.rounding_up import round_up
from ....backends.numerics.storage import bytes_of
from ....dialects import tile, tpu
from ....dialects.ir.attribute import Ints
from ....dialects.ir.location import names_of, place_of
from ....dialects.ir.weights import WeightStore, seeded
from ....dialects.quant.element_type import element_storage
from ....dialects.quant.number_format import NumberFormat, float_clamp
from ....dialects.tile import Schedule
from ...tiling.cost import CostModel
from ...tiling.layout import Layout, row_major
from ...tiling.windows import Window, unflatten, whole

_SHOWN_NUMBERS = 6


def integers(attribute: Ints) -> tuple[int, ...]:
    """Return the numbers of a list attribute."""
    return tuple(attribute.get_values())


@dataclass(frozen=True, eq=False)
class Buffer:
    """A tensor and its buffer in global memory: the value in the IR, layout and storage type and, if it holds weights,
    the key or seed.

    A tensor without axes is seen as one of shape (1,).
    """

    value: SSAValue
    name: str
    layout: Layout
    storage: str
    segment: str
    key: str | None = None
    seed: int | None = None
    is_kept: bool = False
    """Whether the tensor stays in local memories, as far as is known."""

    @staticmethod
    def of(op: tile.GlobalOp) -> Buffer:
        """Return the buffer that `op` declares."""
        shape = integers(op.shape)
        physical = op.output.type.get_shape()
        layout = Layout(shape, integers(op.order), physical[-1]) if shape else row_major((1,))
        return Buffer(
            op.output,
            op.buffer_name.data,
            layout,
            element_storage(op.output.type),
            op.segment.data,
            None if op.key is None else op.key.data,
            None if op.seed is None else op.seed.value.data,
        )

    @property
    def is_weights(self) -> bool:
        """Whether the buffer holds constants."""
        return self.segment == "weights"

    def seen_as(self, layout: Layout) -> Buffer:
        """Return the same buffer seen with another layout."""
        return replace(self, layout=layout)

    def bytes_of(self, elements: int) -> int:
        """Return how many bytes `elements` of the buffer's elements take side by side."""
        return bytes_of(elements, self.storage)

    def constant(self, store: WeightStore) -> np.ndarray:
        """Return the values of a buffer of weights, in its logical shape."""
        if self.key is not None:
            return store.get(self.key).reshape(self.layout.shape)
        assert self.seed is not None, "the verifier lets through weights with a key or a seed only"
        return seeded(self.seed, self.layout.shape, self.storage)


def mark_kept(buffers: dict[SSAValue, Buffer], kept: Collection[SSAValue]) -> None:
    """Note in the buffers which tensors stay in local memories."""
    for value, buffer in buffers.items():
        if buffer.is_kept != (value in kept):
            buffers[value] = replace(buffer, is_kept=value in kept)


@dataclass
class Layer:
    """One `tile.layer` with the one tpu op of its body; `inputs[i]` is the buffer of the op's operand i."""

    operation: tile.LayerOp
    op: tpu.TpuOp
    inputs: list[Buffer]
    output: Buffer
    window: Window
    siblings: list[Window] = field(default_factory=list)
    """The windows of all layers that write the same output, this one among them."""

    @staticmethod
    def of(operation: tile.LayerOp, buffers: dict[SSAValue, Buffer]) -> Layer:
        """Read `operation`; `buffers` are those of the program. Raises DiagnosticError if the body has several ops."""
        body = operation.body.block
        ops = [op for op in body.ops if not isinstance(op, tile.YieldOp)]
        if len(ops) != 1 or not isinstance(ops[0], tpu.TpuOp):
            raise DiagnosticError(
                f"a layer of {len(ops)} ops cannot be tiled: layers of one tpu op can",
                _place(operation),
                hint="tile the layers before grouping them",
            )
        op = ops[0]
        inputs = [buffers[_outside(operand, body, operation)] for operand in op.operands]
        window = unflatten(integers(operation.window)) or ((0, 1),)
        layer = Layer(operation, op, inputs, buffers[operation.output], window)
        layer.siblings = [window]
        return layer

    @property
    def place(self) -> Place:
        """The place that diagnostics about the layer point at: its ONNX nodes."""
        return _place(self.operation)

    @property
    def is_sliced(self) -> bool:
        """Whether the layer computes a slice of its output, or will, as one of a group."""
        operation = self.operation
        return operation.slice is not None or isinstance(operation.parent_op(), tile.GroupOp)

    @property
    def name(self) -> str:
        """The name of the op's result, which is that of the layer in a schedule."""
        return self.operation.tpu_name or self.output.name

    @property
    def rank(self) -> int:
        """How many axes the output has in the IR."""
        return len(self.operation.window.get_values()) // 2

    @property
    def shape(self) -> tuple[int, ...]:
        """The logical shape of the output, at least one axis."""
        return self.output.layout.shape

    @property
    def whole(self) -> Window:
        """The window that is the whole output."""
        return whole(self.shape)

    @cached_property
    def result(self) -> NumberFormat:
        """The number format of the output."""
        return self._format(self.op.results[0])

    @cached_property
    def elements(self) -> list[NumberFormat]:
        """The number formats of the op's operands."""
        return [self._format(operand) for operand in self.op.operands]

    def _format(self, value: SSAValue) -> NumberFormat:
        try:
            return NumberFormat.of(value.type)
        except DiagnosticError as error:
            raise self.error(error.message) from None

    @cached_property
    def clamp(self) -> tuple[float, float]:
        """The bounds of the fused activation, as storage values of the output; a layer that gives bools has none."""
        if self.result.storage == "bool":
            return float("-inf"), float("inf")
        bounds = self.op.clamp if isinstance(self.op, tpu.ClampedOp) else (None, None)
        if self.result.sums_floats:
            return float_clamp(bounds) or (float("-inf"), float("inf"))
        low, high = self.result.clamp(bounds)
        return float(low), float(high)

    def error(self, message: str, hint: str | None = None) -> DiagnosticError:
        """Return a diagnostic about this layer."""
        return DiagnosticError(f"{self.op.name}: {message}", self.place, hint=hint)

    def schedule_error(
        self, fields: str, message: str, hint: str, schedule: Schedule | None = None
    ) -> DiagnosticError:
        """Return a diagnostic about what a schedule, unless given that of this layer, says in one of these fields,
        given as names with blanks between them. It points at the first of them that was written in a text beside the
        IR, else at the layer.
        """
        places = (schedule or self.operation.decided).places
        at = next((places[name] for name in fields.split() if name in places), None)
        if at is None:
            return self.error(message, hint)
        nodes = names_of(self.operation.location)
        note = [f"the layer comes from {', '.join(nodes)}"] if nodes else []
        said = f"this does not fit layer '{self.name}': {self.op.name}: {message}"
        return DiagnosticError(said, at, note, hint)

    def rescalings(self, ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the multipliers and shifts that stand for ratios of scales. Raises DiagnosticError if a ratio is too
        large.
        """
        try:
            return quantization.quantize_multiplier(ratios)
        except ValueError as error:
            raise self.error(f"cannot requantize: {error}") from None

    def rescaling(self, ratio: float) -> tuple[int, int]:
        """Return the multiplier and shift that stand for one ratio of scales."""
        multiplier, shift = self.rescalings(np.asarray(ratio, np.float64))
        return int(multiplier), int(shift)

    def too_big(
        self,
        needed_local: int,
        needed_acc: int,
        costs: CostModel,
        tile: Sequence[int] | None = None,
    ) -> DiagnosticError:
        """Return the diagnostic for a layer of which not even the smallest tile fits, or the one that was decided."""
        if tile is None:
            error = self.error(
                "not even the smallest tile fits the core's memories",
                "compile for a target with more local memory, or divide the layer in the model",
            )
        else:
            error = self.schedule_error(
                "tile",
                f"tile {list(tile)} does not fit the core's memories",
                "change the tile, or leave it out of the schedule",
            )
        error.notes = [
            *error.notes,
            _compared("local memory", needed_local, costs.local_bytes),
            _compared("accumulators", needed_acc, costs.acc_bytes),
        ]
        return error


def _compared(memory: str, needed: int, capacity: int) -> str:
    over = f", {needed - capacity} too many" if needed > capacity else ""
    return f"{memory}: {needed} bytes needed, {capacity} there{over}"


def _place(operation: tile.LayerOp) -> Place:
    place = place_of(operation)
    known = place.line is not None or names_of(operation.location)
    return place if known else replace(place, name=f"tile.layer writing '{_name_of(operation)}'")


def _name_of(operation: tile.LayerOp) -> str:
    owner = operation.output.owner
    return owner.buffer_name.data if isinstance(owner, tile.GlobalOp) else "?"


def _outside(operand: SSAValue, body: Block, operation: tile.LayerOp) -> SSAValue:
    if not isinstance(operand, BlockArgument) or operand.block is not body:
        raise DiagnosticError("the op of a layer must use the layer's arguments", _place(operation))
    return operation.inputs[operand.index]


def one_of(numbers: Sequence[int]) -> str:
    """Return numbers as words, `1, 2 or 4`: the first ones and the last, if there are many."""
    shown = [str(number) for number in numbers]
    if len(numbers) > _SHOWN_NUMBERS:
        shown = [*shown[: _SHOWN_NUMBERS - 1], "…", shown[-1]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def lanes(size: int, costs: CostModel) -> int:
    """Return `size` elements rounded up to whole lane groups."""
    return round_up(size, costs.lane_group)
