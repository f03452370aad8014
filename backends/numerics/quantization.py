"""Quantization: converts real numbers to integer storage and back, finds the parameters, and requantizes.

real = (stored - zero_point) * scale. Requantization is `saturate(round_half_even(acc * multiplier *
2^-shift) + zero_point)`, exact to the bit; a multiplier is an integer in [2^30, 2^31), or 0, and a
shift lies in 0..62.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import ml_dtypes
import numpy as np

from .fixed_point import Integers, rescale, round_half_even_shift
from .storage import SCALED_FLOAT_NAMES, dtype_of, integer_range, round_to

__all__ = [
    "MAX_SHIFT",
    "Quantization",
    "activation_parameters",
    "add_parameters",
    "cast",
    "clamp_bounds",
    "dequantize",
    "dequantize_linear",
    "dynamic_quantize_linear",
    "next_power_of_two",
    "quantize",
    "quantize_linear",
    "quantize_multiplier",
    "requantize",
    "round_half_even_shift",
    "row_blocks",
    "spread_blocks",
    "storage_limits",
    "weight_scales",
]

ClampRange = tuple[int, int] | None
"""Least and greatest storage value of a result, or None: the range of its storage type."""

MAX_SHIFT = 62
_BLOCK_ELEMENTS = 1 << 18
SYMMETRIC_LIMIT = 127
"""Weights of 8 bits lie within ± this, so that the negative of a weight is a weight (ONNX Runtime, symmetric QInt8)."""
_SMALLEST_SCALE = float(np.finfo(np.float32).tiny)


def storage_limits(storage: str, clamp: ClampRange = None) -> tuple[int, int]:
    """Return the least and greatest result in integer `storage`, narrowed by `clamp`.

    Raises ValueError if the type has more than 32 bits, or if `clamp` is empty.
    """
    low, high = integer_range(storage)
    if dtype_of(storage).itemsize > 4:
        raise ValueError(f"results are stored in at most 32 bits, not in '{storage}'")
    if clamp is not None:
        # Both ends move into the range: of a clamp outside it the one nearest value is left.
        low, high = min(max(clamp[0], low), high), max(min(clamp[1], high), low)
        if low > high:
            raise ValueError(f"empty clamp {clamp}")
    return low, high


def quantize_multiplier(scale: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Find multiplier and shift (int64, shaped as `scale`) with multiplier * 2^-shift nearest to `scale` (f64, >= 0).

    multiplier is in [2^30, 2^31) and 0 <= shift <= 62; a scale of 0, and one below 2^-32, gives (0,
    0). That loses nothing on a 32-bit accumulator: |acc| * scale < 2^31 * 2^-32 rounds to 0.
    Raises ValueError if a scale is negative, not finite, or rounds to 2^31 or more.
    """
    values = np.asarray(scale, dtype=np.float64)
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ValueError("scales must be finite and not negative")
    mantissa, exponent = np.frexp(values)
    multiplier = np.rint(mantissa * 2.0**31).astype(np.int64)
    carried = multiplier == 2**31
    multiplier = np.where(carried, 2**30, multiplier)
    shift = 31 - (exponent.astype(np.int64) + carried)
    if np.any((shift < 0) & (multiplier != 0)):
        raise ValueError(f"a scale of {values.max():g} is too large: they must stay below 2^31")
    vanishes = (multiplier == 0) | (shift > MAX_SHIFT)
    return np.where(vanishes, 0, multiplier), np.where(vanishes, 0, shift)


def requantize(
    acc: np.ndarray,
    multiplier: Integers,
    shift: Integers,
    zero_point: int,
    storage: str,
    clamp: ClampRange = None,
) -> np.ndarray:
    """Compute clamp(saturate(round_half_even(acc * multiplier * 2^-shift) + zero_point)), exact.

    `acc` is an integer array [..., c] of up to 64 bits; `multiplier` and `shift` are scalars or
    [c]. The result has `acc`'s shape and the integer storage type `storage`, of up to 32 bits.
    """
    limits = storage_limits(storage, clamp)
    return rescale(acc, None, multiplier, shift, None, zero_point, limits, dtype_of(storage))


def activation_parameters(
    lo: float,
    hi: float,
    storage: str = "i8",
    *,
    symmetric: bool = False,
    power_of_two: bool = False,
) -> tuple[float, int]:
    """Return the scale and the zero point of a tensor with values in [lo, hi] (widened to hold 0).

    scale = (hi - lo) / (steps of `storage`), rounded to f32; zero_point = round_half_even(least -
    lo / scale), cut to the storage range. If `symmetric`, scale = max(-lo, hi) / greatest, and zero_point
    is 0. If `power_of_two`, the scale is the next greater power of two. An all-zero range has scale 1.
    Raises ValueError if lo > hi or a bound is not finite in f32.
    """
    if not (math.isfinite(lo) and math.isfinite(hi)) or lo > hi:
        raise ValueError(f"[{lo}, {hi}] is not a range of values")
    least, greatest = integer_range(storage)
    lo, hi = min(lo, 0.0), max(hi, 0.0)
    step = max(-lo, hi) / greatest if symmetric else (hi - lo) / (greatest - least)
    with np.errstate(over="ignore"):
        scale = float(np.float32(step))
        if power_of_two:
            scale = float(next_power_of_two(scale).astype(np.float32))
    if not math.isfinite(scale):
        raise ValueError(f"the range [{lo}, {hi}] is too wide for f32")
    scale = max(scale, _SMALLEST_SCALE) if hi > lo else 1.0
    if symmetric:
        return scale, 0
    zero_point = int(np.clip(np.rint(least - lo / scale), least, greatest))
    return scale, zero_point


def next_power_of_two(values: np.ndarray | float) -> np.ndarray:
    """Return the least power of two, in f64, that is not below each of some numbers >= 0; 0 for 0."""
    mantissa, exponent = np.frexp(np.asarray(values, np.float64))
    return np.where(mantissa == 0, 0.0, np.ldexp(1.0, exponent - (mantissa == 0.5)))


def weight_scales(w: np.ndarray, axis: int, storage: str = "i8") -> np.ndarray:
    """Return the scales by which no weights with zero point 0 saturate, 1 if all are 0: f64 [size of `axis`] holding
    f32 values. In i8 that is max|w| / 127, since these are symmetric; of fewer bits all numbers are used.

    Raises ValueError if a weight is not finite.
    """
    axis = axis % w.ndim
    others = tuple(a for a in range(w.ndim) if a != axis)
    least, most = (-SYMMETRIC_LIMIT, SYMMETRIC_LIMIT) if storage == "i8" else integer_range(storage)
    greatest, smallest = w.max(axis=others, initial=0), w.min(axis=others, initial=0)
    widest = np.maximum(greatest.astype(np.float64) / most, smallest.astype(np.float64) / least)
    if not np.all(np.isfinite(widest)):
        raise ValueError("weights must be finite")
    scales = np.maximum(widest.astype(np.float32).astype(np.float64), _SMALLEST_SCALE)
    return np.where(widest == 0, 1.0, scales)


def quantize(
    x: np.ndarray,
    scale: np.ndarray | float,
    zero_point: np.ndarray | int,
    storage: str,
    axis: int | None = None,
) -> np.ndarray:
    """Compute saturate(round_half_even(x / scale) + zero_point), as ONNX QuantizeLinear defines it; the division is
    f32.

    `x` is a float array; `scale` and `zero_point` are scalars, or [size of `axis`]. NaN gives the
    zero point.
    """
    divisor = _along(np.asarray(scale, dtype=np.float32), axis, x.ndim)
    offset = _along(np.asarray(zero_point, dtype=np.float64), axis, x.ndim)
    if x.ndim == 0:
        return _quantized(x, divisor, offset, storage)
    stored = np.empty(x.shape, dtype_of(storage))
    by_row = divisor.ndim == x.ndim and axis is not None and axis % x.ndim == 0
    for rows in row_blocks(x):
        part = divisor[rows] if by_row and len(divisor) > 1 else divisor
        shift = offset[rows] if by_row and offset.ndim and len(offset) > 1 else offset
        stored[rows] = _quantized(x[rows], part, shift, storage)
    return stored


def _quantized(x: np.ndarray, divisor: np.ndarray, offset: np.ndarray, storage: str) -> np.ndarray:
    low, high = storage_limits(storage)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        steps = np.rint(x.astype(np.float32, copy=False) / divisor)
    if np.isnan(steps).any():
        steps = np.where(np.isnan(steps), np.float32(0), steps)
    if dtype_of(storage).itemsize == 1:
        # |steps + zero_point| <= 2^11 after the cut, exact in f32.
        stored = np.clip(steps, np.float32(-1024), np.float32(1024)) + offset.astype(np.float32)
    else:
        stored = steps.astype(np.float64) + offset
    return np.clip(stored, low, high).astype(dtype_of(storage))


def row_blocks(x: np.ndarray) -> Iterator[slice]:
    """Return slices of axis 0 that cover an array of rank 1 or more, each of about `_BLOCK_ELEMENTS` elements.

    Computing block by block avoids temporary arrays as large as the array itself.
    """
    rows = max(1, _BLOCK_ELEMENTS * len(x) // max(1, x.size))
    return (slice(start, start + rows) for start in range(0, len(x), rows))


def dequantize(
    q: np.ndarray,
    scale: np.ndarray | float,
    zero_point: np.ndarray | int,
    axis: int | None = None,
) -> np.ndarray:
    """Compute (q - zero_point) * scale as f32, as ONNX DequantizeLinear defines it; parameters are scalars or [size of
    `axis`].
    """
    factor = _along(np.asarray(scale, dtype=np.float32), axis, q.ndim)
    offset = _along(np.asarray(zero_point, dtype=np.int64), axis, q.ndim)
    if q.dtype.itemsize <= 2:
        return (q.astype(np.float32) - offset.astype(np.float32)) * factor
    return (q.astype(np.int64) - offset).astype(np.float32) * factor


@dataclass(frozen=True)
class Quantization:
    """What the integers of a tensor stand for: (stored - `zero_point`) · `scale`."""

    scale: float
    zero_point: int


def cast(
    x: np.ndarray, storage: str, source: Quantization | None, result: Quantization | None
) -> np.ndarray:
    """Convert an array of `source` (None: of floats) to `storage`, quantized as `result` says (None: floats).

    Floats are rounded once, half to even; scaled small floats saturate.
    """
    if source is not None:
        x = dequantize(x, source.scale, source.zero_point)
    if result is None:
        return round_to(x, storage)
    if storage in SCALED_FLOAT_NAMES:
        return scale_floats(x, result.scale, storage)
    return quantize(x.astype(np.float32, copy=False), result.scale, result.zero_point, storage)


def scale_floats(
    x: np.ndarray, scale: np.ndarray | float, storage: str, axis: int | None = None
) -> np.ndarray:
    """Compute saturate(x / scale) in a small float type, rounded half to even; the division is f32.

    `scale` is a scalar, or [size of `axis`]. NaN stays NaN.
    """
    most = np.float32(ml_dtypes.finfo(dtype_of(storage)).max)
    divisor = _along(np.asarray(scale, dtype=np.float32), axis, x.ndim)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = x.astype(np.float32, copy=False) / divisor
    return round_to(np.clip(steps, -most, most), storage)


def float_scale(most: np.ndarray | float, storage: str) -> np.ndarray:
    """Return the scale f64, holding f32 values, by which numbers up to a magnitude use the range of a small float type;
    1 where that is 0.
    """
    greatest = float(ml_dtypes.finfo(dtype_of(storage)).max)
    scale = (np.asarray(most, np.float64) / greatest).astype(np.float32).astype(np.float64)
    return np.where(np.asarray(most) == 0, 1.0, np.maximum(scale, _SMALLEST_SCALE))


def quantize_linear(
    x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, storage: str
) -> np.ndarray:
    """Return saturate(round_half_even(x / scale) + zero_point) in the integer type `storage`; the division is f32, and
    NaN gives the zero point.
    """
    low, high = integer_range(storage)
    with np.errstate(all="ignore"):
        steps = np.rint(x.astype(np.float32, copy=False) / scale.astype(np.float32, copy=False))
    steps = np.where(np.isnan(steps), 0, steps.astype(np.float64)) + zero_point.astype(np.float64)
    return np.clip(steps, low, high).astype(np.int64).astype(dtype_of(storage))


def dynamic_quantize_linear(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quantize floats to u8 by the range of the elements, widened to hold 0 (ONNX, DynamicQuantizeLinear): return the
    integers, their scale and their zero point.

    ONNX says nothing of elements that are not finite: here all integers are 0, and the scale is infinite or NaN.
    """
    low = np.minimum(x.min(initial=0), np.float32(0))
    high = np.maximum(x.max(initial=0), np.float32(0))
    with np.errstate(all="ignore"):
        scale = np.float32((high - low) / np.float32(255))
        if scale == 0:
            scale = np.float32(1)
        zero_point = np.asarray(np.clip(np.rint(-low / scale), 0, 255)).astype(np.uint8)
    scale = np.asarray(scale)
    return quantize_linear(x, scale, zero_point, "u8"), scale, zero_point


def dequantize_linear(
    q: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, storage: str
) -> np.ndarray:
    """Return (q - zero_point) · scale, computed in f32, in the float type `storage`."""
    exact = np.int64 if q.dtype.kind in "iu" and q.dtype.itemsize > 2 else np.float32
    steps = (q.astype(exact) - zero_point.astype(exact)).astype(np.float32, copy=False)
    with np.errstate(all="ignore"):
        return round_to(steps * scale.astype(np.float32, copy=False), storage)


def spread_blocks(
    parameters: np.ndarray, shape: tuple[int, ...], axis: int, block: int
) -> np.ndarray:
    """Return parameters so that they broadcast to `shape`: one number as it is, [n] along `axis`, or, with a `block`
    other than 0, a grid with one number for each `block` elements along `axis`.
    """
    if block:
        repeated = np.repeat(parameters, block, axis)
        return repeated.take(range(shape[axis]), axis)
    if parameters.size == 1:
        return parameters.reshape(())
    return parameters.reshape([-1 if each == axis else 1 for each in range(len(shape))])


def _along(values: np.ndarray, axis: int | None, rank: int) -> np.ndarray:
    """Reshape `values` [n] to broadcast along `axis` of an array of rank `rank`."""
    if values.ndim == 0 or axis is None:
        return values if values.ndim == 0 or values.size != 1 else values.reshape(())
    shape = [1] * rank
    shape[axis] = -1
    return values.reshape(shape)


def add_parameters(sa: float, sb: float, sy: float) -> tuple[int, int, int]:
    """Return the multipliers of both operands and the shift of an integer addition: m_a = round(sa / sy * 2^shift), m_b
    likewise.

    The shift (0..46) is chosen so that the larger multiplier lies in [2^21, 2^22), unless that needs a shift outside
    its limits, which costs precision. Raises ValueError if a scale is not positive and finite or a ratio reaches 2^22.
    """
    if not all(math.isfinite(s) and s > 0 for s in (sa, sb, sy)):
        raise ValueError(f"scales must be positive and finite, not {sa}, {sb}, {sy}")
    ratio_a, ratio_b = sa / sy, sb / sy
    _, exponent = math.frexp(max(ratio_a, ratio_b))
    shift = min(22 - exponent, 46)
    # A ratio just below a power of two may round up to 2^22.
    if round(math.ldexp(max(ratio_a, ratio_b), shift)) >= 2**22:
        shift -= 1
    if shift < 0:
        raise ValueError(
            f"the ratio of scales {max(ratio_a, ratio_b):g} is too large for an addition"
        )
    return round(math.ldexp(ratio_a, shift)), round(math.ldexp(ratio_b, shift)), shift


def clamp_bounds(
    lo: float | None, hi: float | None, scale: float, zero_point: int, storage: str
) -> tuple[int, int]:
    """Convert the real bounds `lo`, `hi` (None: no bound) to storage: round_half_even(bound / scale) + zero_point,
    saturated.

    It rounds as `quantize` does, so that clamping before and after quantization give the same. Raises ValueError if a
    bound is NaN.
    """
    low, high = storage_limits(storage)
    if (lo is not None and math.isnan(lo)) or (hi is not None and math.isnan(hi)):
        raise ValueError("a clamp bound is not a number")

    def stored(bound: float) -> int:
        with np.errstate(over="ignore"):
            value = np.asarray(bound, dtype=np.float32)
        return int(quantize(value, scale, zero_point, storage))

    return low if lo is None else stored(lo), high if hi is None else stored(hi)
