"""Element-wise arithmetic: exact requantized integer addition and multiplication, and operations on floats.

Operands broadcast as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .fixed_point import check_scale
from .quantization import ClampRange, requantize, storage_limits
from .storage import dtype_of, name_of, round_to


def add_int(
    a: np.ndarray,
    b: np.ndarray,
    *,
    zero_point_a: int,
    zero_point_b: int,
    multiplier_a: int,
    multiplier_b: int,
    shift: int,
    zero_point: int,
    storage: str,
    clamp: ClampRange = None,
) -> np.ndarray:
    """Compute clamp(saturate(round_half_even(((a − za)·ma + (b − zb)·mb) · 2^−shift) + zero_point)), exact.

    `a` and `b` are integer arrays of up to 16 bits, the multipliers below 2^31 in magnitude, 0 <=
    shift <= 62; the result is in integer `storage`. Raises ValueError for wider operands and multipliers.
    """
    low, high = storage_limits(storage, clamp)
    _check_width(a, b)
    check_scale(abs(multiplier_a), shift)
    check_scale(abs(multiplier_b), shift)
    # Every term is a multiple of 2^-shift of at most 17 + 31 bits and their sum one of 50: exact in
    # f64, in any order.
    left, right = np.ldexp(float(multiplier_a), -shift), np.ldexp(float(multiplier_b), -shift)
    total = np.multiply(a, left, dtype=np.float64)
    if total.shape == np.broadcast_shapes(a.shape, b.shape):
        total += b * right
    else:
        total = total + b * right
    total -= zero_point_a * left + zero_point_b * right
    np.rint(total, out=total)
    np.clip(total, low - zero_point, high - zero_point, out=total)
    total += zero_point
    return total.astype(dtype_of(storage))


def mul_int(
    a: np.ndarray,
    b: np.ndarray,
    *,
    zero_point_a: int,
    zero_point_b: int,
    multiplier: int,
    shift: int,
    zero_point: int,
    storage: str,
    clamp: ClampRange = None,
) -> np.ndarray:
    """Compute requantize((a − za)·(b − zb), multiplier, shift, zero_point), exact; operands are integers of up to 16
    bits.
    """
    _check_width(a, b)
    wide = np.int32 if max(a.dtype.itemsize, b.dtype.itemsize) == 1 else np.int64
    product = (a.astype(wide) - zero_point_a) * (b.astype(wide) - zero_point_b)
    return requantize(product, multiplier, shift, zero_point, storage, clamp)


def _check_width(*operands: np.ndarray) -> None:
    for operand in operands:
        if operand.dtype.kind not in "iu" or operand.dtype.itemsize > 2:
            raise ValueError(f"expected integers of up to 16 bits, got {operand.dtype}")


def _check_one_type(a: np.ndarray, b: np.ndarray) -> None:
    if a.dtype != b.dtype:
        raise ValueError(f"operands of {a.dtype} and {b.dtype} differ in type")


def _in_f32(
    operation: Callable[[np.ndarray, np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray
) -> np.ndarray:
    """Compute `operation` in f32 (f64 for f64 operands), and round the result to the operands' storage type."""
    _check_one_type(a, b)
    wide = np.float64 if a.dtype == np.float64 else np.float32
    with np.errstate(all="ignore"):
        result = operation(a.astype(wide, copy=False), b.astype(wide, copy=False))
        return result.astype(a.dtype, copy=False)


def add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute a + b for floats of one type, rounded to that type."""
    return _in_f32(np.add, a, b)


def sub(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute a − b for floats of one type, rounded to that type."""
    return _in_f32(np.subtract, a, b)


def mul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute a · b for floats of one type, rounded to that type."""
    return _in_f32(np.multiply, a, b)


def div(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute a / b for floats of one type, rounded to that type; a zero divisor gives infinities and NaN (IEEE
    754).
    """
    return _in_f32(np.divide, a, b)


def minimum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the smaller of a and b, for operands of one type; NaN where either is NaN (ONNX Min)."""
    _check_one_type(a, b)
    return np.minimum(a, b)


def maximum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the larger of a and b, for operands of one type; NaN where either is NaN (ONNX Max)."""
    _check_one_type(a, b)
    return np.maximum(a, b)


def power(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute a^b for floats of one type, in f64 and rounded once to that type."""
    _check_one_type(a, b)
    with np.errstate(all="ignore"):
        wide = np.power(a.astype(np.float64, copy=False), b.astype(np.float64, copy=False))
    return round_to(wide, name_of(a.dtype))


def modulo(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the remainder of a / b with the sign of a, exact, for floats of one type (C's fmod)."""
    return _in_f32(np.fmod, a, b)


def prelu(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a, multiplied by b where a is negative, for floats of one type, rounded to that type (ONNX PRelu)."""
    return _in_f32(lambda x, slope: np.where(x < 0, x * slope, x), a, b)


FLOAT_OPERATIONS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "div": div,
    "min": minimum,
    "max": maximum,
    "power": power,
    "modulo": modulo,
    "prelu": prelu,
}
"""The arithmetic of two floats by name."""


def clamp(x: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """Compute min(max(x, low), high) in `x`'s own type; None is no bound, NaN stays NaN. As in ONNX Clip, `high` wins
    if low > high.

    A bound beyond the range of an integer type is the same as the end of that range.
    """
    if x.dtype.kind in "iu":
        info = np.iinfo(x.dtype)
        least = info.min if low is None else int(min(max(np.ceil(low), info.min), info.max))
        greatest = info.max if high is None else int(min(max(np.floor(high), info.min), info.max))
        return np.minimum(np.maximum(x, x.dtype.type(least)), x.dtype.type(greatest))
    wide = x.astype(np.float32, copy=False) if x.dtype.itemsize < 4 else x
    if low is not None and low != -np.inf:
        wide = np.maximum(wide, wide.dtype.type(low))
    if high is not None and high != np.inf:
        wide = np.minimum(wide, wide.dtype.type(high))
    return wide.astype(x.dtype, copy=False)


def store_float(
    x: np.ndarray, storage: str, clamp_range: tuple[float, float] | None = None
) -> np.ndarray:
    """Clamp `x` (f32 or f64), then round it once to the float type `storage`."""
    low, high = clamp_range if clamp_range is not None else (None, None)
    return round_to(clamp(x, low, high), storage)
