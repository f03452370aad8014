"""Results beyond all memory, of small files."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .building import Bad, integers, loop_of, model_of, node


def huge() -> Iterator[Bad]:
    """Results beyond all memory, of small files."""
    f32 = np.ones((1, 4), np.float32)
    many = integers(2**40)
    yield "Expand to 2^40", model_of(node("Expand", "x", "c"), c=integers(2**40, 4))
    yield "Tile 2^40 times", model_of(node("Tile", "x", "c"), c=integers(2**40, 1))
    yield "Tile of a constant", model_of(node("Tile", "f", "c"), f=f32, c=integers(2**40, 1))
    yield "Expand of a constant", model_of(node("Expand", "f", "c"), f=f32, c=integers(2**40, 4))
    yield "ConstantOfShape 2^40", model_of(node("ConstantOfShape", "c"), c=many)
    yield (
        "ConstantOfShape 2^62 twice",
        model_of(node("ConstantOfShape", "c"), c=integers(2**62, 2**62)),
    )
    yield (
        "Range to 2^40",
        model_of(
            node("Range", "a", "b", "c"),
            a=np.array(0, np.int64),
            b=np.array(2**40, np.int64),
            c=np.array(1, np.int64),
        ),
    )
    yield (
        "Range of floats to 1e30",
        model_of(
            node("Range", "a", "b", "c"),
            a=np.array(0, np.float32),
            b=np.array(1e30, np.float32),
            c=np.array(1, np.float32),
        ),
    )
    yield "Pad by 2^40", model_of(node("Pad", "x", "c"), c=integers(0, 2**40, 0, 0))
    yield (
        "Pad of a constant by 2^40",
        model_of(node("Pad", "f", "c"), f=f32, c=integers(0, 2**40, 0, 0)),
    )
    yield (
        "Resize by 1e12",
        model_of(node("Resize", "x", "", "c"), c=np.array([1, 1e12], np.float32)),
    )
    yield (
        "Resize of a constant to 2^40",
        model_of(node("Resize", "f", "", "", "c"), f=f32, c=integers(1, 2**40)),
    )
    yield (
        "OneHot of depth 2^50",
        model_of(node("OneHot", "i", "d", "v"), i=integers(1), d=integers(2**50), v=f32[0, :2]),
    )
    yield (
        "EyeLike of 2^40",
        model_of(
            node("ConstantOfShape", "c", out="z"), node("EyeLike", "z"), c=integers(2**20, 2**20)
        ),
    )
    grown = [node("Concat", f"t{i}", f"t{i}", out=f"t{i + 1}", axis=0) for i in range(50)]
    yield "doubled 50 times", model_of(node("Relu", "x", out="t0"), *grown, node("Relu", "t50"))
    constant = [node("Concat", f"t{i}", f"t{i}", out=f"t{i + 1}", axis=0) for i in range(50)]
    yield "a constant doubled 50 times", model_of(*constant, node("Relu", "t50"), t0=f32)
    yield (
        "outer sum of 2^20",
        model_of(
            node("Reshape", "f", "s", out="g"),
            node("Add", "f", "g"),
            f=np.ones((2**18, 1), np.float32),
            s=integers(1, 2**18),
        ),
    )
    yield (
        "MatMul of 2^18",
        model_of(
            node("Reshape", "f", "s", out="g"),
            node("MatMul", "f", "g"),
            f=np.ones((2**18, 1), np.float32),
            s=integers(1, 2**18),
        ),
    )
    yield (
        "ConvTranspose with stride 2^40",
        model_of(
            node("Reshape", "x", "s", out="image"),
            node("ConvTranspose", "image", "w", strides=[2**40, 1]),
            s=integers(1, 1, 2, 2),
            w=np.ones((1, 1, 3, 3), np.float32),
        ),
    )
    yield "loop of 2^40", model_of(*loop_of(many[0]))
    yield "loop of 2^63 - 1", model_of(*loop_of(integers(2**63 - 1)[0]))
    yield (
        "DepthToSpace of 2^30",
        model_of(
            node("Reshape", "x", "s", out="image"),
            node("DepthToSpace", "image", blocksize=2**30),
            s=integers(1, 4, 1, 1),
        ),
    )
    yield (
        "GridSample to 2^40",
        model_of(
            node("Reshape", "x", "s", out="image"),
            node("Expand", "g", "e", out="grid"),
            node("GridSample", "image", "grid"),
            s=integers(1, 1, 2, 2),
            g=np.zeros((1, 1, 1, 2), np.float32),
            e=integers(1, 2**20, 2**20, 2),
        ),
    )
    yield (
        "Upsample by 1e9",
        model_of(node("Upsample", "x", "c"), opset=9, c=np.array([1e9, 1e9], np.float32)),
    )
