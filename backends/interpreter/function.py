"""Runs a function of top or tpu ops on arrays: in order, freeing what is used no more, samples in
chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.interpreter import Interpreter, InterpreterFunctions
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.utils.exceptions import InterpretationError

from ...dialects.ir.location import place_of
from ...dialects.network.tensor_op import TensorOp
from ..diagnostics.diagnostic import DiagnosticError
from .samples import (
    MAX_LIVE_BYTES,
    input_names,
    input_tensors,
    joined,
    main_function,
    output_names,
    stack_samples,
)

Observer = Callable[[str, np.ndarray], None]
"""Called as observe(name, value): value f32 [S, shape...], the sample axis first."""

_LIVE_ELEMENT_BYTES = 12
"""What an element of a live tensor is taken to cost: itself, and the working copies of the op that
reads it.
"""


class NetworkRunner:
    """Executes blocks of ops with one interpreter.

    Args:
        module: the module that the ops belong to.
        functions: what each op computes, on arrays with a leading sample axis of S (or 1: shared by
            all samples).
        real: what an observer is shown of a value and its type.
    """

    def __init__(
        self,
        module: ModuleOp,
        functions: InterpreterFunctions,
        real: Callable[[np.ndarray, Attribute], np.ndarray],
    ):
        self._interpreter = Interpreter(module)
        self._interpreter.register_implementations(functions)
        self._real = real

    def run_block(
        self,
        block: Block,
        arguments: Sequence[np.ndarray],
        visit: Callable[[TensorOp, np.ndarray], None] | None = None,
    ) -> list[np.ndarray]:
        """The operands of the block's terminator, given its arguments.

        Raises:
            DiagnosticError: an op that this level's interpreter does not know, or whose numbers
                cannot be computed.
        """
        values: dict[SSAValue, np.ndarray] = dict(zip(block.args, arguments, strict=True))
        last_uses = _last_uses(block)
        terminator = block.last_op
        for op in block.ops:
            if op is terminator:
                break
            results = self._run_op(op, tuple(values[operand] for operand in op.operands))
            values.update(zip(op.results, results, strict=True))
            if visit is not None and isinstance(op, TensorOp) and op.operands:
                visit(op, values[op.output])
            for value in last_uses.get(op, ()):
                values.pop(value, None)
        return [values[value] for value in terminator.operands] if terminator else []

    def _run_op(self, op: Operation, operands: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        try:
            with np.errstate(all="ignore"):
                return tuple(self._interpreter.run_op(op, operands))
        except InterpretationError as error:
            raise DiagnosticError(f"cannot run '{op.name}': {error}", place_of(op)) from error
        except (ValueError, MemoryError) as error:
            name = f" '{op.result_name.data}'" if isinstance(op, TensorOp) else ""
            reason = str(error) or "out of memory"
            raise DiagnosticError(
                f"cannot compute {op.name}{name}: {reason}", place_of(op)
            ) from error

    def run(
        self, function: func.FuncOp, inputs: Mapping[str, np.ndarray], observe: Observer | None
    ) -> dict[str, np.ndarray]:
        """The function's results by name, samples one after the other along axis 0.

        Without an observer samples run in chunks of bounded memory; an observer is shown all
        samples of a value at once.
        """
        stacked, samples = stack_samples(input_tensors(function), inputs)
        chunk = samples if observe is not None else samples_per_chunk(function)
        parts: list[list[np.ndarray]] = []
        for start in range(0, samples, chunk):
            count = min(chunk, samples - start)
            arrays = {name: array[start : start + count] for name, array in stacked.items()}
            results = self._run_chunk(function, arrays, count, observe)
            parts.append([joined(result, count) for result in results])
        names = output_names(function)
        if len(parts) == 1:
            return dict(zip(names, parts[0], strict=True))
        columns = zip(*parts, strict=True)
        return {
            name: np.concatenate([np.atleast_1d(part) for part in column])
            for name, column in zip(names, columns, strict=True)
        }

    def _run_chunk(
        self,
        function: func.FuncOp,
        arrays: dict[str, np.ndarray],
        samples: int,
        observe: Observer | None,
    ) -> list[np.ndarray]:
        block = function.body.block
        if observe is None:
            return self.run_block(block, list(arrays.values()))
        for name, argument in zip(input_names(function), block.args, strict=True):
            observe(name, self._real(arrays[name], argument.type))

        def visit(op: TensorOp, value: np.ndarray) -> None:
            real = self._real(value, op.output.type)
            observe(op.result_name.data, np.broadcast_to(real, (samples, *real.shape[1:])))

        return self.run_block(block, list(arrays.values()), visit)


def run_main(
    runner: NetworkRunner,
    module: ModuleOp,
    inputs: Mapping[str, np.ndarray],
    observe: Observer | None,
) -> dict[str, np.ndarray]:
    """Runs the module's function; see `NetworkRunner.run`."""
    return runner.run(main_function(module), inputs, observe)


def samples_per_chunk(function: func.FuncOp) -> int:
    """How many samples of the function's tensors are live at once within `MAX_LIVE_BYTES`; at least
    1.
    """
    block = function.body.block
    last_uses = _last_uses(block)
    live = sum(_elements(argument) for argument in block.args)
    peak = live
    for op in block.ops:
        if not op.operands:
            continue  # weights are shared by all samples
        live += sum(_elements(result) for result in op.results)
        peak = max(peak, live)
        live -= sum(
            _elements(value)
            for value in last_uses.get(op, ())
            if not isinstance(value.owner, Operation) or value.owner.operands
        )
    return max(1, MAX_LIVE_BYTES // max(1, peak * _LIVE_ELEMENT_BYTES))


def _elements(value: SSAValue) -> int:
    return prod(value.type.get_shape()) if isinstance(value.type, TensorType) else 0


def _last_uses(block: Block) -> dict[Operation, list[SSAValue]]:
    """For each op the values that nobody reads after it; the terminator's operands live on."""
    last: dict[SSAValue, Operation] = {}
    for op in block.ops:
        for result in op.results:
            last[result] = op
        for operand in op.operands:
            last[operand] = op
    ends: dict[Operation, list[SSAValue]] = {}
    for value, op in last.items():
        ends.setdefault(op, []).append(value)
    return ends
