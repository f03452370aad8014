"""Imports weights that are quantized in blocks and packed in bytes: MatMulNBits, MatMulBnb4, GatherBlockQuantized.

Weights of MatMulNBits stay integers where engines take them: of 4 bits with zero points in the middle, and with one
block for each row of 8 bits. All others become floats.
"""

from __future__ import annotations

from collections.abc import Sequence

import ml_dtypes
import numpy as np

from .....backends.numerics.storage import name_of
from .....dialects import top
from .....dialects.quant.element_type import type_of_storage
from .....dialects.quant.parameter_grid import element_of_parameters
from ...graph.builder import GraphBuilder
from ...graph.node import Node, UnsupportedNodeError
from ...graph.operator import Operator
from ...graph.value import FLOAT_DTYPES, Constant, QuantizedConstant, Value, shape_of
from .. import movement, product
from .linear import Scales, dequantize
from .operators import in_floats

_BITS = (2, 4, 8)
_HALF_OF_FP4 = (0, 1 / 192, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4)
_FP4 = (*_HALF_OF_FP4, *(-each for each in _HALF_OF_FP4))
_NF4 = (
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
)
_NUMBERS = {0: _FP4, 1: _NF4}
"""The numbers of 4 bits of bitsandbytes, by MatMulBnb4's quant_type: a float of 4 bits, and quantiles of the normal
distribution (https://arxiv.org/abs/2305.14314, appendix E).
"""
_SMALLEST_BLOCK = 16
_MIDDLE = 8
"""The number of 4 bits in the middle of their range: the zero point where none is given."""


def unpacked(packed: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Return the first `count` numbers of `bits` bits in each row of bytes, the lowest bits first: u8[..., count]."""
    if bits == 8:
        return packed[..., :count]
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    numbers = (packed[..., np.newaxis] >> shifts) & np.uint8((1 << bits) - 1)
    return numbers.reshape(*packed.shape[:-1], -1)[..., :count]


def _block_size(node: Node, default: int | None = None) -> int:
    size = node.integer("block_size", default or 0)
    if size < _SMALLEST_BLOCK or size & (size - 1):
        raise node.error(f"its block_size is {size}; it must be a power of 2, and 16 or more")
    return size


def _bits(node: Node) -> int:
    bits = node.integer("bits", 4)
    if bits not in _BITS:
        known = ", ".join(map(str, _BITS))
        raise UnsupportedNodeError(f"its numbers have {bits} bits; {known} are supported")
    return bits


def _parameters(node: Node, rows: int, blocks: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the scales and zero points of MatMulNBits, [rows, blocks] each; zero points may be packed, or floats, and
    lie in the middle of the range if they are left out.
    """
    scales = node.constant(2, "scale")
    assert scales is not None
    if scales.size != rows * blocks:
        raise node.error(f"it has {scales.size} scales, {rows} rows of {blocks} are needed")
    points = node.constant(3, "zero point")
    if points is None:
        points = np.full((rows, blocks), 1 << (bits - 1), np.uint8)
    elif points.dtype == np.uint8:
        width = -(-blocks * bits // 8)
        if points.size != rows * width:
            raise node.error(f"its zero points have {points.size} bytes, {rows * width} are needed")
        points = unpacked(points.reshape(rows, width), bits, blocks)
    elif points.size != rows * blocks:
        raise node.error(f"it has {points.size} zero points, {rows * blocks} are needed")
    return scales.reshape(rows, blocks), points.reshape(rows, blocks)


def _weights(node: Node, builder: GraphBuilder, rows: int, columns: int) -> Value:
    """Return the weights [columns, rows] that input 1 packs as rows of blocks."""
    bits, block = _bits(node), _block_size(node)
    packed = node.constant(1, "weight B")
    assert packed is not None
    blocks = -(-columns // block)
    if packed.dtype != np.uint8 or packed.size != rows * blocks * block * bits // 8:
        raise node.error(
            f"its weight is {packed.dtype}{list(packed.shape)}, "
            f"u8[{rows}, {blocks}, {block * bits // 8}] is needed"
        )
    codes = unpacked(packed.reshape(rows, -1), bits, columns)
    scales, points = _parameters(node, rows, blocks, bits)
    name = builder.derived(node.output, "weight")
    groups = node.constant(4, "g_idx")
    if groups is not None:
        if groups.shape != (columns,) or not ((groups >= 0) & (groups < blocks)).all():
            raise node.error(f"its g_idx must be {columns} numbers of the {blocks} blocks")
        scales, points = scales[:, groups], points[:, groups]
        block = 1
    if points.dtype in FLOAT_DTYPES:
        return _of_float_points(node, builder, codes, scales, points, block, name)
    if bits == 4 and groups is None and (points == _MIDDLE).all() and (scales > 0).all():
        return _of_signed(
            builder, codes, scales, block, name, builder.derived(node.output, "codes")
        )
    axis, given = (1, 0) if blocks == 1 and groups is None else (0, block)
    if not given:
        scales, points = scales[:, 0], points[:, 0]
    made = Scales(
        Constant(np.ascontiguousarray(scales.T), f"{name}_scale"),
        Constant(np.ascontiguousarray(points.T), f"{name}_zero_point"),
        axis,
        given,
    )
    stored = Constant(np.ascontiguousarray(codes.T), builder.derived(node.output, "codes"))
    return dequantize(node, builder, stored, made, name)


def _of_signed(
    builder: GraphBuilder,
    codes: np.ndarray,
    scales: np.ndarray,
    block: int,
    name: str,
    stored_name: str,
) -> QuantizedConstant:
    """Return weights [columns, rows] of 4 bits around the middle of their range as i4 with zero points 0: units take
    them packed, with their scales.
    """
    stored = (codes.T.astype(np.int8) - _MIDDLE).astype(ml_dtypes.int4)
    blocks = scales.shape[1]
    axis, size = (0, block) if blocks > 1 else (1, 0)
    own = scales.T if size else scales[:, 0]
    points = np.zeros(own.shape, np.int64)
    expressed = type_of_storage(name_of(scales.dtype))
    element = element_of_parameters("i4", own.astype(np.float64), points, axis, size, expressed)
    return QuantizedConstant(np.ascontiguousarray(stored), element, name, stored_name)


def _of_float_points(
    node: Node,
    builder: GraphBuilder,
    codes: np.ndarray,
    scales: np.ndarray,
    points: np.ndarray,
    block: int,
    name: str,
) -> Constant:
    """Return (codes - points) · scales as floats [columns, rows]; points are floats, which no quantized type has."""
    dtype = scales.dtype
    spread = [np.repeat(each.astype(np.float32), block, 1) for each in (points, scales)]
    point, scale = (each[:, : codes.shape[1]].T for each in spread)
    floats = ((codes.T - point) * scale).astype(dtype)
    builder.budget.spend(floats.nbytes, floats.shape, node.place)
    return Constant(np.ascontiguousarray(floats), name)


def _matmul_of_bits(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import MatMulNBits: a · dequantized(b)ᵀ + bias; its level of accuracy is not read."""
    if node.integer("weight_prepacked", 0):
        raise UnsupportedNodeError("its weights are packed for one kind of processor")
    a, columns, rows = node.input(0), node.integer("K", 0), node.integer("N", 0)
    if not shape_of(a) or shape_of(a)[-1] != columns or rows < 1:
        raise node.error(f"its operand {list(shape_of(a))} does not end in K = {columns} columns")
    weights = _weights(node, builder, rows, columns)
    bias = node.optional(5)
    name = node.output if bias is None else builder.derived(node.output, "product")
    made = in_floats(node, builder, product.OPERATORS["MatMul"], [a, weights], name)
    return [made if bias is None else builder.emit(top.AddOp, node.output, made, bias)]


def _matmul_of_quantiles(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import MatMulBnb4: a · wᵀ, or a · w without transB, w [N, K] of numbers of 4 bits times the largest of its block;
    blocks go on from row to row.
    """
    columns, rows, block = node.integer("K", 0), node.integer("N", 0), _block_size(node)
    transposed = bool(node.integer("transB", 1))
    kind, depth = node.integer("quant_type", 0), columns if transposed else rows
    a = node.input(0)
    if kind not in _NUMBERS:
        raise node.error(f"its quant_type is {kind}; it must be 0 (FP4) or 1 (NF4)")
    if rows < 1 or columns < 1 or not shape_of(a) or shape_of(a)[-1] != depth:
        name = "K" if transposed else "N"
        raise node.error(
            f"its operand {list(shape_of(a))} does not end in {name} = {depth} columns"
        )
    packed, most = (node.constant(index, what) for index, what in ((1, "weight B"), (2, "absmax")))
    assert packed is not None and most is not None
    count = rows * columns
    blocks, size_bytes = -(-count // block), -(-count // 2)
    if packed.dtype != np.uint8 or packed.size != size_bytes or most.size != blocks:
        raise node.error(
            f"its weight is {packed.dtype}{list(packed.shape)} with {most.size} numbers of absmax, "
            f"u8[{size_bytes}] with {blocks} is needed"
        )
    builder.budget.spend(count * most.dtype.itemsize, (rows, columns), node.place)
    codes = np.stack([packed.reshape(-1) >> 4, packed.reshape(-1) & 15], axis=-1).reshape(-1)
    factors = np.repeat(most.reshape(-1), block)[:count]
    numbers = np.array(_NUMBERS[kind], most.dtype)[codes[:count]] * factors
    weight = numbers.reshape(rows, columns)
    weight = np.ascontiguousarray(weight.T) if transposed else weight
    constant = Constant(weight, builder.derived(node.output, "weight"))
    return [in_floats(node, builder, product.OPERATORS["MatMul"], [a, constant], node.output)]


def _gather_of_blocks(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import GatherBlockQuantized: rows of a dequantized table, which is constant."""
    data, scales = (node.constant(index, what) for index, what in ((0, "data"), (2, "scales")))
    assert data is not None and scales is not None
    points, rank, block = node.constant(3, "zero points"), data.ndim, _block_size(node, 128)
    axis = node.axis(node.integer("quantize_axis", 1), rank, "quantize_axis")
    if data.dtype == np.uint8:
        bits = _bits(node)
        if axis != rank - 1:
            raise node.error(f"bytes are packed along the last axis, its quantize_axis is {axis}")
        count = data.shape[-1] * 8 // bits
        data = unpacked(data, bits, count)
        if points is None:
            points = np.full(scales.shape, 1 << (bits - 1), np.uint8)
        else:
            points = unpacked(points, bits, scales.shape[-1])
    elif points is None:
        points = np.zeros(scales.shape, data.dtype)
    wanted = tuple(-(-n // block) if i == axis else n for i, n in enumerate(data.shape))
    if scales.shape != wanted or points.shape != wanted:
        raise node.error(
            f"its scales and zero points must have shape {list(wanted)}, they have "
            f"{list(scales.shape)} and {list(points.shape)}"
        )
    name = builder.derived(node.output, "table")
    parameters = Scales(
        Constant(scales, f"{name}_scale"), Constant(points, f"{name}_zero_point"), axis, block
    )
    stored = Constant(data, builder.derived(node.output, "codes"))
    table = dequantize(node, builder, stored, parameters, name)
    axis = node.integer("gather_axis", 0)
    gather = movement.OPERATORS["Gather"]
    return [in_floats(node, builder, gather, [table, node.input(1)], node.output, axis=axis)]


OPERATORS = {
    "com.microsoft.MatMulBnb4": Operator(_matmul_of_quantiles, "matrix"),
    "com.microsoft.MatMulNBits": Operator(_matmul_of_bits, "matrix"),
    "com.microsoft.GatherBlockQuantized": Operator(_gather_of_blocks, "transfers"),
}
"""The ops of this family."""
