"""The recurrent layers of `top`: LSTM, GRU and the simple RNN, rolled up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, UnitAttr, i32
from xdsl.ir import SSAValue
from xdsl.irdl import AttrSizedOperandSegments, irdl_op_definition, traits_def
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.recurrence import (
    ACTIVATIONS,
    CELL,
    DIRECTIONS,
    FUNCTIONS,
    GATES,
    HIDDEN,
    SEQUENCE,
    Activation,
    Recurrence,
)
from ..ir.attribute import Real, Reals, check_one_of, flag, optional_real, optional_reals, text
from ..ir.field import operand, prop
from ..network.shape import Shape, ShapeError
from ..network.tensor_op import Arrays
from ..network.traits import TakesAnyElements
from ..quant.element_type import element_of, is_network_float, shape_of
from .top_op import TopOp


class RecurrentOp(TopOp):
    """Base of the recurrent layers: of one result each, for sequence, hidden and cell are the results of several ops.

    `input` [T,B,I] has T steps of B sequences; `weights` [D,G·H,I] and `recurrence` [D,G·H,H] have G gates of H units
    for each of D directions, `bias` [D,2·G·H] those of inputs and of the hidden state; `lengths` [B] of i32 are how
    many steps each sequence has, `hidden` [D,B,H] is the state before the first step.
    """

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    KIND: ClassVar[str]
    RESULTS: ClassVar[Sequence[str]] = (SEQUENCE, HIDDEN)
    MOST_OPS_PER_STEP: ClassVar[int]
    """The most ops that a step of one direction becomes when the layer is unrolled."""

    result: StringAttr = prop(converter=text, default=SEQUENCE)
    direction: StringAttr = prop(converter=text, default="forward")
    activations: StringAttr = prop(converter=text)
    alpha: Reals | None = prop(converter=optional_reals, default=None)
    beta: Reals | None = prop(converter=optional_reals, default=None)
    clip: Real | None = prop(converter=optional_real, default=None)
    input: SSAValue = operand()
    weights: SSAValue = operand()
    recurrence: SSAValue = operand()
    bias: SSAValue | None = operand(default=None)
    lengths: SSAValue | None = operand(default=None)
    hidden: SSAValue | None = operand(default=None)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """The steps T, the sequences B, the directions D and the hidden units H."""
        steps, batch, _ = shape_of(self.input)
        return steps, batch, len(DIRECTIONS[self.direction.data]), shape_of(self.recurrence)[-1]

    def layer(self) -> Recurrence:
        """Return what the op computes."""
        kinds = self.activations.data.split()
        alpha, beta = (
            [0.0] * len(kinds) if each is None else each.get_values()
            for each in (self.alpha, self.beta)
        )
        chosen = [Activation(*each) for each in zip(kinds, alpha, beta, strict=True)]
        clip = None if self.clip is None else self.clip.value.data
        return Recurrence(self.KIND, self.direction.data, chosen, clip, **self._flags())

    def _flags(self) -> dict[str, bool]:
        """Return the arguments of the layer that only this kind has."""
        return {}

    def expected_shape(self) -> Shape:
        if self.direction.data not in DIRECTIONS:
            raise ShapeError(f"direction must be one of {', '.join(DIRECTIONS)}")
        for name, value, rank in (
            ("input", self.input, 3),
            ("weights", self.weights, 3),
            ("recurrence", self.recurrence, 3),
        ):
            if len(shape_of(value)) != rank:
                raise ShapeError(f"{name} must have {rank} axes, got {list(shape_of(value))}")
        steps, batch, directions, hidden = self.sizes
        shapes = {
            "weights": (directions, GATES[self.KIND] * hidden, shape_of(self.input)[2]),
            "recurrence": (directions, GATES[self.KIND] * hidden, hidden),
            "bias": (directions, 2 * GATES[self.KIND] * hidden),
            "lengths": (batch,),
            "hidden": (directions, batch, hidden),
            "cell": (directions, batch, hidden),
            "peepholes": (directions, 3 * hidden),
        }
        for name, value in self.named_operands():
            if name in shapes and shape_of(value) != shapes[name]:
                raise ShapeError(
                    f"{name} must have shape {list(shapes[name])}, got {list(shape_of(value))}"
                )
        last = (directions, batch, hidden)
        return (steps, *last) if self.result.data == SEQUENCE else last

    def verify_(self) -> None:
        super().verify_()
        check_one_of("result", self.result.data, self.RESULTS)
        kinds = self.activations.data.split()
        wanted = FUNCTIONS[self.KIND] * self.sizes[2]
        if len(kinds) != wanted:
            raise VerifyException(f"{wanted} activations are needed, got {len(kinds)}")
        for kind in kinds:
            check_one_of("an activation", kind, tuple(ACTIVATIONS))
        for name, given in (("alpha", self.alpha), ("beta", self.beta)):
            needs = any(name in ACTIVATIONS[kind] for kind in kinds)
            if needs != (given is not None):
                which = "needs" if needs else "has no"
                raise VerifyException(f"activations {', '.join(kinds)}: the op {which} {name}")
            if given is not None and len(given) != wanted:
                raise VerifyException(
                    f"{name} must have a number for each of {wanted} activations, got {len(given)}"
                )
            if given is not None and not np.all(np.isfinite(given.get_values())):
                raise VerifyException(f"{name} must be finite, got {list(given.get_values())}")
        if self.clip is not None and not self.clip.value.data > 0:
            raise VerifyException(f"clip must be positive, got {self.clip.value.data}")

    def _verify_elements(self) -> None:
        values = [(name, each) for name, each in self.named_operands() if name != "lengths"]
        self.verify_same_floats(values)
        if not is_network_float(self.output.type):
            raise VerifyException(
                f"elements must be f16, bf16 or f32, got {element_of(self.input)}"
            )
        if self.lengths is not None and element_of(self.lengths) != i32:
            raise VerifyException(f"lengths must be i32, got {element_of(self.lengths)}")

    def evaluate(self, operands: Arrays) -> np.ndarray:
        given = self.operands_by_name(operands)
        x, weights, recurrence = (given.pop(name) for name in ("input", "weights", "recurrence"))
        results = self.layer().compute(x, weights, recurrence, **given)
        return self.rounded(results[self.result.data])

    @property
    def macs(self) -> int:
        steps, batch, directions, hidden = self.sizes
        units = GATES[self.KIND] * hidden
        return steps * batch * directions * units * (shape_of(self.input)[2] + hidden)

    @property
    def most_unrolled_ops(self) -> int:
        """The most ops that the layer becomes when it is unrolled, but for a few that do not depend on the steps."""
        steps, _, directions, _ = self.sizes
        return steps * directions * self.MOST_OPS_PER_STEP


class _CellFields(TopOp):
    """What only an LSTM has; a base of its own, so that these fields follow those of `RecurrentOp`."""

    input_forget: UnitAttr | None = prop(converter=flag, default=False)
    cell: SSAValue | None = operand(default=None)
    peepholes: SSAValue | None = operand(default=None)


class _ResetFields(TopOp):
    """What only a GRU has; a base of its own, so that the field follows those of `RecurrentOp`."""

    linear_before_reset: UnitAttr | None = prop(converter=flag, default=False)


@irdl_op_definition
class LstmOp(RecurrentOp, _CellFields):
    """The `result` of an LSTM: the hidden states of all steps (sequence, [T,D,B,H]), or the last hidden state or cell
    state (hidden, cell, [D,B,H]).

    i = f(W_i·x + R_i·H + P_i⊙C + b_i), o, f and c alike (o sees the new C, c no C); C' = f⊙C + i⊙g(c);
    H' = o⊙h(C'), with ONNX's order of gates (iofc) and of peepholes (iof). `activations` are f, g and h of each
    direction, with `alpha` and `beta` where one has them; `clip` bounds what enters f and g; with `input_forget` the
    forget gate is 1 − i. A sequence that ends before T (`lengths`) keeps its state, and its states are 0 from there on.

    %y = top.lstm "y" %x, %w, %r, %b activations = "sigmoid tanh tanh" :
        (tensor<3x2x8xf32>, tensor<1x16x8xf32>, tensor<1x16x4xf32>, tensor<1x32xf32>) ->
        tensor<3x1x2x4xf32>
    """

    name = "top.lstm"
    KIND: ClassVar[str] = "lstm"
    RESULTS: ClassVar[Sequence[str]] = (SEQUENCE, HIDDEN, CELL)
    MOST_OPS_PER_STEP: ClassVar[int] = 48
    traits = traits_def(TakesAnyElements())

    def _flags(self) -> dict[str, bool]:
        return {"input_forget": self.input_forget is not None}


@irdl_op_definition
class GruOp(RecurrentOp, _ResetFields):
    """The `result` of a GRU: the hidden states of all steps (sequence, [T,D,B,H]), or the last one (hidden, [D,B,H]).

    z = f(W_z·x + R_z·H + b_z), r alike; h = g(W_h·x + R_h·(r⊙H) + b_h), with `linear_before_reset`
    g(W_h·x + b_h + r⊙(R_h·H + b'_h)); H' = (1 − z)⊙h + z⊙H, with ONNX's order of gates (zrh). `activations` are f
    and g of each direction; the other fields are those of top.lstm.

    %y = top.gru "y" %x, %w, %r, %b activations = "sigmoid tanh" linear_before_reset :
        (tensor<3x2x8xf32>, tensor<1x12x8xf32>, tensor<1x12x4xf32>, tensor<1x24xf32>) ->
        tensor<3x1x2x4xf32>
    """

    name = "top.gru"
    KIND: ClassVar[str] = "gru"
    MOST_OPS_PER_STEP: ClassVar[int] = 40
    traits = traits_def(TakesAnyElements())

    def _flags(self) -> dict[str, bool]:
        return {"linear_before_reset": self.linear_before_reset is not None}


@irdl_op_definition
class RnnOp(RecurrentOp):
    """The `result` of a simple RNN: the hidden states of all steps (sequence, [T,D,B,H]), or the last one (hidden,
    [D,B,H]).

    H' = f(W·x + R·H + b). `activations` is f of each direction; the other fields are those of top.lstm.

    %y = top.rnn "y" %x, %w, %r, %b activations = "tanh" :
        (tensor<3x2x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>, tensor<1x8xf32>) ->
        tensor<3x1x2x4xf32>
    """

    name = "top.rnn"
    KIND: ClassVar[str] = "rnn"
    MOST_OPS_PER_STEP: ClassVar[int] = 16
    traits = traits_def(TakesAnyElements())
