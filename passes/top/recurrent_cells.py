"""One step of each kind of recurrent layer as ops of `top`, and the emitter that collects these ops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from xdsl.ir import SSAValue

from ...backends.numerics.recurrence import ACTIVATIONS, Activation, Recurrence
from ...backends.numerics.storage import dtype_of
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.quant.element_type import shape_of
from .constant import make_constant

Operand: TypeAlias = "np.ndarray | SSAValue"
"""A value, or the elements of a constant that no op holds yet."""


@dataclass
class Emitter:
    """Collects ops, whose names begin with `prefix`. What is computed of constants only becomes one constant."""

    prefix: str
    storage: str
    store: WeightStore
    ops: list[top.TopOp] = field(default_factory=list)
    numbers: dict[float, SSAValue] = field(default_factory=dict)

    def value(self, operand: Operand, suffix: str = "constant") -> SSAValue:
        """Return an operand as a value; the elements of a constant become a `top.weight`."""
        if isinstance(operand, SSAValue):
            return operand
        made = make_constant(f"{self.prefix}_{suffix}", operand, self.store)
        self.ops.append(made)
        return made.output

    def emit(
        self,
        op_class: Any,
        suffix: str,
        *operands: Operand | Sequence[SSAValue] | None,
        **fields: Any,
    ) -> SSAValue:
        """Append an op, and return its result."""
        values = [
            self.value(each, f"{suffix}_of") if isinstance(each, np.ndarray) else each
            for each in operands
        ]
        made = op_class(f"{self.prefix}_{suffix}", *values, **fields)
        self.ops.append(made)
        return made.output

    def number(self, value: float) -> SSAValue:
        """Return a constant of rank 0 of the layer's elements; equal numbers are one constant."""
        if value not in self.numbers:
            array = np.array(value, dtype_of(self.storage))
            self.numbers[value] = self.value(array, "number")
        return self.numbers[value]

    def reshape(self, value: Operand, shape: Sequence[int], suffix: str = "reshaped") -> Operand:
        """Return the same elements in another shape."""
        if isinstance(value, np.ndarray):
            return value.reshape(shape)
        if shape_of(value) == tuple(shape):
            return value
        return self.emit(top.ReshapeOp, suffix, value, shape=tuple(shape))

    def transpose(self, value: Operand, suffix: str = "transposed") -> Operand:
        """Return a matrix transposed."""
        if isinstance(value, np.ndarray):
            return np.ascontiguousarray(value.T)
        return self.emit(top.TransposeOp, suffix, value, permutation=(1, 0))

    def part(
        self, value: Operand, axis: int, start: int, size: int, suffix: str = "part"
    ) -> Operand:
        """Return `size` elements along an axis, from `start` on."""
        if isinstance(value, np.ndarray):
            return value.take(range(start, start + size), axis)
        shape = list(shape_of(value))
        if shape[axis] == size:
            return value
        starts = [0] * len(shape)
        starts[axis], shape[axis] = start, size
        return self.slice(value, starts, shape, suffix)

    def slice(
        self, value: SSAValue, starts: Sequence[int], sizes: Sequence[int], suffix: str
    ) -> SSAValue:
        """Return a box of a value."""
        steps = [1] * len(starts)
        return self.emit(top.SliceOp, suffix, value, starts=starts, sizes=sizes, steps=steps)

    def direction(self, value: Operand, index: int, suffix: str) -> Operand:
        """Return what a direction has of an operand [D,...], without that axis."""
        part = self.part(value, 0, index, 1, suffix)
        shape = part.shape if isinstance(part, np.ndarray) else shape_of(part)
        return self.reshape(part, shape[1:], suffix)

    def sum(self, lhs: Operand, rhs: Operand, suffix: str = "bias") -> Operand:
        """Return lhs + rhs."""
        if isinstance(lhs, np.ndarray) and isinstance(rhs, np.ndarray):
            return (lhs.astype(np.float32) + rhs.astype(np.float32)).astype(lhs.dtype)
        return self.emit(top.AddOp, suffix, lhs, rhs)

    def product(
        self, rows: SSAValue, matrix: SSAValue, bias: Operand | None, suffix: str
    ) -> SSAValue:
        """Return rows · matrix + bias; a bias that is computed is added by an op of its own."""
        if bias is None or isinstance(bias, np.ndarray):
            return self.emit(top.MatmulOp, suffix, rows, matrix, bias)
        total = self.emit(top.MatmulOp, f"{suffix}_product", rows, matrix)
        return self.emit(top.AddOp, suffix, total, bias)

    def activated(
        self, x: SSAValue, function: Activation, clip: float | None, suffix: str
    ) -> SSAValue:
        """Return an activation of x, kept within ±clip before."""
        if clip is not None:
            x = self.emit(top.ClipOp, f"{suffix}_clipped", x, low=-clip, high=clip)
        alpha, beta = function.alpha, function.beta
        match function.kind:
            case "relu":
                return self.emit(top.ReluOp, suffix, x)
            case "affine":
                scaled = self.emit(top.MulOp, f"{suffix}_scaled", x, self.number(alpha))
                return self.emit(top.AddOp, suffix, scaled, self.number(beta))
            case "scaled_tanh":
                scaled = self.emit(top.MulOp, f"{suffix}_scaled", x, self.number(beta))
                inner = self.emit(top.UnaryOp, f"{suffix}_tanh", scaled, kind="tanh")
                return self.emit(top.MulOp, suffix, inner, self.number(alpha))
            case kind:
                names = ACTIVATIONS[kind]
                given = {"alpha": alpha, "beta": beta}
                parameters = {name: given[name] for name in names}
                return self.emit(top.UnaryOp, suffix, x, kind=kind, **parameters)


@dataclass(frozen=True)
class State:
    """The states [B,H] before a step; None stands for zeros."""

    hidden: SSAValue | None = None
    cell: SSAValue | None = None


Step: TypeAlias = "Callable[[SSAValue, State, str], State]"
"""Emits a step from its inputs' share of the gates [B,G·H], bias included, and the states before it; the text is the
suffix of the names."""


def input_bias(emitter: Emitter, layer: Recurrence, bias: Operand) -> Operand:
    """Return what of the bias [2·G·H] of a direction may be added to the product of the inputs, for all steps at
    once: all but what a reset gate scales.
    """
    half = (bias.shape if isinstance(bias, np.ndarray) else shape_of(bias))[0] // 2
    of_inputs, of_hidden = emitter.part(bias, 0, 0, half), emitter.part(bias, 0, half, half)
    if layer.kind != "gru" or not layer.linear_before_reset:
        return emitter.sum(of_inputs, of_hidden)
    size = half // 3
    gates = emitter.sum(
        emitter.part(of_inputs, 0, 0, 2 * size), emitter.part(of_hidden, 0, 0, 2 * size)
    )
    new = emitter.part(of_inputs, 0, 2 * size, size)
    if isinstance(gates, np.ndarray) and isinstance(new, np.ndarray):
        return np.concatenate([gates, new])
    return emitter.emit(top.ConcatOp, "bias", [emitter.value(gates), emitter.value(new)], axis=0)


def lstm_step(
    emitter: Emitter,
    layer: Recurrence,
    functions: Sequence[Activation],
    given: Mapping[str, Operand],
) -> Step:
    """Return what emits the steps of a direction of an LSTM; `given` has its recurrence [4·H,H] and peepholes [3·H]."""
    f, g, h = functions
    size = _columns(given["recurrence"])
    recurrence = emitter.value(emitter.transpose(given["recurrence"]), "recurrence")
    peepholes = given.get("peepholes")
    of_input, of_output, of_forget = (
        None if peepholes is None else emitter.value(emitter.part(peepholes, 0, i * size, size))
        for i in range(3)
    )

    def gate(
        x: SSAValue, peephole: SSAValue | None, cell: SSAValue | None, suffix: str
    ) -> SSAValue:
        if peephole is not None and cell is not None:
            seen = emitter.emit(top.MulOp, f"{suffix}_peephole", cell, peephole)
            x = emitter.emit(top.AddOp, f"{suffix}_total", x, seen)
        return emitter.activated(x, f, layer.clip, suffix)

    def step(of_inputs: SSAValue, state: State, at: str) -> State:
        total = _with_hidden(emitter, of_inputs, state.hidden, recurrence, at)
        if peepholes is None and not layer.input_forget:
            gates = _columns_of(emitter, total, 0, 3 * size, f"{at}_gates_total")
            gates = emitter.activated(gates, f, layer.clip, f"{at}_gates")
            i, o, forget = (
                _columns_of(emitter, gates, k * size, size, f"{at}_{name}")
                for k, name in enumerate(("input_gate", "output_gate", "forget_gate"))
            )
        else:
            i, o, forget = (
                _columns_of(emitter, total, k * size, size, f"{at}_{name}_total")
                for k, name in enumerate(("input_gate", "output_gate", "forget_gate"))
            )
            i = gate(i, of_input, state.cell, f"{at}_input_gate")
            if layer.input_forget:
                forget = emitter.emit(top.SubOp, f"{at}_forget_gate", emitter.number(1.0), i)
            else:
                forget = gate(forget, of_forget, state.cell, f"{at}_forget_gate")
        new = _columns_of(emitter, total, 3 * size, size, f"{at}_new_total")
        new = emitter.activated(new, g, layer.clip, f"{at}_new")
        cell = emitter.emit(top.MulOp, f"{at}_added", i, new)
        if state.cell is not None:
            kept = emitter.emit(top.MulOp, f"{at}_kept", forget, state.cell)
            cell = emitter.emit(top.AddOp, f"{at}_cell", kept, cell)
        if peepholes is not None or layer.input_forget:
            o = gate(o, of_output, cell, f"{at}_output_gate")
        shown = emitter.activated(cell, h, None, f"{at}_shown")
        return State(emitter.emit(top.MulOp, f"{at}_hidden", o, shown), cell)

    return step


def gru_step(
    emitter: Emitter,
    layer: Recurrence,
    functions: Sequence[Activation],
    given: Mapping[str, Operand],
) -> Step:
    """Return what emits the steps of a direction of a GRU; `given` has its recurrence [3·H,H] and bias [6·H]."""
    f, g = functions
    size = _columns(given["recurrence"])
    matrix = given["recurrence"]
    bias: Operand | None = None
    if layer.linear_before_reset:
        whole, of_gates, of_new = emitter.value(emitter.transpose(matrix), "recurrence"), None, None
        if "bias" in given:
            bias = emitter.part(given["bias"], 0, 5 * size, size)
    else:
        whole = None
        of_gates = emitter.value(
            emitter.transpose(emitter.part(matrix, 0, 0, 2 * size)), "recurrence_of_gates"
        )
        of_new = emitter.value(
            emitter.transpose(emitter.part(matrix, 0, 2 * size, size)), "recurrence"
        )
    of_bias = None if bias is None else emitter.value(bias, "recurrence_bias")

    def step(of_inputs: SSAValue, state: State, at: str) -> State:
        hidden = state.hidden
        gates = _columns_of(emitter, of_inputs, 0, 2 * size, f"{at}_gates_inputs")
        new = _columns_of(emitter, of_inputs, 2 * size, size, f"{at}_new_inputs")
        scaled = of_bias
        if hidden is not None and whole is not None:
            product = emitter.emit(top.MatmulOp, f"{at}_product", hidden, whole)
            shares = _columns_of(emitter, product, 0, 2 * size, f"{at}_gates_hidden")
            gates = emitter.emit(top.AddOp, f"{at}_gates_total", gates, shares)
            scaled = _columns_of(emitter, product, 2 * size, size, f"{at}_new_hidden")
            if of_bias is not None:
                scaled = emitter.emit(top.AddOp, f"{at}_new_hidden_total", scaled, of_bias)
        elif hidden is not None:
            product = emitter.emit(top.MatmulOp, f"{at}_gates_product", hidden, of_gates)
            gates = emitter.emit(top.AddOp, f"{at}_gates_total", gates, product)
        gates = emitter.activated(gates, f, layer.clip, f"{at}_gates")
        z, r = (
            _columns_of(emitter, gates, k * size, size, f"{at}_{name}")
            for k, name in enumerate(("update_gate", "reset_gate"))
        )
        if scaled is not None:
            scaled = emitter.emit(top.MulOp, f"{at}_reset", r, scaled)
        elif hidden is not None:
            reset = emitter.emit(top.MulOp, f"{at}_reset", r, hidden)
            scaled = emitter.emit(top.MatmulOp, f"{at}_new_product", reset, of_new)
        if scaled is not None:
            new = emitter.emit(top.AddOp, f"{at}_new_total", new, scaled)
        new = emitter.activated(new, g, layer.clip, f"{at}_new")
        # (1 − z)⊙new + z⊙H
        rest = emitter.emit(top.SubOp, f"{at}_update", emitter.number(1.0), z)
        added = emitter.emit(top.MulOp, f"{at}_added", rest, new)
        if hidden is None:
            return State(added)
        kept = emitter.emit(top.MulOp, f"{at}_kept", z, hidden)
        return State(emitter.emit(top.AddOp, f"{at}_hidden", added, kept))

    return step


def rnn_step(
    emitter: Emitter,
    layer: Recurrence,
    functions: Sequence[Activation],
    given: Mapping[str, Operand],
) -> Step:
    """Return what emits the steps of a direction of a simple RNN; `given` has its recurrence [H,H]."""
    (f,) = functions
    recurrence = emitter.value(emitter.transpose(given["recurrence"]), "recurrence")

    def step(of_inputs: SSAValue, state: State, at: str) -> State:
        total = _with_hidden(emitter, of_inputs, state.hidden, recurrence, at)
        return State(emitter.activated(total, f, layer.clip, f"{at}_hidden"))

    return step


STEPS = {"lstm": lstm_step, "gru": gru_step, "rnn": rnn_step}
"""What emits the steps of each kind of layer."""


def _with_hidden(
    emitter: Emitter, of_inputs: SSAValue, hidden: SSAValue | None, matrix: SSAValue, at: str
) -> SSAValue:
    """Return the inputs' share of the gates plus the hidden state's."""
    if hidden is None:
        return of_inputs
    product = emitter.emit(top.MatmulOp, f"{at}_product", hidden, matrix)
    return emitter.emit(top.AddOp, f"{at}_total", of_inputs, product)


def _columns_of(emitter: Emitter, value: SSAValue, start: int, size: int, suffix: str) -> SSAValue:
    return emitter.value(emitter.part(value, 1, start, size, suffix))


def _columns(matrix: Operand) -> int:
    return (matrix.shape if isinstance(matrix, np.ndarray) else shape_of(matrix))[-1]
