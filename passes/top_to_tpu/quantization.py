"""Converts quantization and dequantization of `top`: between them values are tensors of just those quantized types.

What the device does not keep in such a type (several scales for an activation, 32 bits) is integers that the host
quantizes and dequantizes.
"""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from ...backends.numerics.storage import dtype_of
from ...dialects import top, tpu
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import (
    element_of,
    element_storage,
    is_quantized,
    type_of_storage,
)
from .precision.given_quantization import (
    activation_element,
    constant_of,
    integer_element,
)
from .tpu_builder import Conversions, TpuBuilder


def convert_quantize(builder: TpuBuilder, op: top.QuantizeOp) -> None:
    """Convert to nothing if the value was made in this type, to a requantization if in another, else to a cast."""
    element = activation_element(element_of(op.output))
    if element is None:
        parameters = _parameters(builder, op, element_of(op.output))
        form = builder.as_f32(op.input)
        builder.set_stored(op.output, _call(builder, op, "quantize_linear", [form, *parameters]))
        return
    weight = constant_of(op.input)
    if builder.is_made_quantized(op.input):
        form = builder.requantized(op, op.input, element)
    elif weight is not None and integer_element(element) is not None:
        form = builder.quantized_constant(weight, builder.array_of(weight), element)
    else:
        made = tpu.CastOp(op.result_name.data, builder.as_unrounded(op.input), element=element)
        form = builder.add(made).output
    builder.set_quantized(op.output, form)


def convert_dequantize(builder: TpuBuilder, op: top.DequantizeOp) -> None:
    """Convert to nothing: readers take the integers if they can, and cast them if they need floats. A constant stays as
    it is until an op asks for it.
    """
    given = element_of(op.input)
    if constant_of(op.output) is not None:
        return
    element = activation_element(given)
    if element is None:
        form = builder.stored_form(op.input)
        parameters = _parameters(builder, op, given)
        result = _call(
            builder, op, "dequantize_linear", [form, *parameters], to=element_storage(builder.float)
        )
        builder.set_float(op.output, result)
        return
    form = builder.quantized_form(op.input)
    if form is None:
        form = _in_signed(builder, op, builder.as_given(op.input), element)
    if integer_element(given) is None:
        made = tpu.CastOp(op.result_name.data, form, element=builder.float)
        builder.set_float(op.output, builder.add(made).output)
        return
    builder.ranges.give(op.output, element)
    builder.set_quantized(op.output, form)


def convert_storage_cast(builder: TpuBuilder, op: top.StorageCastOp) -> None:
    """Convert to a cast of the same kind, with a shift by half of the range between unsigned and signed storage."""
    quantized = element_of(op.input if is_quantized(op.input.type) else op.output)
    assert isinstance(quantized, UniformQuantizedType)
    element = activation_element(quantized)
    if element is None:
        builder.set_stored(op.output, builder.stored_form(op.input))
    elif is_quantized(op.input.type):
        form = builder.quantized_form(op.input)
        if form is None:
            form = builder.as_given(op.input)
        elif element != quantized:
            name = builder.fresh(f"{op.result_name.data}_unsigned")
            form = builder.add(tpu.RequantizeOp(name, form, element=quantized)).output
        plain = type_of_storage(quantized.storage_name)
        made = tpu.StorageCastOp(op.result_name.data, form, element=plain)
        builder.set_given(op.output, builder.add(made).output)
    else:
        name = builder.fresh(f"{op.result_name.data}_stored")
        made = tpu.StorageCastOp(name, builder.as_given(op.input), element=quantized)
        form = builder.add(made).output
        builder.set_quantized(op.output, _in_signed(builder, op, form, element))


def _in_signed(
    builder: TpuBuilder, op: top.TopOp, form: SSAValue, element: UniformQuantizedType
) -> SSAValue:
    """Return a quantized form in signed storage."""
    if element_of(form) == element:
        return form
    name = builder.fresh(f"{op.result_name.data}_signed")
    return builder.add(tpu.RequantizeOp(name, form, element=element)).output


def _parameters(builder: TpuBuilder, op: top.TopOp, element: object) -> list[SSAValue]:
    """Return the scales and the zero points of a quantized type as constants, for the host."""
    assert isinstance(element, UniformQuantizedType)
    shape = element.grid.get_values() or (() if element.is_per_tensor else (len(element.scales),))
    scales = np.asarray(element.scales, np.float32).reshape(shape)
    points = np.asarray(element.zero_points, np.int64).reshape(shape)
    name = op.result_name.data
    return [
        builder.constant(f"{name}_scales", scales),
        builder.constant(f"{name}_zero_points", points.astype(dtype_of(element.storage_name))),
    ]


def _call(
    builder: TpuBuilder, op: top.TopOp, function: str, operands: list[SSAValue], **attributes: str
) -> SSAValue:
    """Return a call of the host that quantizes or dequantizes, along the axis of the quantized type."""
    quantized = element_of(op.output if is_quantized(op.output.type) else op.operands[0])
    assert isinstance(quantized, UniformQuantizedType)
    axis, block = 0, 0
    if quantized.is_per_axis:
        axis = quantized.axis
    elif quantized.is_sub_channel:
        sizes = quantized.block_sizes.get_values()
        axis = max(range(len(sizes)), key=lambda each: sizes[each])
        block = sizes[axis]
    made = tpu.HostCallOp(
        op.result_name.data,
        operands,
        function=function,
        attributes={"axis": axis, "block": block, **attributes},
    )
    builder.causes[made] = _cause(quantized)
    return builder.add(made).output


def _cause(element: UniformQuantizedType) -> tuple[str, str]:
    """Return why no engine keeps an activation in a quantized type, and what helps."""
    if element.is_per_tensor:
        return (
            f"no engine keeps activations in {element.storage_name}",
            "quantize activations to 8 or 16 bits",
        )
    kind = f"along axis {element.axis}" if element.is_per_axis else "in blocks"
    return (
        f"engines keep activations with one scale, and the model has {len(element.scales)} {kind}",
        "quantize activations with one scale and zero point for the whole tensor",
    )


CONVERSIONS: Conversions = {
    top.QuantizeOp: convert_quantize,
    top.DequantizeOp: convert_dequantize,
    top.StorageCastOp: convert_storage_cast,
}
"""The conversion of each op between numbers and the integers that stand for them."""
