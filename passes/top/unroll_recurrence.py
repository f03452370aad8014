"""`top-unroll-recurrence`: unrolls LSTM, GRU and RNN into matrix products and element-wise ops.

Before:

    %y = top.rnn "y" %x, %w, %r activations = "tanh" :
        (tensor<2x1x8xf32>, tensor<1x4x8xf32>, tensor<1x4x4xf32>) -> tensor<2x1x1x4xf32>

After:

    %rows = top.reshape "y_rows" %x : (tensor<2x1x8xf32>) -> tensor<2x8xf32>
    %all = top.matmul "y_inputs" %rows, %wt : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
    %0 = top.slice "y_step0" %all starts = [0, 0] sizes = [1, 4] steps = [1, 1] : ...
    %h0 = top.unary "y_step0_hidden" %0 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
    %1 = top.slice "y_step1" %all starts = [1, 0] sizes = [1, 4] steps = [1, 1] : ...
    %p1 = top.matmul "y_step1_product" %h0, %rt : (tensor<1x4xf32>, tensor<4x4xf32>) -> ...
    %t1 = top.add "y_step1_total" %1, %p1 : (tensor<1x4xf32>, tensor<1x4xf32>) -> ...
    %h1 = top.unary "y_step1_hidden" %t1 kind = "tanh" : (tensor<1x4xf32>) -> tensor<1x4xf32>
    %hs = top.concat "y_steps" %h0, %h1 axis = 0 : ...
    %y = top.reshape "y" %hs : (tensor<2x4xf32>) -> tensor<2x1x1x4xf32>

One product serves the inputs of all steps and directions; each step has one with the hidden state, and its gates
are element-wise. Ops for several results of one layer are unrolled together, and nothing is made for a result that
no op asks for. A state that is zero costs nothing, nor do lengths that are constant. The weights of each matrix
appear once, as constants; if they are computed, they are transposed once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from ...backends.numerics.recurrence import CELL, DIRECTIONS, FUNCTIONS, HIDDEN, SEQUENCE
from ...backends.numerics.storage import dtype_of
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.rewriting import erase_if_unused, take_type
from ...dialects.quant.element_type import element_storage, shape_of
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass, store_of
from .constant import constant_of
from .recurrent_cells import STEPS, Emitter, Operand, State, input_bias


class UnrollLayer(RewritePattern):
    """Replaces the ops for the results of a recurrent layer by a matrix product for all steps, and ops for each."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.RecurrentOp):
            return
        results = _results_of_layer(op)
        unrolled = _Unrolled(op, {each.result.data for each in results}, self.store)
        values = {each: unrolled.result(each) for each in results}
        rewriter.insert(unrolled.emitter.ops, InsertPoint.before(op))
        operands = [value.owner for value in op.operands]
        for each, value in values.items():
            rewriter.replace(each, [], [value])
        erase_if_unused(rewriter, *operands)


def _results_of_layer(op: top.RecurrentOp) -> list[top.RecurrentOp]:
    """Return the ops of the layer's results: they differ in `result` and names only. `op` is the first of them."""
    users = (use.operation for use in op.input.uses)
    same = [
        each
        for each in users
        if isinstance(each, type(op))
        and each.parent is op.parent
        and tuple(each.operands) == tuple(op.operands)
        and _settings(each) == _settings(op)
    ]
    return [op, *dict.fromkeys(each for each in same if each is not op)]


def _settings(op: top.RecurrentOp) -> dict[str, object]:
    return {name: each for name, each in op.properties.items() if name not in ("name", "result")}


class _Unrolled:
    """The ops of an unrolled layer.

    `states` has for each direction the states after the last step, `shown` the hidden states [B,H] of all steps as
    the sequence shows them.
    """

    def __init__(self, op: top.RecurrentOp, wanted: set[str], store: WeightStore) -> None:
        self.op, self.wanted, self.store = op, wanted, store
        self.layer = op.layer()
        self.steps, self.batch, self.directions, self.size = op.sizes
        self.storage = element_storage(op.output.type)
        self.emitter = Emitter(op.result_name.data, self.storage, store)
        self.lengths = None if op.lengths is None else self._given("lengths")
        self.states: list[State] = []
        self.shown: list[list[SSAValue]] = []
        if 0 in (self.steps, self.batch, self.size):
            self.states = [self._initial(index) for index in range(self.directions)]
            self.shown = [[] for _ in range(self.directions)]
            return
        inputs = self._inputs()
        runs = self._computed_runs()
        for index, backward in enumerate(DIRECTIONS[op.direction.data]):
            self._unroll(index, backward, inputs, runs)

    def result(self, op: top.RecurrentOp) -> SSAValue:
        """Return the value of a result of the layer, with the name and type of `op`."""
        emitter = self.emitter
        if op.result.data == SEQUENCE:
            value = self._sequence(op)
        else:
            states = [getattr(each, op.result.data) for each in self.states]
            rows = [self._zeros() if each is None else each for each in states]
            value = self._joined(rows, (1, self.batch, self.size), 0, op)
        made = value.owner
        assert isinstance(made, top.TopOp)
        if made in emitter.ops and made.result_name.data == op.result_name.data:
            take_type(made, op.output)
        return value

    def _sequence(self, op: top.RecurrentOp) -> SSAValue:
        steps = [
            each[0]
            if len(each) == 1
            else self.emitter.emit(top.ConcatOp, "steps", each, axis=0)
            if each
            else self._zeros(0)
            for each in self.shown
        ]
        return self._joined(steps, (self.steps, 1, self.batch, self.size), 1, op)

    def _joined(
        self, rows: Sequence[SSAValue], shape: tuple[int, ...], axis: int, op: top.RecurrentOp
    ) -> SSAValue:
        """Return the parts of the directions in a shape, one after the other along an axis, under the name of `op`."""
        ops, name = self.emitter.ops, op.result_name.data
        if len(rows) == 1:
            made = top.ReshapeOp(name, rows[0], shape=shape)
        else:
            parts = [
                self.emitter.emit(top.ReshapeOp, "direction", each, shape=shape) for each in rows
            ]
            made = top.ConcatOp(name, parts, axis=axis)
        ops.append(made)
        return made.output

    def _given(self, name: str) -> Operand:
        """Return an operand, as an array if it is constant."""
        value = getattr(self.op, name)
        constant = constant_of(value, self.store)
        return value if constant is None else constant

    def _of_direction(self, name: str, index: int) -> Operand | None:
        if getattr(self.op, name, None) is None:
            return None
        return self.emitter.direction(self._given(name), index, name)

    def _initial(self, index: int) -> State:
        """Return the states of a direction before the first step."""
        found: dict[str, SSAValue | None] = {}
        for name in (HIDDEN, CELL):
            state = self._of_direction(name, index)
            if isinstance(state, np.ndarray) and not state.any():
                state = None
            found[name] = None if state is None else self.emitter.value(state, f"initial_{name}")
        return State(found[HIDDEN], found[CELL])

    def _zeros(self, rows: int | None = None) -> SSAValue:
        shape = (self.batch if rows is None else rows, self.size)
        return self.emitter.value(np.zeros(shape, dtype_of(self.storage)), "zeros")

    def _inputs(self) -> SSAValue:
        """Return the share of the inputs in all gates, [T·B,D·G·H], with the bias."""
        emitter, weights = self.emitter, self._given("weights")
        shape = weights.shape if isinstance(weights, np.ndarray) else shape_of(self.op.weights)
        inner = shape[2]
        flat = emitter.reshape(weights, (shape[0] * shape[1], inner), "weights")
        matrix = emitter.value(emitter.transpose(flat), "weights")
        rows = emitter.reshape(self.op.input, (self.steps * self.batch, inner), "rows")
        return emitter.product(emitter.value(rows), matrix, self._input_bias(), "inputs")

    def _input_bias(self) -> Operand | None:
        """Return the bias [D·G·H] of the product of the inputs."""
        parts: list[Operand] = []
        for index in range(self.directions):
            bias = self._of_direction("bias", index)
            if bias is None:
                return None
            parts.append(input_bias(self.emitter, self.layer, bias))
        if len(parts) == 1:
            return parts[0]
        arrays = [each for each in parts if isinstance(each, np.ndarray)]
        if len(arrays) == len(parts):
            return np.concatenate(arrays)
        values = [self.emitter.value(each) for each in parts]
        return self.emitter.emit(top.ConcatOp, "bias", values, axis=0)

    def _computed_runs(self) -> SSAValue | None:
        """Return which sequences run in each step, bools [T,B], if the lengths are computed."""
        if self.lengths is None or isinstance(self.lengths, np.ndarray):
            return None
        emitter = self.emitter
        numbers = np.arange(self.steps, dtype=np.int32).reshape(-1, 1)
        lengths = emitter.reshape(self.lengths, (1, self.batch), "lengths")
        operands = [emitter.value(numbers, "numbers"), emitter.value(lengths)]
        return emitter.emit(top.CallOp, "runs", operands, function="less")

    def _unroll(self, index: int, backward: bool, inputs: SSAValue, runs: SSAValue | None) -> None:
        """Emit the steps of a direction."""
        emitter, functions = self.emitter, FUNCTIONS[self.layer.kind]
        chosen = self.layer.activations[index * functions : (index + 1) * functions]
        names = ("recurrence", "bias", "peepholes")
        found = {name: self._of_direction(name, index) for name in names}
        given = {name: each for name, each in found.items() if each is not None}
        step = STEPS[self.layer.kind](emitter, self.layer, chosen, given)
        state = self._initial(index)
        columns = shape_of(self.op.weights)[1]
        shown: dict[int, SSAValue] = {}
        word = "back" if backward else "step"
        for number in reversed(range(self.steps)) if backward else range(self.steps):
            at = f"{word}{number}"
            starts, sizes = (number * self.batch, index * columns), (self.batch, columns)
            mask = self._mask(number, runs, at)
            if mask is not None and isinstance(mask, np.ndarray) and not mask.any():
                shown[number] = self._zeros()
                continue
            share = inputs
            if sizes != shape_of(inputs):
                share = emitter.slice(inputs, starts, sizes, at)
            new = step(share, state, at)
            assert new.hidden is not None
            shown[number] = new.hidden
            if mask is None:
                state = new
                continue
            held = emitter.value(mask, f"{at}_mask")
            if SEQUENCE in self.wanted:
                shown[number] = self._chosen(held, new.hidden, None, f"{at}_shown_hidden")
            hidden = self._chosen(held, new.hidden, state.hidden, f"{at}_kept_hidden")
            cell = None
            if new.cell is not None:
                cell = self._chosen(held, new.cell, state.cell, f"{at}_kept_cell")
            state = State(hidden, cell)
        self.states.append(state)
        self.shown.append([shown[number] for number in range(self.steps)])

    def _mask(self, number: int, runs: SSAValue | None, at: str) -> Operand | None:
        """Return which sequences run in a step, bools [B,1]; None if all do."""
        if isinstance(self.lengths, np.ndarray):
            mask = (number < self.lengths).reshape(-1, 1)
            return None if mask.all() else mask
        if runs is None:
            return None
        row = self.emitter.part(runs, 0, number, 1, f"{at}_runs")
        return self.emitter.reshape(row, (self.batch, 1), f"{at}_mask")

    def _chosen(self, mask: SSAValue, new: SSAValue, old: SSAValue | None, suffix: str) -> SSAValue:
        other = self.emitter.number(0.0) if old is None else old
        return self.emitter.emit(top.SelectOp, suffix, mask, new, other)


@dataclass(frozen=True)
class UnrollRecurrence(SmaltiPass):
    """Unroll recurrent layers into matrix products and element-wise ops."""

    name = "top-unroll-recurrence"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(UnrollLayer)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [UnrollLayer(store_of(ctx))])
