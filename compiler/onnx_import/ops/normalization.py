"""Imports BatchNormalization, Softmax, LogSoftmax, Hardmax and Dropout, as inference computes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.call import call, is_f64
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import ImportFunction, Operator
from ..graph.value import Constant, Value, dtype_of_value, shape_of
from .float_types import in_one_float_type


def _batch_norm(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    node.only_first_output("its statistics are used: it is in training mode")
    if node.opset >= 14 and node.integer("training_mode", 0):
        raise UnsupportedNodeError("it is in training mode")
    image, *parameters = (node.input(index) for index in range(5))
    shape = shape_of(image)
    if not shape:
        raise node.error("its input must have at least 1 axis, it has none")
    if len(shape) == 1:  # it is of one channel
        columns = builder.reshape(image, (*shape, 1), builder.derived(node.output, "input_columns"))
        name = builder.derived(node.output, "columns")
        (made, *others) = _batch_norm(node.changed([columns, *parameters], {0: name}), builder)
        return [builder.reshape(node.given(made, "its result"), shape, node.output), *others]
    epsilon = node.real("epsilon", 1e-5)
    others = [None] * (len(node.proto.output) - 1)
    if node.opset < 9 and not node.integer("spatial", 1):
        return [_element_norm(node, builder, image, parameters, epsilon), *others]
    if is_f64(image) or not all(isinstance(value, Constant) for value in parameters):
        return [*_computed_norm(node, builder), *others]
    return [
        builder.emit(top.BatchNormOp, node.output, image, *parameters, epsilon=epsilon),
        *others,
    ]


def _element_norm(
    node: Node, builder: GraphBuilder, image: Value, parameters: Sequence[Value], epsilon: float
) -> Value:
    """Emit batch normalization with statistics per element (spatial=0, before opset 9): image · factor + offset."""
    arrays = []
    for index, value in enumerate(parameters):
        if not isinstance(value, Constant):
            raise UnsupportedNodeError(f"its input {index + 1} is computed at run time")
        arrays.append(value.array.astype(np.float64))
    scale, bias, mean, variance = arrays
    if any(array.shape != shape_of(image)[1:] for array in arrays):
        raise node.error("with spatial=0 its parameters must have the shape of one sample")
    factor = scale / np.sqrt(variance + epsilon)
    dtype = dtype_of_value(image)
    offset = (bias - mean * factor).astype(dtype)
    scaled = builder.emit(
        top.MulOp,
        builder.derived(node.output, "scaled"),
        image,
        Constant(factor.astype(dtype), builder.derived(node.output, "factor")),
    )
    addend = Constant(offset, builder.derived(node.output, "offset"))
    return builder.emit(top.AddOp, node.output, scaled, addend)


@in_one_float_type
def _computed_norm(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    """Emit batch normalization by parameters of run time: image · factor + offset, with one of each per channel."""
    image, *parameters = (node.input(index) for index in range(5))
    channels = shape_of(image)[1]
    for index, value in enumerate(parameters, 1):
        if shape_of(value) != (channels,):
            raise node.error(
                f"input {index} must have shape [{channels}], it has {list(shape_of(value))}"
            )

    def emit(op: type, suffix: str, *operands: Value, **properties: object) -> Value:
        return builder.emit(op, builder.derived(node.output, suffix), *operands, **properties)

    def per_channel(value: Value, suffix: str) -> Value:
        ones = (1,) * (len(shape_of(image)) - 2)
        return builder.reshape(value, (channels, *ones), builder.derived(node.output, suffix))

    scale, bias, mean, variance = parameters
    safe = emit(
        top.AddOp,
        "safe_variance",
        variance,
        builder.scalar(node.real("epsilon", 1e-5), node.output, "epsilon"),
    )
    deviation = emit(top.UnaryOp, "deviation", safe, kind="sqrt")
    factor = emit(top.DivOp, "factor", scale, deviation)
    offset = emit(top.SubOp, "offset", bias, emit(top.MulOp, "mean_scaled", mean, factor))
    scaled = emit(top.MulOp, "scaled", image, per_channel(factor, "factor_column"))
    return [builder.emit(top.AddOp, node.output, scaled, per_channel(offset, "offset_column"))]


Emit = Callable[[Node, GraphBuilder, str, Value, int], Value]
"""Emits a function of a whole axis: called with node, builder, the result's name, the value, and the axis."""


def _along_axis(emit: Emit) -> ImportFunction:
    """Return the import function of a function along one axis; before opset 13 over all axes from `axis` on as one,
    which are one if all others among them have size 1."""

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        value = node.input(0)
        shape = shape_of(value)
        rank = len(shape)
        if node.opset >= 13:
            axis = node.axis(node.integer("axis", -1), rank)
            return [emit(node, builder, node.output, value, axis)]
        given = node.integer("axis", 1)
        axis = rank if given == rank else node.axis(given, rank)
        large = [other for other in range(axis, rank) if shape[other] != 1]
        if len(large) <= 1 and axis < rank:
            only = large[0] if large else axis
            return [emit(node, builder, node.output, value, only)]
        rows = (math.prod(shape[:axis]), math.prod(shape[axis:]))
        flat = builder.reshape(value, rows, builder.derived(node.output, "input_rows"))
        result = emit(node, builder, builder.derived(node.output, "rows"), flat, 1)
        return [builder.reshape(result, shape, node.output)]

    return lower


def _softmax(log: bool) -> Emit:
    def emit(node: Node, builder: GraphBuilder, name: str, value: Value, axis: int) -> Value:
        if is_f64(value):
            function = "log_softmax" if log else "softmax"
            return call(node, builder, function, value, name=name, axis=axis)
        return builder.emit(top.SoftmaxOp, name, value, axis=axis, log=log)

    return emit


def _hardmax(node: Node, builder: GraphBuilder, name: str, value: Value, axis: int) -> Value:
    """Emit Hardmax: 1 for the first of the greatest elements along the axis, 0 for the others.

    Of the elements that equal the greatest, the first one is that with the greatest place counted from the end. Places
    are compared digit by digit, so that every number format of a network holds the digits exactly.
    """
    if is_f64(value):
        return call(node, builder, "hardmax", value, name=name, axis=axis)
    shape = shape_of(value)

    def emit(op: type, suffix: str, *operands: Value, **properties: object) -> Value:
        return builder.emit(op, builder.derived(node.output, suffix), *operands, **properties)

    def greatest(what: Value, suffix: str) -> Value:
        return emit(top.ReduceOp, suffix, what, kind="max", axes=(axis,), keepdims=True)

    zero, one = (builder.scalar(number, node.output, str(number)) for number in (0, 1))
    largest = greatest(value, "greatest")
    chosen = emit(top.CompareOp, "is_greatest", value, largest, kind="equal")
    for index, digit in enumerate(_digits_from_the_end(shape[axis])):
        array = digit.astype(dtype_of_value(value)).reshape(-1, *[1] * (len(shape) - axis - 1))
        places = Constant(array, builder.derived(node.output, f"places{index}"))
        place = emit(top.SelectOp, f"place{index}", chosen, places, zero)
        first = greatest(place, f"first{index}")
        is_first = emit(top.CompareOp, f"is_first{index}", places, first, kind="equal")
        chosen = emit(top.LogicalOp, f"chosen{index}", chosen, is_first, kind="and")
    return builder.emit(top.SelectOp, name, chosen, one, zero)


_BASE = 128
"""The base of the digits: all integers up to it are exact in every float type of a network."""


def _digits_from_the_end(length: int) -> list[np.ndarray]:
    """Return the digits of length-1, length-2 … 0 in base 128, each plus 1: an array per digit, the highest first."""
    rest, digits = np.arange(length - 1, -1, -1), []
    while not digits or rest.any():
        digits.append(rest % _BASE + 1)
        rest = rest // _BASE
    return digits[::-1]


def _dropout(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    """Import Dropout, which at inference keeps every element; the mask, if it is used, is all true.

    Before opset 12 ONNX does not say so: its reference gives true there, too, and ONNX Runtime false.
    """
    if node.opset >= 12:
        training = node.constant(2, "input training_mode")
        if training is not None and training.any():
            raise UnsupportedNodeError("it is in training mode")
    value = node.input(0)
    outputs: list[Value | None] = [value]
    if len(node.proto.output) > 1:
        outputs.append(_mask(node, builder, shape_of(value)) if node.uses_output(1) else None)
    return outputs


def _mask(node: Node, builder: GraphBuilder, shape: Sequence[int]) -> Constant:
    # Before opset 10 the mask has the type of the data, since then it is boolean.
    dtype = np.bool_ if node.opset >= 10 else node.float_dtype
    builder.budget.spend(math.prod(shape) * np.dtype(dtype).itemsize, shape, node.place)
    return Constant(np.ones(shape, dtype), node.proto.output[1])


OPERATORS = {
    "BatchNormalization": Operator(_batch_norm, "folded, else vector"),
    "Softmax": Operator(_along_axis(_softmax(log=False)), "vector"),
    "LogSoftmax": Operator(_along_axis(_softmax(log=True)), "vector"),
    "Hardmax": Operator(_along_axis(_hardmax), "vector"),
    "Dropout": Operator(_dropout, "removed"),
}
"""The ops of this family."""
