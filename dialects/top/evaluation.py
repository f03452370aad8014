"""What each op of top computes, on arrays: the interpreter runs networks by it, and passes compute
constants by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import FloatAttr

from ...backends.numerics import (
    comparison,
    convolution,
    elementwise,
    epilogue,
    matmul,
    movement,
    normalization,
    pooling,
    reduction,
    resampling,
    softmax,
)
from ...backends.numerics.sample_axis import (
    aligned,
    as_matrices,
    as_rows,
    broadcastable,
    channel_first,
    channel_last,
    per_sample,
)
from ...backends.numerics.storage import round_to
from ...backends.numerics.unary import NOT, unary
from .. import top
from ..network.along_axis import along_axis
from ..quant.element_type import element_storage, shape_of

Operands = Sequence[np.ndarray]


def evaluate(op: top.TopOp, operands: Operands) -> np.ndarray:
    """The result of `op` for the arrays [S, shape...] of its operands, in their order and in ONNX's
    layout; S is 1 where a value is the same for all samples.

    May be a view of an operand. KeyError for ops that make their own values (`top.weight`);
    ValueError for numbers that the op is not defined on.
    """
    return EVALUATIONS[type(op)](op, operands)


def _stored(op: top.TopOp, value: np.ndarray) -> np.ndarray:
    """A result computed in f32, rounded once to the op's storage type."""
    return round_to(value, element_storage(op.output.type))


def _conv2d(op: top.Conv2dOp, operands: Operands) -> np.ndarray:
    image = channel_last(operands[0])

    def convolve(weight: np.ndarray, image: np.ndarray) -> np.ndarray:
        return convolution.conv2d(
            image,
            np.ascontiguousarray(weight.transpose(2, 3, 1, 0)),
            **op.sliding,
            groups=op.groups.value.data,
            accumulator="f32",
        )

    acc = per_sample(convolve, operands[1], image)
    if op.bias is None:
        return channel_first(epilogue.epilogue_float(acc, None, element_storage(op.output.type)))
    bias = operands[2].astype(np.float32)
    if len(bias) > 1:
        return channel_first(_stored(op, acc + bias[:, None, None, None, :]))
    return channel_first(epilogue.epilogue_float(acc, bias[0], element_storage(op.output.type)))


def _matmul(op: top.MatmulOp, operands: Operands) -> np.ndarray:
    lhs, rhs = as_matrices(operands[0], operands[1])
    product = matmul.matmul(*as_rows(lhs, rhs), "f32")
    product = product.reshape(max(len(lhs), len(rhs)), *shape_of(op.output))
    if op.bias is not None:
        product = product + aligned(operands[2].astype(np.float32), product.ndim - 1)
    return _stored(op, product)


def _batch_norm(op: top.BatchNormOp, operands: Operands) -> np.ndarray:
    x = operands[0].astype(np.float32, copy=False)
    shape = (-1, 1, x.shape[2], *(1,) * (x.ndim - 3))
    scale, bias, mean, variance = (
        value.astype(np.float32, copy=False).reshape(shape) for value in operands[1:]
    )
    # The factor is that of the folded form, in f64: the same network folded or not differs by f32
    # rounding only.
    deviation = np.sqrt(variance.astype(np.float64) + op.epsilon.value.data)
    factor = (scale / deviation).astype(np.float32)
    return _stored(op, (x - mean) * factor + bias)


def _binary(
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Callable[[top.BinaryOp, Operands], np.ndarray]:
    return lambda op, operands: compute(*broadcastable(*operands))


def _compare(op: top.CompareOp, operands: Operands) -> np.ndarray:
    return comparison.compare(op.kind.data, *broadcastable(*operands))


def _logical(op: top.LogicalOp, operands: Operands) -> np.ndarray:
    return comparison.combine(op.kind.data, *broadcastable(*operands))


def _select(op: top.SelectOp, operands: Operands) -> np.ndarray:
    return comparison.select(*broadcastable(*operands))


def _unary(op: top.UnaryOp, operands: Operands) -> np.ndarray:
    if op.kind.data == NOT:
        return np.logical_not(operands[0])
    return unary(operands[0], op.kind.data, *op.parameters)


def _relu(op: top.ReluOp, operands: Operands) -> np.ndarray:
    return elementwise.clamp(operands[0], 0.0, None)


def _clip(op: top.ClipOp, operands: Operands) -> np.ndarray:
    return elementwise.clamp(operands[0], _bound(op.low), _bound(op.high))


def _bound(attribute: FloatAttr | None) -> float | None:
    return None if attribute is None else attribute.value.data


def _max_pool(op: top.MaxPoolOp, operands: Operands) -> np.ndarray:
    return channel_first(pooling.max_pool2d(channel_last(operands[0]), **op.window))


def _avg_pool(op: top.AvgPoolOp, operands: Operands) -> np.ndarray:
    include = op.count_include_pad is not None
    image = channel_last(operands[0])
    mean = pooling.average_pool2d_f32(image, **op.window, count_include_pad=include)
    return channel_first(_stored(op, mean))


def _reduce(op: top.ReduceOp, operands: Operands) -> np.ndarray:
    x = operands[0]
    reduced = reduction.reduce_f32(op.kind.data, x, op.negative_axes)
    return _stored(op, reduced.reshape(len(x), *shape_of(op.output)))


def _resize(op: top.ResizeOp, operands: Operands) -> np.ndarray:
    x = operands[0]
    rank = x.ndim - 1
    outside = np.zeros((1,) * rank, np.bool_)
    for axis, (index, weight) in resize_taps(op).items():
        x = resampling.resample(x, axis - rank, index, weight)
        outside = outside | beside_input(weight, axis, rank)
    if outside.any():
        x = np.where(outside, np.asarray(op.extrapolation_value.value.data, x.dtype), x)
    return x


def resize_taps(op: top.ResizeOp) -> dict[int, resampling.Taps]:
    """For each axis that a resize changes: index i32 [out,taps] and weight f32 [out,taps] of the
    elements that it mixes.
    """
    sizes, results, scales = shape_of(op.input), shape_of(op.output), op.scales.get_values()
    roi = None if op.roi is None else op.roi.get_values()
    taps: dict[int, resampling.Taps] = {}
    for axis, (size, result, scale) in enumerate(zip(sizes, results, scales, strict=True)):
        region = None if roi is None else (roi[2 * axis], roi[2 * axis + 1])
        if size == result and scale == 1.0 and region in (None, (0.0, 1.0)):
            continue
        taps[axis] = resampling.resize_taps(
            op.mode.data,
            size,
            result,
            scale,
            region,
            op.coordinate_transformation_mode.data,
            op.nearest_mode.data,
            op.cubic_coeff_a.value.data,
            op.exclude_outside is not None,
            op.antialias is not None,
        )
    return taps


def beside_input(weight: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Which outputs of a resize lie beside the input along `axis`, as bools that broadcast with
    `rank` axes: they get the extrapolation value.
    """
    return resampling.extrapolated(weight).reshape(-1, *(1,) * (rank - axis - 1))


def _reshape(op: top.ReshapeOp, operands: Operands) -> np.ndarray:
    return operands[0].reshape(len(operands[0]), *shape_of(op.output))


def _transpose(op: top.TransposeOp, operands: Operands) -> np.ndarray:
    return operands[0].transpose(0, *(axis + 1 for axis in op.permutation.get_values()))


def _concat(op: top.ConcatOp, operands: Operands) -> np.ndarray:
    return movement.concat(operands, op.axis.value.data - (operands[0].ndim - 1))


def _slice(op: top.SliceOp, operands: Operands) -> np.ndarray:
    properties = (op.starts, op.sizes, op.steps)
    return movement.slice_of(operands[0], *(each.get_values() for each in properties))


def _pad(op: top.PadOp, operands: Operands) -> np.ndarray:
    low, high = op.low.get_values(), op.high.get_values()
    return movement.pad(operands[0], low, high, op.value.value.data)


def _gather(op: top.GatherOp, operands: Operands) -> np.ndarray:
    axis = op.axis.value.data - (operands[0].ndim - 1)
    return movement.gather(operands[0], axis, op.indices.get_values())


def _softmax(op: top.SoftmaxOp, operands: Operands) -> np.ndarray:
    x = operands[0]
    return _stored(
        op, softmax.softmax(x, op.axis.value.data - (x.ndim - 1), log=op.log is not None)
    )


def _cast(op: top.CastOp, operands: Operands) -> np.ndarray:
    return _stored(op, operands[0])


def _normalize(op: top.NormalizeOp, operands: Operands) -> np.ndarray:
    x = operands[0]
    rank = x.ndim - 1
    rest = [aligned(value, rank) for value in operands[1:]]
    scale = rest.pop(0) if op.scale is not None else None
    bias = rest.pop(0) if op.bias is not None else None
    epsilon = op.epsilon.value.data
    result = normalization.normalize(op.kind.data, x, op.negative_axes, epsilon, scale, bias)
    return _stored(op, result)


def _local_response_norm(op: top.LocalResponseNormOp, operands: Operands) -> np.ndarray:
    result = normalization.local_response_norm(
        operands[0],
        2,
        size=op.size.value.data,
        alpha=op.alpha.value.data,
        beta=op.beta.value.data,
        bias=op.offset.value.data,
    )
    return _stored(op, result)


EVALUATIONS: dict[type[top.TopOp], Callable[[Any, Operands], np.ndarray]] = {
    top.Conv2dOp: _conv2d,
    top.MatmulOp: _matmul,
    top.BatchNormOp: _batch_norm,
    top.AddOp: _binary(elementwise.add),
    top.SubOp: _binary(elementwise.sub),
    top.MulOp: _binary(elementwise.mul),
    top.DivOp: _binary(elementwise.div),
    top.MinOp: _binary(elementwise.minimum),
    top.MaxOp: _binary(elementwise.maximum),
    top.PowerOp: _binary(elementwise.power),
    top.ModuloOp: _binary(elementwise.modulo),
    top.PreluOp: _binary(elementwise.prelu),
    top.UnaryOp: _unary,
    top.CompareOp: _compare,
    top.LogicalOp: _logical,
    top.SelectOp: _select,
    top.ReluOp: _relu,
    top.ClipOp: _clip,
    top.MaxPoolOp: _max_pool,
    top.AvgPoolOp: _avg_pool,
    top.ReduceOp: _reduce,
    top.ResizeOp: _resize,
    top.ReshapeOp: _reshape,
    top.TransposeOp: _transpose,
    top.ConcatOp: _concat,
    top.SliceOp: _slice,
    top.PadOp: _pad,
    top.GatherOp: _gather,
    top.CastOp: _cast,
    top.SoftmaxOp: _softmax,
    top.NormalizeOp: _normalize,
    top.LocalResponseNormOp: _local_response_norm,
    top.AlongAxisOp: along_axis,
}
"""The computation of each op that has operands."""
