"""Matrix products: exact for integers at the speed of the floating-point BLAS, in f32 for floats.

A sum of integer products is exact in floating point while no partial sum, in any order, can pass
2^24 (f32) or 2^53 (f64). So an integer product runs as float products over blocks of the reduced
axis that are short enough (1024 for 8-bit operands), whose results are summed in the accumulator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .storage import ACCUMULATOR_NAMES, dtype_of

_ROW_SLAB_BYTES = 4 << 20
_SHORTEST_F32_BLOCK = 64
_BLAS_COLUMNS = 16
"""BLAS takes columns by groups of at most so many, and those that are left by routines of their own."""


def accumulator_dtype(accumulator: str) -> np.dtype:
    """Return the NumPy data type of an accumulator. Raises ValueError if its name is not i32, i64 or f32."""
    if accumulator not in ACCUMULATOR_NAMES:
        known = ", ".join(ACCUMULATOR_NAMES)
        raise ValueError(f"unknown accumulator '{accumulator}' (known: {known})")
    return dtype_of(accumulator)


def magnitude(dtype: np.dtype) -> int:
    """Return the greatest magnitude of an integer data type."""
    if dtype == np.bool_:
        return 1
    info = np.iinfo(dtype)
    return max(-int(info.min), int(info.max))


@dataclass(frozen=True)
class ProductPlan:
    """How to multiply: the data type to compute in, the longest block of the reduced axis, the
    accumulator's type.
    """

    compute: np.dtype
    block: int
    accumulator: np.dtype

    @staticmethod
    def of(
        accumulator: str, bound_a: int, bound_b: int, depth: int, *, is_float: bool
    ) -> ProductPlan:
        """Make the plan for sums of `depth` products of integers with the given greatest magnitudes, or of floats."""
        out = accumulator_dtype(accumulator)
        if is_float != (out.kind == "f"):
            kind = "float" if is_float else "integer"
            raise ValueError(f"{kind} operands cannot use accumulator '{accumulator}'")
        if is_float:
            return ProductPlan(np.dtype(np.float32), max(depth, 1), out)
        product = max(bound_a * bound_b, 1)
        block = 2**24 // product
        if block >= min(depth, _SHORTEST_F32_BLOCK) and block > 0:
            return ProductPlan(np.dtype(np.float32), block, out)
        block = 2**53 // product
        if block >= min(depth, _SHORTEST_F32_BLOCK) and block > 0:
            return ProductPlan(np.dtype(np.float64), block, out)
        return ProductPlan(np.dtype(np.int64), max(depth, 1), out)


def is_float_dtype(dtype: np.dtype) -> bool:
    """Return whether a data type is floating-point, bfloat16 (kind "V" in NumPy) included."""
    return dtype.kind in "fV"


def is_half(dtype: np.dtype) -> bool:
    """Return whether a data type is a floating-point type of 16 bits: f16 or bf16."""
    return is_float_dtype(dtype) and dtype.itemsize == 2


def plan_for(a: np.ndarray, b: np.ndarray, depth: int, accumulator: str) -> ProductPlan:
    """Make the plan for arrays `a` and `b`, bounded by their data types. Raises ValueError if one is float and one
    integer.
    """
    floats = is_float_dtype(a.dtype), is_float_dtype(b.dtype)
    if floats[0] != floats[1]:
        raise ValueError(f"operands of {a.dtype} and {b.dtype} cannot be multiplied")
    if floats[0]:
        return ProductPlan.of(accumulator, 0, 0, depth, is_float=True)
    return ProductPlan.of(
        accumulator, magnitude(a.dtype), magnitude(b.dtype), depth, is_float=False
    )


def to_accumulator(part: np.ndarray, accumulator: np.dtype) -> np.ndarray:
    """Convert exact integers that are held as floats to the accumulator's type; they wrap if they do not fit."""
    if part.dtype == np.float64 and accumulator == np.int32:
        part = part.astype(
            np.int64
        )  # a float beyond the type's range converts to an undefined value
    return part.astype(accumulator, copy=False)


def product_into(out: np.ndarray, a: np.ndarray, b: np.ndarray, plan: ProductPlan) -> None:
    """Compute out = a @ b, with a[..., m, k] and b[..., k, n] already in the plan's compute type, `out` in its
    accumulator type.
    """
    depth = a.shape[-1]
    for first in range(0, max(depth, 1), plan.block):
        steps = slice(first, first + plan.block)
        multiply = _product if plan.accumulator.kind == "f" else np.matmul
        part = to_accumulator(multiply(a[..., steps], b[..., steps, :]), plan.accumulator)
        if first == 0:
            out[...] = part
        else:
            out += part


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute a @ b of floats; one row is computed beside a copy of itself, and by whole groups of columns.

    BLAS sums one row by a routine of its own, and the columns after the last whole group by others: on some processors
    equal columns would give different floats, and a sample other ones alone than in a batch.
    """
    columns = b.shape[-1]
    if a.shape[-2] != 1 or columns < 2:
        return a @ b
    missing = -columns % _BLAS_COLUMNS
    if missing:
        b = np.concatenate([b, np.zeros((*b.shape[:-1], missing), b.dtype)], axis=-1)
    return (np.concatenate([a, a], axis=-2) @ b)[..., :1, :columns]


def matmul(
    a: np.ndarray,
    b: np.ndarray,
    accumulator: str,
    *,
    bounds: tuple[int, int] | None = None,
) -> np.ndarray:
    """Compute a[..., m, k] @ b[..., k, n], leading axes broadcast; the result has the accumulator's type (i32, i64,
    f32).

    Integer products are exact, wrapping at the accumulator's width; `bounds` gives the greatest magnitudes in `a` and
    `b` if they are below those of the types. f16, bf16 and f32 accumulate in f32. Raises ValueError if one operand is
    float and one integer, or if the shapes do not fit.
    """
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(f"shapes {a.shape} and {b.shape} do not fit a matrix product")
    depth = a.shape[-1]
    plan = plan_for(a, b, depth, accumulator)
    if bounds is not None and plan.accumulator.kind == "i":
        plan = ProductPlan.of(accumulator, *bounds, depth, is_float=False)
    with np.errstate(over="ignore", invalid="ignore"):
        if b.ndim == 2:
            return rows_product(a, b.astype(plan.compute, copy=False), plan)
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        out = np.empty((*lead, a.shape[-2], b.shape[-1]), plan.accumulator)
        wide_a, wide_b = a.astype(plan.compute, copy=False), b.astype(plan.compute, copy=False)
        product_into(out, wide_a, wide_b, plan)
    return out


def rows_product(a: np.ndarray, b: np.ndarray, plan: ProductPlan) -> np.ndarray:
    """Compute a[..., k] @ b[k, n] with `b` of the plan's compute type; `a` is converted in slabs of rows, so memory
    stays bounded.
    """
    if a.size == 0:
        return np.zeros((*a.shape[:-1], b.shape[-1]), plan.accumulator)
    rows = a.reshape(-1, a.shape[-1])
    out = np.empty((rows.shape[0], b.shape[-1]), plan.accumulator)
    row_bytes = plan.compute.itemsize * (a.shape[-1] + b.shape[-1])
    step = max(1, _ROW_SLAB_BYTES // max(row_bytes, 1))
    for first in range(0, len(rows), step):
        piece = rows[first : first + step].astype(plan.compute, copy=False)
        product_into(out[first : first + step], piece, b, plan)
    return out.reshape(*a.shape[:-1], b.shape[-1])
