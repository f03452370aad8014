"""Imports ops of sequences: ReverseSequence, TensorScatter, TfIdfVectorizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph.builder import GraphBuilder
from ...graph.call import call
from ...graph.node import Node, UnsupportedNodeError
from ...graph.operator import Operator
from ...graph.value import Value, shape_of


def _reverse_sequence(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    batch, time = (
        node.axis(node.integer(name, default), len(shape_of(value)), name)
        for name, default in (("batch_axis", 1), ("time_axis", 0))
    )
    operands = (value, node.input(1))
    return [call(node, builder, "reverse_sequence", *operands, batch_axis=batch, time_axis=time)]


def _tensor_scatter(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    operands = [node.input(0), node.input(1)]
    starts = node.optional(2)
    if starts is not None:
        operands.append(starts)
    mode = node.string("mode", "linear")
    if mode not in ("linear", "circular"):
        raise node.error(f"mode must be linear or circular, it is '{mode}'")
    axis = node.axis(node.integer("axis", -2), len(shape_of(operands[0])))
    circular = mode == "circular"
    return [call(node, builder, "tensor_scatter", *operands, axis=axis, circular=circular)]


def _tf_idf(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    if node.has("pool_strings"):
        raise UnsupportedNodeError("it looks for texts; only integers are tensors at run time")
    lists: dict[str, Any] = {
        name: node.integers(attribute)
        for name, attribute in (
            ("pool", "pool_int64s"),
            ("starts", "ngram_counts"),
            ("columns", "ngram_indexes"),
        )
    }
    for name, values in lists.items():
        if not values:
            raise node.error(f"the attribute for its {name} is missing")
    return [
        call(
            node,
            builder,
            "tf_idf",
            node.input(0),
            mode=node.string("mode", "TF").lower(),
            min_length=node.integer("min_gram_length", 1),
            max_length=node.integer("max_gram_length", 1),
            max_skip=node.integer("max_skip_count", 0),
            weights=node.reals("weights") or [],
            **lists,
        )
    ]


OPERATORS = {
    "ReverseSequence": Operator(_reverse_sequence, "host"),
    "TensorScatter": Operator(_tensor_scatter, "host"),
    "TfIdfVectorizer": Operator(_tf_idf, "host"),
}
"""The ops of this family."""
