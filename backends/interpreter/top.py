"""The interpreter of the top dialect: what each op computes, in floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.interpreter import Interpreter, InterpreterFunctions, impl, register_impls
from xdsl.ir import Attribute

from ...dialects import top
from ...dialects.element import element_storage
from ...dialects.weights import WeightStore, value_of
from ..numerics import convolution, elementwise, epilogue, pooling, reduction, resampling
from ..numerics import matmul as products
from ..numerics import softmax as normalizing
from ..numerics.storage import round_to
from .network import (
    NetworkRunner,
    Observer,
    aligned,
    as_matrices,
    as_rows,
    channel_first,
    channel_last,
    per_sample,
    run_main,
)

Values = tuple[Any, ...]


def run_top(
    module: ModuleOp,
    weights: WeightStore,
    inputs: Mapping[str, np.ndarray],
    *,
    observe: Observer | None = None,
) -> dict[str, np.ndarray]:
    """Runs the function of a top module and returns its results by name.

    Args:
        module: a module with one function of top ops.
        weights: the store that holds its weights.
        inputs: arrays by input name, of the declared shape, or with an axis 0 that is S times as
            long: S samples.
        observe: called as observe(name, value) once for every input and every op's result (weights
            excepted), with f32 [S, shape...]. All samples are then run at once: give many samples
            in several calls.

    Returns:
        Arrays of the declared shapes, the results of S samples one after the other along axis 0.

    Raises:
        DiagnosticError: inputs that are missing, unknown or of wrong shapes; an op that is not of
            `top`.
    """
    return run_main(NetworkRunner(module, TopFunctions(weights), _real), module, inputs, observe)


def _real(value: np.ndarray, type: Attribute) -> np.ndarray:
    return value.astype(np.float32, copy=False)


def _negative(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(axis - rank for axis in axes)


def resize(x: np.ndarray, op: top.ResizeOp) -> np.ndarray:
    """ONNX Resize of x[S, shape...], one axis after the other; outputs beside the input get the
    extrapolation value.
    """
    rank = x.ndim - 1
    scales, roi = op.scales.get_values(), op.roi.get_values() if op.roi else None
    outside = np.zeros((1,) * rank, np.bool_)
    for axis, (size, scale) in enumerate(zip(op.output.type.get_shape(), scales, strict=True)):
        region = (roi[2 * axis], roi[2 * axis + 1]) if roi else None
        if size == x.shape[axis + 1] and scale == 1.0 and region in (None, (0.0, 1.0)):
            continue
        taps = resampling.resize_taps(
            op.mode.data,
            x.shape[axis + 1],
            size,
            scale,
            region,
            op.coordinate_transformation_mode.data,
            op.nearest_mode.data,
            op.cubic_coeff_a.value.data,
            op.exclude_outside is not None,
            op.antialias is not None,
        )
        index, weight = taps
        x = resampling.resample(x, axis - rank, index, weight)
        beside = resampling.extrapolated(weight)
        outside = outside | beside.reshape(-1, *(1,) * (rank - axis - 1))
    if outside.any():
        x = np.where(outside, np.asarray(op.extrapolation_value.value.data, x.dtype), x)
    return x


@register_impls
class TopFunctions(InterpreterFunctions):
    """The top ops on arrays [S, shape...] (S = 1 where a value is the same for all samples)."""

    def __init__(self, weights: WeightStore):
        self.weights = weights

    @impl(top.WeightOp)
    def run_weight(self, interpreter: Interpreter, op: top.WeightOp, args: Values) -> Values:
        return (value_of(op, self.weights)[None],)

    @impl(top.Conv2dOp)
    def run_conv2d(self, interpreter: Interpreter, op: top.Conv2dOp, args: Values) -> Values:
        x, weight = channel_last(args[0]), args[1]
        top_, left, bottom, right = op.pads.get_values()

        def convolve(w: np.ndarray, image: np.ndarray) -> np.ndarray:
            return convolution.conv2d(
                image,
                np.ascontiguousarray(w.transpose(2, 3, 1, 0)),
                strides=_pair(op.strides.get_values()),
                dilations=_pair(op.dilations.get_values()),
                pads=(top_, left, bottom, right),
                groups=op.groups.value.data,
                accumulator="f32",
            )

        acc = per_sample(convolve, weight, x)
        storage = element_storage(op.output.type)
        if len(args) == 3 and len(args[2]) == 1:
            result = epilogue.epilogue_float(acc, args[2][0].astype(np.float32), storage)
        elif len(args) == 3:
            result = round_to(acc + args[2][:, None, None, None, :].astype(np.float32), storage)
        else:
            result = epilogue.epilogue_float(acc, None, storage)
        return (channel_first(result),)

    @impl(top.MatmulOp)
    def run_matmul(self, interpreter: Interpreter, op: top.MatmulOp, args: Values) -> Values:
        lhs, rhs = as_matrices(args[0], args[1])
        acc = products.matmul(*as_rows(lhs, rhs), "f32")
        samples = max(len(lhs), len(rhs))
        acc = acc.reshape(samples, *op.output.type.get_shape())
        if len(args) == 3:
            acc = acc + aligned(args[2].astype(np.float32), acc.ndim - 1)
        return (round_to(acc, element_storage(op.output.type)),)

    @impl(top.BatchNormOp)
    def run_batch_norm(self, interpreter: Interpreter, op: top.BatchNormOp, args: Values) -> Values:
        x = args[0].astype(np.float32, copy=False)
        shape = (-1, 1, x.shape[2], *(1,) * (x.ndim - 3))
        scale, bias, mean, variance = (
            value.astype(np.float32, copy=False).reshape(shape) for value in args[1:]
        )
        # The factor is that of the folded form, in f64: the same network folded or not differs by
        # f32 rounding only.
        deviation = np.sqrt(variance.astype(np.float64) + op.epsilon.value.data)
        factor = (scale / deviation).astype(np.float32)
        return (round_to((x - mean) * factor + bias, element_storage(op.output.type)),)

    @impl(top.AddOp)
    def run_add(self, interpreter: Interpreter, op: top.AddOp, args: Values) -> Values:
        return (_binary(elementwise.add, args),)

    @impl(top.SubOp)
    def run_sub(self, interpreter: Interpreter, op: top.SubOp, args: Values) -> Values:
        return (_binary(elementwise.sub, args),)

    @impl(top.MulOp)
    def run_mul(self, interpreter: Interpreter, op: top.MulOp, args: Values) -> Values:
        return (_binary(elementwise.mul, args),)

    @impl(top.DivOp)
    def run_div(self, interpreter: Interpreter, op: top.DivOp, args: Values) -> Values:
        return (_binary(elementwise.div, args),)

    @impl(top.ReluOp)
    def run_relu(self, interpreter: Interpreter, op: top.ReluOp, args: Values) -> Values:
        return (elementwise.clamp(args[0], 0.0, None),)

    @impl(top.ClipOp)
    def run_clip(self, interpreter: Interpreter, op: top.ClipOp, args: Values) -> Values:
        low = None if op.low is None else op.low.value.data
        high = None if op.high is None else op.high.value.data
        return (elementwise.clamp(args[0], low, high),)

    @impl(top.MaxPoolOp)
    def run_max_pool(self, interpreter: Interpreter, op: top.MaxPoolOp, args: Values) -> Values:
        pooled = pooling.max_pool2d(channel_last(args[0]), **pool_window(op))
        return (channel_first(pooled),)

    @impl(top.AvgPoolOp)
    def run_avg_pool(self, interpreter: Interpreter, op: top.AvgPoolOp, args: Values) -> Values:
        include = op.count_include_pad is not None
        pooled = pooling.average_pool2d_f32(
            channel_last(args[0]), **pool_window(op), count_include_pad=include
        )
        return (channel_first(round_to(pooled, element_storage(op.output.type))),)

    @impl(top.ReduceMeanOp)
    def run_reduce_mean(
        self, interpreter: Interpreter, op: top.ReduceMeanOp, args: Values
    ) -> Values:
        x = args[0]
        axes = _negative(op.axes.get_values(), x.ndim - 1)
        mean = reduction.mean_f32(x, axes).reshape(len(x), *op.output.type.get_shape())
        return (round_to(mean, element_storage(op.output.type)),)

    @impl(top.ResizeOp)
    def run_resize(self, interpreter: Interpreter, op: top.ResizeOp, args: Values) -> Values:
        return (resize(args[0], op),)

    @impl(top.ReshapeOp)
    def run_reshape(self, interpreter: Interpreter, op: top.ReshapeOp, args: Values) -> Values:
        return (args[0].reshape(len(args[0]), *op.output.type.get_shape()),)

    @impl(top.TransposeOp)
    def run_transpose(self, interpreter: Interpreter, op: top.TransposeOp, args: Values) -> Values:
        return (args[0].transpose(0, *(axis + 1 for axis in op.permutation.get_values())),)

    @impl(top.SoftmaxOp)
    def run_softmax(self, interpreter: Interpreter, op: top.SoftmaxOp, args: Values) -> Values:
        x = args[0]
        result = normalizing.softmax(x, op.axis.value.data - (x.ndim - 1))
        return (round_to(result, element_storage(op.output.type)),)


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    first, second = values
    return first, second


def pool_window(op: Any) -> dict[str, Any]:
    """The window of a top or tpu pool, as the numerics functions take it; the output's size settles
    ceil_mode.
    """
    return {
        "kernel": _pair(op.kernel.get_values()),
        "strides": _pair(op.strides.get_values()),
        "dilations": _pair(op.dilations.get_values()),
        "pads": op.pads.get_values(),
        "output": _pair(op.output.type.get_shape()[2:]),
    }


def _binary(compute: Callable[[np.ndarray, np.ndarray], np.ndarray], args: Values) -> np.ndarray:
    lhs, rhs = args
    rank = max(lhs.ndim, rhs.ndim) - 1
    return compute(aligned(lhs, rank), aligned(rhs, rank))
