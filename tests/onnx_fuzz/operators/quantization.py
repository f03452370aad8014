"""Ops of quantized models: casts with scales, products of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.onnx_fuzz.draw import Draw

BYTES = (np.int8, np.uint8)


def parameters(
    draw: Draw, dtype: type[np.generic], shape: tuple[int, ...] = (), floats: Any = np.float32
) -> list[str]:
    """Return a scale, of f32 if no other floats are asked for, and a zero point, which are constant."""
    scale = draw.constant(draw.rng.uniform(0.02, 0.1, shape), floats)
    low, high = (-9, 10) if np.dtype(dtype).kind == "i" else (100, 140)
    return [scale, draw.constant(draw.rng.integers(low, high, shape), dtype)]


def codes(draw: Draw, shape: tuple[int, ...], dtype: type[np.generic]) -> str:
    """Return integers over the whole range of a type."""
    bounds = np.iinfo(dtype)
    return draw.new(draw.rng.integers(bounds.min, bounds.max + 1, shape).astype(dtype))


def weights(draw: Draw, shape: tuple[int, ...], dtype: type[np.generic]) -> str:
    """Return the second factor of a product, of 7 bits if it has a sign.

    ONNX Runtime adds pairs of products in 16 bits on processors without instructions for it, and saturates.
    """
    if np.dtype(dtype).kind == "u":
        return codes(draw, shape, dtype)
    return draw.new(draw.rng.integers(-64, 64, shape).astype(dtype))


def floats_of(draw: Draw) -> type[np.generic]:
    """Return the floats that a node quantizes: those of the graph, or f16 among others, where the opset has it."""
    if draw.opset < 19:
        return np.float32
    return draw.choice((draw.precision.dtype, draw.precision.dtype, np.float16))


def to_floats(draw: Draw, whole: str, numbers: list[str], rounds: bool = False) -> None:
    """Add the floats of a result; one that is rounded after steps of floats (`rounds`), of which ONNX Runtime has its
    own, may differ by one.
    """
    (result,) = draw.node("DequantizeLinear", [whole, *numbers])
    if rounds:
        draw.steps |= {whole: 1.0, result: float(draw.arrays[numbers[0]].max())}


def quantize(draw: Draw) -> None:
    """To bytes and back, by one scale or one for each channel."""
    floats = floats_of(draw)
    operand = draw.operand(floats, (1, 4))
    axis = draw.axis(operand)
    each = draw.chance(0.4)
    shape = (draw.arrays[operand].shape[axis],) if each else ()
    numbers = parameters(draw, draw.choice(BYTES), shape, floats)
    chosen = {"axis": axis if each else None}
    (whole,) = draw.node("QuantizeLinear", [operand, *numbers], **chosen)
    (result,) = draw.node("DequantizeLinear", [whole, *numbers], **chosen)
    if floats is np.float16:  # ONNX divides in f16, ONNX Runtime in f32
        draw.steps |= {whole: 1.0, result: float(draw.arrays[numbers[0]].max())}


def dequantize(draw: Draw) -> None:
    """Given codes of either type."""
    dtype = draw.choice(BYTES)
    numbers = parameters(draw, dtype, floats=floats_of(draw))
    draw.node("DequantizeLinear", [codes(draw, draw.shape((0, 4)), dtype), *numbers])


def dynamic(draw: Draw) -> None:
    """To bytes by the range of the operand, and back."""
    operand = draw.operand(np.float32, (1, 4))
    draw.node("DequantizeLinear", draw.node("DynamicQuantizeLinear", [operand], outputs=3))


def matmul_integer(draw: Draw) -> None:
    """Bytes of either type, with zero points or without."""
    rows, depth, columns = (draw.integer(1, 6) for _ in range(3))
    types = draw.choice(BYTES), draw.choice(BYTES)
    inputs = [codes(draw, (rows, depth), types[0]), weights(draw, (depth, columns), types[1])]
    if draw.chance(0.6):
        inputs += [draw.constant(draw.integer(0, 9), dtype) for dtype in types]
    draw.node("MatMulInteger", inputs)


def conv_integer(draw: Draw) -> None:
    """Unsigned bytes over windows."""
    image = codes(draw, (1, 2, draw.integer(3, 6), draw.integer(3, 6)), np.uint8)
    weight = codes(draw, (draw.integer(1, 4), 2, 3, 3), np.uint8)
    inputs = [image, weight]
    if draw.chance(0.5):
        inputs += [draw.constant(draw.integer(0, 9), np.uint8) for _ in range(2)]
    draw.node("ConvInteger", inputs, pads=draw.choice((None, [1, 1, 1, 1])))


def matmul(draw: Draw) -> None:
    """Bytes to bytes, and back to floats."""
    rows, depth, columns = (draw.integer(1, 6) for _ in range(3))
    dtype = draw.choice(BYTES)
    numbers = [parameters(draw, dtype) for _ in range(3)]
    inputs = [
        codes(draw, (rows, depth), dtype),
        *numbers[0],
        weights(draw, (depth, columns), dtype),
        *numbers[1],
        *numbers[2],
    ]
    (whole,) = draw.node("QLinearMatMul", inputs)
    to_floats(draw, whole, numbers[2], rounds=True)


def convolution(draw: Draw) -> None:
    """Bytes to bytes with a bias of 32 bits, and back to floats."""
    dtype = draw.choice(BYTES)
    outputs = draw.integer(1, 4)
    numbers = [parameters(draw, dtype) for _ in range(2)]
    inputs = [
        codes(draw, (1, 2, draw.integer(3, 6), draw.integer(3, 6)), dtype),
        *numbers[0],
        weights(draw, (outputs, 2, 3, 3), np.int8),
        draw.constant(draw.rng.uniform(0.01, 0.05, outputs), np.float32),
        draw.constant(np.zeros(outputs), np.int8),
        *numbers[1],
    ]
    if draw.chance(0.5):
        inputs.append(draw.constant(draw.rng.integers(-500, 500, outputs), np.int32))
    (whole,) = draw.node("QLinearConv", inputs, pads=draw.choice((None, [1, 1, 1, 1])))
    to_floats(draw, whole, numbers[1], rounds=True)


DRAWS: dict[str, Callable[[Draw], None]] = {
    "ConvInteger": conv_integer,
    "DequantizeLinear": dequantize,
    "DynamicQuantizeLinear": dynamic,
    "MatMulInteger": matmul_integer,
    "QLinearConv": convolution,
    "QLinearMatMul": matmul,
    "QuantizeLinear": quantize,
}
