"""Converts products of integers of 8 bits, as dynamic quantization makes them, to products of the matrix unit in f32.

    %s = top.call "s" %a, %w, %za, %zw function = "matmul_integer" : ... -> tensor<...xi32>

sums (a − za)(w − zw). If w and zw are constants, so that no sum and no partial sum can reach 2^24, every number is an
integer that f32 holds: the sums are exact in any order, and zero points may be known at run time only. A cast of the
sums to f32, which is what models make of them, is nothing; other readers get the sums in i32 from the host.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from ...backends.numerics.storage import integer_range
from ...dialects import top, tpu
from ...dialects.network.constant import value_of
from ...dialects.quant import uniform
from ...dialects.quant.element_type import element_storage, shape_of
from .precision.given_quantization import constant_of, signed
from .precision.wide_floats import INTEGER_PRODUCTS
from .tpu_builder import TpuBuilder

_EXACT = 2**24
"""Integers below this magnitude are exact in f32."""
_DYNAMIC, _CENTERED = "dynamic_quantize_linear", "dynamic_quantize_centered"
_MATRIX_RANK, _IMAGE_RANK = 2, 4
"""The ranks of what the matrix unit takes: at least that of a matrix, and just that of an image."""


def convert_integer_product(builder: TpuBuilder, op: top.CallOp) -> bool:
    """Convert a call of matmul_integer or conv_integer to a product in f32, if it is one of constant weights and is
    exact so; return whether it was converted.
    """
    if op.function.data not in INTEGER_PRODUCTS:
        return False
    activation, weight, activation_point, weight_point = op.inputs
    constant, constant_point = constant_of(weight), constant_of(weight_point)
    if constant is None or constant_point is None or prod(shape_of(activation_point)) != 1:
        return False
    is_matmul = op.function.data == "matmul_integer"
    ranks = len(shape_of(activation)), len(shape_of(weight))
    if min(ranks) < _MATRIX_RANK or (not is_matmul and ranks[0] != _IMAGE_RANK):
        return False
    centered = _centered(builder, constant, constant_point, is_matmul=is_matmul)
    sums = np.abs(centered).sum(
        axis=_summed_axes(centered.ndim, is_matmul=is_matmul), dtype=np.int64
    )
    low, high = integer_range(element_storage(activation.type))
    point = constant_of(activation_point)
    most = high - low
    if point is not None:
        known = int(value_of(point, builder.store).item())
        most = max(high - known, known - low)
    if most * int(sums.max(initial=0)) >= _EXACT:
        return False
    name = op.result_name.data
    left = _in_floats(builder, op, activation, activation_point)
    key = f"{builder.key_of(constant)}.centered"
    right = builder.constant(key, centered.astype(np.float32))
    inner_name = builder.fresh(f"{name}_f32")
    if is_matmul:
        made = builder.add(tpu.MatmulOp(inner_name, left, right, None)).output
    else:
        made = builder.add(tpu.Conv2dOp(inner_name, left, right, None, **_window(op))).output
    builder.set_float(op.output, made)
    if not all(is_cast_to_f32(use.operation) for use in op.output.uses):
        cast = tpu.HostCallOp(name, [made], function="cast", attributes={"to": "i32"})
        builder.set_given(op.output, builder.add(cast).output)
    return True


def is_cast_to_f32(op: object) -> bool:
    """Tell whether an op is a call that casts to f32."""
    return (
        isinstance(op, top.CallOp)
        and op.function.data == "cast"
        and op.call().attribute("to") == "f32"
    )


def convert_cast_of_sums(builder: TpuBuilder, op: top.CallOp) -> bool:
    """Convert a cast to f32 of integers that there are in f32 already to nothing; return whether it is one."""
    form = builder.float_form(op.inputs[0])
    if form is None or not is_cast_to_f32(op):
        return False
    builder.set_float(op.output, form)
    return True


def _centered(
    builder: TpuBuilder, weight: top.WeightOp, point: top.WeightOp, *, is_matmul: bool
) -> np.ndarray:
    """Return weights without their zero points, in i32; those of a convolution lie along its first axis."""
    array, points = (value_of(each, builder.store).astype(np.int32) for each in (weight, point))
    if points.size == 1:
        points = points.reshape(())
    elif not is_matmul:
        points = points.reshape(-1, *(1,) * (array.ndim - 1))
    return array - points


def _summed_axes(rank: int, *, is_matmul: bool) -> tuple[int, ...]:
    """Return the axes of the weights over which a product sums."""
    if not is_matmul:
        return tuple(range(1, rank))
    return (rank - 2,)


def _in_floats(
    builder: TpuBuilder, op: top.CallOp, value: SSAValue, zero_point: SSAValue
) -> SSAValue:
    """Return a value of 8 bits without its zero point, in f32. A zero point of run time is subtracted there; where a
    call quantizes by the range of its operand, another call gives the difference itself.
    """
    if _quantizes_both(value, zero_point):
        return _dynamically_centered(builder, value)
    point = constant_of(zero_point)
    known = 0 if point is None else int(value_of(point, builder.store).item())
    form = _dequantized(builder, op, value, known)
    if point is not None:
        return form
    shift = _dequantized(builder, op, zero_point, 0)
    name = builder.fresh(f"{builder.name_of(value)}_centered")
    return builder.add(tpu.SubOp(name, form, shift)).output


def _quantizes_both(value: SSAValue, zero_point: SSAValue) -> bool:
    """Tell whether both are results of the dynamic quantization of one value."""
    quantized, of_point = value.owner, zero_point.owner
    return (
        isinstance(quantized, top.CallOp)
        and isinstance(of_point, top.CallOp)
        and quantized.function.data == of_point.function.data == _DYNAMIC
        and (quantized.result.value.data, of_point.result.value.data) == (0, 2)
        and quantized.inputs[0] == of_point.inputs[0]
    )


def _dynamically_centered(builder: TpuBuilder, value: SSAValue) -> SSAValue:
    """Return the integers of a dynamic quantization less their zero point; products of one value share the call."""
    form = builder.centered.get(value)
    if form is None:
        owner = value.owner
        assert isinstance(owner, top.CallOp)
        name = builder.fresh(f"{owner.result_name.data}_centered")
        given = [builder.as_f32(owner.inputs[0])]
        made = tpu.HostCallOp(name, given, function=_CENTERED)
        form = builder.centered[value] = builder.add(made).output
    return form


def _dequantized(builder: TpuBuilder, op: top.CallOp, value: SSAValue, point: int) -> SSAValue:
    """Return integers of 8 bits less a number, in f32: dequantized with a scale of 1."""
    name = builder.name_of(value)
    element = uniform(element_storage(value.type), 1.0, point)
    made = tpu.StorageCastOp(
        builder.fresh(f"{name}_stored"), builder.as_given(value), element=element
    )
    form = builder.add(made).output
    if signed(element) != element:
        shifted = tpu.RequantizeOp(builder.fresh(f"{name}_signed"), form, element=signed(element))
        form = builder.add(shifted).output
    cast = tpu.CastOp(builder.fresh(f"{name}_f32"), form, element=f32)
    return builder.add(cast).output


def _window(op: top.CallOp) -> dict[str, Any]:
    """Return the fields of a convolution; pads are begins, then ends, in both."""
    call = op.call()
    return {name: call.attribute(name) for name in ("strides", "pads", "dilations", "groups")}
