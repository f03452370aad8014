"""Matrix products and sums of products, of integers and f64 above all: engines multiply f32 and less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...storage import name_of
from ..function import (
    NUMBERS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    broadcast,
    check_alike,
    check_storage,
    stored,
    taken,
    wide,
)

ELLIPSIS = "..."
_ADVICE = "cast its operands to FLOAT before, where f32 holds their numbers and their sums"


def _infer_matmul(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    lhs, rhs = taken(operands, "lhs", "rhs")
    check_storage("lhs", lhs, NUMBERS)
    storage = check_alike(operands, "lhs", "rhs")
    if min(len(lhs.shape), len(rhs.shape)) < 2 or lhs.shape[-1] != rhs.shape[-2]:
        raise FunctionError(
            f"{list(lhs.shape)} and {list(rhs.shape)} are no matrices that can be multiplied"
        )
    outer = broadcast([TensorKind(each.shape[:-2], storage) for each in (lhs, rhs)])
    return [TensorKind((*outer, lhs.shape[-2], rhs.shape[-1]), storage)]


def _matmul(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Multiply: floats in f64, rounded once; integers modulo their range."""
    lhs, rhs = arrays
    return [stored(np.matmul(wide(lhs), wide(rhs)), name_of(lhs.dtype))]


def parsed_equation(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Return the terms and the result of an equation of Einsum, for operands of some ranks.

    Axes of an ellipsis get signs that are no letters, of which operands with less axes have the last ones. Without
    `->` the result is those signs, then the letters that stand once in alphabetical order. Raises FunctionError if the
    equation is none, or does not fit the ranks.
    """
    left, arrow, result = "".join(equation.split()).partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise FunctionError(
            f"equation '{equation}' has {len(terms)} terms for {len(ranks)} operands"
        )
    for text in (*terms, result):
        letters = text.replace(ELLIPSIS, "", 1)
        if not (letters == "" or (letters.isascii() and letters.isalpha())):
            raise FunctionError(f"equation '{equation}' has a term '{text}' that is not of letters")
    counts = [
        rank - len(term.replace(ELLIPSIS, "", 1)) for term, rank in zip(terms, ranks, strict=True)
    ]
    for term, rank, count in zip(terms, ranks, counts, strict=True):
        if count < 0 or (count and ELLIPSIS not in term):
            raise FunctionError(f"term '{term}' does not fit an operand of {rank} axes")
    most = max(
        (count for term, count in zip(terms, counts, strict=True) if ELLIPSIS in term), default=0
    )
    signs = "".join(chr(ord("0") + number) for number in range(most))
    if most > 10:
        raise FunctionError(
            f"the ellipsis of equation '{equation}' stands for {most} axes, at most 10"
        )
    expanded = [
        term.replace(ELLIPSIS, signs[most - count :])
        for term, count in zip(terms, counts, strict=True)
    ]
    if not arrow:
        once = {c for c in left if c.isalpha() and left.count(c) == 1}
        return expanded, signs + "".join(sorted(once))
    result = result.replace(ELLIPSIS, signs)
    if len(set(result)) != len(result) or not set(result) <= set("".join(expanded)):
        raise FunctionError(
            f"the result of equation '{equation}' repeats a letter or has a new one"
        )
    return expanded, result


def letter_sizes(terms: Sequence[str], shapes: Sequence[Sequence[int]]) -> dict[str, int]:
    """Return the size of each letter; an axis of size 1 goes with any. Raises FunctionError if sizes differ."""
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        own: dict[str, int] = {}
        for letter, size in zip(term, shape, strict=True):
            if own.setdefault(letter, size) != size:
                raise FunctionError(
                    f"letter '{letter}' of '{term}' stands for the sizes {own[letter]} and {size}"
                )
            known = sizes.setdefault(letter, size)
            if known == 1:
                sizes[letter] = size
            elif size not in (1, known):
                raise FunctionError(f"letter '{letter}' stands for the sizes {known} and {size}")
    return sizes


def _infer_einsum(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    if not operands:
        raise FunctionError("it takes one operand at least")
    names = [f"operand {number}" for number in range(len(operands))]
    check_storage(names[0], operands[0], NUMBERS)
    storage = check_alike(operands, *names)
    shapes = [operand.shape for operand in operands]
    terms, result = parsed_equation(attributes["equation"], [len(shape) for shape in shapes])
    sizes = letter_sizes(terms, shapes)
    return [TensorKind(tuple(sizes[letter] for letter in result), storage)]


def _einsum(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Sum products: of floats in f64, rounded once; of integers modulo their range."""
    terms, result = parsed_equation(attributes["equation"], [array.ndim for array in arrays])
    numbers = {sign: number for number, sign in enumerate(sorted(set("".join(terms))))}
    operands: list[Any] = []
    for array, term in zip(arrays, terms, strict=True):
        operands += [wide(array), [numbers[sign] for sign in term]]
    total = np.einsum(*operands, [numbers[sign] for sign in result], optimize=len(arrays) > 2)
    return [stored(np.asarray(total), name_of(arrays[0].dtype))]


FUNCTIONS = (
    Function(
        "matmul",
        "The products of the matrices of the last two axes.",
        _infer_matmul,
        _matmul,
        example=((TensorKind((2, 3), "i64"), TensorKind((3, 4), "i64")), {}),
        advice=_ADVICE,
    ),
    Function(
        "einsum",
        "Sums of products by an `equation` such as `ij,jk->ik`: over each letter that the result has not.",
        _infer_einsum,
        _einsum,
        {"equation": Parameter(str)},
        example=(
            (TensorKind((2, 3, 3), "f64"), TensorKind((3,), "f64")),
            {"equation": "...ii,i->...i"},
        ),
        advice=_ADVICE,
    ),
)
"""The functions of this family."""
