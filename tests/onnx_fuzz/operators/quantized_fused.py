"""Ops of integers that ONNX Runtime's quantizer writes, of its own domain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.onnx_fuzz.draw import Draw
from tests.onnx_fuzz.operators.fused import MICROSOFT, mask
from tests.onnx_fuzz.operators.quantization import BYTES, codes, parameters, to_floats, weights


def binary(kind: str, draw: Draw) -> None:
    """Two operands that broadcast."""
    dtype = draw.choice(BYTES)
    shape = draw.shape((1, 4))
    other = tuple(1 if draw.chance(0.25) else size for size in shape)
    one, two, result = (parameters(draw, dtype) for _ in range(3))
    inputs = [codes(draw, shape, dtype), *one, codes(draw, other, dtype), *two, *result]
    to_floats(draw, *draw.node(kind, inputs, domain=MICROSOFT), result)


def unary(kind: str, draw: Draw) -> None:
    """One operand: functions, means and pools over images."""
    dtype = draw.choice(BYTES)
    is_image = kind in ("QLinearGlobalAveragePool", "QLinearAveragePool")
    sizes = draw.integer(2, 6), draw.integer(2, 6)
    shape = (1, draw.integer(1, 4), *sizes) if is_image else draw.shape((1, 4))
    before, after = parameters(draw, dtype), parameters(draw, dtype)
    attributes = {}
    if kind == "QLinearSoftmax":
        attributes = {
            "axis": draw.integer(-len(shape), len(shape) - 1),
            "opset": draw.choice((11, 13)),
        }
        after = [draw.constant(1 / 256, np.float32), draw.constant(0, dtype)]
    if kind == "QLinearLeakyRelu":
        attributes = {"alpha": draw.number(0.1, 0.5)}
    if kind == "QLinearAveragePool":
        attributes = {"kernel_shape": [2, 2], "pads": draw.choice((None, [1, 1, 0, 0]))}
    (whole,) = draw.node(
        kind, [codes(draw, shape, dtype), *before, *after], domain=MICROSOFT, **attributes
    )
    to_floats(draw, whole, after, rounds=kind == "QLinearSoftmax")


def concat(draw: Draw) -> None:
    """Operands of different scales."""
    dtype = draw.choice(BYTES)
    shape = list(draw.shape((1, 4)))
    axis = draw.integer(0, len(shape) - 1)
    result = parameters(draw, dtype)
    inputs = [*result]
    for _ in range(draw.integer(1, 3)):
        shape[axis] = draw.integer(1, 3)
        inputs += [codes(draw, tuple(shape), dtype), *parameters(draw, dtype)]
    to_floats(draw, *draw.node("QLinearConcat", inputs, domain=MICROSOFT, axis=axis), result)


def where(draw: Draw) -> None:
    """A choice between operands of different scales."""
    dtype, shape = draw.choice(BYTES), draw.shape((1, 4))
    one, two, result = (parameters(draw, dtype) for _ in range(3))
    inputs = [draw.operand(np.bool_, shape=shape), codes(draw, shape, dtype), *one]
    inputs += [codes(draw, shape, dtype), *two, *result]
    to_floats(draw, *draw.node("QLinearWhere", inputs, domain=MICROSOFT), result)


def gemm(draw: Draw) -> None:
    """To bytes or to floats."""
    rows, depth, columns = (draw.integer(1, 6) for _ in range(3))
    left, right, result = (parameters(draw, np.uint8) for _ in range(3))
    right[1] = draw.constant(0, np.int8)
    inputs = [codes(draw, (rows, depth), np.uint8), *left]
    inputs += [weights(draw, (columns, depth), np.int8), *right]
    inputs.append(draw.constant(draw.rng.integers(-500, 500, columns), np.int32))
    quantizes = draw.chance(0.5)
    made = draw.node(
        "QGemm", [*inputs, *result] if quantizes else inputs, domain=MICROSOFT, transB=1
    )
    if quantizes:
        to_floats(draw, *made, result)


def dynamic_matmul(draw: Draw) -> None:
    """Floats times bytes, by the range of the floats."""
    rows, depth, columns = (draw.integer(1, 6) for _ in range(3))
    scale = draw.constant(draw.rng.uniform(0.01, 0.05, draw.choice(((), columns))), np.float32)
    second = weights(draw, (depth, columns), np.int8)
    inputs = [draw.new(draw.values((rows, depth), np.float32)), second, scale]
    if draw.chance(0.5):
        inputs += ["", draw.operand(np.float32, shape=(columns,))]
    draw.node("DynamicQuantizeMatMul", inputs, domain=MICROSOFT)


def matmul_to_float(draw: Draw) -> None:
    """Bytes times bytes, to floats."""
    rows, depth, columns = (draw.integer(1, 6) for _ in range(3))
    inputs = [codes(draw, (rows, depth), np.uint8), weights(draw, (depth, columns), np.int8)]
    inputs += [draw.constant(draw.number(0.02, 0.1), np.float32) for _ in range(2)]
    inputs.append(draw.constant(draw.integer(100, 140), np.uint8))
    if draw.chance(0.5):
        inputs += ["", draw.operand(np.float32, shape=(columns,))]
    draw.node("MatMulIntegerToFloat", inputs, domain=MICROSOFT)


def attention(draw: Draw) -> None:
    """Projections of words in bytes by weights of 7 bits."""
    batch, length, heads, size, width = (draw.integer(1, high) for high in (2, 4, 3, 4, 6))
    columns = 3 * heads * size
    inputs = [
        codes(draw, (batch, length, width), np.uint8),
        weights(draw, (width, columns), np.int8),
    ]
    inputs.append(draw.operand(np.float32, shape=(columns,)))
    inputs += [draw.constant(draw.number(0.005, 0.02), np.float32) for _ in range(2)]
    inputs += [
        mask(draw, batch, length, length),
        draw.constant(128, np.uint8),
        draw.constant(0, np.int8),
    ]
    unidirectional = draw.choice((None, 0, 1))
    draw.node(
        "QAttention", inputs, domain=MICROSOFT, num_heads=heads, unidirectional=unidirectional
    )


def matmul_of_bits(draw: Draw) -> None:
    """Weights of 4 or 8 bits in blocks, with zero points and a bias or without."""
    bits, block = draw.choice((4, 8)), draw.choice((16, 32, 64, 128, 256))
    depth, columns = draw.integer(8, 70), draw.integer(1, 6)
    blocks = -(-depth // block)
    packed = draw.rng.integers(0, 256, (columns, blocks, block * bits // 8))
    inputs = [draw.operand(np.float32, shape=(draw.integer(1, 3), depth))]
    inputs += [draw.constant(packed, np.uint8)]
    inputs += [draw.constant(draw.rng.uniform(0.01, 0.05, (columns, blocks)), np.float32)]
    points = draw.rng.integers(0, 256, (columns, -(-blocks * bits // 8)))
    inputs.append(draw.constant(points, np.uint8) if draw.chance(0.5) else "")
    if draw.chance(0.5):
        inputs += ["", draw.operand(np.float32, shape=(columns,))]
    draw.node(
        "MatMulNBits", inputs, domain=MICROSOFT, N=columns, K=depth, bits=bits, block_size=block
    )


def gather_of_blocks(draw: Draw) -> None:
    """Rows of a packed table."""
    bits, rows, blocks = draw.choice((4, 8)), draw.integer(1, 6), draw.integer(1, 2)
    data = draw.constant(draw.rng.integers(0, 256, (rows, blocks * 16 * bits // 8)), np.uint8)
    indices = draw.new(draw.rng.integers(0, rows, draw.shape((1, 2))))
    scales = draw.constant(draw.rng.uniform(0.01, 0.05, (rows, blocks)), np.float32)
    inputs = [data, indices, scales]
    if draw.chance(0.5):
        points = draw.rng.integers(0, 256, (rows, -(-blocks * bits // 8)))
        inputs.append(draw.constant(points, np.uint8))
    draw.node(
        "GatherBlockQuantized", inputs, domain=MICROSOFT, bits=bits, block_size=16,
        gather_axis=0, quantize_axis=1,
    )  # fmt: skip


def wide(draw: Draw) -> None:
    """To 16 bits and back."""
    operand = draw.operand(np.float32, (1, 4))
    numbers = parameters(draw, draw.choice((np.int16, np.uint16)))
    (whole,) = draw.node("QuantizeLinear", [operand, *numbers], domain=MICROSOFT)
    draw.node("DequantizeLinear", [whole, *numbers], domain=MICROSOFT)


UNARY = (
    "QLinearAveragePool",
    "QLinearGlobalAveragePool",
    "QLinearLeakyRelu",
    "QLinearSigmoid",
    "QLinearSoftmax",
)
DRAWS: dict[str, Callable[[Draw], None]] = {
    f"{MICROSOFT}.{name}": draw
    for name, draw in (
        ("DequantizeLinear", wide),
        ("DynamicQuantizeMatMul", dynamic_matmul),
        ("GatherBlockQuantized", gather_of_blocks),
        ("MatMulIntegerToFloat", matmul_to_float),
        ("MatMulNBits", matmul_of_bits),
        ("QAttention", attention),
        ("QGemm", gemm),
        ("QLinearAdd", partial(binary, "QLinearAdd")),
        ("QLinearConcat", concat),
        ("QLinearMul", partial(binary, "QLinearMul")),
        ("QLinearWhere", where),
        *((kind, partial(unary, kind)) for kind in UNARY),
    )
}
