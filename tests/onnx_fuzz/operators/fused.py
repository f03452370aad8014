"""Ops that ONNX Runtime's optimizer writes: activations, normalizations, products and attentions of its own domain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.onnx_fuzz.draw import Draw

MICROSOFT = "com.microsoft"


def activation(kind: str, draw: Draw) -> None:
    """With a bias where the op has one."""
    operand = draw.operand(np.float32, (1, 4))
    inputs = [operand]
    if kind == "BiasGelu" or (kind == "FastGelu" and draw.chance(0.5)):
        inputs.append(draw.operand(np.float32, shape=draw.arrays[operand].shape[-1:]))
    alpha = draw.number(0.5, 2) if kind == "QuickGelu" and draw.chance(0.5) else None
    draw.node(kind, inputs, domain=MICROSOFT, alpha=alpha)


def residual_normalization(kind: str, draw: Draw) -> None:
    """Whose sum is a result too, sometimes."""
    shape = draw.integer(1, 2), draw.integer(1, 4), draw.integer(2, 8)
    inputs = [draw.operand(np.float32, shape=shape), draw.operand(np.float32, shape=shape)]
    inputs.append(draw.operand(np.float32, shape=shape[2:]))
    if kind == "SkipLayerNormalization":
        inputs.append(draw.operand(np.float32, shape=shape[2:]) if draw.chance(0.7) else "")
    if draw.chance(0.5):
        inputs.append(draw.operand(np.float32, shape=shape[2:]))
    outputs = (True, False, False, True) if draw.chance(0.5) else (True,)
    draw.node(kind, inputs, outputs, domain=MICROSOFT, epsilon=draw.choice((1e-3, 1e-5)))


def root_mean_square(draw: Draw) -> None:
    """As ONNX Runtime calls it, in ONNX's own domain."""
    operand = draw.operand(np.float32, (2, 4))
    scale = draw.operand(np.float32, shape=draw.arrays[operand].shape[-1:])
    draw.node("SimplifiedLayerNormalization", [operand, scale], axis=-1, epsilon=1e-5, stash_type=1)


def embedding(draw: Draw) -> None:
    """With segments, a mask and positions, or without."""
    shape, width = (draw.integer(1, 2), draw.integer(1, 5)), draw.integer(2, 8)

    def ids(count: int) -> str:
        return draw.new(draw.rng.integers(0, count, shape).astype(np.int32))

    has_segments = draw.chance(0.5)
    inputs = [ids(9), ids(2) if has_segments else ""]
    inputs += [draw.operand(np.float32, shape=(rows, width)) for rows in (9, 6)]
    inputs.append(draw.operand(np.float32, shape=(2, width)) if has_segments else "")
    inputs += [draw.operand(np.float32, shape=(width,)) for _ in range(2)]
    inputs.append(ids(2) if draw.chance(0.5) else "")
    if draw.chance(0.5):
        inputs.append(ids(6))
    outputs = draw.choice((2, 3))
    draw.node("EmbedLayerNormalization", inputs, outputs, domain=MICROSOFT, epsilon=1e-3)


def fused_matmul(draw: Draw) -> None:
    """Transposed matrices and stacks of them, and a factor."""
    rank = draw.choice((2, 2, 3, 4))
    turns = [(draw.choice((0, 1)), draw.choice((0, 1)) if rank > 2 else 0) for _ in range(2)]
    rows, depth, columns = (draw.integer(1, 5) for _ in range(3))
    lead = [draw.integer(1, 3) for _ in range(rank - 2)]
    shapes = []
    for pair, (last, batch) in zip(((rows, depth), (depth, columns)), turns, strict=True):
        shape = [*lead, *(pair[::-1] if last else pair)]
        shapes.append([shape[-2], *shape[:-2], shape[-1]] if batch else shape)
    draw.node(
        "FusedMatMul",
        [draw.operand(np.float32, shape=shape) for shape in shapes],
        domain=MICROSOFT,
        alpha=draw.choice((None, draw.number(0.3, 2))),
        transA=turns[0][0],
        transB=turns[1][0],
        transBatchA=turns[0][1],
        transBatchB=turns[1][1],
    )


def fused_gemm(draw: Draw) -> None:
    """An activation behind Gemm."""
    rows, depth, columns = (draw.integer(1, 6) for _ in range(3))
    shapes = ((rows, depth), (columns, depth), (columns,))
    kind = draw.choice(("Relu", "Sigmoid", "Tanh", "LeakyRelu"))
    draw.node(
        "FusedGemm",
        [draw.operand(np.float32, shape=shape) for shape in shapes],
        domain=MICROSOFT,
        transB=1,
        alpha=draw.choice((None, draw.number(0.3, 2))),
        activation=kind,
        activation_alpha=draw.number(0.1, 0.5) if kind == "LeakyRelu" else None,
    )


def fused_convolution(draw: Draw) -> None:
    """A residual operand and an activation behind a convolution."""
    sizes = draw.integer(3, 7), draw.integer(3, 7)
    channels, outputs = draw.integer(1, 4), draw.integer(1, 4)
    inputs = [draw.operand(np.float32, shape=(1, channels, *sizes))]
    inputs.append(draw.operand(np.float32, shape=(outputs, channels, 3, 3)))
    inputs.append(draw.operand(np.float32, shape=(outputs,)))
    if draw.chance(0.5):
        inputs.append(draw.operand(np.float32, shape=(1, outputs, *sizes)))
    kind, parameters = draw.choice(
        (
            ("Relu", None),
            ("Tanh", None),
            ("Sigmoid", None),
            ("LeakyRelu", [0.25]),
            ("Clip", [-1.0, 2.0]),
        )
    )
    draw.node(
        "FusedConv",
        inputs,
        domain=MICROSOFT,
        activation=kind,
        activation_params=parameters,
        pads=[1, 1, 1, 1],
        kernel_shape=[3, 3],
    )


def rotary(draw: Draw) -> None:
    """Heads side by side or apart, whose halves or neighbors are pairs."""
    batch, length, heads, half = (draw.integer(1, 3) for _ in range(4))
    is_flat = draw.chance(0.5)
    shape = (batch, length, heads * 2 * half) if is_flat else (batch, heads, length, 2 * half)
    if draw.chance(0.3):
        positions = draw.new(np.array([draw.integer(0, 3)]))
    else:
        positions = draw.new(draw.rng.integers(0, 6, (batch, length)))
    angles = draw.rng.uniform(0, 6, (6, half)).astype(np.float32)
    caches = [draw.constant(each(angles), np.float32) for each in (np.cos, np.sin)]
    draw.node(
        "RotaryEmbedding",
        [draw.operand(np.float32, shape=shape), positions, *caches],
        domain=MICROSOFT,
        interleaved=draw.choice((None, 0, 1)),
    )


def mask(draw: Draw, batch: int, length: int, keys: int) -> str:
    """Return a mask of keys, of lengths or of queries and keys, or none."""
    shape = draw.choice((None, (batch, keys), (batch,), (batch, length, keys)))
    if shape is None:
        return ""
    low = 1 if len(shape) == 1 else 0
    high = keys + 1 if len(shape) == 1 else 2
    seen = draw.rng.integers(low, high, shape).astype(np.int32)
    if len(shape) > 1:
        seen[..., 0] = 1  # a query that sees nothing keeps little of its scores beside -10000
    return draw.new(seen)


def attention(draw: Draw) -> None:
    """Projections of words, with masks, keys and values before, and an addend of the scores, or without."""
    batch, length, heads, size, width = (draw.integer(1, high) for high in (2, 4, 3, 4, 6))
    before = draw.choice((0, 0, 3))
    columns = 3 * heads * size
    inputs = [draw.operand(np.float32, shape=(batch, length, width))]
    inputs += [draw.operand(np.float32, shape=shape) for shape in ((width, columns), (columns,))]
    inputs.append(mask(draw, batch, length, before + length))
    past = (2, batch, heads, before, size)
    inputs.append(draw.operand(np.float32, shape=past) if before else "")
    if draw.chance(0.3):
        inputs.append(draw.operand(np.float32, shape=(batch, heads, length, before + length)))
    draw.node(
        "Attention",
        inputs,
        outputs=2 if before else 1,
        domain=MICROSOFT,
        num_heads=heads,
        unidirectional=draw.choice((None, 0, 1)),
        scale=draw.choice((None, draw.number(0.2, 1))),
    )


def multi_head(draw: Draw) -> None:
    """Given queries, keys and values, which stand behind others sometimes."""
    batch, length, keys, heads, size = (draw.integer(1, high) for high in (2, 4, 5, 3, 4))
    width, before = heads * size, draw.choice((0, 0, 3))
    shapes = ((batch, length, width), (batch, keys, width), (batch, keys, width))
    inputs = [draw.operand(np.float32, shape=shape) for shape in shapes]
    inputs.append(draw.operand(np.float32, shape=(3 * width,)) if draw.chance(0.5) else "")
    inputs.append(mask(draw, batch, length, before + keys))
    bias = (1, heads, length, before + keys)
    inputs.append(draw.operand(np.float32, shape=bias) if draw.chance(0.3) else "")
    if before:
        inputs += [draw.operand(np.float32, shape=(batch, heads, before, size)) for _ in range(2)]
    draw.node(
        "MultiHeadAttention",
        inputs,
        outputs=3 if before else 1,
        domain=MICROSOFT,
        num_heads=heads,
        scale=draw.choice((None, draw.number(0.2, 1))),
    )


def grouped_query(draw: Draw) -> None:
    """Several heads for each head of keys, with rotary positions, a window or a bound of the scores sometimes."""
    batch, length, groups, each = (draw.integer(1, high) for high in (2, 4, 2, 2))
    before, size = draw.choice((0, 3)), 16
    if before:
        length = 1 if batch > 1 else length
    heads, total = groups * each, before + length
    shapes = [(batch, length, count * size) for count in (heads, groups, groups)]
    inputs = [draw.operand(np.float32, shape=shape) for shape in shapes]
    past = (batch, groups, before, size)
    inputs += [draw.operand(np.float32, shape=past) if before else "" for _ in range(2)]
    inputs += [draw.constant([total - 1] * batch, np.int32), draw.constant(total, np.int32)]
    rotates = draw.chance(0.5)
    if rotates:
        angles = draw.rng.uniform(0, 6, (8, size // 2)).astype(np.float32)
        inputs += [draw.constant(turn(angles), np.float32) for turn in (np.cos, np.sin)]
    draw.node(
        "GroupQueryAttention",
        inputs,
        outputs=3,
        domain=MICROSOFT,
        num_heads=heads,
        kv_num_heads=groups,
        do_rotary=int(rotates),
        rotary_interleaved=draw.choice((None, 0, 1)) if rotates else None,
        local_window_size=draw.choice((None, None, 2)),
        softcap=draw.choice((None, None, 2.0)),
        scale=draw.choice((None, draw.number(0.1, 0.5))),
    )


DRAWS: dict[str, Callable[[Draw], None]] = {
    "SimplifiedLayerNormalization": root_mean_square,
    **{
        f"{MICROSOFT}.{name}": draw
        for name, draw in (
            *(
                (kind, partial(activation, kind))
                for kind in ("BiasGelu", "FastGelu", "Gelu", "QuickGelu")
            ),
            ("Attention", attention),
            ("EmbedLayerNormalization", embedding),
            ("FusedConv", fused_convolution),
            ("FusedGemm", fused_gemm),
            ("FusedMatMul", fused_matmul),
            ("GroupQueryAttention", grouped_query),
            ("MultiHeadAttention", multi_head),
            ("RotaryEmbedding", rotary),
            ("SkipLayerNormalization", partial(residual_normalization, "SkipLayerNormalization")),
            (
                "SkipSimplifiedLayerNormalization",
                partial(residual_normalization, "SkipSimplifiedLayerNormalization"),
            ),
        )
    },
}
