"""Imports QuantizeLinear and DequantizeLinear: with constant scales and zero points as conversions to and from a
quantized type, with others as calls of the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.utils.exceptions import VerifyException

from .....backends.numerics.functions.families.conversion import SATURATING, widened
from .....backends.numerics.quantization import dequantize_linear, spread_blocks
from .....backends.numerics.storage import EXPONENTS, dtype_of, name_of
from .....dialects import top
from .....dialects.quant import UniformQuantizedType
from .....dialects.quant.element_type import element_storage, type_of_storage
from .....dialects.quant.parameter_grid import element_of_parameters
from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node, UnsupportedNodeError
from ...graph.operator import Operator
from ...graph.value import (
    FLOAT_DTYPES,
    SMALL_DTYPES,
    Constant,
    QuantizedConstant,
    Value,
    dtype_of_value,
    element_of_onnx,
    shape_of,
)

_KEPT = tuple(dtype_of(name) for name in ("i8", "u8", "i32"))
"""The types of constants that integer ops take as they are: weights and biases. Others become floats at import."""
_QUANTIZED = tuple(each for each in SMALL_DTYPES if each != dtype_of(EXPONENTS)) + tuple(
    dtype_of(name) for name in ("i8", "u8", "i16", "u16", "i32", "u32")
)
"""The types that tensors are quantized to."""
_ENGINE = "vector (scales of run time: host)"


@dataclass(frozen=True)
class Scales:
    """Scales and zero points of a tensor: one number, [n] along `axis`, or one for each `block` elements along it (0 if
    there are no blocks).
    """

    scale: Value
    zero_point: Value
    axis: int = 0
    block: int = 0

    def element(self, expressed: np.dtype) -> UniformQuantizedType | None:
        """Return the quantized type; None if the parameters are not constant, or are none that such a type has.

        `expressed` is the data type of the floats.
        """
        if not isinstance(self.scale, Constant) or not isinstance(self.zero_point, Constant):
            return None
        scale, zero_point = self.scale.array, self.zero_point.array
        if zero_point.dtype.kind not in "iu" or zero_point.dtype.itemsize > 4:
            return None
        try:
            return element_of_parameters(
                name_of(zero_point.dtype),
                np.asarray(scale, np.float64),
                np.broadcast_to(zero_point, scale.shape),
                self.axis,
                self.block,
                type_of_storage(name_of(expressed)),
            )
        except VerifyException:  # a scale of 0, say: the type has none, but floats can be computed
            return None


def scales_of(
    node: Node,
    builder: GraphBuilder,
    scale: Value,
    zero_point: Value | None,
    dtype: np.dtype,
    shape: Sequence[int],
    axis: int = 0,
    block: int = 0,
) -> Scales:
    """Return scales and zero points for a tensor of `shape`, whose integers have the type `dtype`; zero points that are
    left out are 0.

    Raises DiagnosticError if they do not fit the tensor.
    """
    if zero_point is None:
        zeros = np.zeros(shape_of(scale), dtype)
        zero_point = Constant(zeros, builder.derived(node.output, "zero_point"))
    sizes = shape_of(scale)
    if isinstance(zero_point, Constant) and not zero_point.shape and sizes:
        spread = np.broadcast_to(zero_point.array, sizes)
        zero_point = Constant(spread, builder.derived(zero_point.name, "spread"))
    if sizes in ((), (1,)) and not block:
        return Scales(scale, zero_point)
    axis = node.axis(axis, len(shape))
    wanted = (shape[axis],)
    if block:
        wanted = tuple(-(-n // block) if i == axis else n for i, n in enumerate(shape))
    if sizes != wanted or shape_of(zero_point) != wanted:
        raise node.error(
            f"scale and zero point must have shape {list(wanted)} or one element, they have "
            f"{list(sizes)} and {list(shape_of(zero_point))}"
        )
    return Scales(scale, zero_point, axis, block)


def quantize(node: Node, builder: GraphBuilder, value: Value, scales: Scales, name: str) -> Value:
    """Emit the quantization of floats: to a quantized tensor if scales and zero points are constants, else to plain
    integers.
    """
    dtype = dtype_of_value(value)
    element = scales.element(dtype) if dtype in FLOAT_DTYPES else None
    if element is not None:
        return builder.emit(top.QuantizeOp, name, value, element=element)
    return call(
        node, builder, "quantize_linear", value, scales.scale, scales.zero_point,
        name=name, axis=scales.axis, block=scales.block, **_saturation(node, scales),
    )  # fmt: skip


def _saturation(node: Node, scales: Scales) -> dict[str, bool]:
    """Return whether small floats saturate, which they do unless the node says otherwise."""
    if name_of(dtype_of_value(scales.zero_point)) not in SATURATING:
        return {}
    return {"saturate": bool(node.integer("saturate", 1))}


def dequantize(
    node: Node,
    builder: GraphBuilder,
    value: Value,
    scales: Scales,
    name: str,
    dtype: np.dtype | None = None,
) -> Value:
    """Emit the floats that integers stand for, in the float type `dtype` (that of the scales if None); constants of 8
    and 32 bits stay integers that are dequantized at run time, other constants become floats. Scales that are powers of
    2 alone give f32.
    """
    dtype = dtype or dtype_of_value(scales.scale)
    if dtype == dtype_of(EXPONENTS):
        dtype = np.dtype(np.float32)
    if dtype not in FLOAT_DTYPES:
        raise UnsupportedNodeError(f"it gives {dtype}; f16, bf16 and f32 are supported")
    element = scales.element(dtype)
    if isinstance(value, Constant):
        return _constant(node, builder, value, scales, element, name, dtype)
    if element is None:
        return call(
            node, builder, "dequantize_linear", value, scales.scale, scales.zero_point,
            name=name, axis=scales.axis, block=scales.block, to=name_of(dtype),
        )  # fmt: skip
    assert isinstance(value.type, TensorType)
    if value.type.element_type != element:
        plain = builder.plain(value)
        given = builder.derived(name, "quantized")
        value = builder.emit(top.StorageCastOp, given, plain, element=element)
    return builder.emit(top.DequantizeOp, name, value)


def _constant(
    node: Node,
    builder: GraphBuilder,
    value: Constant,
    scales: Scales,
    element: UniformQuantizedType | None,
    name: str,
    dtype: np.dtype,
) -> Value:
    """Return the floats that constant integers stand for."""
    if element is not None and not scales.block and value.dtype in _KEPT:
        return QuantizedConstant(value.array, element, name, value.name)
    if isinstance(scales.scale, Constant) and isinstance(scales.zero_point, Constant):
        scale, zero_point = (
            spread_blocks(each.array, value.shape, scales.axis, scales.block)
            for each in (scales.scale, scales.zero_point)
        )
        array = dequantize_linear(widened(value.array), scale, widened(zero_point), name_of(dtype))
        builder.budget.spend(array.nbytes, array.shape, node.place)
        return Constant(array, name)
    return call(
        node, builder, "dequantize_linear", value, scales.scale, scales.zero_point,
        name=name, axis=scales.axis, block=scales.block, to=name_of(dtype),
    )  # fmt: skip


def _quantize_linear(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import QuantizeLinear; without a zero point the integers are of the attribute output_dtype, or u8."""
    value, scale, zero_point = node.input(0), node.input(1), node.optional(2)
    dtype = np.dtype(np.uint8) if zero_point is None else dtype_of_value(zero_point)
    given = node.integer("output_dtype", 0)
    if zero_point is None and given:
        element = element_of_onnx(given)
        if element is None:
            raise UnsupportedNodeError("its output_dtype is neither an integer nor a small float")
        dtype = dtype_of(element_storage(element))
    if dtype not in _QUANTIZED:
        raise UnsupportedNodeError(
            f"it quantizes to {dtype}; integers of 2 to 32 bits and floats of 4 to 8 are supported"
        )
    scales = scales_of(
        node, builder, scale, zero_point, dtype, shape_of(value),
        node.integer("axis", 1), node.integer("block_size", 0),
    )  # fmt: skip
    if dtype_of_value(value) == np.int32:
        floats = builder.derived(node.output, "floats")
        value = call(node, builder, "cast", value, name=floats, to="f32")
    return [quantize(node, builder, value, scales, node.output)]


def _dequantize_linear(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value, scale = node.input(0), node.input(1)
    given = node.integer("output_dtype", 0)
    element = element_of_onnx(given) if given else None
    scales = scales_of(
        node, builder, scale, node.optional(2), dtype_of_value(value), shape_of(value),
        node.integer("axis", 1), node.integer("block_size", 0),
    )  # fmt: skip
    dtype = None if element is None else dtype_of(element_storage(element))
    return [dequantize(node, builder, value, scales, node.output, dtype)]


OPERATORS = {
    name: Operator(lower, _ENGINE)
    for domain in ("", "com.microsoft.")
    for name, lower in (
        (f"{domain}QuantizeLinear", _quantize_linear),
        (f"{domain}DequantizeLinear", _dequantize_linear),
    )
}
"""The ops of this family; ONNX Runtime's own domain has them for 16 bits before opset 21."""
