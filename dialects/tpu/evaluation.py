"""What the element-wise ops of tpu compute, on arrays in storage types: the interpreter runs networks
by it, and passes compute tables by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...backends.numerics import comparison, elementwise
from ...backends.numerics.quantization import (
    add_parameters,
    dequantize,
    quantize,
    quantize_multiplier,
    requantize,
)
from ...backends.numerics.sample_axis import broadcastable
from ...backends.numerics.storage import round_to
from ...backends.numerics.unary import NOT, unary
from .. import tpu
from ..network.along_axis import along_axis
from ..quant.number_format import NumberFormat, float_clamp

Operands = Sequence[np.ndarray]


def evaluate(op: tpu.TpuOp, operands: Operands) -> np.ndarray:
    """The result of the element-wise op `op` for the arrays [S, shape...] of its operands, in their
    order; S is 1 where a value is the same for all samples.

    KeyError for other ops; ValueError for numbers that the op is not defined on.
    """
    return EVALUATIONS[type(op)](op, operands)


def clamped(value: np.ndarray, op: tpu.ClampedOp) -> np.ndarray:
    """A value of the result's type, clamped in storage units."""
    if op.clamp == (None, None):
        return value
    result = NumberFormat.of(op.output.type)
    low, high = result.clamp(op.clamp) if result.is_quantized else op.clamp
    return elementwise.clamp(value, low, high)


def float_result(value: np.ndarray, op: tpu.ClampedOp) -> np.ndarray:
    """A float result clamped and rounded once to its storage type."""
    return elementwise.store_float(
        value, NumberFormat.of(op.output.type).storage, float_clamp(op.clamp)
    )


def _add(op: tpu.AddOp, operands: Operands) -> np.ndarray:
    result = NumberFormat.of(op.output.type)
    if not result.is_quantized:
        return _float_binary(elementwise.add)(op, operands)
    lhs, rhs = NumberFormat.of(op.lhs.type), NumberFormat.of(op.rhs.type)
    left, right, shift = add_parameters(lhs.scale, rhs.scale, result.scale)
    return elementwise.add_int(
        *broadcastable(*operands),
        zero_point_a=lhs.zero_point,
        zero_point_b=rhs.zero_point,
        multiplier_a=left,
        multiplier_b=right,
        shift=shift,
        zero_point=result.zero_point,
        storage=result.storage,
        clamp=result.clamp(op.clamp),
    )


def _mul(op: tpu.MulOp, operands: Operands) -> np.ndarray:
    result = NumberFormat.of(op.output.type)
    if not result.is_quantized:
        return _float_binary(elementwise.mul)(op, operands)
    lhs, rhs = NumberFormat.of(op.lhs.type), NumberFormat.of(op.rhs.type)
    multiplier, shift = quantize_multiplier(lhs.scale * rhs.scale / result.scale)
    return elementwise.mul_int(
        *broadcastable(*operands),
        zero_point_a=lhs.zero_point,
        zero_point_b=rhs.zero_point,
        multiplier=int(multiplier),
        shift=int(shift),
        zero_point=result.zero_point,
        storage=result.storage,
        clamp=result.clamp(op.clamp),
    )


def _extreme(
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Callable[[tpu.BinaryOp, Operands], np.ndarray]:
    """min and max, of stored values."""
    return lambda op, operands: clamped(compute(*broadcastable(*operands)), op)


def _float_binary(
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Callable[[tpu.BinaryOp, Operands], np.ndarray]:
    return lambda op, operands: float_result(compute(*broadcastable(*operands)), op)


def _cast(op: tpu.CastOp, operands: Operands) -> np.ndarray:
    (value,) = operands
    source, result = NumberFormat.of(op.input.type), NumberFormat.of(op.output.type)
    if source.is_quantized:
        value = dequantize(value, source.scale, source.zero_point)
    if not result.is_quantized:
        return round_to(value, result.storage)
    floats = value.astype(np.float32, copy=False)
    return quantize(floats, result.scale, result.zero_point, result.storage)


def _requantize(op: tpu.RequantizeOp, operands: Operands) -> np.ndarray:
    source, result = NumberFormat.of(op.input.type), NumberFormat.of(op.output.type)
    return requantize(
        operands[0].astype(np.int64) - source.zero_point,
        op.multiplier.value.data,
        op.shift.value.data,
        result.zero_point,
        result.storage,
        result.clamp(op.clamp),
    )


def _clamp(op: tpu.ClampOp, operands: Operands) -> np.ndarray:
    return clamped(operands[0], op)


def _unary(op: tpu.UnaryOp, operands: Operands) -> np.ndarray:
    if op.kind.data == NOT:
        return np.logical_not(operands[0])
    return unary(operands[0], op.kind.data, *op.parameters, float_clamp(op.clamp))


def _lookup(op: tpu.LookupOp, operands: Operands) -> np.ndarray:
    value, table = operands
    index = np.ascontiguousarray(value).view(np.uint8)
    if len(table) == 1:
        return np.take(table[0], index)
    spread = np.broadcast_to(index, (len(table), *index.shape[1:]))
    return np.stack([np.take(entries, each) for entries, each in zip(table, spread, strict=True)])


def _compare(op: tpu.CompareOp, operands: Operands) -> np.ndarray:
    return comparison.compare(op.kind.data, *broadcastable(*operands))


def _logical(op: tpu.LogicalOp, operands: Operands) -> np.ndarray:
    return comparison.combine(op.kind.data, *broadcastable(*operands))


def _select(op: tpu.SelectOp, operands: Operands) -> np.ndarray:
    return comparison.select(*broadcastable(*operands))


EVALUATIONS: dict[type[tpu.TpuOp], Callable[[Any, Operands], np.ndarray]] = {
    tpu.AddOp: _add,
    tpu.SubOp: _float_binary(elementwise.sub),
    tpu.MulOp: _mul,
    tpu.DivOp: _float_binary(elementwise.div),
    tpu.MinOp: _extreme(elementwise.minimum),
    tpu.MaxOp: _extreme(elementwise.maximum),
    tpu.PowerOp: _float_binary(elementwise.power),
    tpu.ModuloOp: _float_binary(elementwise.modulo),
    tpu.PreluOp: _float_binary(elementwise.prelu),
    tpu.UnaryOp: _unary,
    tpu.LookupOp: _lookup,
    tpu.CompareOp: _compare,
    tpu.LogicalOp: _logical,
    tpu.SelectOp: _select,
    tpu.CastOp: _cast,
    tpu.RequantizeOp: _requantize,
    tpu.ClampOp: _clamp,
    tpu.HostCallOp: along_axis,
}
"""The computation of each element-wise op."""
