"""Imports dynamic quantization, whose scales are those of the values at run time, and products of integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .....dialects import top
from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node
from ...graph.operator import Operator
from ...graph.value import Constant, Value, dtype_of_value, shape_of
from .. import product
from ..window_attributes import read_window
from .linear import Scales, dequantize, scales_of
from .operators import in_floats

_PRODUCT = "matrix (not exact in f32: host)"
_QUANTIZATION = "vector (an axis above 8192 that has no divisors: host)"
_NAMES = ("quantized", "scale", "zero_point")


def _dynamic_quantize(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    return [
        call(node, builder, "dynamic_quantize_linear", node.input(0), name=name, result=index)
        if used
        else None
        for index, (name, used) in enumerate(zip(node.proto.output, node.used_outputs, strict=True))
    ]


def _zero_point(node: Node, builder: GraphBuilder, index: int, value: Value) -> Value:
    """Return optional input `index`, the zero point of `value`; 0 if it is left out."""
    given = node.optional(index)
    if given is not None:
        return given
    zero = np.zeros((), dtype_of_value(value))
    return Constant(zero, builder.derived(node.output, "zero_point"))


def _matmul_integer(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    a, b = node.input(0), node.input(1)
    points = (_zero_point(node, builder, 2, a), _zero_point(node, builder, 3, b))
    return [call(node, builder, "matmul_integer", a, b, *points)]


def _conv_integer(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    x, w = node.input(0), node.input(1)
    if len(shape_of(w)) != len(shape_of(x)):
        raise node.error(f"input {list(shape_of(x))} and weight {list(shape_of(w))} differ in rank")
    window = read_window(node, shape_of(x), shape_of(w)[2:])
    points = (_zero_point(node, builder, 2, x), _zero_point(node, builder, 3, w))
    result = call(
        node, builder, "conv_integer", x, w, *points,
        strides=window.strides, dilations=window.dilations, pads=window.pads,
        groups=node.integer("group", 1),
    )  # fmt: skip
    return [result]


def _product(
    node: Node, builder: GraphBuilder, a: Value, b: Value, bias: Value | None
) -> Sequence[Value]:
    """Emit a · b + bias in floats."""
    operator = product.OPERATORS["MatMul"]
    if bias is None:
        return [in_floats(node, builder, operator, [a, b], node.output)]
    name = builder.derived(node.output, "product")
    made = in_floats(node, builder, operator, [a, b], name)
    return [builder.emit(top.AddOp, node.output, made, bias)]


def _dynamic_quantize_matmul(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import DynamicQuantizeMatMul: a is quantized by its range, b is quantized; the product is in floats."""
    a, b = node.input(0), node.input(1)
    integers, scale, zero_point = (
        call(
            node, builder, "dynamic_quantize_linear", a,
            name=builder.derived(node.output, f"a_{name}"), result=index,
        )
        for index, name in enumerate(_NAMES)
    )  # fmt: skip
    left = dequantize(
        node, builder, integers, Scales(scale, zero_point), builder.derived(node.output, "a")
    )
    scales = scales_of(
        node, builder, node.input(2), node.optional(3), dtype_of_value(b), shape_of(b),
        len(shape_of(b)) - 1,
    )  # fmt: skip
    right = dequantize(node, builder, b, scales, builder.derived(node.output, "b"))
    return _product(node, builder, left, right, node.optional(4))


def _matmul_integer_to_float(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import MatMulIntegerToFloat, whose inputs are a, b, their scales, their zero points and a bias."""
    sides: list[Value] = []
    for index, what in enumerate("ab"):
        value = node.input(index)
        rank = len(shape_of(value))
        axis = rank - 1 if what == "b" else max(rank - 2, 0)
        scales = scales_of(
            node, builder, node.input(2 + index), node.optional(4 + index), dtype_of_value(value),
            shape_of(value), axis,
        )  # fmt: skip
        sides.append(dequantize(node, builder, value, scales, builder.derived(node.output, what)))
    left, right = sides
    return _product(node, builder, left, right, node.optional(6))


OPERATORS = {
    "DynamicQuantizeLinear": Operator(_dynamic_quantize, _QUANTIZATION),
    "MatMulInteger": Operator(_matmul_integer, _PRODUCT),
    "ConvInteger": Operator(_conv_integer, _PRODUCT),
    "com.microsoft.DynamicQuantizeMatMul": Operator(_dynamic_quantize_matmul, "matrix, host"),
    "com.microsoft.MatMulIntegerToFloat": Operator(_matmul_integer_to_float, "matrix, host"),
}
"""The ops of this family."""
