"""The value of one `top` op on constants, by the functions of `backends/numerics`: what the
constant folder computes with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import FloatAttr

from ...backends.numerics import (
    convolution,
    elementwise,
    matmul,
    pooling,
    reduction,
    resampling,
    softmax,
)
from ...backends.numerics.matmul import is_float_dtype
from ...dialects import top
from ...dialects.element import shape_of

_BINARY: dict[type[top.TopOp], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    top.AddOp: elementwise.add,
    top.SubOp: elementwise.sub,
    top.MulOp: elementwise.mul,
    top.DivOp: elementwise.div,
}


def evaluate(op: top.TopOp, operands: Sequence[np.ndarray]) -> np.ndarray | None:
    """The result of `op` for the arrays of its operands, in their order and in ONNX's layout;
    contiguous.

    None where `op` is not computed at compile time: arithmetic on anything but floats, and ops that
    make their own values.
    """
    x = operands[0]
    if isinstance(op, top.ReshapeOp):
        return np.ascontiguousarray(x).reshape(shape_of(op.output))
    if isinstance(op, top.TransposeOp):
        return np.ascontiguousarray(x.transpose(op.permutation.get_values()))
    if not all(is_float_dtype(operand.dtype) for operand in operands):
        return None
    result = _evaluate_float(op, operands)
    return None if result is None else np.ascontiguousarray(result, dtype=x.dtype)


def _evaluate_float(op: top.TopOp, operands: Sequence[np.ndarray]) -> np.ndarray | None:
    x = operands[0]
    binary = _BINARY.get(type(op))
    if binary is not None:
        return binary(x, operands[1])
    match op:
        case top.ReluOp():
            return elementwise.clamp(x, 0.0, None)
        case top.ClipOp():
            return elementwise.clamp(x, _bound(op.low), _bound(op.high))
        case top.SoftmaxOp():
            return softmax.softmax(x, op.axis.value.data - x.ndim)
        case top.ReduceMeanOp():
            mean = reduction.mean_f32(x, tuple(axis - x.ndim for axis in op.axes.get_values()))
            return mean.reshape(shape_of(op.output))
        case top.ResizeOp():
            return _resize(op, x)
        case top.MatmulOp():
            return _matmul(operands)
        case top.Conv2dOp():
            return _conv2d(op, operands)
        case top.MaxPoolOp() | top.AvgPoolOp():
            return _pool(op, x)
        case top.BatchNormOp():
            return _batch_norm(op, operands)
        case _:
            return None


def _bound(attribute: FloatAttr | None) -> float | None:
    return None if attribute is None else attribute.value.data


def _matmul(operands: Sequence[np.ndarray]) -> np.ndarray:
    lhs, rhs = operands[0], operands[1]
    left = lhs[None, :] if lhs.ndim == 1 else lhs
    right = rhs[:, None] if rhs.ndim == 1 else rhs
    product = matmul.matmul(left, right, "f32")
    if len(operands) > 2:
        product = product + operands[2]
    if rhs.ndim == 1:
        product = product[..., 0]
    return (
        product[..., 0, :]
        if lhs.ndim == 1 and rhs.ndim > 1
        else product[..., 0]
        if lhs.ndim == 1
        else product
    )


def _conv2d(op: top.Conv2dOp, operands: Sequence[np.ndarray]) -> np.ndarray:
    top_pad, left, bottom, right = op.pads.get_values()
    product = convolution.conv2d(
        _channel_last(operands[0]),
        operands[1].transpose(2, 3, 1, 0),
        strides=_pair(op.strides.get_values()),
        dilations=_pair(op.dilations.get_values()),
        pads=(top_pad, left, bottom, right),
        groups=op.groups.value.data,
        accumulator="f32",
    )
    return _channel_first(product + operands[2] if len(operands) > 2 else product)


def _pool(op: top.MaxPoolOp | top.AvgPoolOp, x: np.ndarray) -> np.ndarray:
    top_pad, left, bottom, right = op.pads.get_values()
    kernel, strides = _pair(op.kernel.get_values()), _pair(op.strides.get_values())
    dilations, pads = _pair(op.dilations.get_values()), (top_pad, left, bottom, right)
    height, width = shape_of(op.output)[2:]
    image = _channel_last(x)
    if isinstance(op, top.MaxPoolOp):
        result = pooling.max_pool2d(
            image,
            kernel=kernel,
            strides=strides,
            dilations=dilations,
            pads=pads,
            output=(height, width),
        )
    else:
        result = pooling.average_pool2d_f32(
            image,
            kernel=kernel,
            strides=strides,
            dilations=dilations,
            pads=pads,
            count_include_pad=op.count_include_pad is not None,
            output=(height, width),
        )
    return _channel_first(result)


def _batch_norm(op: top.BatchNormOp, operands: Sequence[np.ndarray]) -> np.ndarray:
    x, scale, bias, mean, variance = (operand.astype(np.float64) for operand in operands)
    shape = (-1, *(1 for _ in range(x.ndim - 2)))
    factor = scale / np.sqrt(variance + op.epsilon.value.data)
    return (x - mean.reshape(shape)) * factor.reshape(shape) + bias.reshape(shape)


def _resize(op: top.ResizeOp, x: np.ndarray) -> np.ndarray:
    beside = np.zeros((1,) * x.ndim, np.bool_)
    for axis, (index, weight) in enumerate(resize_taps(op)):
        x = resampling.resample(x, axis - x.ndim, index, weight)
        along = [-1 if other == axis else 1 for other in range(x.ndim)]
        beside = beside | resampling.extrapolated(weight).reshape(along)
    return np.where(beside, x.dtype.type(op.extrapolation_value.value.data), x)


def resize_taps(op: top.ResizeOp) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each axis of a resize: index i32 [out,taps] and weight f32 [out,taps] of the elements
    that it mixes."""
    sizes, results, scales = shape_of(op.input), shape_of(op.output), op.scales.get_values()
    roi = None if op.roi is None else op.roi.get_values()
    taps: list[tuple[np.ndarray, np.ndarray]] = []
    for axis, (size, result, scale) in enumerate(zip(sizes, results, scales, strict=True)):
        region = None if roi is None else (roi[2 * axis], roi[2 * axis + 1])
        if size == result and scale == 1.0 and region in (None, (0.0, 1.0)):
            taps.append(identity_taps(size))
            continue
        made = resampling.resize_taps(
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
        taps.append(made)
    return taps


def identity_taps(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The taps that copy an axis of `size` elements."""
    return np.arange(size, dtype=np.int32)[:, None], np.ones((size, 1), np.float32)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    return values[0], values[1]


def _channel_last(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1)


def _channel_first(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, -1, 1)
