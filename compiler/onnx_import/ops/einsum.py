"""Imports Einsum: of floats as diagonals, sums over axes and (batched) matrix products, of others as a call."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np

from ....backends.numerics.functions.families.products import letter_sizes, parsed_equation
from ....backends.numerics.functions.function import FunctionError
from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.call import MATRIX_OR_HOST, call, is_for_engines
from ..graph.node import Node
from ..graph.operator import Operator
from ..graph.value import Constant, Value, shape_of

_Factor: TypeAlias = "tuple[Value, str]"
"""A tensor, and the letters of its axes, which differ."""


def _einsum(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Einsum of any equation.

    Terms are multiplied from the left. Letters that no later term and not the result has are summed: before a product
    if only one of its terms has them, else by the matrix product.
    """
    equation = node.string("equation", "")
    values = [node.input(index) for index in range(len(node.inputs))]
    shapes = [shape_of(value) for value in values]
    try:
        terms, result = parsed_equation(equation, [len(shape) for shape in shapes])
        sizes = letter_sizes(terms, shapes)
    except FunctionError as error:
        raise node.error(f"{error}") from None
    if not is_for_engines(*values):
        return [call(node, builder, "einsum", *values, equation=equation)]
    factor, *rest = (
        _distinct(node, builder, value, term, sizes)
        for value, term in zip(values, terms, strict=True)
    )
    for number, other in enumerate(rest, 1):
        later = set(result).union(*(term for _, term in rest[number:]))
        factor = _product(node, builder, factor, other, later, sizes)
    value, term = _summed(node, builder, *factor, set(result))
    return [builder.transpose(value, [term.index(letter) for letter in result], node.output)]


def _distinct(
    node: Node, builder: GraphBuilder, value: Value, term: str, sizes: dict[str, int]
) -> _Factor:
    """Return the diagonal of axes that have one letter, without axes of one element where others have more."""
    while len(set(term)) != len(term):
        letter = next(letter for letter in term if term.count(letter) > 1)
        first = term.index(letter)
        pair = (first, term.index(letter, first + 1))
        value = _diagonal(node, builder, value, pair)
        term = "".join(c for axis, c in enumerate(term) if axis not in pair) + letter
    kept = [
        axis
        for axis, (letter, size) in enumerate(zip(term, shape_of(value), strict=True))
        if size == sizes[letter]
    ]
    shape = [shape_of(value)[axis] for axis in kept]
    name = builder.derived(node.output, "operand")
    return builder.reshape(value, shape, name), "".join(term[axis] for axis in kept)


def _diagonal(node: Node, builder: GraphBuilder, value: Value, pair: tuple[int, int]) -> Value:
    """Return the elements for which two axes of a size are equal, along a new last axis."""
    if isinstance(value, Constant):
        array = np.ascontiguousarray(np.diagonal(value.array, axis1=pair[0], axis2=pair[1]))
        return Constant(array, builder.derived(node.output, "diagonal"))
    shape = shape_of(value)
    outer = [axis for axis in range(len(shape)) if axis not in pair]
    size = shape[pair[0]]
    moved = builder.transpose(value, [*outer, *pair], builder.derived(node.output, "diagonal_axes"))
    flat = [*(shape[axis] for axis in outer), size * size]
    rows = builder.reshape(moved, flat, builder.derived(node.output, "diagonal_rows"))
    return builder.emit(
        top.SliceOp,
        builder.derived(node.output, "diagonal"),
        rows,
        starts=(0,) * len(flat),
        sizes=(*flat[:-1], size),
        steps=(*(1,) * len(outer), size + 1),
    )


def _product(
    node: Node,
    builder: GraphBuilder,
    left: _Factor,
    right: _Factor,
    later: Collection[str],
    sizes: dict[str, int],
) -> _Factor:
    """Multiply two factors, and sum over the letters that are not needed later."""
    left = _summed(node, builder, *left, {*later, *right[1]})
    right = _summed(node, builder, *right, {*later, *left[1]})
    batch = [c for c in left[1] if c in right[1] and c in later]
    inner = [c for c in left[1] if c in right[1] and c not in later]
    rows = [c for c in left[1] if c not in right[1]]
    columns = [c for c in right[1] if c not in left[1]]

    def matrices(factor: _Factor, axes: Sequence[list[str]], suffix: str) -> Value:
        value, term = factor
        order = [term.index(c) for group in axes for c in group]
        moved = builder.transpose(value, order, builder.derived(node.output, f"{suffix}_axes"))
        shape = [sizes[c] for c in axes[0]]
        shape += [math.prod(sizes[c] for c in group) for group in axes[1:]]
        return builder.reshape(moved, shape, builder.derived(node.output, f"{suffix}_matrix"))

    product = builder.emit(
        top.MatmulOp,
        builder.derived(node.output, "product"),
        matrices(left, (batch, rows, inner), "left"),
        matrices(right, (batch, inner, columns), "right"),
    )
    letters = [*batch, *rows, *columns]
    name = builder.derived(node.output, "product_axes")
    return builder.reshape(product, [sizes[c] for c in letters], name), "".join(letters)


def _summed(
    node: Node, builder: GraphBuilder, value: Value, term: str, kept: Collection[str]
) -> _Factor:
    """Sum the value over the letters that are not kept; return it and its term without those letters."""
    axes = [axis for axis, letter in enumerate(term) if letter not in kept]
    if not axes:
        return value, term
    name = builder.derived(node.output, f"{term}_sum")
    total = builder.emit(top.ReduceOp, name, value, kind="sum", axes=axes, keepdims=False)
    return total, "".join(letter for letter in term if letter in kept)


OPERATORS = {"Einsum": Operator(_einsum, MATRIX_OR_HOST)}
"""The ops of this family."""
