"""Sums of products: matrices, contractions by an equation, attention."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.onnx_fuzz.draw import Draw

LETTERS = "abcdefg"


def matmul(draw: Draw) -> None:
    """Vectors, matrices and stacks of them that broadcast."""
    dtype = draw.precision.dtype if draw.chance(0.85) else draw.choice((np.int32, np.int64))
    left = draw.operand(dtype, (1, 4))
    shape = draw.arrays[left].shape
    columns = [draw.integer(1, 6)] if draw.chance(0.85) else []
    lead = [draw.choice((1, size)) for size in shape[:-2]] if columns else []
    if draw.chance(0.4):
        lead = lead[draw.integer(0, len(lead)) :]
    right = draw.operand(dtype, shape=[*lead, shape[-1], *columns])
    draw.node("MatMul", [left, right])


def gemm(draw: Draw) -> None:
    """Both transpositions, factors, a third operand that broadcasts or none."""
    first = draw.operand(None, (2, 2))
    transposed = draw.choice((None, 0, 1)), draw.choice((None, 0, 1))
    rows, depth = draw.arrays[first].shape[:: -1 if transposed[0] else 1]
    columns = draw.integer(1, 6)
    second = draw.operand(None, shape=(columns, depth) if transposed[1] else (depth, columns))
    inputs = [first, second]
    if draw.chance(0.7):
        shapes = ((rows, columns), (1, columns), (rows, 1), (columns,), (1,), ())
        inputs.append(draw.operand(None, shape=draw.choice(shapes)))
    draw.node(
        "Gemm",
        inputs,
        alpha=draw.choice((None, draw.number(0.3, 2))),
        beta=draw.choice((None, draw.number(0.3, 2))),
        transA=transposed[0],
        transB=transposed[1],
    )


def einsum(draw: Draw) -> None:
    """One to three operands, any letters kept, repeated ones sometimes, the result implicit sometimes."""
    sizes = {letter: draw.integer(1, 4) for letter in LETTERS}
    terms, names = [], []
    for _ in range(draw.integer(1, 3)):
        count = draw.integer(1, 3)
        term = [LETTERS[int(each)] for each in draw.rng.permutation(len(LETTERS) - 2)[:count]]
        if draw.chance(0.15):
            term.append(term[0])
        terms.append("".join(term))
        names.append(draw.operand(None, shape=[sizes[letter] for letter in term]))
    letters = sorted(set("".join(terms)))
    kept = [letter for letter in draw.rng.permutation(letters) if draw.chance(0.6)]
    equation = ",".join(terms) + ("" if draw.chance(0.2) else "->" + "".join(kept))
    draw.node("Einsum", names, equation=equation)


def attention(draw: Draw) -> None:
    """Queries of several heads over keys and values of as many or fewer, with or without a mask."""
    if draw.opset < 23:
        return
    batch, groups, width = draw.integer(1, 2), draw.integer(1, 2), draw.integer(1, 4)
    heads = groups * draw.integer(1, 2)
    queries, keys, values = draw.integer(1, 5), draw.integer(1, 5), draw.integer(1, 4)
    inputs = [
        draw.operand(None, shape=(batch, heads, queries, width)),
        draw.operand(None, shape=(batch, groups, keys, width)),
        draw.operand(None, shape=(batch, groups, keys, values)),
    ]
    if draw.chance(0.4):
        inputs.append(draw.operand(None, shape=(queries, keys)))
    draw.node(
        "Attention",
        inputs,
        is_causal=draw.choice((None, 0, 1)) if queries <= keys else None,
        scale=draw.choice((None, draw.number(0.2, 1))),
        softcap=draw.choice((None, draw.number(1, 5))),
    )


def determinant(draw: Draw) -> None:
    """Square matrices."""
    side = draw.integer(1, 4)
    draw.node("Det", [draw.operand(None, shape=(*draw.shape((0, 2), 3), side, side))])


DRAWS: dict[str, Callable[[Draw], None]] = {
    "Attention": attention,
    "Det": determinant,
    "Einsum": einsum,
    "Gemm": gemm,
    "MatMul": matmul,
}
