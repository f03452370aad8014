"""The interpreter of the tpu dialect: integers in their storage types, to the bit what the target
computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.interpreter import Interpreter, InterpreterFunctions, impl, register_impls
from xdsl.ir import Block

from ...dialects import tpu
from ...dialects.ir.weights import WeightStore, value_of
from ...dialects.quant.number_format import NumberFormat, real_value
from ...dialects.tpu.evaluation import EVALUATIONS, clamped, evaluate, float_result
from ..numerics import movement, normalization, pooling, reduction, resampling
from ..numerics import softmax as normalizing
from ..numerics.sample_axis import aligned, channel_first, channel_last
from ..numerics.storage import round_to
from .function import NetworkRunner, Observer, run_main
from .products import convolve, multiply

Values = tuple[Any, ...]


def run_tpu(
    module: ModuleOp,
    weights: WeightStore,
    inputs: Mapping[str, np.ndarray],
    *,
    observe: Observer | None = None,
) -> dict[str, np.ndarray]:
    """Runs the function of a tpu module and returns its results by name.

    Args:
        module: a module with one function of tpu ops.
        weights: the store that holds its weights.
        inputs: arrays by input name, of the declared shape, or with an axis 0 that is S times as
            long: S samples.
        observe: called as observe(name, value) once for every input and every op's result (weights
            excepted), with the f32 numbers [S, shape...] that the stored ones stand for. All
            samples are then run at once.

    Returns:
        Arrays of the declared shapes, the results of S samples one after the other along axis 0.

    Raises:
        DiagnosticError: inputs that are missing, unknown or of wrong shapes; an op that is not of
            `tpu`.
    """
    runner = NetworkRunner(module, TpuFunctions(weights), real_value)
    return run_main(runner, module, inputs, observe)


def run_body(block: Block, arguments: Sequence[np.ndarray], weights: WeightStore) -> np.ndarray:
    """The value that a block of tpu ops yields; arguments and result in storage types, with the
    sample axis first.

    The sample axis of an argument is 1 where all samples share it; so is the result's where nothing
    depends on them.
    """
    # The interpreter looks ops up by class only: it needs no symbols of the module that the block
    # stands in.
    runner = NetworkRunner(ModuleOp([]), TpuFunctions(weights), real_value)
    (result,) = runner.run_block(block, arguments)
    return result


class TpuFunctions(InterpreterFunctions):
    """The tpu ops on arrays [S, shape...] of storage types (S = 1 where a value is the same for all
    samples).
    """

    def __init__(self, weights: WeightStore):
        self.weights = weights

    @impl(tpu.WeightOp)
    def run_weight(self, interpreter: Interpreter, op: tpu.WeightOp, args: Values) -> Values:
        return (value_of(op, self.weights)[None],)

    @impl(tpu.Conv2dOp)
    def run_conv2d(self, interpreter: Interpreter, op: tpu.Conv2dOp, args: Values) -> Values:
        bias, residual = _optional(op, args)
        return (convolve(op, args[0], args[1], bias, residual),)

    @impl(tpu.MatmulOp)
    def run_matmul(self, interpreter: Interpreter, op: tpu.MatmulOp, args: Values) -> Values:
        bias, residual = _optional(op, args)
        return (multiply(op, args[0], args[1], bias, residual),)

    @impl(tpu.MaxPoolOp)
    def run_max_pool(self, interpreter: Interpreter, op: tpu.MaxPoolOp, args: Values) -> Values:
        pooled = pooling.max_pool2d(channel_last(args[0]), **op.window)
        return (channel_first(clamped(pooled, op)),)

    @impl(tpu.AvgPoolOp)
    def run_avg_pool(self, interpreter: Interpreter, op: tpu.AvgPoolOp, args: Values) -> Values:
        image, include = channel_last(args[0]), op.count_include_pad is not None
        if NumberFormat.of(op.output.type).is_quantized:
            pooled = pooling.average_pool2d_int(
                image, **op.window, count_include_pad=include, **_mean_parameters(op)
            )
        else:
            mean = pooling.average_pool2d_f32(image, **op.window, count_include_pad=include)
            pooled = float_result(mean, op)
        return (channel_first(pooled),)

    @impl(tpu.ReduceOp)
    def run_reduce(self, interpreter: Interpreter, op: tpu.ReduceOp, args: Values) -> Values:
        (x,), kind = args, op.kind.data
        if NumberFormat.of(op.output.type).is_quantized:
            reduced = reduction.reduce_int(kind, x, op.negative_axes, **_mean_parameters(op))
        else:
            reduced = float_result(reduction.reduce_f32(kind, x, op.negative_axes), op)
        return (reduced.reshape(len(x), *op.output.type.get_shape()),)

    @impl(tpu.ResampleOp)
    def run_resample(self, interpreter: Interpreter, op: tpu.ResampleOp, args: Values) -> Values:
        x, index = args[0], args[1][0]
        weight = args[2][0] if len(args) == 3 else np.ones(index.shape, np.float32)
        return (resampling.resample(x, op.axis.value.data - (x.ndim - 1), index, weight),)

    @impl(tpu.ReshapeOp)
    def run_reshape(self, interpreter: Interpreter, op: tpu.ReshapeOp, args: Values) -> Values:
        return (args[0].reshape(len(args[0]), *op.output.type.get_shape()),)

    @impl(tpu.TransposeOp)
    def run_transpose(self, interpreter: Interpreter, op: tpu.TransposeOp, args: Values) -> Values:
        return (args[0].transpose(0, *(axis + 1 for axis in op.permutation.get_values())),)

    @impl(tpu.ConcatOp)
    def run_concat(self, interpreter: Interpreter, op: tpu.ConcatOp, args: Values) -> Values:
        return (movement.concat(args, op.axis.value.data - (args[0].ndim - 1)),)

    @impl(tpu.SliceOp)
    def run_slice(self, interpreter: Interpreter, op: tpu.SliceOp, args: Values) -> Values:
        bounds = (each.get_values() for each in (op.starts, op.sizes, op.steps))
        return (movement.slice_of(args[0], *bounds),)

    @impl(tpu.PadOp)
    def run_pad(self, interpreter: Interpreter, op: tpu.PadOp, args: Values) -> Values:
        result, value = NumberFormat.of(op.output.type), op.value.value.data
        if result.is_quantized:
            value = movement.stored_number(value, result.scale, result.zero_point, result.storage)
        return (movement.pad(args[0], op.low.get_values(), op.high.get_values(), value),)

    @impl(tpu.SoftmaxOp)
    def run_softmax(self, interpreter: Interpreter, op: tpu.SoftmaxOp, args: Values) -> Values:
        (x,) = args
        result = normalizing.softmax(x, op.axis.value.data - (x.ndim - 1), log=op.log is not None)
        return (round_to(result, NumberFormat.of(op.output.type).storage),)

    @impl(tpu.NormalizeOp)
    def run_normalize(self, interpreter: Interpreter, op: tpu.NormalizeOp, args: Values) -> Values:
        x, *rest = args
        rest = [aligned(value, x.ndim - 1) for value in rest]
        scale = rest.pop(0) if op.scale is not None else None
        bias = rest.pop(0) if op.bias is not None else None
        result = normalization.normalize(
            op.kind.data, x, op.negative_axes, op.epsilon.value.data, scale, bias
        )
        return (round_to(result, NumberFormat.of(op.output.type).storage),)

    @impl(tpu.LocalResponseNormOp)
    def run_local_response_norm(
        self, interpreter: Interpreter, op: tpu.LocalResponseNormOp, args: Values
    ) -> Values:
        result = normalization.local_response_norm(
            args[0],
            2,
            size=op.size.value.data,
            alpha=op.alpha.value.data,
            beta=op.beta.value.data,
            bias=op.offset.value.data,
        )
        return (round_to(result, NumberFormat.of(op.output.type).storage),)


def _optional(
    op: tpu.Conv2dOp | tpu.MatmulOp, args: Values
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The bias and the residual among an op's operands, None where it has none."""
    rest = list(args[2:])
    bias = rest.pop(0) if op.bias is not None else None
    residual = rest.pop(0) if op.residual is not None else None
    return bias, residual


def _mean_parameters(op: tpu.AvgPoolOp | tpu.ReduceOp) -> dict[str, Any]:
    source, result = NumberFormat.of(op.input.type), NumberFormat.of(op.output.type)
    multiplier, shift = source.ratio_to(result)
    return {
        "zero_point_in": source.zero_point,
        "multiplier": multiplier,
        "shift": shift,
        "zero_point_out": result.zero_point,
        "storage": result.storage,
        "clamp": result.clamp(op.clamp),
    }


def _run_evaluated(
    functions: TpuFunctions, interpreter: Interpreter, op: tpu.TpuOp, args: Values
) -> Values:
    return (evaluate(op, args),)


def add_evaluations(evaluations: Mapping[type[Any], Callable[..., np.ndarray]]) -> None:
    """Makes ops known by what they compute: `function(op, operands)` on arrays [S, shape...].

    xDSL looks for one implementation per class of ops.
    """
    EVALUATIONS.update(evaluations)
    for kind in evaluations:
        setattr(TpuFunctions, f"run_{kind.__name__}", impl(kind)(_run_evaluated))
    register_impls(TpuFunctions)


add_evaluations(dict(EVALUATIONS))
