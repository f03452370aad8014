"""Imports Cast: between float types, and from and to bools."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....backends.numerics.storage import dtype_of
from ....dialects import top
from ....dialects.quant.element_type import element_storage
from ..builder import GraphBuilder
from ..node import (
    NETWORK_DTYPES,
    Constant,
    Node,
    Operator,
    UnsupportedNodeError,
    Value,
    dtype_of_value,
    network_element,
)


def _cast(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """A cast at run time; constants are cast at import. Bools become 1 and 0; what is not 0 (NaN too) becomes true."""
    element = network_element(node.integer("to", 0))
    value = node.input(0)
    given = dtype_of_value(value)
    if element is None or given not in NETWORK_DTYPES:
        raise UnsupportedNodeError(
            "it casts a run-time tensor between other types than float32, float16, bfloat16 and bool"
        )
    wanted = dtype_of(element_storage(element))
    if given == wanted:
        return [value]

    def scalar(number: float, dtype: np.dtype, suffix: str) -> Constant:
        return Constant(np.array(number, dtype), builder.derived(node.output, suffix))

    if wanted == np.bool_:
        zero = scalar(0, given, "zero")
        return [builder.emit(top.CompareOp, node.output, value, zero, kind="not_equal")]
    if given == np.bool_:
        one, zero = scalar(1, wanted, "one"), scalar(0, wanted, "zero")
        return [builder.emit(top.SelectOp, node.output, value, one, zero)]
    return [builder.emit(top.CastOp, node.output, value, element=element)]


OPERATORS = {"Cast": Operator(_cast, "vector")}
"""The op of this file."""
