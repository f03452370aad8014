"""Runs a function of top or tpu ops on arrays, one op after the other.

Values are freed after their last use, and many samples are run in chunks, so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.ir.location import place_of
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import WeightBase, value_of
from ...dialects.network.tensor_op import Arrays, TensorOp
from ...dialects.quant.element_type import element_storage, shape_of
from ...dialects.quant.number_format import real_value
from ..diagnostics.diagnostic import DiagnosticError, contained
from ..numerics.storage import dtype_of
from .samples import (
    MAX_LIVE_BYTES,
    formats_of,
    input_names,
    joined,
    main_function,
    stored_samples,
)

Observer = Callable[[str, np.ndarray], None]
"""Called as observe(name, value): value f32 [S, shape...], the sample axis first."""

_LIVE_ELEMENT_BYTES = 12
"""Bytes assumed for an element of a live tensor: the element, and working copies of the op that reads it."""


class FunctionRunner:
    """Walks over the ops of one level and has each compute its result.

    Args:
        level: the base class of the level's ops.
        weights: the store that holds their weights.
    """

    def __init__(self, level: type[TensorOp], weights: WeightStore):
        self._level = level
        self._weights = weights

    def run_block(
        self,
        block: Block,
        arguments: Sequence[np.ndarray],
        visit: Callable[[TensorOp, np.ndarray], None] | None = None,
    ) -> list[np.ndarray]:
        """Return the operands of the block's terminator, computed from the block's arguments.

        Both are arrays [S, shape...], with S = 1 for values that all samples share.

        Raises:
            DiagnosticError: if an op is not of this level, or its numbers cannot be computed.
        """
        values: dict[SSAValue, np.ndarray] = dict(zip(block.args, arguments, strict=True))
        last_uses = _last_uses(block)
        terminator = block.last_op
        for op in block.ops:
            if op is terminator:
                break
            if not isinstance(op, self._level):
                raise DiagnosticError(
                    f"cannot run '{op.name}': it is no op of the level that is run", place_of(op)
                )
            result = self.evaluate(op, [values[operand] for operand in op.operands])
            values[op.output] = result
            if visit is not None and op.operands:
                visit(op, result)
            for value in last_uses.get(op, ()):
                values.pop(value, None)
        return [values[value] for value in terminator.operands] if terminator else []

    def evaluate(self, op: TensorOp, operands: Arrays) -> np.ndarray:
        """Return the result of an op, [S, shape...], as `run_block` computes it."""
        try:
            if isinstance(op, WeightBase):
                return value_of(op, self._weights)[None]
            if 0 in (shape := shape_of(op.output)):
                samples = max(len(operand) for operand in operands)
                return np.zeros((samples, *shape), dtype_of(element_storage(op.output.type)))
            with np.errstate(all="ignore"), contained(f"in {op.name} '{op.result_name.data}'"):
                return op.evaluate(operands)
        except NotImplementedError as error:
            raise DiagnosticError(f"cannot run '{op.name}': {error}", place_of(op)) from error
        except (ValueError, MemoryError) as error:
            reason = str(error) or "out of memory"
            raise DiagnosticError(
                f"cannot compute {op.name} '{op.result_name.data}': {reason}", place_of(op)
            ) from error

    def run(
        self,
        module: ModuleOp,
        inputs: Mapping[str, np.ndarray],
        observe: Observer | None,
        raw_io: bool = False,
    ) -> dict[str, np.ndarray]:
        """Run the module's function and return its results by name, samples one after the other along axis 0.

        Inputs and results are the model's values, in its layout and types; with `raw_io` what the ports hold.

        Without an observer samples run in chunks of bounded memory; an observer is shown all
        samples of a value at once.
        """
        function = main_function(module)
        formats = formats_of(function, "output")
        stacked, samples = stored_samples(formats_of(function, "input"), inputs, raw_io)
        chunk = samples if observe is not None else samples_per_chunk(function)
        parts: list[list[np.ndarray]] = []
        for start in range(0, samples, chunk):
            count = min(chunk, samples - start)
            arrays = {name: array[start : start + count] for name, array in stacked.items()}
            results = self._run_chunk(function, arrays, count, observe)
            given = [
                each.given(result, raw_io)
                for each, result in zip(formats.values(), results, strict=True)
            ]
            parts.append([joined(result, count) for result in given])
        names = list(formats)
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
            observe(name, real_value(arrays[name], argument.type))

        def visit(op: TensorOp, value: np.ndarray) -> None:
            real = real_value(value, op.output.type)
            observe(op.result_name.data, np.broadcast_to(real, (samples, *real.shape[1:])))

        return self.run_block(block, list(arrays.values()), visit)


def samples_per_chunk(function: func.FuncOp, share: int = 1) -> int:
    """Return how many samples can run at once so that the live tensors fit `MAX_LIVE_BYTES` / `share`; at least 1."""
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
    return max(1, MAX_LIVE_BYTES // share // max(1, peak * _LIVE_ELEMENT_BYTES))


def _elements(value: SSAValue) -> int:
    return prod(value.type.get_shape()) if isinstance(value.type, TensorType) else 0


def _last_uses(block: Block) -> dict[Operation, list[SSAValue]]:
    """Map each op to the values that no later op reads; the terminator's operands are never among them."""
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
