"""Converts matrix products of `top` to `tpu`, and holds what convolutions share with them.

In int8 the right side is a constant, quantized per output channel, or, in a matrix product, another activation,
quantized as activations are. Weights that the network computes for a convolution, and biases that it computes, are left
in floats.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import BlockArgument, SSAValue

from ...backends.numerics.quantization import (
    SYMMETRIC_LIMIT,
    activation_parameters,
    float_scale,
    quantize,
    quantize_multiplier,
    scale_floats,
    weight_scales,
)
from ...backends.numerics.storage import (
    PACKED_NAMES,
    SCALED_FLOAT_NAMES,
    integer_range,
    is_float,
    takes_weights,
)
from ...dialects import top, tpu
from ...dialects.network.constant import value_of
from ...dialects.network.traits import SumsProducts, WeighsChannels
from ...dialects.quant import CalibratedType, UniformQuantizedType, uniform, uniform_per_axis
from ...dialects.quant.element_type import element_of, element_storage, is_scaled, shape_of
from ...dialects.quant.scale_groups import ScaleGroups
from ...dialects.quant.scaled_type import scaled
from .builder.grouped_weights import WeightGroups, float_scales, quantize_grouped
from .precision.given_quantization import as_signed, constant_of, given_constant, signed
from .precision.schemes import Scheme
from .quantized_product import (
    accumulator_for,
    accumulator_for_activations,
    quantize_bias,
    quantize_grouped_product,
    quantize_product,
)
from .tpu_builder import Conversions, TpuBuilder, not_quantizable, quantized_element

_SAME_SCALE = 1e-6
"""The relative difference up to which two scales count as one: f32 products of f32 numbers differ by less."""


class MakeProduct(Protocol):
    """Makes the `tpu` op of a product from the forms of its two sides and of its bias."""

    def __call__(
        self, left: SSAValue, right: SSAValue, bias: SSAValue | None, **options: Any
    ) -> tpu.ProductOp: ...


def convert_matmul(builder: TpuBuilder, op: top.MatmulOp) -> None:
    """Convert a matrix product: to integers, or to floats if its bias is computed or its readers want floats."""

    def make(
        left: SSAValue, right: SSAValue, bias: SSAValue | None, **options: Any
    ) -> tpu.MatmulOp:
        return tpu.MatmulOp(op.result_name.data, left, right, bias, **options)

    weight = constant_of(op.rhs)
    floats = op.output in builder.float_results or is_computed(op.bias)
    if floats or not sums_integers(builder, op, op.lhs, op.rhs):
        convert_in_floats(builder, op, (op.lhs, op.rhs, op.bias), make)
    # A vector on the right has no output channels to give scales to.
    elif weight is not None and SumsProducts.holds(op):
        convert_weighted(builder, op, op.lhs, weight, op.bias, make)
    else:
        _convert_activations(builder, op, make)


def is_computed(bias: SSAValue | None) -> bool:
    """Tell whether there is a bias and the network computes it, so that it is not a constant."""
    return bias is not None and constant_of(bias) is None


def sums_integers(builder: TpuBuilder, op: top.TopOp, left: SSAValue, right: SSAValue) -> bool:
    """Tell whether a product is one of integers: in an INT8 network any, in others one whose sides and result the model
    quantizes in such a way that the matrix unit takes them.
    """
    if not builder.follows_model(op.output):
        return True
    weight = given_constant(right)
    if weight is not None and weight_element(op, weight) is None:
        return False
    return builder.computes_integers(op.output, left, right)


def _constant_bias(bias: SSAValue | None) -> top.WeightOp | None:
    """Return the op that makes the bias, which is a constant; None if there is no bias."""
    return None if bias is None else constant_of(bias)


def convert_in_floats(
    builder: TpuBuilder,
    op: top.TopOp,
    operands: tuple[SSAValue, SSAValue, SSAValue | None],
    make: MakeProduct,
) -> None:
    """Convert a product (of the left and right side; the bias) to one of floats with an f32 bias. A bias that the
    network computes is added by an op of its own, since the matrix unit takes constants only.
    """
    left, right, given_bias = operands
    forms = _scaled_sides(builder, op, left, right)
    if forms is None:
        forms = builder.as_float(left), _float_weight(builder, op, right)
    options = {"element": builder.float} if is_scaled(forms[0].type) else {}
    if given_bias is None or not is_computed(given_bias):
        bias = None if given_bias is None else builder.as_f32(given_bias)
        made = make(*forms, bias, **options)
        builder.set_float(op.output, builder.add(made).output)
        return
    made = make(*forms, None, **options)
    name = op.result_name.data
    made.properties["name"] = StringAttr(builder.fresh(f"{name}_product"))
    product, bias = builder.add(made).output, builder.as_float(given_bias)
    channels, rank = SumsProducts.of(op), len(shape_of(op.output))
    if channels is not None and channels.axis % rank < rank - 1:
        axis = channels.axis % rank
        along_channels = (*(1,) * axis, *shape_of(bias), *(1,) * (rank - 1 - axis))
        reshaped = tpu.ReshapeOp(builder.fresh(f"{name}_bias"), bias, shape=along_channels)
        bias = builder.add(reshaped).output
    builder.set_float(op.output, builder.add(tpu.AddOp(name, product, bias)).output)


def _scaled_sides(
    builder: TpuBuilder, op: top.TopOp, left: SSAValue, right: SSAValue
) -> tuple[SSAValue, SSAValue] | None:
    """Return both sides of a product on the matrix unit as scaled small floats, if the scheme says so and the weights
    are constant: the input with a scale by its range, weights with one for each output channel.
    """
    storage, weight = builder.scheme_of(op.output).weights, constant_of(right)
    channels = SumsProducts.of(op)
    if storage not in SCALED_FLOAT_NAMES or weight is None or channels is None:
        return None
    if isinstance(op, top.Conv2dOp) and op.is_depthwise:
        return None
    array, axis = builder.array_of(weight), channels.weight_axis % len(shape_of(weight.output))
    if not np.all(np.isfinite(array)):
        raise not_quantizable(op, ValueError("weights must be finite"))
    others = _other_axes(array.ndim, axis)
    scales = float_scale(np.abs(array).max(axis=others, initial=0), storage)
    stored = scale_floats(array, scales, storage, axis=axis)
    element = scaled(storage, scales.tolist(), builder.float, axis)
    weight_form = builder.constant(f"{builder.key_of(weight)}.{storage}", stored, element)
    scale = builder.ranges.float_scale(left, storage)
    name = builder.fresh(f"{builder.name_of(left)}_{storage}")
    element = scaled(storage, [scale], builder.float)
    cast = tpu.CastOp(name, builder.as_float(left), element=element)
    return builder.add(cast).output, weight_form


def _float_weight(builder: TpuBuilder, op: top.TopOp, right: SSAValue) -> SSAValue:
    """Return the right side of a product of floats: constant weights as the model packs them, or as integers if the
    scheme says so; anything else in floats.
    """
    storage, weight = builder.scheme_of(op.output).weights, constant_of(right)
    channels = SumsProducts.of(op)
    if weight is not None and _is_kept_packed(builder, op, weight):
        return builder.kept_constant(weight)
    if (
        is_float(storage)
        or storage in SCALED_FLOAT_NAMES
        or builder.scheme_of(op.output).quantizes
        or weight is None
        or channels is None
    ):
        return builder.as_float(right)
    array, axis = builder.array_of(weight), channels.weight_axis % len(shape_of(weight.output))
    groups = WeightGroups.of(op, weight, builder.scheme_of(op.output))
    try:
        if groups is not None:
            scales = float_scales(array, groups, storage, element_storage(builder.float))
            stored = quantize_grouped(array, scales, groups, storage)
            element = groups.element(scales, array.ndim, storage)
        else:
            scales = weight_scales(array, axis, storage)
            stored = quantize(array, scales, 0, storage, axis=axis)
            element = uniform_per_axis(storage, axis, scales.tolist())
    except ValueError as error:
        raise not_quantizable(op, error) from None
    return builder.constant(f"{builder.key_of(weight)}.{storage}", stored, element)


def _is_kept_packed(builder: TpuBuilder, op: top.TopOp, weight: top.WeightOp) -> bool:
    """Tell whether a product of floats takes constant weights as the model itself packs them: with zero points 0, a
    scale for each output channel or each group of its input channels, and on a target that unpacks them.
    """
    element, channels = element_of(weight.output), SumsProducts.of(op)
    if not isinstance(element, UniformQuantizedType) or channels is None:
        return False
    if element.storage_name not in builder.packed_weights or any(element.zero_points):
        return False
    shape = shape_of(weight.output)
    axis = channels.weight_axis % len(shape)
    if element.is_sub_channel:
        groups = ScaleGroups.of(element)
        if groups is None or not builder.scales_groups or len(shape) != 2:
            return False
        return (groups.channel_axis, groups.depth_axis) == (axis, axis - 1 if axis else 1)
    return element.is_per_axis and element.axis == axis


def convert_weighted(
    builder: TpuBuilder,
    op: top.TopOp,
    left: SSAValue,
    weight: top.WeightOp,
    given_bias: SSAValue | None,
    make: MakeProduct,
) -> None:
    """Convert an activation times constant weights to integers, with a scale for the weights of each channel. The op
    has the trait `SumsProducts`.
    """
    channels = SumsProducts.of(op)
    assert channels is not None
    axis = channels.weight_axis % len(shape_of(weight.output))
    input = _input_of(builder, op, left)
    result = builder.element(op.output)
    x = quantized_element(input)
    array, bias = builder.array_of(weight), _constant_bias(given_bias)
    given = weight_element(op, weight, builder.integers.weights)
    if given is not None and _meets(x, given):
        made = _convert_given(builder, op, input, weight, bias, make)
        builder.set_quantized(op.output, builder.add(made).output)
        return
    factors = builder.joined.channels.get(left)
    if factors is not None:
        array = array / np.expand_dims(
            factors, _other_axes(array.ndim, WeighsChannels.axes_of(op)[1])
        )
    groups = WeightGroups.of(op, weight, builder.integers)
    bias_array = None if bias is None else builder.array_of(bias)
    try:
        if groups is None:
            product = quantize_product(
                array, axis, bias_array, x.scale, x.zero_point, builder.integers
            )
        else:
            product = quantize_grouped_product(
                array, groups, bias_array, x.scale, x.zero_point, builder.integers
            )
        factor = builder.joined.values.get(op.output, 1.0)
        scales = product.scales * factor
        quantize_multiplier(x.scale * product.steps * factor / result.scale)
    except ValueError as error:
        raise not_quantizable(op, error) from None
    weight_form = builder.constant(
        f"{builder.key_of(weight)}.{builder.integers.weights}",
        product.weight,
        _weight_type(axis, scales, builder.integers)
        if groups is None
        else groups.element(scales, array.ndim, builder.integers.weights),
    )
    bias_form = None
    if bias is not None and product.bias is not None:
        bias_form = builder.constant(f"{builder.key_of(bias)}.i32", product.bias)
    made = make(input, weight_form, bias_form, element=result, accumulator=product.accumulator)
    made.properties["name"] = StringAttr(builder.result_name(op))
    builder.set_quantized(op.output, builder.add(made).output)


def _meets(input: UniformQuantizedType, weight: UniformQuantizedType) -> bool:
    """Tell whether a product takes weights of this type, which the model gives, beside its input: where they are stored
    in another type than the input is, without a zero point.
    """
    if input.storage_name == "i8":
        return True
    return takes_weights(input.storage_name, weight.storage_name) and not any(weight.zero_points)


def _input_of(builder: TpuBuilder, op: top.TopOp, left: SSAValue) -> SSAValue:
    """Return the quantized form of the input of a product; if the scheme says fewer bits for inputs, requantized to
    those, in the range that calibration has for 4 bits, but the inputs of the network, which nothing is lost of before.
    """
    form = builder.as_quantized(left)
    storage = builder.integers.inputs
    if storage is None or isinstance(left, BlockArgument):
        return form
    wide, limits = quantized_element(form), integer_range(storage)
    low, high = (
        (step - wide.zero_point) * wide.scale for step in (wide.storage_min, wide.storage_max)
    )
    element = element_of(left)
    if storage == "i4" and isinstance(element, CalibratedType):
        least, most = element.range_of_4_bits
        low, high = max(low, least), min(high, most)
    parameters = activation_parameters(low, high, storage)
    narrow = uniform(wide.storage_name, *parameters, storage_min=limits[0], storage_max=limits[1])
    name = builder.fresh(f"{builder.name_of(left)}_{storage}")
    return builder.add(tpu.RequantizeOp(name, form, element=narrow)).output


def _weight_type(axis: int, scales: np.ndarray, scheme: Scheme) -> UniformQuantizedType:
    """Return the type of the weights of a scheme, with scales along `axis`, or one if the scheme has one for all."""
    storage = scheme.weights
    limit = None if storage in PACKED_NAMES else SYMMETRIC_LIMIT
    low = None if limit is None else -limit
    if scheme.weight_scales == "tensor":
        return uniform(storage, float(scales[0]), storage_min=low, storage_max=limit)
    return uniform_per_axis(storage, axis, scales.tolist(), storage_min=low, storage_max=limit)


def _convert_given(
    builder: TpuBuilder,
    op: top.TopOp,
    input: SSAValue,
    weight: top.WeightOp,
    bias: top.WeightOp | None,
    make: MakeProduct,
) -> tpu.ProductOp:
    """Return the product with weights that the model quantizes itself: their integers and scales are kept."""
    channels = SumsProducts.of(op)
    element = weight_element(op, weight, builder.scheme_of(op.output).weights)
    assert channels is not None and element is not None
    x, result = quantized_element(input), builder.element(op.output)
    axis = channels.weight_axis % len(shape_of(weight.output))
    form = builder.kept_constant(weight)
    stored = as_signed(value_of(weight, builder.store))
    scales = x.scale * np.asarray(element.scales, np.float64)
    points = element.zero_points
    integers = None if bias is None else _given_bias(builder, bias, scales)
    most_bias = 0 if integers is None else int(abs(integers.astype("i8")).max(initial=0))
    try:
        quantize_multiplier(scales / result.scale)
    except ValueError as error:
        raise not_quantizable(op, error) from None
    if any(points):
        depth = stored.size // stored.shape[axis]
        accumulator = accumulator_for_activations(
            depth, x.zero_point, points[0], most_bias, x.storage_name
        )
    else:
        accumulator = accumulator_for(stored, axis, integers, x.zero_point, x.storage_name)
    bias_form = None
    if bias is not None and integers is not None:
        bias_form = builder.constant(f"{builder.key_of(bias)}.i32", integers)
    return make(input, form, bias_form, element=result, accumulator=accumulator)


def weight_element(
    op: top.TopOp, weight: top.WeightOp, storage: str = "i8"
) -> UniformQuantizedType | None:
    """Return the quantized type, in signed storage, that the model gives the weights of a product, if the product takes
    it: of 8 bits, or as `storage` says, that of the layer's scheme; symmetric, with one scale or one for each output
    channel. In a matrix product one scale may come with any zero point. Return None for other weights.
    """
    given, channels = element_of(weight.output), SumsProducts.of(op)
    if not isinstance(given, UniformQuantizedType) or channels is None:
        return None
    element = signed(given)
    if element.storage_name not in ("i8", storage):
        return None
    if element.is_per_tensor:
        takes_point = isinstance(op, top.MatmulOp)
        return element if takes_point or element.zero_point == 0 else None
    axis = channels.weight_axis % len(shape_of(weight.output))
    is_along = element.is_per_axis and element.axis == axis
    return element if is_along and not any(element.zero_points) else None


def _given_bias(builder: TpuBuilder, bias: top.WeightOp, scales: np.ndarray) -> np.ndarray:
    """Return the bias as i32 in units of `scales`, those of the products: the model's own integers if it gives them in
    these units.
    """
    element = element_of(bias.output)
    if isinstance(element, UniformQuantizedType) and element.storage_name == "i32":
        own = np.asarray(element.scales)
        if not any(element.zero_points) and np.allclose(own, scales, rtol=_SAME_SCALE, atol=0):
            return value_of(bias, builder.store)
    return quantize_bias(builder.array_of(bias), scales)


def _other_axes(rank: int, axis: int) -> tuple[int, ...]:
    return tuple(each for each in range(rank) if each != axis)


def _convert_activations(builder: TpuBuilder, op: top.MatmulOp, make: MakeProduct) -> None:
    """Convert a product of two activations (or of one and a vector) to integers, with one scale each."""
    left, right = builder.as_quantized(op.lhs), builder.as_quantized(op.rhs)
    a, b, result = quantized_element(left), quantized_element(right), builder.element(op.output)
    scale, bias = a.scale * b.scale, _constant_bias(op.bias)
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
    made = make(
        left,
        right,
        bias_form,
        element=result,
        accumulator=accumulator_for_activations(
            depth, a.zero_point, b.zero_point, most_bias, a.storage_name
        ),
    )
    builder.set_quantized(op.output, builder.add(made).output)


CONVERSIONS: Conversions = {top.MatmulOp: convert_matmul}
"""The conversion of matrix products."""
