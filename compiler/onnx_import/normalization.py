"""Imports BatchNormalization, Softmax, LogSoftmax and Dropout, as inference computes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...dialects import top
from .builder import GraphBuilder
from .folding import MAX_FOLDED_BYTES
from .node import (
    Constant,
    ImportFunction,
    Node,
    Operator,
    UnsupportedNodeError,
    Value,
    dtype_of_value,
    shape_of,
)


def _batch_norm(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    node.only_first_output("its statistics are used: it is in training mode")
    if node.opset >= 14 and node.integer("training_mode", 0):
        raise UnsupportedNodeError("it is in training mode")
    image, *parameters = (node.input(index) for index in range(5))
    rank = len(shape_of(image))
    if rank < 2:
        raise node.error(f"its input must have at least 2 axes, it has {rank}")
    epsilon = node.real("epsilon", 1e-5)
    if node.opset < 9 and not node.integer("spatial", 1):
        result = _element_norm(node, builder, image, parameters, epsilon)
    else:
        result = builder.emit(top.BatchNormOp, node.output, image, *parameters, epsilon=epsilon)
    return [result, *[None] * (len(node.proto.output) - 1)]


def _element_norm(
    node: Node, builder: GraphBuilder, image: Value, parameters: Sequence[Value], epsilon: float
) -> Value:
    """Batch normalisation with statistics per element (spatial=0, before opset 9): image · factor +
    offset.
    """
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


def _softmax(log: bool) -> ImportFunction:
    """Since opset 13 along one axis; before, over all axes from `axis` on as if they were one."""

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value]:
        value = node.input(0)
        shape = shape_of(value)
        rank = len(shape)
        if node.opset >= 13:
            axis = node.axis(node.integer("axis", -1), rank)
            return [builder.emit(top.SoftmaxOp, node.output, value, axis=axis, log=log)]
        given = node.integer("axis", 1)
        axis = rank if given == rank else node.axis(given, rank)
        if axis == rank - 1:
            return [builder.emit(top.SoftmaxOp, node.output, value, axis=axis, log=log)]
        rows = (math.prod(shape[:axis]), math.prod(shape[axis:]))
        flat = builder.reshape(value, rows, builder.derived(node.output, "input_rows"))
        name = builder.derived(node.output, "rows")
        result = builder.emit(top.SoftmaxOp, name, flat, axis=1, log=log)
        return [builder.reshape(result, shape, node.output)]

    return lower


def _dropout(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    """Inference keeps every element; the mask, where it is used, says just that."""
    if node.opset >= 12:
        training = node.constant(2, "input training_mode")
        if training is not None and training.any():
            raise UnsupportedNodeError("it is in training mode")
    value = node.input(0)
    outputs: list[Value | None] = [value]
    if len(node.proto.output) > 1:
        outputs.append(_mask(node, shape_of(value)) if node.uses_output(1) else None)
    return outputs


def _mask(node: Node, shape: Sequence[int]) -> Constant:
    if math.prod(shape) > MAX_FOLDED_BYTES:
        raise UnsupportedNodeError("its mask is used and very big")
    # Before opset 10 the mask was of the data's type, since then it is boolean.
    dtype = np.bool_ if node.opset >= 10 else node.float_dtype
    return Constant(np.ones(shape, dtype), node.proto.output[1])


OPERATORS = {
    "BatchNormalization": Operator(_batch_norm, "folded, else vector"),
    "Softmax": Operator(_softmax(log=False), "vector"),
    "LogSoftmax": Operator(_softmax(log=True), "vector"),
    "Dropout": Operator(_dropout, "removed"),
}
"""The ops of this family."""
