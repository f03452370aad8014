"""Computes the instructions of the matrix product and the epilogue; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from ..epilogue import epilogue_float, epilogue_int
from ..fixed_point import Residual
from ..matmul import matmul as exact_matmul
from ..rounding_up import ceil_div
from ..storage import integer_range, is_float, sums_floats
from .group_scales import stored_rows
from .packing import epilogue_table_rows, unpack_matmul_weights
from .tile_buffer import (
    accumulated,
    integer_clamp,
    narrowed,
    padded,
    per_sample,
    shaped,
    shaped_weights,
    unpacked,
)

_INFINITE = float("inf")


def matmul(
    x: np.ndarray,
    w: np.ndarray,
    acc: np.ndarray | None = None,
    *,
    type: str,
    acc_type: str,
    accumulate: int = 0,
    batch: int = 1,
    m: int,
    k: int,
    n: int,
    x_pitch: int,
    out_pitch: int,
    block: int,
    shared_w: int = 0,
    transpose_w: int = 0,
    x_zero_point: int = 0,
    w_zero_point: int = 0,
    w_type: str = "none",
    narrow_x: int = 0,
    w_group: int = 0,
) -> np.ndarray:
    """Compute acc[batch, m, out_pitch] (+)= Σ_k (x[batch, m, k] − x_zero_point) · (w[batch, k, n] − w_zero_point).

    x is [batch, m, x_pitch]. w is [batch, ceil(n / block), k, block], with `transpose_w` [batch, n,
    block] (rows of k elements); with `shared_w` one matrix, without the batch axis, serves all of
    them. Unless `w_type` is "none", w is of that type, its last axis packed if elements share bytes; `narrow_x` says
    that x has no more bits than that. With `w_group` weights come with a scale for so many k, in rows among theirs.
    """
    left = narrowed(shaped(x, (batch, m, x_pitch), "x", type)[..., :k], w_type, narrow_x)
    rows = stored_rows(k, w_group, type, w_type)
    matrix = (n, block) if transpose_w else (ceil_div(n, block), rows, block)
    shape = matrix if shared_w else (batch, *matrix)
    packed = shaped_weights(w, shape, type, w_type)
    bounds = None
    if not sums_floats(type):
        numbers = "i8" if w_group else w_type
        ranges = integer_range(type), integer_range(type if numbers == "none" else numbers)
        points = (x_zero_point, w_zero_point)
        a, b = (_reach(*each, point) for each, point in zip(ranges, points, strict=True))
        bounds = a, b

    def one(packed: np.ndarray, left: np.ndarray) -> np.ndarray:
        packed = unpacked(packed, block, type, w_type, w_group, k)
        if transpose_w:
            right = np.swapaxes(packed[..., :k], -1, -2)
        else:
            right = unpack_matmul_weights(packed, n)
        right = _centred(right, w_zero_point)
        return exact_matmul(_centred(left, x_zero_point), right, acc_type, bounds=bounds)

    result = per_sample(one, packed, len(shape), (left, 3))
    return accumulated(result, 3, out_pitch, acc_type, accumulate, acc)


def vector_matmul(
    x: np.ndarray,
    w: np.ndarray,
    acc: np.ndarray | None = None,
    *,
    type: str,
    acc_type: str,
    accumulate: int = 0,
    batch: int = 1,
    m: int,
    k: int,
    n: int,
    x_pitch: int,
    out_pitch: int,
    block: int,
    shared_w: int = 0,
    x_zero_point: int = 0,
    w_zero_point: int = 0,
    w_type: str = "none",
    narrow_x: int = 0,
    w_group: int = 0,
) -> np.ndarray:
    """Compute what `matmul` does; w is [batch, ceil(n / block), k, block]."""
    return matmul(
        x, w, acc, type=type, acc_type=acc_type, accumulate=accumulate, batch=batch, m=m, k=k, n=n,
        x_pitch=x_pitch, out_pitch=out_pitch, block=block, shared_w=shared_w,
        x_zero_point=x_zero_point, w_zero_point=w_zero_point, w_type=w_type, narrow_x=narrow_x,
        w_group=w_group,
    )  # fmt: skip


def _reach(low: int, high: int, zero_point: int) -> int:
    """Return the greatest magnitude of value - zero_point for values in [low, high]."""
    return max(abs(low - zero_point), abs(high - zero_point))


def _centred(values: np.ndarray, zero_point: int) -> np.ndarray:
    if zero_point == 0:
        return values
    wide = np.int16 if values.dtype.itemsize == 1 and -32000 < zero_point < 32000 else np.int32
    return values.astype(wide) - wide(zero_point)


def epilogue(
    acc: np.ndarray,
    table: np.ndarray,
    residual: np.ndarray | None = None,
    *,
    acc_type: str,
    type: str,
    rows: int,
    channels: int,
    acc_pitch: int,
    out_pitch: int,
    out_columns: int = 0,
    table_pitch: int,
    residual_pitch: int = 0,
    residual_zero_point: int = 0,
    zero_point: int = 0,
    clamp_low: float = -_INFINITE,
    clamp_high: float = _INFINITE,
    scaled: int = 0,
) -> np.ndarray:
    """Compute out[rows, written] from acc[rows, acc_pitch]: `epilogue_int` for integer types, `epilogue_float` for
    floats.

    `table` holds rows of `table_pitch` parameters: int32 bias (i64: low words, high words),
    multiplier, shift and, with a `residual` [rows, residual_pitch], its multiplier and shift;
    floats: one f32 row, the bias, and if `scaled` a second one, by which sums are multiplied
    (see `pack_epilogue_table`).
    """
    integer = not is_float(acc_type)
    if integer == is_float(type):
        raise ValueError(f"an accumulator of {acc_type} cannot be stored as {type}")
    words = epilogue_table_rows(acc_type, residual is not None, bool(scaled))
    pitches = {acc_pitch, out_pitch, table_pitch}
    if residual is not None:
        pitches.add(residual_pitch)
    # With equal pitches whole rows are computed, which are contiguous; the padding lanes are
    # written over below.
    width = acc_pitch if len(pitches) == 1 else channels
    total = shaped(acc, (rows, acc_pitch), "acc", acc_type)[..., :width]
    parameters = shaped(table, (words, table_pitch), "table", "i32" if integer else "f32")
    added = None
    if residual is not None:
        added = shaped(residual, (rows, residual_pitch), "residual", type)[..., :width]
        total, added = np.broadcast_arrays(total, added)

    def one(
        parameters: np.ndarray, total: np.ndarray, added: np.ndarray | None = None
    ) -> np.ndarray:
        values = parameters[:, :width]
        if not integer:
            factors = values[1] if scaled else None
            return epilogue_float(total, values[0], type, (clamp_low, clamp_high), added, factors)
        bias, scales = _table_bias(values, acc_type)
        term: Residual | None = None
        if added is not None:
            term = (added, residual_zero_point, scales[2], scales[3])
        clamp = integer_clamp(type, clamp_low, clamp_high)
        return epilogue_int(total, bias, scales[0], scales[1], zero_point, type, clamp, term)

    operands = [(total, 2)] if added is None else [(total, 2), (added, 2)]
    result = per_sample(one, parameters, 2, *operands)
    columns = out_columns or out_pitch
    return padded(result[..., :channels], columns, zero_point if integer else 0, result)


def _table_bias(values: np.ndarray, acc_type: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the bias (int64) and the remaining rows (int64) of an integer epilogue's table."""
    if acc_type == "i64":
        low = np.ascontiguousarray(values[0]).view(np.uint32).astype(np.int64)
        return (values[1].astype(np.int64) << 32) | low, values[2:].astype(np.int64)
    return values[0].astype(np.int64), values[1:].astype(np.int64)
