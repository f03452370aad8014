"""How the element-wise ops of `top` are said in `tpu`.

Arithmetic is in integers where that is exact or rounds once; functions of one operand are in floats,
and between casts from and to 8 bits `tpu-fuse-lookup` makes one table of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import SSAValue

from ...backends.numerics.quantization import add_parameters, quantize_multiplier
from ...backends.numerics.unary import NOT
from ...dialects import top, tpu
from ...dialects.quant import CalibratedType, UniformQuantizedType
from ...dialects.quant.element_type import element_of, is_float
from .tpu_builder import TpuBuilder, not_quantizable, quantized_element

_MOST_RATIO = 32
"""How much wider a result's range may be than an operand's: of 256 steps 8 are left to it then."""

_FLOAT_BINARY: Mapping[type[top.TopOp], type[tpu.BinaryOp]] = {
    top.AddOp: tpu.AddOp, top.SubOp: tpu.SubOp, top.MulOp: tpu.MulOp, top.DivOp: tpu.DivOp,
    top.MinOp: tpu.MinOp, top.MaxOp: tpu.MaxOp, top.PowerOp: tpu.PowerOp,
    top.ModuloOp: tpu.ModuloOp, top.PreluOp: tpu.PreluOp,
}  # fmt: skip


def convert_arithmetic(builder: TpuBuilder, op: top.BinaryOp) -> None:
    """add and mul in integers; x − c as x + (−c), x / c as x · (1/c); other subtractions and
    divisions in floats, as what only softmaxes and comparisons read, and sums that 8 bits would not
    show an operand in."""
    floats = op.output in builder.float_results or (
        isinstance(op, top.AddOp | top.SubOp) and _swamps(builder, op, (op.lhs, op.rhs))
    )
    rhs = _integer_rhs(builder, op) if builder.quantizes and not floats else None
    if rhs is None:
        convert_float_binary(builder, op)
        return
    lhs, result = builder.as_quantized(op.lhs), builder.element(op.output)
    scales = quantized_element(lhs).scale, quantized_element(rhs).scale, result.scale
    adds = isinstance(op, top.AddOp | top.SubOp)
    try:
        if adds:
            add_parameters(*scales)
        else:
            quantize_multiplier(scales[0] * scales[1] / scales[2])
    except ValueError as error:
        raise not_quantizable(op, error) from None
    integer_kind = tpu.AddOp if adds else tpu.MulOp
    made = integer_kind.make(op.result_name.data, lhs, rhs, element=result)
    builder.set_quantized(op.output, builder.add(made).output)


def _integer_rhs(builder: TpuBuilder, op: top.BinaryOp) -> SSAValue | None:
    """The quantized second operand of the addition or multiplication that `op` becomes; None where
    it becomes none."""
    if isinstance(op, top.AddOp | top.MulOp):
        return builder.as_quantized(op.rhs)
    weight = op.rhs.owner
    if not isinstance(weight, top.WeightOp):
        return None
    array = builder.array_of(weight)
    if isinstance(op, top.SubOp):
        return builder.quantized_constant(weight, -array)
    if not np.all(array != 0):
        return None
    with np.errstate(over="ignore"):
        return builder.quantized_constant(weight, np.float32(1) / array)


def convert_float_binary(builder: TpuBuilder, op: top.BinaryOp) -> None:
    """Other arithmetic of two operands: in floats."""
    kind = _FLOAT_BINARY[type(op)]
    made = kind.make(op.result_name.data, builder.as_float(op.lhs), builder.as_float(op.rhs))
    builder.set_float(op.output, builder.add(made).output)


def convert_extreme(builder: TpuBuilder, op: top.MinOp | top.MaxOp) -> None:
    """min and max: of stored values, once both operands are in the result's quantization; of floats
    where only softmaxes and comparisons read it."""
    if not builder.quantizes or op.output in builder.float_results:
        convert_float_binary(builder, op)
        return
    result = builder.element(op.output)
    operands = [_in_element(builder, op, value, result) for value in (op.lhs, op.rhs)]
    made = _FLOAT_BINARY[type(op)].make(op.result_name.data, *operands)
    builder.set_quantized(op.output, builder.add(made).output)


def convert_select(builder: TpuBuilder, op: top.SelectOp) -> None:
    """select: of stored values, once both operands are in the result's quantization; of floats
    where that would not show one of them, or only softmaxes and comparisons read it."""
    condition, name = builder.as_float(op.condition), op.result_name.data
    quantizes = builder.quantizes and is_float(op.output.type)
    floats = not quantizes or op.output in builder.float_results
    if floats or _swamps(builder, op, (op.lhs, op.rhs)):
        lhs, rhs = builder.as_float(op.lhs), builder.as_float(op.rhs)
        made = tpu.SelectOp.make(name, condition, lhs, rhs)
        builder.set_float(op.output, builder.add(made).output)
        return
    result = builder.element(op.output)
    lhs, rhs = (_in_element(builder, op, value, result) for value in (op.lhs, op.rhs))
    made = tpu.SelectOp.make(name, condition, lhs, rhs)
    builder.set_quantized(op.output, builder.add(made).output)


def _swamps(builder: TpuBuilder, op: top.TopOp, operands: Sequence[SSAValue]) -> bool:
    """Whether the result's range is so much wider than that of an operand that computes that 8 bits
    would leave the operand few steps.

    So it is with attention's scores once a mask has put -10000 or the least float in the place of
    some: in 8 bits the Softmax behind it would see no difference between the others.
    """
    output = op.results[0]
    if not isinstance(element_of(output), CalibratedType):
        return False
    scale = builder.element(output).scale
    return any(
        isinstance(element_of(value), CalibratedType)
        and builder.element(value).scale * _MOST_RATIO < scale
        for value in operands
    )


def _in_element(
    builder: TpuBuilder, op: top.TopOp, value: SSAValue, element: UniformQuantizedType
) -> SSAValue:
    """A value in the quantization `element`; it saturates to what that can express."""
    weight = value.owner
    if isinstance(weight, top.WeightOp):
        return builder.quantized_constant(weight, builder.array_of(weight), element)
    return builder.requantized(op, value, element)


def convert_compare(builder: TpuBuilder, op: top.CompareOp) -> None:
    """Comparisons: of the numbers themselves, in floats (or of bools)."""
    lhs, rhs = builder.as_float(op.lhs), builder.as_float(op.rhs)
    made = tpu.CompareOp.make(op.result_name.data, lhs, rhs, kind=op.kind.data)
    builder.set_float(op.output, builder.add(made).output)


def convert_logical(builder: TpuBuilder, op: top.LogicalOp) -> None:
    """Operations on bools."""
    lhs, rhs = builder.as_float(op.lhs), builder.as_float(op.rhs)
    made = tpu.LogicalOp.make(op.result_name.data, lhs, rhs, kind=op.kind.data)
    builder.set_float(op.output, builder.add(made).output)


def convert_unary(builder: TpuBuilder, op: top.UnaryOp) -> None:
    """Functions of one operand: in floats; of 8 bits they are later looked up in a table."""
    of_8_bits = builder.is_quantized(op.input) and is_float(op.output.type)
    made = tpu.UnaryOp.make(
        op.result_name.data,
        builder.as_float(op.input),
        kind=op.kind.data,
        alpha=number(op.alpha),
        beta=number(op.beta),
    )
    form = builder.add(made).output
    if of_8_bits and op.kind.data != NOT:
        builder.set_function_of_8_bits(op.output, form)
    else:
        builder.set_float(op.output, form)


def convert_clamp(builder: TpuBuilder, op: top.ReluOp | top.ClipOp) -> None:
    """relu and clip: a clamp, in the quantization of its result."""
    low = 0.0 if isinstance(op, top.ReluOp) else number(op.low)
    high = None if isinstance(op, top.ReluOp) else number(op.high)
    name = op.result_name.data
    if not builder.is_quantized(op.input):
        made = tpu.ClampOp.make(name, builder.as_float(op.input), clamp_low=low, clamp_high=high)
        builder.set_float(op.output, builder.add(made).output)
        return
    form = builder.requantized(op, op.input, builder.element(op.output))
    made = tpu.ClampOp.make(name, form, clamp_low=low, clamp_high=high)
    builder.set_quantized(op.output, builder.add(made).output)


def number(attribute: FloatAttr | None) -> float | None:
    """The number of an optional attribute."""
    return None if attribute is None else attribute.value.data


POINTWISE_CONVERSIONS: Mapping[type[Any], Callable[[TpuBuilder, Any], None]] = {
    top.AddOp: convert_arithmetic,
    top.SubOp: convert_arithmetic,
    top.MulOp: convert_arithmetic,
    top.DivOp: convert_arithmetic,
    top.MinOp: convert_extreme,
    top.MaxOp: convert_extreme,
    top.PowerOp: convert_float_binary,
    top.ModuloOp: convert_float_binary,
    top.PreluOp: convert_float_binary,
    top.ReluOp: convert_clamp,
    top.ClipOp: convert_clamp,
    top.UnaryOp: convert_unary,
    top.CompareOp: convert_compare,
    top.LogicalOp: convert_logical,
    top.SelectOp: convert_select,
}
"""For each element-wise op of `top`: the function that appends its `tpu` ops."""
