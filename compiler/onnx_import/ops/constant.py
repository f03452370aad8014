"""Imports what is known before a network runs: Constant in all forms, Identity, Shape, Size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Constant, Value, shape_of

_FORMS: dict[str, Callable[[Any], np.ndarray]] = {
    "value_float": lambda attribute: np.array(attribute.f, np.float32),
    "value_floats": lambda attribute: np.array(attribute.floats, np.float32),
    "value_int": lambda attribute: np.array(attribute.i, np.int64),
    "value_ints": lambda attribute: np.array(attribute.ints, np.int64),
    "value_string": lambda attribute: np.array(attribute.s, np.object_),
    "value_strings": lambda attribute: np.array(list(attribute.strings), np.object_),
}


def _constant(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    if node.has("sparse_value"):
        raise UnsupportedNodeError("its value is sparse")
    if node.has("value"):
        return [Constant(node.reader.read(node.attribute("value").t), node.output)]
    for name, read in _FORMS.items():
        if node.has(name):
            return [Constant(read(node.attribute(name)), node.output)]
    raise node.error("it has none of the attributes value, value_float(s), value_int(s)")


def _identity(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    return [node.input(0)]


def _shape(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Shape: the dimensions from `start` to `end` (since opset 15), which are clamped to the rank."""
    shape = shape_of(node.input(0))
    start = node.integer("start", 0) if node.opset >= 15 else 0
    end = node.integer("end", len(shape)) if node.opset >= 15 else len(shape)
    return [Constant(np.array(shape[slice(start, end)], np.int64), node.output)]


def _size(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    elements = math.prod(shape_of(node.input(0)))
    return [Constant(np.array(elements, np.int64), node.output)]


OPERATORS = {
    "Constant": Operator(_constant, "folded"),
    "Identity": Operator(_identity, "removed"),
    "Shape": Operator(_shape, "folded"),
    "Size": Operator(_size, "folded"),
}
"""The ops of this family."""
