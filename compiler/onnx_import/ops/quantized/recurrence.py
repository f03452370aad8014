"""Imports the LSTM of dynamic quantization, ONNX Runtime's DynamicQuantizeLSTM, as a call of the host."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .....backends.numerics.recurrence import DIRECTIONS
from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node
from ...graph.operator import Operator
from ...graph.value import Constant, Value, dtype_of_value, shape_of
from ..recurrence import activations_of, direction_of

_QUANTIZED = {"weights": (1, 8, 9), "recurrence": (2, 10, 11)}
"""At which inputs weights, their scales and their zero points are."""
_OPTIONAL = ("bias", "lengths", "hidden", "cell", "peepholes")
"""The inputs from number 3."""


def _lstm(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    """Import DynamicQuantizeLSTM: weights [D,I,4·H] and recurrence [D,H,4·H] are of 8 bits; the inputs, and the hidden
    states of each step, are quantized by their range.
    """
    direction = direction_of(node)
    x, recurrence = node.input(0), node.input(2)
    for name, value in (("X", x), ("W", node.input(1)), ("R", recurrence)):
        if len(shape_of(value)) != 3:
            raise node.error(f"its {name} must have 3 axes, got {list(shape_of(value))}")
    size = node.integer("hidden_size", 0)
    if size and shape_of(recurrence)[1] != size:
        raise node.error(f"hidden_size is {size}, but R has shape {list(shape_of(recurrence))}")
    attributes = activations_of(node, "lstm", direction)
    quantized = [
        [node.input(index) for index in indices[:2]]
        + [_zero_point(node, builder, name, indices[1], indices[2])]
        for name, indices in _QUANTIZED.items()
    ]
    operands = [x, *(each[0] for each in quantized)]
    for _, scale, zero_point in quantized:
        operands += [scale, zero_point]
    operands += _given_or_default(node, builder, len(DIRECTIONS[direction]))
    return [
        call(
            node, builder, "dynamic_quantize_lstm", *operands,
            name=name, result=index, direction=direction,
            activations=attributes["activations"].split(),
            alpha=[float(each) for each in attributes.get("alpha", ())],
            beta=[float(each) for each in attributes.get("beta", ())],
            clip=node.real("clip", 0.0), input_forget=bool(node.integer("input_forget", 0)),
        )
        if name and node.uses_output(index)
        else None
        for index, name in enumerate(node.proto.output)
    ]  # fmt: skip


def _zero_point(node: Node, builder: GraphBuilder, name: str, scale: int, zero_point: int) -> Value:
    """Return the zero points of weights, 0 if they are left out."""
    given = node.optional(zero_point)
    if given is not None:
        return given
    dtype = dtype_of_value(node.input(_QUANTIZED[name][0]))
    zeros = np.zeros(shape_of(node.input(scale)), dtype)
    return Constant(zeros, builder.derived(node.label, f"{name}_zero_point"))


def _given_or_default(node: Node, builder: GraphBuilder, directions: int) -> list[Value]:
    """Return the optional inputs: biases, states and peepholes are 0 if they are left out, and all sequences as long as
    the inputs are.
    """
    steps, batch, _ = shape_of(node.input(0))
    hidden = shape_of(node.input(2))[1]
    defaults = (
        np.zeros((directions, 8 * hidden), np.float32),
        np.full(batch, steps, np.int32),
        np.zeros((directions, batch, hidden), np.float32),
        np.zeros((directions, batch, hidden), np.float32),
        np.zeros((directions, 3 * hidden), np.float32),
    )
    values: list[Value] = []
    for index, (name, default) in enumerate(zip(_OPTIONAL, defaults, strict=True), 3):
        given = node.optional(index)
        if given is None:
            given = Constant(default, builder.derived(node.label, name))
        values.append(given)
    return values


OPERATORS = {"com.microsoft.DynamicQuantizeLSTM": Operator(_lstm, "host")}
"""The ops of this family."""
