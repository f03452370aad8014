"""Imports CastLike: a Cast to the element type of another tensor, whose elements nobody reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import NETWORK_DTYPES, Constant, Value, dtype_of_value
from . import pointwise

_CAST = pointwise.OPERATORS["Cast"]


def _cast_like(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    value, dtype = node.input(0), dtype_of_value(node.input(1))
    if isinstance(value, Constant):
        return [Constant(_converted(value.array, dtype), node.output)]
    return _CAST.lower(_as_cast(node, dtype), builder)


def _converted(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return constants in another type. Raises UnsupportedNodeError for types whose conversions saturate or pack."""
    if array.dtype == dtype:
        return array
    if not all(each.kind in "biuf" or each in NETWORK_DTYPES for each in (array.dtype, dtype)):
        raise UnsupportedNodeError(f"it casts a constant of {array.dtype} to {dtype}")
    with np.errstate(all="ignore"):
        return array.astype(dtype)


def _as_cast(node: Node, dtype: np.dtype) -> Node:
    """Return the node as a Cast, which takes the type from an attribute."""
    from onnx import helper

    proto = helper.make_node(
        "Cast",
        list(node.proto.input[:1]),
        list(node.proto.output),
        node.proto.name,
        to=helper.np_dtype_to_tensor_dtype(dtype),
    )
    proto.attribute.extend(each for each in node.proto.attribute if each.name != "to")
    return Node(
        proto, node.opset, node.label, node.inputs[:1], node.used_outputs, node.file, node.reader
    )


OPERATORS = {"CastLike": Operator(_cast_like, "vector")}
"""The ops of this family."""
