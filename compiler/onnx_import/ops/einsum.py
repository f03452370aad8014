"""Imports Einsum where it is a transpose, a sum over axes, or a (batched) matrix product."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Value, shape_of


def _einsum(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Einsum of one or two terms, each of distinct letters.

    Letters that stand in one term only and not in the result are summed first. Letters that stand in both terms and not
    in the result are those that the matrix product sums over.
    """
    terms, result = _parsed(node)
    values = [node.input(index) for index in range(len(terms))]
    sizes = _sizes(node, terms, values)
    for index, term in enumerate(terms):
        elsewhere = set(result).union(*(t for i, t in enumerate(terms) if i != index))
        values[index], terms[index] = _summed(node, builder, values[index], term, elsewhere)
    if len(terms) == 1:
        return [_ordered(node, builder, values[0], terms[0], result)]
    left, right = terms
    batch = [c for c in left if c in right and c in result]
    inner = [c for c in left if c in right and c not in result]
    rows = [c for c in left if c not in right]
    columns = [c for c in right if c not in left]

    def matrices(value: Value, term: str, axes: Sequence[list[str]], suffix: str) -> Value:
        order = [term.index(c) for group in axes for c in group]
        moved = builder.transpose(value, order, builder.derived(node.output, f"{suffix}_axes"))
        shape = [sizes[c] for c in axes[0]]
        shape += [math.prod(sizes[c] for c in group) for group in axes[1:]]
        return builder.reshape(moved, shape, builder.derived(node.output, f"{suffix}_matrix"))

    product = builder.emit(
        top.MatmulOp,
        builder.derived(node.output, "product"),
        matrices(values[0], left, (batch, rows, inner), "left"),
        matrices(values[1], right, (batch, inner, columns), "right"),
    )
    letters = [*batch, *rows, *columns]
    whole = builder.reshape(
        product, [sizes[c] for c in letters], builder.derived(node.output, "product_axes")
    )
    return [_ordered(node, builder, whole, "".join(letters), result)]


def _parsed(node: Node) -> tuple[list[str], str]:
    """Return the terms of the equation and its result; without `->` the result is the letters that stand once, in
    alphabetical order.
    """
    equation = "".join(node.string("equation", "").split())
    left, arrow, result = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(node.inputs):
        raise node.error(
            f"equation '{equation}' has {len(terms)} terms for {len(node.inputs)} inputs"
        )
    if "." in equation:
        raise UnsupportedNodeError(f"its equation '{equation}' has an ellipsis")
    if len(terms) > 2:
        raise UnsupportedNodeError(f"its equation '{equation}' has more than two terms")
    if not arrow:
        result = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    if any(len(set(term)) != len(term) for term in (*terms, result)):
        raise UnsupportedNodeError(f"its equation '{equation}' repeats a letter within a term")
    if not set(result) <= set(left):
        raise node.error(f"the result of equation '{equation}' has a letter that no term has")
    return terms, result


def _sizes(node: Node, terms: Sequence[str], values: Sequence[Value]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, value in zip(terms, values, strict=True):
        shape = shape_of(value)
        if len(shape) != len(term):
            raise node.error(f"term '{term}' does not fit an input of shape {list(shape)}")
        for letter, size in zip(term, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise UnsupportedNodeError(
                    f"its letter '{letter}' stands for the sizes {sizes[letter]} and {size}"
                )
    return sizes


def _summed(
    node: Node, builder: GraphBuilder, value: Value, term: str, kept: set[str]
) -> tuple[Value, str]:
    """Sum the value over the letters that are not kept; return it and its term without those letters."""
    axes = [axis for axis, letter in enumerate(term) if letter not in kept]
    if not axes:
        return value, term
    name = builder.derived(node.output, f"{term}_sum")
    total = builder.emit(top.ReduceOp, name, value, kind="sum", axes=axes, keepdims=False)
    return total, "".join(letter for letter in term if letter in kept)


def _ordered(node: Node, builder: GraphBuilder, value: Value, term: str, result: str) -> Value:
    return builder.transpose(value, [term.index(letter) for letter in result], node.output)


OPERATORS = {"Einsum": Operator(_einsum, "matrix")}
"""The ops of this family."""
