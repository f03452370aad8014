"""What changes of single tensors do to the outputs of a network, measured on a few samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from ...backends.interpreter.function import FunctionRunner
from ...backends.interpreter.samples import input_names, main_function
from ...dialects.ir.weights import WeightStore
from ...dialects.network.tensor_op import TensorOp
from ...dialects.quant.element_type import is_float, shape_of
from ...dialects.top import TopOp

Change = Callable[[np.ndarray], np.ndarray]
"""Makes other numbers of those of a tensor: f32 of any shape."""


class OutputErrors:
    """A network of top ops with the values of all its tensors for some samples, so that a change of one tensor costs
    only what is computed from it.

    Args:
        module: the network.
        weights: the store that holds its weights.
        samples: arrays [S, declared shape...] by input name.
    """

    def __init__(
        self, module: ModuleOp, weights: WeightStore, samples: Mapping[str, np.ndarray]
    ) -> None:
        function = main_function(module)
        block = function.body.block
        self._runner = FunctionRunner(TopOp, weights)
        self._ops = [op for op in block.ops if isinstance(op, TensorOp)]
        self.values: dict[str, SSAValue] = dict(zip(input_names(function), block.args, strict=True))
        self._numbers = {value: samples[name] for name, value in self.values.items()}
        self._samples = len(next(iter(self._numbers.values()), ()))
        self._starts: dict[Operation, int] = {}
        for index, op in enumerate(self._ops):
            self._numbers[op.output] = self._runner.evaluate(op, self._operands(op, {}, 1))
            self._starts[op] = index + 1
            if op.operands:
                self.values[op.result_name.data] = op.output
        outputs = block.last_op.operands if block.last_op is not None else ()
        self._last_readers: dict[SSAValue, Operation | None] = {}
        for op in self._ops:
            self._last_readers.update(dict.fromkeys(op.operands, op))
        self._last_readers.update(dict.fromkeys(outputs))
        self._outputs = [value for value in outputs if is_float(value.type)]
        self._energies = [_per_sample(self._numbers[value]).mean() for value in self._outputs]

    def costs(self) -> dict[str, int]:
        """Return for each tensor how long what is computed from it takes, in multiply-accumulates of one sample."""
        times = np.array([_time(op) for op in self._ops], np.int64)
        reached = _reached(self._ops)
        return {
            name: int(times[reached[value]].sum()) if value in reached else 0
            for name, value in self.values.items()
        }

    def of(self, name: str, changes: Sequence[Change]) -> np.ndarray:
        """Return the error that each change of a tensor makes at the outputs for each sample: f64 [changes, S], the sum
        over the outputs of squared errors, each divided by the mean energy of that output.
        """
        value, count = self.values[name], len(changes)
        original = self._whole(value)
        changed = {value: np.concatenate([change(original) for change in changes])}
        start = self._starts.get(value.owner, 0) if isinstance(value.owner, Operation) else 0
        for op in self._ops[start:]:
            if any(operand in changed for operand in op.operands):
                changed[op.output] = self._runner.evaluate(op, self._operands(op, changed, count))
            for operand in op.operands:
                if self._last_readers[operand] is op:
                    changed.pop(operand, None)
        errors = np.zeros((count, self._samples))
        for output, energy in zip(self._outputs, self._energies, strict=True):
            if output in changed and energy:
                numbers = self._whole(output).reshape(self._samples, -1)
                apart = changed[output].reshape(count, *numbers.shape) - numbers
                errors += np.square(apart, dtype=np.float64).sum(2) / energy
        return errors

    def _operands(
        self, op: TensorOp, changed: Mapping[SSAValue, np.ndarray], count: int
    ) -> list[np.ndarray]:
        """Return the operands of an op: changed ones, and the others as often as there are changes."""
        return [
            changed[each] if each in changed else self._repeated(each, count)
            for each in op.operands
        ]

    def _repeated(self, value: SSAValue, count: int) -> np.ndarray:
        numbers = self._numbers[value]
        is_shared = len(numbers) != self._samples
        return numbers if count == 1 or is_shared else np.concatenate([numbers] * count)

    def _whole(self, value: SSAValue) -> np.ndarray:
        """Return the numbers of a value for all samples, also if all share them."""
        numbers = self._numbers[value]
        return np.broadcast_to(numbers, (self._samples, *numbers.shape[1:]))


def _per_sample(values: np.ndarray) -> np.ndarray:
    """Return the energy of each sample: f64 [S]."""
    return np.square(values.reshape(len(values), -1), dtype=np.float64).sum(1)


def _time(op: TensorOp) -> int:
    """Return how long an op takes for one sample, in multiply-accumulates."""
    return op.macs + prod(shape_of(op.output)) * _ELEMENT_COST


def _reached(ops: Sequence[TensorOp]) -> dict[SSAValue, np.ndarray]:
    """Return for each value which of `ops`, in their order, are computed from it, as bools."""
    found: dict[SSAValue, np.ndarray] = {}
    for index in reversed(range(len(ops))):
        later = found.get(ops[index].output)
        for operand in ops[index].operands:
            mine = found.setdefault(operand, np.zeros(len(ops), np.bool_))
            mine[index] = True
            if later is not None:
                mine |= later
    return found


_ELEMENT_COST = 16
"""An element of a result takes about as long as so many multiply-accumulates."""
