"""Computes the element-wise instructions; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from .. import comparison, elementwise
from ..quantization import dequantize, quantize, requantize, scale_floats
from ..storage import LOOKUP_NAMES, SCALED_FLOAT_NAMES, is_float
from ..unary import NOT
from ..unary import unary as float_unary
from .tile_buffer import integer_clamp, padded, shaped, strided

_INFINITE = float("inf")


def convert(
    x: np.ndarray,
    *,
    in_type: str,
    out_type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    out_columns: int = 0,
    scale: float = 1.0,
    multiplier: int = 0,
    shift: int = 0,
    zero_point_in: int = 0,
    zero_point_out: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
) -> np.ndarray:
    """Compute out[rows, written] in `out_type` from x[rows, in_pitch] in `in_type`, clamped in storage values.

    Integer to integer: requantize(x − zero_point_in, multiplier, shift) + zero_point_out. Float to
    integer: quantize with `scale`. Integer to float: (x − zero_point_in) · scale. Float to float:
    one rounding; to f8E4M3FN and f8E5M2 that of x / scale, saturated.
    """
    values = shaped(x, (rows, in_pitch), "x", in_type)[..., :columns]

    def converted(values: np.ndarray) -> np.ndarray:
        if is_float(out_type):
            real = values
            if not is_float(in_type):
                real = dequantize(values, scale, zero_point_in)
            elif real.dtype.itemsize < 4:
                real = real.astype(np.float32)
            return elementwise.store_float(real, out_type, (clamp_low, clamp_high))
        if out_type in SCALED_FLOAT_NAMES:
            return scale_floats(values, scale, out_type)
        clamp = integer_clamp(out_type, clamp_low, clamp_high)
        if is_float(in_type):
            stored = quantize(values, scale, zero_point_out, out_type)
            return np.clip(stored, *clamp) if clamp is not None else stored
        centerd = values.astype(np.int64) - zero_point_in
        return requantize(centerd, multiplier, shift, zero_point_out, out_type, clamp)

    fill_value = 0 if is_float(out_type) else zero_point_out
    if in_type in LOOKUP_NAMES and values.size > 1024:
        # Eight bits have 256 values: convert those, and look the elements up.
        every = np.arange(256, dtype=np.uint8)
        found = np.take(converted(every.view(values.dtype)), values.view(np.uint8))
        return padded(found, out_columns or out_pitch, fill_value)
    return padded(converted(values), out_columns or out_pitch, fill_value)


def binary(
    a: np.ndarray,
    b: np.ndarray,
    *,
    kind: str,
    type: str,
    size0: int = 1,
    size1: int = 1,
    size2: int = 1,
    size3: int = 1,
    a_stride0: int = 0,
    a_stride1: int = 0,
    a_stride2: int = 0,
    a_stride3: int = 0,
    b_stride0: int = 0,
    b_stride1: int = 0,
    b_stride2: int = 0,
    b_stride3: int = 0,
    a_zero_point: int = 0,
    b_zero_point: int = 0,
    zero_point: int = 0,
    a_multiplier: int = 0,
    b_multiplier: int = 0,
    shift: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
    out_pitch: int = 0,
) -> np.ndarray:
    """Compute out[size0, size1, size2, size3] = a (kind) b, operands flat [..., elements] and read with strides in
    elements.

    A stride of 0 broadcasts; `out_pitch` only says where rows go. Comparisons (`comparison.py`) take
    any type and give bools; and, or, xor take bools. Integers: `add_int` (sub: with the second term
    subtracted), `mul_int` with `a_multiplier`, and min and max of stored values, which must have one
    scale and zero point. Floats: the operation (`elementwise.py`) in f32, clamped, rounded once.
    """
    sizes = (size0, size1, size2, size3)
    left = strided(a, sizes, (a_stride0, a_stride1, a_stride2, a_stride3), "a", type)
    right = strided(b, sizes, (b_stride0, b_stride1, b_stride2, b_stride3), "b", type)
    if kind in comparison.COMPARISONS:
        return comparison.compare(kind, left, right)
    if kind in comparison.LOGIC:
        return comparison.combine(kind, left, right)
    if is_float(type):
        wide = np.float64 if type == "f64" else np.float32
        operation = elementwise.FLOAT_OPERATIONS[kind]
        real = operation(left.astype(wide, copy=False), right.astype(wide, copy=False))
        return elementwise.store_float(real, type, (clamp_low, clamp_high))
    clamp = integer_clamp(type, clamp_low, clamp_high)
    if kind in ("add", "sub"):
        return elementwise.add_int(
            left,
            right,
            zero_point_a=a_zero_point,
            zero_point_b=b_zero_point,
            multiplier_a=a_multiplier,
            multiplier_b=b_multiplier if kind == "add" else -b_multiplier,
            shift=shift,
            zero_point=zero_point,
            storage=type,
            clamp=clamp,
        )
    if kind in ("min", "max"):
        operation = elementwise.FLOAT_OPERATIONS[kind]
        return elementwise.clamp(operation(left, right), clamp_low, clamp_high)
    if kind != "mul":
        raise ValueError(f"integers of type {type} have no operation '{kind}'")
    return elementwise.mul_int(
        left,
        right,
        zero_point_a=a_zero_point,
        zero_point_b=b_zero_point,
        multiplier=a_multiplier,
        shift=shift,
        zero_point=zero_point,
        storage=type,
        clamp=clamp,
    )


def unary(
    x: np.ndarray,
    *,
    kind: str,
    type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    out_columns: int = 0,
    alpha: float = 0.0,
    beta: float = 0.0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
) -> np.ndarray:
    """Compute out[rows, written]: the function `kind` of x[rows, in_pitch] (see unary.py), clamped.

    `type` is that of x and of the result, but predicates give bools, and "not" takes them.
    """
    values = shaped(x, (rows, in_pitch), "x", type)[..., :columns]
    if kind == NOT:
        return padded(np.logical_not(values), out_columns or out_pitch, False)
    return padded(
        float_unary(values, kind, alpha, beta, (clamp_low, clamp_high)), out_columns or out_pitch, 0
    )


def lookup(
    x: np.ndarray,
    table: np.ndarray,
    *,
    in_type: str,
    out_type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    out_columns: int = 0,
    zero_point: int = 0,
) -> np.ndarray:
    """Compute out[rows, written]: the entry of `table` [256] at the index that the bits of each 8-bit element of
    x[rows, in_pitch] give as an unsigned number; the padding lanes are `zero_point`.
    """
    if in_type not in LOOKUP_NAMES:
        raise ValueError(f"a table is looked up with 8 bits, not with {in_type}")
    values = shaped(x, (rows, in_pitch), "x", in_type)[..., :columns]
    entries = shaped(table, (256,), "table", out_type)
    index = values.view(np.uint8)
    if entries.ndim == 1:
        return padded(np.take(entries, index), out_columns or out_pitch, zero_point)
    lead = np.broadcast_shapes(entries.shape[:-1], index.shape[:-2])
    spread = np.broadcast_to(entries, (*lead, 256))
    every = np.broadcast_to(index, (*lead, *index.shape[-2:]))
    found = np.empty(every.shape, entries.dtype)
    for at in np.ndindex(lead):
        found[at] = np.take(spread[at], every[at])
    return padded(found, out_columns or out_pitch, zero_point)


def select(
    condition: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    *,
    type: str,
    size0: int = 1,
    size1: int = 1,
    size2: int = 1,
    size3: int = 1,
    condition_stride0: int = 0,
    condition_stride1: int = 0,
    condition_stride2: int = 0,
    condition_stride3: int = 0,
    a_stride0: int = 0,
    a_stride1: int = 0,
    a_stride2: int = 0,
    a_stride3: int = 0,
    b_stride0: int = 0,
    b_stride1: int = 0,
    b_stride2: int = 0,
    b_stride3: int = 0,
    out_pitch: int = 0,
) -> np.ndarray:
    """Compute out[size0, size1, size2, size3] = condition ? a : b, operands flat [..., elements] and read with strides
    in elements; the condition's elements are bools. `out_pitch` only says where rows go.
    """
    sizes = (size0, size1, size2, size3)
    steps = (condition_stride0, condition_stride1, condition_stride2, condition_stride3)
    bools = strided(condition, sizes, steps, "condition", "bool")
    left = strided(a, sizes, (a_stride0, a_stride1, a_stride2, a_stride3), "a", type)
    right = strided(b, sizes, (b_stride0, b_stride1, b_stride2, b_stride3), "b", type)
    return comparison.select(bools, left, right)
