"""Imports ops whose indices are computed at run time: GatherElements, GatherND, ScatterElements, ScatterND, OneHot; and
Trilu.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .....dialects import top
from ...graph.builder import GraphBuilder
from ...graph.call import HOST_FOR_INTEGERS, call, is_for_engines
from ...graph.node import Node
from ...graph.operator import Operator
from ...graph.value import Constant, Value, dtype_of_value, shape_of


def gather_at_run_time(node: Node, builder: GraphBuilder, axis: int) -> Value:
    """Emit Gather with computed indices."""
    indices = _indices(node, node.input(1))
    return call(node, builder, "gather", node.input(0), indices, axis=axis)


def _indices(node: Node, value: Value) -> Value:
    """Return indices as they are. Raises DiagnosticError if they are no integers."""
    if dtype_of_value(value) not in (np.dtype(np.int32), np.dtype(np.int64)):
        raise node.error(f"its indices must be int32 or int64, they are {dtype_of_value(value)}")
    return value


def _gather_elements(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    data, indices = node.input(0), _indices(node, node.input(1))
    axis = node.axis(node.integer("axis", 0), len(shape_of(data)))
    return [call(node, builder, "gather_elements", data, indices, axis=axis)]


def _gather_nd(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    data, indices = node.input(0), _indices(node, node.input(1))
    batch_dims = node.integer("batch_dims", 0)
    return [call(node, builder, "gather_nd", data, indices, batch_dims=batch_dims)]


def _scatter_elements(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import ScatterElements, and Scatter, its name before opset 11."""
    data = node.input(0)
    axis = node.axis(node.integer("axis", 0), len(shape_of(data)))
    return [_scatter(node, builder, "scatter_elements", axis=axis)]


def _scatter_nd(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    return [_scatter(node, builder, "scatter_nd")]


def _scatter(node: Node, builder: GraphBuilder, function: str, **attributes: Any) -> Value:
    """Emit a scatter; without updates it is the data."""
    data, indices, updates = (node.input(index) for index in range(3))
    reduction = node.string("reduction", "none")
    indices = _indices(node, indices)
    if 0 in shape_of(updates):
        return data
    return call(node, builder, function, data, indices, updates, reduction=reduction, **attributes)


def _one_hot(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    indices, values = node.input(0), node.input(2)
    depth = node.constant(1, "input depth")
    if depth is None or depth.size != 1:
        raise node.error("its depth must be one number")
    axis = node.axis(node.integer("axis", -1), len(shape_of(indices)) + 1)
    count = int(depth.reshape(()))
    return [call(node, builder, "one_hot", indices, values, depth=count, axis=axis)]


def _trilu(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Trilu: of floats a choice between the matrices and 0 by a constant mask, of others a call."""
    value, shape = node.input(0), shape_of(node.input(0))
    upper, k = bool(node.integer("upper", 1)), node.optional(1)
    if len(shape) < 2:
        raise node.error(f"its input must have two axes at least, it has shape {list(shape)}")
    if k is not None and not isinstance(k, Constant):
        return [call(node, builder, "trilu", value, k, upper=upper)]
    diagonal = (node.integers_of(1, "input k") or [0])[0]
    if not is_for_engines(value):
        return [call(node, builder, "trilu", value, k=diagonal, upper=upper)]
    rows, columns = shape[-2:]
    builder.budget.spend(rows * columns, (rows, columns), node.place)
    distance = np.arange(columns)[None, :] - np.arange(rows)[:, None]
    mask = distance >= diagonal if upper else distance <= diagonal
    kept = Constant(mask, builder.derived(node.output, "kept"))
    zero = builder.scalar(0, node.output, "zero")
    return [builder.emit(top.SelectOp, node.output, kept, value, zero)]


OPERATORS = {
    "GatherElements": Operator(_gather_elements, "host"),
    "GatherND": Operator(_gather_nd, "host"),
    "Scatter": Operator(_scatter_elements, "host"),
    "ScatterElements": Operator(_scatter_elements, "host"),
    "ScatterND": Operator(_scatter_nd, "host"),
    "OneHot": Operator(_one_hot, "host"),
    "Trilu": Operator(_trilu, HOST_FOR_INTEGERS),
}
"""The ops of this family."""
