"""Checks of element types for the verifiers of tpu: which floats and quantized types may meet in an op."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import i32
from xdsl.ir import Attribute, SSAValue
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.quantization import quantize_multiplier
from ...backends.numerics.reduction import INTEGER_KINDS, SELECTING_KINDS
from ...backends.numerics.storage import (
    INTEGER_ACCUMULATOR_NAMES,
    INTEGER_OPERAND_NAMES,
    NARROW_WEIGHT_NAMES,
    PACKED_NAMES,
    WEIGHT_NAMES,
)
from ..quant import UniformQuantizedType
from ..quant.element_type import (
    element_of,
    element_storage,
    is_float,
    is_quantized,
    is_scaled,
    shape_of,
)
from ..quant.number_format import NumberFormat
from ..quant.parameter_grid import spread_parameters
from ..quant.scale_groups import ScaleGroups
from ..quant.scaled_type import ScaledFloatType

NamedValue = tuple[str, SSAValue]
"""Storage types whose products the matrix unit forms."""


def same_element(name: str, value: SSAValue, other_name: str, other: SSAValue) -> None:
    """Raise VerifyException unless two values have one element type."""
    if element_of(value) != element_of(other):
        raise VerifyException(
            f"{name} must have the element type of {other_name}, {element_of(other)}, got "
            f"{element_of(value)}"
        )


def storable(value: SSAValue) -> None:
    """Raise VerifyException unless a storage type holds the elements, one in each byte or more."""
    try:
        storage = element_storage(value.type)
    except ValueError as error:
        raise VerifyException(str(error)) from None
    if is_quantized(value.type) and storage in PACKED_NAMES:
        raise VerifyException(f"only weights of products are quantized in {storage}")


def stored_as(name: str, value: SSAValue, storage: str) -> None:
    """Raise VerifyException unless the elements are not quantized and have the given storage type."""
    element = element_of(value)
    if is_quantized(element) or element_storage_or_none(element) != storage:
        raise VerifyException(f"{name} must have elements of {storage}, got {element}")


def element_storage_or_none(element: Attribute) -> str | None:
    """Return the name of the storage type; None if no storage type holds the elements."""
    try:
        return element_storage(element)
    except ValueError:
        return None


def per_tensor(name: str, value: SSAValue) -> None:
    """Raise VerifyException if a type has more than one scale."""
    element = element_of(value)
    if isinstance(element, UniformQuantizedType) and not element.is_per_tensor:
        raise VerifyException(f"{name} must have one scale, got {element}")


def representable(what: str, number: float, value: SSAValue) -> None:
    """Raise VerifyException unless a real number lies in the range of a value's quantized elements; floats can hold any
    number.
    """
    element = element_of(value)
    if isinstance(element, UniformQuantizedType) and not is_representable(number, element):
        raise VerifyException(f"{what} {number} is outside the range of {element}")


def is_representable(number: float, element: UniformQuantizedType) -> bool:
    """Tell whether a real number rounds to a storage value of a type with one scale, without saturating."""
    stored = np.rint(np.float64(number) / np.float64(element.scale)) + element.zero_point
    return bool(element.storage_min <= stored <= element.storage_max)


def is_exact(number: float, element: UniformQuantizedType) -> bool:
    """Tell whether a storage value of a type with one scale stands for a real number itself, as an f32."""
    scale = np.float32(element.scale)
    nearest = np.rint(np.float32(number) / scale) * scale
    return is_representable(number, element) and bool(nearest == np.float32(number))


def floats(values: Sequence[NamedValue]) -> None:
    """Raise VerifyException unless all values are floats of one type."""
    first = element_of(values[0][1])
    for name, value in values:
        element = element_of(value)
        if not is_float(element):
            raise VerifyException(f"{name} must have float elements, got {element}")
        if element != first:
            raise VerifyException(
                f"{name} must have elements of {first}, as {values[0][0]}, got {element}"
            )


def activations(values: Sequence[NamedValue], *, one_storage: bool) -> None:
    """Raise VerifyException unless all values are quantized with one scale each (and in one storage type, if asked)."""
    first = values[0][1]
    for name, value in values:
        if not is_quantized(value.type):
            raise VerifyException(f"{name} must be quantized, got elements of {element_of(value)}")
        per_tensor(name, value)
        storable(value)
        if one_storage and element_storage(value.type) != element_storage(first.type):
            raise VerifyException(
                f"{name} is stored as {element_storage(value.type)}, {values[0][0]} as "
                f"{element_storage(first.type)}"
            )


def mean(input: SSAValue, output: SSAValue) -> None:
    """Raise VerifyException unless both values are floats of one type, or quantized in one storage type."""
    values = [("input", input), ("result", output)]
    if is_quantized(input.type):
        activations(values, one_storage=True)
    else:
        floats(values)


def reduction(kind: str, input: SSAValue, output: SSAValue) -> None:
    """Raise VerifyException unless both values are floats of one type, or quantized and `kind` is defined for integers:
    a kind that selects an element keeps the element type, the others keep the storage type.
    """
    if is_quantized(input.type) and kind not in INTEGER_KINDS:
        raise VerifyException(f"{kind} is for floats, got elements of {element_of(input)}")
    mean(input, output)
    if kind in SELECTING_KINDS:
        same_element("result", output, "input", input)


def cast(input: SSAValue, output: SSAValue) -> None:
    """Raise VerifyException unless one side is a float, and the other a float or quantized with one scale."""
    sides = [("input", input), ("result", output)]
    if is_scaled(output.type):
        floats([("input", input)])
        return
    for name, value in sides:
        if not (is_float(value.type) or is_quantized(value.type)):
            raise VerifyException(f"{name} must be a float or quantized, got {element_of(value)}")
        per_tensor(name, value)
        storable(value)
    if not any(is_float(value.type) for _, value in sides):
        raise VerifyException(
            "one side must be a float: between quantized types use tpu.requantize"
        )


def ratio(input: Attribute, output: Attribute) -> tuple[int, int]:
    """Return the multiplier and shift of a requantization between two types with one scale each.

    Raises VerifyException if a type has more than one scale, or if the ratio is too large for a multiplier.
    """
    if not (isinstance(input, UniformQuantizedType) and isinstance(output, UniformQuantizedType)):
        raise VerifyException(
            f"requantization is between quantized types, got {input} and {output}"
        )
    if not (input.is_per_tensor and output.is_per_tensor):
        raise VerifyException("requantization is between types with one scale each")
    try:
        multiplier, shift = quantize_multiplier(np.float64(input.scale) / np.float64(output.scale))
    except ValueError as error:
        raise VerifyException(str(error)) from None
    return int(multiplier), int(shift)


def product(
    input: SSAValue,
    weight: SSAValue,
    bias: SSAValue | None,
    residual: SSAValue | None,
    output: SSAValue,
    accumulator: str,
    *,
    weight_axis: int,
    weight_zero_point: bool,
) -> None:
    """Raise VerifyException unless the element types are ones that convolutions and matrix products can take.

    `weight_axis` is the axis of the weights' output channels; `weight_zero_point` tells whether weights with one scale
    may have a zero point other than 0.
    """
    if residual is not None and residual.type.get_shape() != output.type.get_shape():  # pyright: ignore[reportAttributeAccessIssue]
        raise VerifyException(f"residual must have the result's shape, got {residual.type}")
    if is_scaled(input.type) or is_scaled(weight.type):
        _scaled_product(input, weight, bias, residual, output, accumulator, weight_axis)
        return
    if not is_quantized(input.type):
        _float_product(input, weight, bias, residual, output, accumulator)
        if is_quantized(weight.type):
            _integer_weight(weight, weight_axis)
        return
    if accumulator not in INTEGER_ACCUMULATOR_NAMES:
        known = " or ".join(INTEGER_ACCUMULATOR_NAMES)
        raise VerifyException(f"quantized operands accumulate in {known}, got '{accumulator}'")
    activations([("input", input), ("result", output)], one_storage=False)
    kinds = (("input", input, INTEGER_OPERAND_NAMES), ("weight", weight, WEIGHT_NAMES))
    for name, value, names in kinds:
        if is_quantized(value.type) and element_storage_or_none(element_of(value)) not in names:
            raise VerifyException(
                f"{name} must be stored as one of {', '.join(names)}, got {element_of(value)}"
            )
    _quantized_weight(weight, weight_axis, weight_zero_point)
    if bias is not None:
        _quantized_bias(bias, input, weight)
    if residual is not None:
        activations([("result", output), ("residual", residual)], one_storage=True)


def _float_product(
    input: SSAValue,
    weight: SSAValue,
    bias: SSAValue | None,
    residual: SSAValue | None,
    output: SSAValue,
    accumulator: str,
) -> None:
    values = [("input", input), ("weight", weight), ("result", output)]
    if is_quantized(weight.type):
        del values[1]
    if residual is not None:
        values.append(("residual", residual))
    floats(values)
    if bias is not None:
        stored_as("bias", bias, "f32")
    if accumulator != "f32":
        raise VerifyException(f"floats accumulate in f32, got '{accumulator}'")


def _scaled_product(
    input: SSAValue,
    weight: SSAValue,
    bias: SSAValue | None,
    residual: SSAValue | None,
    output: SSAValue,
    accumulator: str,
    weight_axis: int,
) -> None:
    """Raise VerifyException unless both sides are scaled small floats of one storage type, the input with one scale,
    and all else is floats.
    """
    x, w = element_of(input), element_of(weight)
    if not isinstance(x, ScaledFloatType) or not isinstance(w, ScaledFloatType):
        raise VerifyException(f"input and weight must both be scaled, got {x} and {w}")
    if x.storage_name != w.storage_name:
        raise VerifyException(f"weight must be stored as {x.storage_name}, as input, got {w}")
    if x.axis is not None:
        raise VerifyException(f"input must have one scale, got {x}")
    if w.axis not in (None, weight_axis):
        raise VerifyException(f"weight must be scaled along axis {weight_axis}, got {w}")
    if w.axis is not None and len(w.scales) != shape_of(weight)[w.axis]:
        size = shape_of(weight)[w.axis]
        raise VerifyException(f"{len(w.scales)} scales for axis {w.axis} of size {size}")
    floats([("result", output)] + ([] if residual is None else [("residual", residual)]))
    if bias is not None:
        stored_as("bias", bias, "f32")
    if accumulator != "f32":
        raise VerifyException(f"floats accumulate in f32, got '{accumulator}'")


def _integer_weight(weight: SSAValue, axis: int) -> None:
    """Raise VerifyException unless floats can be multiplied by weights of this quantized type."""
    if element_storage_or_none(element_of(weight)) not in NARROW_WEIGHT_NAMES:
        raise VerifyException(
            f"weight of a product of floats must be stored as one of {', '.join(NARROW_WEIGHT_NAMES)} if it is "
            f"quantized, got {element_of(weight)}"
        )
    _quantized_weight(weight, axis, False, whole_scales=False)


def _grouped_weight(
    weight: SSAValue, element: UniformQuantizedType, axis: int, whole_scales: bool
) -> None:
    """Raise VerifyException unless units multiply weights of a type with blocks by their scales: packed weights with
    one scale for so many input channels of each output channel, a whole multiple of a step of that if `whole_scales`.
    """
    groups = ScaleGroups.of(element) if element.storage_name in PACKED_NAMES else None
    shape = shape_of(weight)
    depth_axis = 1 if axis == 0 else axis - 1
    if groups is None or (groups.channel_axis, groups.depth_axis) != (axis, depth_axis):
        known = " or ".join(PACKED_NAMES)
        raise VerifyException(
            f"weight with blocks must be of {known}, with blocks along axis {depth_axis} for each index of axis "
            f"{axis}, got {element}"
        )
    try:
        spread_parameters(element, shape)
        if whole_scales:
            groups.check_steps()
    except ValueError as error:
        raise VerifyException(f"weight: {error}") from None


def _quantized_weight(
    weight: SSAValue, axis: int, zero_point: bool, whole_scales: bool = True
) -> None:
    element = element_of(weight)
    if not isinstance(element, UniformQuantizedType):
        raise VerifyException(
            f"weight must be quantized as the input is, got elements of {element}"
        )
    if element.storage_name in PACKED_NAMES and any(element.zero_points):
        raise VerifyException(f"weight of {element.storage_name} must have zero points 0")
    if element.is_sub_channel:
        _grouped_weight(weight, element, axis, whole_scales)
        return
    if element.is_per_tensor:
        if element.zero_point and not zero_point:
            raise VerifyException(f"weight must have zero point 0, got {element.zero_point}")
        return
    if not element.is_per_axis or element.axis != axis:
        raise VerifyException(
            f"weight must be quantized along axis {axis} (or per tensor), got {element}"
        )
    if any(element.zero_points):
        raise VerifyException("weight quantized along an axis must have zero points 0")


def _quantized_bias(bias: SSAValue, input: SSAValue, weight: SSAValue) -> None:
    """Raise VerifyException unless the bias is i32, or a quantized type that means the same: its scale is the input's
    scale times the weight's, its zero point 0.
    """
    element = element_of(bias)
    if element == i32:
        return
    if not isinstance(element, UniformQuantizedType) or element.storage_name != "i32":
        raise VerifyException(f"bias must have elements of i32, got {element}")
    x, w = element_of(input), element_of(weight)
    assert isinstance(x, UniformQuantizedType) and isinstance(w, UniformQuantizedType)
    expected = np.float64(x.scale) * NumberFormat.of(w).scales
    found = np.asarray(element.scales)
    if any(element.zero_points) or not np.allclose(found, expected, rtol=1e-6, atol=0):
        raise VerifyException("bias must have the scales of input times weight and zero points 0")
