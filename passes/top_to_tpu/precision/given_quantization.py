"""Finds the values to which a pre-quantized network itself gives a quantization: those that it quantizes or
dequantizes.

    %c = top.conv2d "c" %x, %w ...                        %x and %w are results of top.dequantize
    %q = top.quantize "q" %c : ... -> tensor<...x!quant.uniform<u8:f32, 0.02:128>>

makes of %c a tensor of just that type, as if calibration had found it. The device stores signed integers: u8 with zero
point z is i8 with zero point z - 128.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from ....dialects import top
from ....dialects.network.traits import GivesQuantization, RoundsResult
from ....dialects.quant import UniformQuantizedType, uniform_with
from ....dialects.quant.element_type import element_of, is_network_float

_SIGNED = {"u8": "i8", "u16": "i16"}
"""The storage types that the device stores signed, and how."""


def signed(element: UniformQuantizedType) -> UniformQuantizedType:
    """Return a type of u8 or u16 as one of i8 or i16 that stands for the same numbers; any other type as it is."""
    storage = _SIGNED.get(element.storage_name)
    if storage is None:
        return element
    half = 1 << (element.storage.width.data - 1)
    return uniform_with(
        storage,
        element.scales,
        [point - half for point in element.zero_points],
        element.axes.get_values(),
        element.block_sizes.get_values(),
        element.grid.get_values(),
        element.expressed,
    )


def as_signed(stored: np.ndarray) -> np.ndarray:
    """Return integers less half of their range if they are unsigned, as signed integers of the same width."""
    if stored.dtype.kind != "u":
        return stored
    width = 8 * stored.dtype.itemsize
    return (stored.astype(np.int64) - (1 << (width - 1))).astype(f"i{stored.dtype.itemsize}")


def activation_element(element: object) -> UniformQuantizedType | None:
    """Return the type in which the device keeps an activation that is quantized so: of 8 or 16 bits with one scale;
    None if it does not keep such.
    """
    if not isinstance(element, UniformQuantizedType) or not element.is_per_tensor:
        return None
    kept = signed(element)
    return kept if kept.storage_name in ("i8", "i16") else None


def integer_element(element: object) -> UniformQuantizedType | None:
    """Return the type of 8 bits in which integer ops take and give activations that are quantized so; None if there
    is none.
    """
    kept = activation_element(element)
    return kept if kept is not None and kept.storage_name == "i8" else None


def gives_quantization(module: ModuleOp) -> bool:
    """Tell whether a network itself quantizes or dequantizes a value that is no constant, or has no floats at all to
    quantize.
    """
    has_floats = False
    for op in module.walk():
        if isinstance(op, top.QuantizeOp | top.DequantizeOp):
            if constant_of(op.output) is None:
                return True
        elif not isinstance(op, top.WeightOp):
            values = (*op.operands, *op.results)
            has_floats = has_floats or any(is_network_float(value.type) for value in values)
    return not has_floats


def given_elements(ops: Sequence[Operation]) -> dict[SSAValue, UniformQuantizedType]:
    """Return the quantized types of the floats that `ops` (of one block, in order) give: what is only quantized, all
    readers alike, has the type of the result, and what a relu, clip or concat alone reads that of its result.
    """
    found: dict[SSAValue, UniformQuantizedType] = {}
    for op in reversed(ops):
        if isinstance(op, top.QuantizeOp):
            element = _of_readers(op.input)
            if element is not None:
                found[op.input] = element
        elif GivesQuantization.holds(op) and op.results[0] in found:
            for value in op.operands:
                if value.has_one_use() and RoundsResult.holds(value.owner):
                    found[value] = found[op.results[0]]
    return found


def _of_readers(value: SSAValue) -> UniformQuantizedType | None:
    """Return the type in which all readers of a value want it; None if one reads floats, or another type."""
    users = [use.operation for use in value.uses]
    if not all(isinstance(user, top.QuantizeOp) for user in users):
        return None
    elements = {element_of(user.results[0]) for user in users}
    return integer_element(elements.pop()) if len(elements) == 1 else None


def constant_of(value: SSAValue) -> top.WeightOp | None:
    """Return the constant that a value is, or that it dequantizes; None for any other value."""
    owner = value.owner
    if isinstance(owner, top.DequantizeOp):
        owner = owner.input.owner
    return owner if isinstance(owner, top.WeightOp) else None


def given_constant(value: SSAValue) -> top.WeightOp | None:
    """Return the constant of integers of 8 bits that a value dequantizes; None for any other value."""
    weight = constant_of(value)
    if weight is None:
        return None
    element = element_of(weight.output)
    is_kept = isinstance(element, UniformQuantizedType) and signed(element).storage_name == "i8"
    return weight if is_kept else None
