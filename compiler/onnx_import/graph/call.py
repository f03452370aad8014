"""Imports what no op of `top` computes as calls of named functions: arithmetic of integers, gathers at run time …"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....dialects import top
from .builder import GraphBuilder
from .node import Node
from .operator import ImportFunction
from .value import FLOAT_DTYPES, Value, dtype_of_value

HOST_FOR_INTEGERS = "vector (integers: host)"
"""Where an op runs that engines compute for floats only (for `smalti ops`)."""


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
