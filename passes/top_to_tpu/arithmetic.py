"""Converts arithmetic of two operands of `top` to `tpu`: to integers if that is exact or rounds once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import SSAValue

from ...backends.numerics.quantization import add_parameters, quantize_multiplier
from ...dialects import top, tpu
from ...dialects.quant import CalibratedType
from ...dialects.quant.element_type import element_of
from .precision.given_quantization import constant_of
from .precision.uneven_joins import MOST_RATIO
from .tpu_builder import Conversions, TpuBuilder, not_quantizable, quantized_element


def convert_arithmetic(
    builder: TpuBuilder,
    op: top.BinaryOp,
    *,
    kind: type[tpu.BinaryOp],
    integer_kind: type[tpu.BinaryOp],
    inverse: Callable[[np.ndarray], np.ndarray | None] | None = None,
) -> None:
    """Convert to `integer_kind` of integers, or to `kind` of floats: values that only softmaxes and comparisons read,
    and sums in which 8 bits would hide an operand.

    An op with an `inverse`, which turns a constant into what `integer_kind` takes (or gives None if there is no such
    constant), becomes integers only beside a constant: x − c is x + (−c), and x / c is x · (1/c).
    """
    adds = integer_kind is tpu.AddOp
    floats = op.output in builder.float_results or (adds and swamps(builder, op, (op.lhs, op.rhs)))
    integers = builder.computes_integers(op.output, op.lhs, op.rhs) and not floats
    rhs = _integer_rhs(builder, op, inverse) if integers else None
    if rhs is None:
        convert_in_floats(builder, op, kind=kind)
        return
    lhs, result = builder.as_quantized(op.lhs), builder.element(op.output)
    scales = quantized_element(lhs).scale, quantized_element(rhs).scale, result.scale
    try:
        if adds:
            add_parameters(*scales)
        else:
            quantize_multiplier(scales[0] * scales[1] / scales[2])
    except ValueError as error:
        raise not_quantizable(op, error) from None
    made = integer_kind(op.result_name.data, lhs, rhs, element=result)
    if isinstance(made, tpu.AddOp) and any(map(_is_rounded_by_the_model, (op.lhs, op.rhs))):
        made.properties["separate"] = UnitAttr()
    builder.set_quantized(op.output, builder.add(made).output)


def _is_rounded_by_the_model(value: SSAValue) -> bool:
    """Tell whether a value, no constant, is one that a pre-quantized model itself has quantized."""
    return isinstance(value.owner, top.DequantizeOp) and constant_of(value) is None


def _integer_rhs(
    builder: TpuBuilder,
    op: top.BinaryOp,
    inverse: Callable[[np.ndarray], np.ndarray | None] | None,
) -> SSAValue | None:
    """Return the quantized second operand of what `op` becomes; None if it does not become integers."""
    if inverse is None:
        return builder.as_quantized(op.rhs)
    weight = constant_of(op.rhs)
    if weight is None:
        return None
    array = inverse(builder.array_of(weight))
    return None if array is None else builder.quantized_constant(weight, array)


def _reciprocal(array: np.ndarray) -> np.ndarray | None:
    """Return 1 / array; None if it has a zero."""
    if not np.all(array != 0):
        return None
    with np.errstate(over="ignore"):
        return np.float32(1) / array


def convert_in_floats(builder: TpuBuilder, op: top.BinaryOp, *, kind: type[tpu.BinaryOp]) -> None:
    """Convert arithmetic of two operands to `kind` in floats."""
    made = kind(op.result_name.data, builder.as_float(op.lhs), builder.as_float(op.rhs))
    builder.set_float(op.output, builder.add(made).output)


def convert_extreme(builder: TpuBuilder, op: top.BinaryOp, *, kind: type[tpu.BinaryOp]) -> None:
    """Convert min and max to `kind` of stored values, after bringing both operands into the result's quantization; to
    floats if only softmaxes and comparisons read the result.
    """
    integers = builder.computes_integers(op.output, op.lhs, op.rhs)
    if not integers or op.output in builder.float_results:
        convert_in_floats(builder, op, kind=kind)
        return
    result = builder.element(op.output)
    operands = [builder.in_element(op, value, result) for value in (op.lhs, op.rhs)]
    made = kind(op.result_name.data, *operands)
    builder.set_quantized(op.output, builder.add(made).output)


def swamps(builder: TpuBuilder, op: top.TopOp, operands: Sequence[SSAValue]) -> bool:
    """Tell whether the result's range is so much wider than that of a computed operand that 8 bits would leave the
    operand few steps.

    This happens to attention's scores once a mask has replaced some of them by -10000 or the least float: in 8 bits the
    Softmax after it would see no difference between the others.
    """
    output = op.results[0]
    if builder.follows_model(output) or not isinstance(element_of(output), CalibratedType):
        return False
    scale = builder.element(output).scale
    return any(
        isinstance(element_of(value), CalibratedType)
        and builder.element(value).scale * MOST_RATIO < scale
        for value in operands
    )


CONVERSIONS: Conversions = {
    top.AddOp: partial(convert_arithmetic, kind=tpu.AddOp, integer_kind=tpu.AddOp),
    top.SubOp: partial(
        convert_arithmetic, kind=tpu.SubOp, integer_kind=tpu.AddOp, inverse=np.negative
    ),
    top.MulOp: partial(convert_arithmetic, kind=tpu.MulOp, integer_kind=tpu.MulOp),
    top.DivOp: partial(
        convert_arithmetic, kind=tpu.DivOp, integer_kind=tpu.MulOp, inverse=_reciprocal
    ),
    top.MinOp: partial(convert_extreme, kind=tpu.MinOp),
    top.MaxOp: partial(convert_extreme, kind=tpu.MaxOp),
    top.PowerOp: partial(convert_in_floats, kind=tpu.PowerOp),
    top.ModuloOp: partial(convert_in_floats, kind=tpu.ModuloOp),
    top.PreluOp: partial(convert_in_floats, kind=tpu.PreluOp),
}
"""The conversion of each op of arithmetic."""
