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
from xdsl.ir import Operation, SSAValue

from ...backends.numerics.storage import integer_range
from ...dialects import top, tpu
from ...dialects.network.constant import value_of
from ...dialects.quant import uniform
from ...dialects.quant.element_type import element_storage, shape_of
from .dynamic_quantization import DYNAMIC, DynamicForms
from .precision.given_quantization import constant_of, signed
from .precision.wide_floats import INTEGER_PRODUCTS
from .tpu_builder import TpuBuilder

_EXACT = 2**24
"""Integers below this magnitude are exact in f32."""
_MATRIX_RANK, _IMAGE_RANK = 2, 4
"""The ranks of what the matrix unit takes: at least that of a matrix, and just that of an image."""


def convert_integer_product(builder: TpuBuilder, op: top.CallOp) -> bool:
    """Convert a call of matmul_integer or conv_integer to a product in f32, if it is one of constant weights and is
    exact so; return whether it was converted.
    """
    centered = _exact_weights(builder, op)
    if centered is None:
        return False
    activation, weight, activation_point, _ = op.inputs
    constant = constant_of(weight)
    assert constant is not None
    name = op.result_name.data
    left = _in_floats(builder, op, activation, activation_point)
    key = f"{builder.key_of(constant)}.centered"
    right = builder.constant(key, centered.astype(np.float32))
    inner_name = builder.fresh(f"{name}_f32")
    if op.function.data == "matmul_integer":
        made = builder.add(tpu.MatmulOp(inner_name, left, right, None)).output
    else:
        made = builder.add(tpu.Conv2dOp(inner_name, left, right, None, **_window(op))).output
    builder.set_float(op.output, made)
    if not all(is_cast_to_f32(use.operation) for use in op.output.uses):
        cast = tpu.HostCallOp(name, [made], function="cast", attributes={"to": "i32"})
        builder.set_given(op.output, builder.add(cast).output)
    return True


def reads_centered(builder: TpuBuilder, op: Operation) -> bool:
    """Tell whether `op` is a product in f32 that reads the integers of a dynamic quantization less their zero point."""
    if not isinstance(op, top.CallOp) or _exact_weights(builder, op) is None:
        return False
    return _quantizes_both(op.inputs[0], op.inputs[2])


def _exact_weights(builder: TpuBuilder, op: top.CallOp) -> np.ndarray | None:
    """Return the weights of a product of integers without their zero points, in i32; None if it is no product with
    constant weights that is exact in f32.
    """
    if op.function.data not in INTEGER_PRODUCTS:
        return None
    activation, weight, activation_point, weight_point = op.inputs
    constant, constant_point = constant_of(weight), constant_of(weight_point)
    if constant is None or constant_point is None or prod(shape_of(activation_point)) != 1:
        return None
    is_matmul = op.function.data == "matmul_integer"
    ranks = len(shape_of(activation)), len(shape_of(weight))
    if min(ranks) < _MATRIX_RANK or (not is_matmul and ranks[0] != _IMAGE_RANK):
        return None
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
    return centered if most * int(sums.max(initial=0)) < _EXACT else None


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
    """Return a value of 8 bits without its zero point, in f32. A zero point of run time is subtracted there; dynamic
    quantization gives the difference itself.
    """
    owner = value.owner
    if isinstance(owner, top.CallOp) and _quantizes_both(value, zero_point):
        forms = DynamicForms.of(builder, owner)
        if forms is not None:
            return forms.centered
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
        and quantized.function.data == of_point.function.data == DYNAMIC
        and (quantized.result.value.data, of_point.result.value.data) == (0, 2)
        and quantized.inputs[0] == of_point.inputs[0]
    )


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
