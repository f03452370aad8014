"""How convolutions and matrix products of `top` are said in `tpu`.

In int8 the right side is a constant, quantized per output channel, or, in a matrix product, another
activation, quantized as activations are. Weights that the network computes for a convolution, and
biases that it computes, are left in floats.
"""

from __future__ import annotations

from typing import Any

from xdsl.ir import SSAValue

from ...backends.numerics.quantization import quantize_multiplier
from ...dialects import top, tpu
from ...dialects.quant import uniform_per_axis
from ...dialects.quant.element_type import shape_of
from .quantized_product import accumulator_for_activations, quantize_bias, quantize_product
from .tpu_builder import TpuBuilder, not_quantizable, quantized_element

Product = top.Conv2dOp | top.MatmulOp


def convert_product(builder: TpuBuilder, op: Product) -> None:
    """conv2d and matmul: integers where both sides have quantized forms, else floats and an f32
    bias."""
    left, right = (op.input, op.weight) if isinstance(op, top.Conv2dOp) else (op.lhs, op.rhs)
    weight = right.owner
    bias = None if op.bias is None else op.bias.owner
    if not builder.quantizes or not isinstance(bias, top.WeightOp | None):
        _convert_float(builder, op, left, right)
    # A vector on the right has no output channels to give scales to.
    elif isinstance(weight, top.WeightOp) and len(shape_of(right)) >= 2:
        _convert_weighted(builder, op, left, weight, bias)
    elif isinstance(op, top.MatmulOp):
        _convert_activations(builder, op, bias)
    else:
        _convert_float(builder, op, left, right)


def _convert_float(builder: TpuBuilder, op: Product, left: SSAValue, right: SSAValue) -> None:
    input, weight_form = builder.as_float(left), builder.as_float(right)
    bias_form = None if op.bias is None else builder.as_f32(op.bias)
    made = _make_product(op, input, weight_form, bias_form)
    builder.set_float(op.output, builder.add(made).output)


def _convert_weighted(
    builder: TpuBuilder,
    op: Product,
    left: SSAValue,
    weight: top.WeightOp,
    bias: top.WeightOp | None,
) -> None:
    """An activation times constant weights, which get a scale per output channel."""
    input = builder.as_quantized(left)
    result = builder.element(op.output)
    x = quantized_element(input)
    axis = 0 if isinstance(op, top.Conv2dOp) else len(shape_of(weight.output)) - 1
    array = builder.array_of(weight)
    try:
        product = quantize_product(
            array,
            axis,
            None if bias is None else builder.array_of(bias),
            x.scale,
            x.zero_point,
        )
        quantize_multiplier(x.scale * product.scales / result.scale)
    except ValueError as error:
        raise not_quantizable(op, error) from None
    w = uniform_per_axis("i8", axis, product.scales.tolist(), storage_min=-127, storage_max=127)
    weight_form = builder.constant(f"{builder.key_of(weight)}.i8", product.weight, w)
    bias_form = None
    if bias is not None and product.bias is not None:
        bias_form = builder.constant(f"{builder.key_of(bias)}.i32", product.bias)
    made = _make_product(
        op, input, weight_form, bias_form, element=result, accumulator=product.accumulator
    )
    builder.set_quantized(op.output, builder.add(made).output)


def _convert_activations(builder: TpuBuilder, op: top.MatmulOp, bias: top.WeightOp | None) -> None:
    """A product of two activations (or one that stands beside a vector), one scale each."""
    left, right = builder.as_quantized(op.lhs), builder.as_quantized(op.rhs)
    a, b, result = quantized_element(left), quantized_element(right), builder.element(op.output)
    scale = a.scale * b.scale
    bias_form, most_bias = None, 0
    try:
        quantize_multiplier(scale / result.scale)
    except ValueError as error:
        raise not_quantizable(op, error) from None
    if bias is not None:
        integers = quantize_bias(builder.array_of(bias), scale)
        most_bias = int(abs(integers.astype("i8")).max(initial=0))
        bias_form = builder.constant(f"{builder.key_of(bias)}.i32", integers)
    depth = shape_of(op.lhs)[-1]
    made = _make_product(
        op,
        left,
        right,
        bias_form,
        element=result,
        accumulator=accumulator_for_activations(depth, a.zero_point, b.zero_point, most_bias),
    )
    builder.set_quantized(op.output, builder.add(made).output)


def _make_product(
    op: Product, left: SSAValue, right: SSAValue, bias: SSAValue | None, **options: Any
) -> tpu.Conv2dOp | tpu.MatmulOp:
    name = op.result_name.data
    if isinstance(op, top.MatmulOp):
        return tpu.MatmulOp.make(name, left, right, bias, **options)
    return tpu.Conv2dOp.make(
        name,
        left,
        right,
        bias,
        strides=op.strides.get_values(),
        pads=op.pads.get_values(),
        dilations=op.dilations.get_values(),
        groups=op.groups.value.data,
        **options,
    )
