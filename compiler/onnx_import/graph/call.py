"""Imports what no op of `top` computes as calls of named functions: arithmetic of integers, gathers at run time …"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....backends.numerics.reduction import SELECTING_KINDS
from ....dialects import top
from .builder import GraphBuilder
from .node import Node
from .operator import ImportFunction
from .value import FLOAT_DTYPES, Value, dtype_of_value

HOST_FOR_INTEGERS = "vector (integers: host)"
"""Where an op runs that engines compute for floats only (for `smalti ops`)."""


MATRIX_OR_HOST = "matrix (integers: host)"
"""Where products run that the matrix unit computes for floats only."""


def call(
    node: Node,
    builder: GraphBuilder,
    function: str,
    *operands: Value,
    name: str | None = None,
    result: int = 0,
    **attributes: Any,
) -> Value:
    """Emit a call of a function and return its result number `result`, which has the name of the node's first output
    unless another is given.
    """
    return builder.emit(
        top.CallOp,
        node.output if name is None else name,
        list(operands),
        function=function,
        attributes=attributes,
        result=result,
    )


def is_for_engines(*values: Value) -> bool:
    """Tell whether engines compute with the elements of all values: with floats that networks have."""
    return all(dtype_of_value(value) in FLOAT_DTYPES for value in values)


def is_f64(*values: Value) -> bool:
    """Tell whether a value has elements of f64, with which only the host computes."""
    return any(dtype_of_value(value) == np.float64 for value in values)


def unary(
    node: Node,
    builder: GraphBuilder,
    kind: str,
    value: Value,
    name: str | None = None,
    **parameters: Any,
) -> Value:
    """Emit a function of one number: for engines or, of f64, as a call of the function of the same name."""
    name = node.output if name is None else name
    if is_f64(value):
        return call(node, builder, kind, value, name=name, **parameters)
    return builder.emit(top.UnaryOp, name, value, kind=kind, **parameters)


def reduced(
    node: Node,
    builder: GraphBuilder,
    kind: str,
    value: Value,
    axes: Sequence[int],
    *,
    keepdims: bool,
    name: str | None = None,
) -> Value:
    """Emit a reduction: for engines or, of integers, f64 and, if it chooses an element, of bools, as a call."""
    name = node.output if name is None else name
    given: dict[str, Any] = {"kind": kind, "axes": tuple(axes), "keepdims": keepdims}
    of_bools = dtype_of_value(value) == np.bool_ and kind not in SELECTING_KINDS
    if is_for_engines(value) or of_bools:
        return builder.emit(top.ReduceOp, name, value, **given)
    return call(node, builder, "reduce", value, name=name, **given)


def element_wise(function: str, floats: ImportFunction) -> ImportFunction:
    """Return the import function of an element-wise op: `floats` imports those of floats, a call of `function` the
    others.
    """

    def lower(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
        operands = [node.input(index) for index in range(len(node.inputs))]
        if is_for_engines(*operands):
            return floats(node, builder)
        return [call(node, builder, function, *operands)]

    return lower
