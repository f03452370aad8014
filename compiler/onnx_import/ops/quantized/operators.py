"""Imports ops of integers that come with the scales of their operands and result: QLinearConv, QLinearAdd ... They are
the float op on dequantized operands, quantized again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .....dialects import top
from ...graph.builder import GraphBuilder
from ...graph.node import Node, UnsupportedNodeError
from ...graph.operator import ImportFunction, Operator
from ...graph.value import Constant, Value, dtype_of_value, shape_of
from .. import (
    arithmetic,
    convolution,
    movement,
    normalization,
    pointwise,
    pooling,
    product,
    reduction,
)
from .linear import Scales, dequantize, quantize, scales_of

_FLOAT_OPSET = 17
"""The opset of the float ops, which the ops of ONNX Runtime's domain are defined by."""


def dequantized(node: Node, builder: GraphBuilder, first: int, what: str, axis: int = 0) -> Value:
    """Return the floats of the operand at input `first`, after which its scale and its zero point come; several scales
    lie along `axis`.
    """
    value = node.input(first)
    scales = scales_of(
        node, builder, node.input(first + 1), node.optional(first + 2),
        dtype_of_value(value), shape_of(value), axis,
    )  # fmt: skip
    return dequantize(node, builder, value, scales, builder.derived(node.output, what))


def in_floats(
    node: Node,
    builder: GraphBuilder,
    operator: Operator,
    inputs: Sequence[Value | None],
    name: str,
    **attributes: Any,
) -> Value:
    """Emit the op that `operator` imports, of floats except in NhwcMaxPool, as a value `name`.

    It has the attributes of the node, and others.
    """
    from onnx import helper

    given = [f"{name}_{index}" if value is not None else "" for index, value in enumerate(inputs)]
    proto = helper.make_node(node.op_type, given, [name], **attributes)
    proto.attribute.extend(node.proto.attribute)
    opset = node.integer("opset", _FLOAT_OPSET)  # QLinearSoftmax says whose softmax it is
    inner = Node(proto, opset, node.label, list(inputs), [True], node.file, node.reader)
    (result,) = operator.outputs_of(inner, builder)
    return node.given(result, "its result in floats")


def requantized(
    node: Node, builder: GraphBuilder, value: Value, first: int, operand: int = 0
) -> Value:
    """Emit the quantization of the result, whose scale is input `first`, and zero point the one after it.

    Without a zero point it has the elements of input `operand`.
    """
    zero_point = node.optional(first + 1)
    dtype = dtype_of_value(node.input(operand) if zero_point is None else zero_point)
    scales = scales_of(node, builder, node.input(first), zero_point, dtype, shape_of(value))
    return quantize(node, builder, value, scales, node.output)


def _of(operator: Operator, operands: int) -> ImportFunction:
    """Return the import function of an op of some operands, each followed by its scale and zero point, and then those
    of the result.
    """

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        floats = [
            dequantized(node, builder, 3 * index, f"operand{index}") for index in range(operands)
        ]
        name = builder.derived(node.output, "floats")
        if node.integer("channels_last", 0):  # an attribute of pools, which have one operand
            made = _channels_last(node, builder, operator, floats, name)
        else:
            made = in_floats(node, builder, operator, floats, name)
        return [requantized(node, builder, made, 3 * operands)]

    return lower


def _channels_last(
    node: Node,
    builder: GraphBuilder,
    operator: Operator,
    inputs: Sequence[Value | None],
    name: str,
) -> Value:
    """Emit the op that `operator` imports, of an image [N, spatial..., C], input 0, as a value `name` of such axes.

    Weights, the inputs behind it, lie as they do beside images [N, C, spatial...]. Raises DiagnosticError if the image
    has no spatial axes.
    """
    image, *others = inputs
    assert image is not None
    rank = len(shape_of(image))
    if rank < 3:
        raise node.error(f"its image must have axes [N, spatial..., C]; it has {rank} of them")
    first = _axis_moved(builder, image, -1, 1, builder.derived(node.output, "channels_first"))
    made = in_floats(
        node, builder, operator, [first, *others], builder.derived(node.output, "of_channels_first")
    )
    return _axis_moved(builder, made, 1, -1, name)


def _axis_moved(builder: GraphBuilder, value: Value, axis: int, to: int, name: str) -> Value:
    """Emit a value with one axis at another place among the others."""
    order = list(range(len(shape_of(value))))
    moved = order.pop(axis)
    order.insert(to % (len(order) + 1), moved)
    return builder.transpose(value, order, name)


def _concat(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import QLinearConcat: scale and zero point of the result, then those of each operand after it."""
    floats = [
        dequantized(node, builder, first, f"operand{first // 3}")
        for first in range(2, len(node.inputs), 3)
    ]
    name = builder.derived(node.output, "floats")
    made = in_floats(node, builder, movement.OPERATORS["Concat"], floats, name)
    return [requantized(node, builder, made, 0, operand=2)]


def _where(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import QLinearWhere: the condition, two operands with scales and zero points, those of the result."""
    floats = [dequantized(node, builder, first, f"operand{first}") for first in (1, 4)]
    name = builder.derived(node.output, "floats")
    made = in_floats(node, builder, pointwise.OPERATORS["Where"], [node.input(0), *floats], name)
    return [requantized(node, builder, made, 7, operand=1)]


def _matmul(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import QLinearMatMul; scales of a are one or one for each row, those of b one or one for each column."""
    a, b = node.input(0), node.input(3)
    left = dequantized(node, builder, 0, "a", max(len(shape_of(a)) - 2, 0))
    right = dequantized(node, builder, 3, "b", len(shape_of(b)) - 1)
    name = builder.derived(node.output, "floats")
    made = in_floats(node, builder, product.OPERATORS["MatMul"], [left, right], name)
    return [requantized(node, builder, made, 6)]


def bias_of(
    node: Node,
    builder: GraphBuilder,
    bias: Value | None,
    scales: Sequence[Value],
    factor: float = 1.0,
) -> Value | None:
    """Return the floats of a bias of i32, whose scale is the product of the operands' scales and `factor`."""
    if bias is None:
        return None
    name = builder.derived(node.output, "bias_scale")
    constants = [each.array.astype(np.float64) for each in scales if isinstance(each, Constant)]
    if len(constants) == len(scales):
        scale: Value = Constant(
            np.asarray(np.prod(np.broadcast_arrays(*constants), 0) * factor, np.float32), name
        )
    else:
        scale = builder.emit(top.MulOp, name, *scales)
        if factor != 1.0:
            raise UnsupportedNodeError("its scales are computed at run time, and alpha is not 1")
    zero_point = Constant(
        np.zeros(shape_of(scale), np.int32), builder.derived(node.output, "bias_zero_point")
    )
    given = Scales(scale, zero_point)
    return dequantize(node, builder, bias, given, builder.derived(node.output, "bias"))


def _conv(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import QLinearConv; scales of the weights are one or one for each output channel.

    ONNX Runtime's attribute channels_last is about image and result: its weights are [O, I, spatial...] all the same.
    """
    image, weight = dequantized(node, builder, 0, "image"), dequantized(node, builder, 3, "weight")
    bias = bias_of(node, builder, node.optional(8), [node.input(1), node.input(4)])
    name = builder.derived(node.output, "floats")
    lower = _channels_last if node.integer("channels_last", 0) else in_floats
    made = lower(node, builder, convolution.OPERATORS["Conv"], [image, weight, bias], name)
    return [requantized(node, builder, made, 6)]


def _nhwc_max_pool(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import NhwcMaxPool: maxima of windows of integers [N, spatial..., C], which keep their scale."""
    operator = pooling.OPERATORS["MaxPool"]
    return [_channels_last(node, builder, operator, [node.input(0)], node.output)]


def _gemm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import QGemm, alpha · A' · B' + C; without a scale of the result that is floats."""
    columns = 0 if node.integer("transB", 0) else 1
    a, b = dequantized(node, builder, 0, "a"), dequantized(node, builder, 3, "b", columns)
    scales, alpha = [node.input(1), node.input(4)], node.real("alpha", 1.0)
    bias = bias_of(node, builder, node.optional(6), scales, alpha)
    quantizes = node.optional(7) is not None
    name = builder.derived(node.output, "floats") if quantizes else node.output
    made = in_floats(node, builder, product.OPERATORS["Gemm"], [a, b, bias], name)
    return [requantized(node, builder, made, 7) if quantizes else made]


_ENGINES = "matrix, vector (scales of run time: host)"

OPERATORS = {
    "QLinearConv": Operator(_conv, _ENGINES),
    "QLinearMatMul": Operator(_matmul, _ENGINES),
    **{
        f"com.microsoft.{name}": Operator(lower, _ENGINES)
        for name, lower in (
            ("QLinearConv", _conv),
            ("QGemm", _gemm),
            ("QLinearConcat", _concat),
            ("QLinearWhere", _where),
            ("QLinearAdd", _of(arithmetic.OPERATORS["Add"], 2)),
            ("QLinearMul", _of(arithmetic.OPERATORS["Mul"], 2)),
            ("QLinearSigmoid", _of(pointwise.OPERATORS["Sigmoid"], 1)),
            ("QLinearLeakyRelu", _of(pointwise.OPERATORS["LeakyRelu"], 1)),
            ("QLinearSoftmax", _of(normalization.OPERATORS["Softmax"], 1)),
            ("QLinearAveragePool", _of(pooling.OPERATORS["AveragePool"], 1)),
            ("QLinearReduceMean", _of(reduction.OPERATORS["ReduceMean"], 1)),
            ("QLinearGlobalAveragePool", _of(reduction.OPERATORS["GlobalAveragePool"], 1)),
        )
    },
    "com.microsoft.NhwcMaxPool": Operator(_nhwc_max_pool, "host"),
}
"""The ops of this family."""
