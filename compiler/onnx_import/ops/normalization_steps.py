"""Normalizations step by step, as reductions and arithmetic: in f64, and where their statistics are results."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.call import reduced
from ..graph.node import Node
from ..graph.value import Constant, Value, dtype_of_value, shape_of


class Statistics(NamedTuple):
    """What a normalization by mean and variance takes from its input, with axes of size 1: the mean, the input without
    it, and the standard deviation.
    """

    mean: Value
    centered: Value
    deviation: Value


def statistics(
    node: Node,
    builder: GraphBuilder,
    value: Value,
    axes: Sequence[int],
    epsilon: float,
    name: str,
    mean_name: str = "",
) -> Statistics:
    """Emit mean and standard deviation √(variance + ε) of a value over some axes; names derive from `name`, but for
    that of the mean if it is given.
    """
    mean = _over(node, builder, "mean", value, axes, mean_name or builder.derived(name, "mean"))
    centered = builder.emit(top.SubOp, builder.derived(name, "centered"), value, mean)
    return Statistics(
        mean, centered, _root_mean_square(node, builder, centered, axes, epsilon, name)
    )


def normalized(
    node: Node,
    builder: GraphBuilder,
    name: str,
    value: Value,
    scale: Value | None,
    bias: Value | None,
    *,
    kind: str,
    axes: Sequence[int],
    epsilon: float,
) -> Value:
    """Emit what `top.normalize` computes in steps of the type of `value`, under the name `name`."""
    if kind == "mean_variance":
        _, value, divisor = statistics(node, builder, value, axes, epsilon, name)
    elif kind == "rms":
        divisor = _root_mean_square(node, builder, value, axes, epsilon, name)
    else:
        divisor = _over(node, builder, kind, value, axes, builder.derived(name, "norm"))
    if epsilon == 0.0:
        divisor = _not_zero(builder, divisor, name)
    steps = [(top.DivOp, divisor), (top.MulOp, scale), (top.AddOp, bias)]
    given = [(op, operand) for op, operand in steps if operand is not None]
    for number, (op, operand) in enumerate(given, 1):
        own = name if number == len(given) else builder.derived(name, "normalized")
        value = builder.emit(op, own, value, operand)
    return value


def local_response(
    node: Node, builder: GraphBuilder, value: Value, *, size: int, alpha: float, beta: float,
    offset: float,
) -> Value:  # fmt: skip
    """Emit what `top.local_response_norm` computes in steps of the type of `value`, as the node's output: the sums of
    neighboring channels are a product with a matrix of zeros and ones.
    """
    name, shape = node.output, shape_of(value)
    n, channels = shape[:2]
    at = np.arange(channels)
    distance = at[None, :] - at[:, None]
    near = (distance >= -((size - 1) // 2)) & (distance <= size // 2)
    band = Constant(near.astype(dtype_of_value(value)), builder.derived(name, "neighbors"))
    squares = builder.emit(top.MulOp, builder.derived(name, "squares"), value, value)
    columns = (n, channels, prod(shape[2:]))
    squares = builder.reshape(squares, columns, builder.derived(name, "columns"))
    total = builder.emit(top.MatmulOp, builder.derived(name, "sums"), band, squares)
    total = builder.reshape(total, shape, builder.derived(name, "sum"))
    factor = builder.scalar(alpha / size, name, "factor")
    total = builder.emit(top.MulOp, builder.derived(name, "scaled"), total, factor)
    addend = builder.scalar(offset, name, "offset")
    total = builder.emit(top.AddOp, builder.derived(name, "shifted"), total, addend)
    divisor = builder.derived(name, "divisor")
    total = builder.emit(top.UnaryOp, divisor, total, kind="power", alpha=float(beta))
    return builder.emit(top.DivOp, name, value, total)


def _over(
    node: Node, builder: GraphBuilder, kind: str, value: Value, axes: Sequence[int], name: str
) -> Value:
    return reduced(node, builder, kind, value, tuple(axes), keepdims=True, name=name)


def _root_mean_square(
    node: Node, builder: GraphBuilder, value: Value, axes: Sequence[int], epsilon: float, name: str
) -> Value:
    squares = builder.emit(top.MulOp, builder.derived(name, "squares"), value, value)
    mean = _over(node, builder, "mean", squares, axes, builder.derived(name, "mean_square"))
    number = Constant(np.array(epsilon, dtype_of_value(value)), builder.derived(name, "epsilon"))
    safe = builder.emit(top.AddOp, builder.derived(name, "safe"), mean, number)
    return builder.emit(top.UnaryOp, builder.derived(name, "deviation"), safe, kind="sqrt")


def _not_zero(builder: GraphBuilder, divisor: Value, name: str) -> Value:
    """Emit a divisor with 1 in place of 0, which only zeros are divided by."""
    zero, one = (
        builder.scalar(number, name, suffix) for number, suffix in ((0, "zero"), (1, "one"))
    )
    is_zero = builder.derived(name, "is_zero")
    none = builder.emit(top.CompareOp, is_zero, divisor, zero, kind="equal")
    return builder.emit(top.SelectOp, builder.derived(name, "divisor"), none, one, divisor)
