"""Converts the other element-wise ops of `top` to `tpu`.

Functions of one operand are converted to floats; if they stand between casts from and to 8 bits, `tpu-fuse-lookup`
makes one table of them.
"""

from __future__ import annotations

from xdsl.dialects.builtin import FloatAttr

from ...backends.numerics.unary import NOT
from ...dialects import top, tpu
from ...dialects.quant.element_type import (
    element_of,
    expressed,
    is_float,
    is_network_float,
    type_of_storage,
)
from .arithmetic import swamps
from .tpu_builder import Conversions, TpuBuilder


def convert_select(builder: TpuBuilder, op: top.SelectOp) -> None:
    """Convert select to one of stored values, after bringing both operands into the result's quantization; to floats if
    that would hide one of them, or if only softmaxes and comparisons read the result.
    """
    condition, name = builder.as_float(op.condition), op.result_name.data
    quantizes = builder.computes_integers(op.output, op.lhs, op.rhs)
    quantizes = quantizes and is_network_float(op.output.type)
    floats = not quantizes or op.output in builder.float_results
    if floats or swamps(builder, op, (op.lhs, op.rhs)):
        lhs, rhs = builder.as_float(op.lhs), builder.as_float(op.rhs)
        made = tpu.SelectOp(name, condition, lhs, rhs)
        builder.set_float(op.output, builder.add(made).output)
        return
    result = builder.element(op.output)
    lhs, rhs = (builder.in_element(op, value, result) for value in (op.lhs, op.rhs))
    made = tpu.SelectOp(name, condition, lhs, rhs)
    builder.set_quantized(op.output, builder.add(made).output)


def convert_compare(builder: TpuBuilder, op: top.CompareOp) -> None:
    """Convert a comparison to one of floats (or of bools), so that the numbers themselves are compared."""
    exact = builder.is_given(op.lhs) or builder.is_given(op.rhs)
    form_of = builder.as_given if exact else builder.as_float
    lhs, rhs = form_of(op.lhs), form_of(op.rhs)
    made = tpu.CompareOp(op.result_name.data, lhs, rhs, kind=op.kind.data)
    builder.set_float(op.output, builder.add(made).output)


def convert_logical(builder: TpuBuilder, op: top.LogicalOp) -> None:
    """Convert an operation on bools."""
    lhs, rhs = builder.as_float(op.lhs), builder.as_float(op.rhs)
    made = tpu.LogicalOp(op.result_name.data, lhs, rhs, kind=op.kind.data)
    builder.set_float(op.output, builder.add(made).output)


def convert_unary(builder: TpuBuilder, op: top.UnaryOp) -> None:
    """Convert a function of one operand to floats; if its operand has 8 bits, a table replaces it later."""
    of_8_bits = builder.rounds_integers(op.output, op.input)
    of_8_bits = of_8_bits and is_float(op.output.type)
    made = tpu.UnaryOp(
        op.result_name.data,
        builder.as_float(op.input),
        kind=op.kind.data,
        alpha=_number(op.alpha),
        beta=_number(op.beta),
    )
    form = builder.add(made).output
    if of_8_bits and op.kind.data != NOT:
        builder.set_function_of_8_bits(op.output, form)
    else:
        builder.set_float(op.output, form)


def convert_clamp(builder: TpuBuilder, op: top.ReluOp | top.ClipOp) -> None:
    """Convert relu and clip to a clamp, in the quantization of its result; to floats if its readers want them."""
    low = 0.0 if isinstance(op, top.ReluOp) else _number(op.low)
    high = None if isinstance(op, top.ReluOp) else _number(op.high)
    name = builder.result_name(op)
    if builder.is_given(op.input):
        made = tpu.ClampOp(name, builder.as_given(op.input), clamp_low=low, clamp_high=high)
        builder.set_given(op.output, builder.add(made).output)
        return
    integers = builder.rounds_integers(op.output, op.input)
    if not integers or op.output in builder.float_results:
        made = tpu.ClampOp(name, builder.as_float(op.input), clamp_low=low, clamp_high=high)
        builder.set_float(op.output, builder.add(made).output)
        return
    form = builder.requantized(op, op.input, builder.element(op.output))
    made = tpu.ClampOp(name, form, clamp_low=low, clamp_high=high)
    builder.set_quantized(op.output, builder.add(made).output)


def convert_cast(builder: TpuBuilder, op: top.CastOp) -> None:
    """Convert a cast to a rounding if it goes to a type narrower than f32, and to nothing in int8, where storing rounds
    more.
    """
    name, given, wanted = op.result_name.data, op.input, element_of(op.output)
    if builder.quantizes or expressed(wanted) in (builder.float, type_of_storage("f32")):
        builder.set_form(op.output, builder.as_kept(given))
        return
    rounded = tpu.CastOp(name, builder.as_float(given), element=wanted)
    builder.set_given(op.output, builder.add(rounded).output)


def _number(attribute: FloatAttr | None) -> float | None:
    """Return the number that an optional attribute holds; None if it is absent."""
    return None if attribute is None else attribute.value.data


CONVERSIONS: Conversions = {
    top.ReluOp: convert_clamp,
    top.ClipOp: convert_clamp,
    top.UnaryOp: convert_unary,
    top.CompareOp: convert_compare,
    top.LogicalOp: convert_logical,
    top.SelectOp: convert_select,
    top.CastOp: convert_cast,
}
"""The conversion of each element-wise op."""
