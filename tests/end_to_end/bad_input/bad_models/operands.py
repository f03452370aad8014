"""Operands whose types, shapes or numbers do not fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .building import INT64, Bad, integers, model_of, node


def operands() -> Iterator[Bad]:
    """Operands whose types, shapes or numbers do not fit."""
    f32, f64 = np.ones((1, 4), np.float32), np.ones((1, 4))
    yield "sum of f32 and f64", model_of(node("Add", "x", "c"), c=f64)
    yield "sum of 4 and 3", model_of(node("Add", "x", "c"), c=f32[:, :3])
    yield "product of 4 and 3", model_of(node("MatMul", "x", "c"), c=np.ones((3, 2), np.float32))
    yield "product with a number", model_of(node("MatMul", "x", "c"), c=np.float32(1).reshape(()))
    yield "Gemm of three axes", model_of(node("Gemm", "c", "c"), c=np.ones((2, 2, 2), np.float32))
    yield "Gemm of 4 and 3", model_of(node("Gemm", "x", "c"), c=np.ones((3, 2), np.float32))
    yield "Where by floats", model_of(node("Where", "x", "x", "x"))
    yield "And of floats", model_of(node("And", "x", "x"))
    yield "Not of floats", model_of(node("Not", "x"))
    yield "BitShift of floats", model_of(node("BitShift", "x", "x", direction="LEFT"))
    yield "Concat of two ranks", model_of(node("Concat", "x", "c", axis=0), c=f32[0])
    yield "Concat of other rows", model_of(node("Concat", "x", "c", axis=0), c=f32[:, :3])
    yield "Concat of two types", model_of(node("Concat", "x", "c", axis=0), c=f64)
    yield "Concat of nothing", model_of(node("Concat", axis=0))
    yield "Gather by floats", model_of(node("Gather", "x", "x"))
    yield "Gather of element 9", model_of(node("Gather", "x", "c", axis=1), c=integers(9))
    yield "Gather of element -9", model_of(node("Gather", "x", "c", axis=1), c=integers(-9))
    yield "Gather of axis 3", model_of(node("Gather", "x", "c", axis=3), c=integers(0))
    yield (
        "GatherND of a constant beyond",
        model_of(node("GatherND", "f", "c"), f=f32, c=integers(0, 9)[None]),
    )
    yield (
        "GatherElements of a constant beyond",
        model_of(node("GatherElements", "f", "c"), f=f32, c=integers(7)[None]),
    )
    yield (
        "ScatterND of 4 updates at one place",
        model_of(node("ScatterND", "x", "c", "x"), c=integers(5, 5)[None]),
    )
    yield "Reshape to 5", model_of(node("Reshape", "x", "c"), c=integers(5))
    yield "Reshape to -1, -1", model_of(node("Reshape", "x", "c"), c=integers(-1, -1))
    yield "Reshape to -2", model_of(node("Reshape", "x", "c"), c=integers(-2, 2))
    yield "Reshape to 0 of axis 5", model_of(node("Reshape", "x", "c"), c=integers(1, 4, 0))
    yield "Reshape to floats", model_of(node("Reshape", "x", "c"), c=f32[0])
    yield "Reshape to a matrix", model_of(node("Reshape", "x", "c"), c=integers(1, 4)[None])
    yield "Reshape to 2^62", model_of(node("Reshape", "x", "c"), c=integers(2**62, 4))
    yield "Squeeze of 4 elements", model_of(node("Squeeze", "x", "c"), c=integers(1))
    yield "Squeeze of axis 9", model_of(node("Squeeze", "x", "c"), c=integers(9))
    yield "Unsqueeze at axis 9", model_of(node("Unsqueeze", "x", "c"), c=integers(9))
    yield "Unsqueeze twice there", model_of(node("Unsqueeze", "x", "c"), c=integers(0, 0))
    yield "Unsqueeze of 300 axes", model_of(node("Unsqueeze", "x", "c"), c=np.arange(300))
    yield (
        "Split into 3 and 3",
        model_of(node("Split", "x", "c", out=["y", "z"], axis=1), c=integers(3, 3)),
    )
    yield (
        "Split into -1 and 5",
        model_of(node("Split", "x", "c", out=["y", "z"], axis=1), c=integers(-1, 5)),
    )
    yield (
        "Slice with step 0",
        model_of(node("Slice", "x", "a", "b", "a", "a"), a=integers(0), b=integers(1)),
    )
    yield (
        "Slice of axis 5",
        model_of(node("Slice", "x", "a", "b", "c"), a=integers(0), b=integers(1), c=integers(5)),
    )
    yield (
        "Slice with two starts and one end",
        model_of(node("Slice", "x", "a", "b"), a=integers(0, 0), b=integers(1)),
    )
    yield "Pad by three numbers", model_of(node("Pad", "x", "c"), c=integers(1, 1, 1))
    yield (
        "Pad with mode around",
        model_of(node("Pad", "x", "c", mode="around"), c=integers(0, 1, 0, 1)),
    )
    yield (
        "Pad that takes away more than there is",
        model_of(node("Pad", "x", "c"), c=integers(0, -9, 0, 0)),
    )
    yield "Expand to 3", model_of(node("Expand", "x", "c"), c=integers(1, 3))
    yield "Tile by three numbers", model_of(node("Tile", "x", "c"), c=integers(1, 1, 1))
    yield "Tile -1 times", model_of(node("Tile", "x", "c"), c=integers(1, -1))
    yield "Resize by neither", model_of(node("Resize", "x"))
    yield "Resize by -1", model_of(node("Resize", "x", "", "c"), c=-f32[0, :2])
    yield "Resize by NaN", model_of(node("Resize", "x", "", "c"), c=f32[0, :2] * np.float32(np.nan))
    yield "Resize to -3", model_of(node("Resize", "x", "", "", "c"), c=integers(1, -3))
    yield (
        "OneHot of depth 0",
        model_of(node("OneHot", "i", "d", "v"), i=integers(1), d=integers(0), v=f32[0, :2]),
    )
    yield "TopK of 9", model_of(node("TopK", "x", "c", out=["y", "z"]), c=integers(9))
    yield "CumSum of axis 9", model_of(node("CumSum", "x", "c"), c=integers(9))
    yield (
        "BatchNormalization of 3",
        model_of(node("BatchNormalization", "x", "c", "c", "c", "c"), c=f32[0, :3]),
    )
    yield "LayerNormalization of 3", model_of(node("LayerNormalization", "x", "c"), c=f32[0, :3])
    yield "PRelu of 3 slopes", model_of(node("PRelu", "x", "c"), c=f32[0, :3])
    yield "Einsum of other letters", model_of(node("Einsum", "x", equation="abc->a"))
    yield "Einsum of no letters", model_of(node("Einsum", "x", equation="%%->"))
    yield "Einsum of an unknown letter", model_of(node("Einsum", "x", equation="ab->q"))
    yield "Conv of two axes", model_of(node("Conv", "x", "c"), c=np.ones((1, 4), np.float32))
    yield "Range with step 0", model_of(node("Range", "a", "a", "a"), a=np.zeros((), np.float32))
    yield "ConstantOfShape -1", model_of(node("ConstantOfShape", "c"), c=integers(-1))
    yield "Constant without a value", model_of(node("Constant"))
    yield "integer division by 0", model_of(node("Div", "x", "c"), element=INT64, c=integers(0))
