"""Computes integer * multiplier * 2^-shift, exact and rounded half to even, at floating-point speed.

**Why the f64 path is exact.** Let p = v * multiplier * 2^-shift with |v| < 2^53. v and the scale
(31 bits) are exact in f64, so their f64 product t is p rounded once. Rounding is monotonic, and
every half-integer h below 2^52 is an f64: p < h gives t <= h, and p > h gives t >= h. So rint(t)
can differ from rint(p) only where t is itself a half-integer. Those elements, found by |t -
rint(t)| == 1/2, are computed again in integers. Beyond 2^52 every result saturates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

Integers = np.ndarray | int
Residual = tuple[np.ndarray, int, Integers, Integers]
"""Array [..., c] of up to 16 bits, its zero point, multiplier [c] and shift [c]."""

_CHUNK_ELEMENTS = 16384
_GROUPED_COLUMNS = 512


def round_half_even_shift(value: Integers, shift: Integers) -> np.ndarray:
    """Compute round_half_even(value * 2^-shift), int64, for int64 `value` and 0 <= `shift` <= 62 (broadcast)."""
    value, shift = np.asarray(value, dtype=np.int64), np.asarray(shift, dtype=np.int64)
    quotient = value >> shift
    remainder = value & ((np.int64(1) << shift) - 1)
    return quotient + _rounds_up(quotient, remainder, shift)


def _rounds_up(quotient: np.ndarray, remainder: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return whether floor `quotient` with `remainder` * 2^-shift above it rounds up, half to even."""
    half = (np.int64(1) << shift) >> 1
    tie = (remainder == half) & (half > 0) & ((quotient & 1) == 1)
    return (remainder > half) | tie


def check_scale(multiplier: Integers, shift: Integers) -> None:
    """Raise ValueError unless 0 <= multiplier < 2^31 and 0 <= shift <= 62 everywhere."""
    for values, limit, name in ((multiplier, 2**31, "multiplier"), (shift, 63, "shift")):
        array = np.asarray(values)
        if array.size and not (int(array.min()) >= 0 and int(array.max()) < limit):
            raise ValueError(f"a {name} lies outside 0..{limit - 1}")


def scaled_exactly(value: Integers, multiplier: Integers, shift: Integers) -> np.ndarray:
    """Compute round_half_even(value * multiplier * 2^-shift) as int64, in 96-bit integer arithmetic; any int64 `value`.

    Arguments broadcast. A result of magnitude 2^34 or more is only right in its sign, and has at least the magnitude
    3 * 2^32: saturation to 32 bits gives the same for both.
    """
    value = np.asarray(value, dtype=np.int64)
    multiplier = np.asarray(multiplier, dtype=np.int64)
    shift = np.asarray(shift, dtype=np.int64)
    # The product is high * 2^32 + low, 0 <= low < 2^32: |value >> 32| <= 2^31 and multiplier <
    # 2^31.
    partial = (value & 0xFFFFFFFF) * multiplier
    high = (value >> 32) * multiplier + (partial >> 32)
    low = partial & 0xFFFFFFFF
    upper, lower = np.maximum(shift - 32, 0), np.minimum(shift, 32)
    # For shift <= 32, |high| >= 2^(shift + 2) means a result of 2^34 or more: limit it, so that <<
    # stays in 64 bits.
    limit = np.int64(1) << (lower + 2)
    cut = np.clip(high, -limit, limit)
    quotient = np.where(shift <= 32, (cut << (32 - lower)) + (low >> lower), high >> upper)
    rest = ((high & ((np.int64(1) << upper) - 1)) << 32) | low
    remainder = np.where(shift <= 32, low & ((np.int64(1) << lower) - 1), rest)
    return quotient + _rounds_up(quotient, remainder, shift)


@dataclass(frozen=True)
class _Terms:
    """Parameters of `rescale`, each an int64 array of one row's width."""

    bias: np.ndarray | None
    multiplier: np.ndarray
    shift: np.ndarray
    residual_multiplier: np.ndarray | None
    residual_shift: np.ndarray | None
    residual_zero_point: int

    def repeated(self, times: int) -> _Terms:
        """Return the parameters of `times` rows side by side."""
        if times == 1:
            return self

        def tiled(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else np.tile(values, times)

        return _Terms(
            tiled(self.bias),
            np.tile(self.multiplier, times),
            np.tile(self.shift, times),
            tiled(self.residual_multiplier),
            tiled(self.residual_shift),
            self.residual_zero_point,
        )

    def residual_term(self, residual: np.ndarray) -> np.ndarray:
        """Compute round_half_even((residual - zero point) * multiplier * 2^-shift), f64 [rows, c].

        Exact in f64: the difference has at most 17 bits and the multiplier 31, so every product is
        an f64.
        """
        assert self.residual_multiplier is not None and self.residual_shift is not None
        scale = np.ldexp(self.residual_multiplier.astype(np.float64), -self.residual_shift)
        term = residual.astype(np.float64)
        term -= self.residual_zero_point
        term *= scale
        return np.rint(term, out=term)


def rescale(
    acc: np.ndarray,
    bias: np.ndarray | None,
    multiplier: Integers,
    shift: Integers,
    residual: Residual | None,
    zero_point: int,
    limits: tuple[int, int],
    dtype: np.dtype,
) -> np.ndarray:
    """Compute clip(round_half_even(v * multiplier * 2^-shift) + zero_point, *limits) as `dtype`, exact.

    v = acc + bias + round_half_even((r - zr) * mr * 2^-sr), in 64 bits. `acc` is an integer array
    [..., c]; `bias`, the multipliers and the shifts are scalars or [c]; `limits` lie in an integer
    type of up to 32 bits. Raises ValueError for a residual wider than 16 bits, and multipliers or shifts
    out of range.
    """
    shape = acc.shape
    columns = shape[-1] if acc.ndim else 1
    out = np.empty(shape, dtype)
    if not acc.size:
        return out
    terms = _terms(bias, multiplier, shift, residual, columns)
    values = acc.reshape(-1, columns)
    added = None if residual is None else residual[0].reshape(-1, columns)
    target = out.reshape(-1, columns)
    if not _fits_f64(values, terms.bias):
        total = _exact_total(values, terms, added)
        scaled = scaled_exactly(total, terms.multiplier, terms.shift)
        target[...] = np.clip(scaled + zero_point, *limits)
        return out
    for rows, group in _groups(values, added):
        part = None if added is None else added[rows].reshape(-1, group * columns)
        _rescale_rows(
            values[rows].reshape(-1, group * columns),
            terms.repeated(group),
            part,
            zero_point,
            limits,
            target[rows].reshape(-1, group * columns),
        )
    return out


def _terms(
    bias: np.ndarray | None,
    multiplier: Integers,
    shift: Integers,
    residual: Residual | None,
    columns: int,
) -> _Terms:
    def row(values: Integers) -> np.ndarray:
        return np.broadcast_to(np.asarray(values, dtype=np.int64), (columns,))

    if residual is not None and residual[0].dtype.itemsize > 2:
        raise ValueError(f"a residual has at most 16 bits, not {residual[0].dtype}")
    check_scale(multiplier, shift)
    if residual is not None:
        check_scale(residual[2], residual[3])
    return _Terms(
        None if bias is None else row(bias),
        row(multiplier),
        row(shift),
        None if residual is None else row(residual[2]),
        None if residual is None else row(residual[3]),
        0 if residual is None else residual[1],
    )


def _fits_f64(values: np.ndarray, bias: np.ndarray | None) -> bool:
    """Return whether acc + bias + residual is below 2^53 everywhere (a residual's term is below 2^48)."""

    def small(array: np.ndarray) -> bool:
        return int(array.min()) > -(2**51) and int(array.max()) < 2**51

    wide = values.dtype.itemsize > 4
    return (bias is None or small(bias)) and (not wide or small(values))


def _exact_total(values: np.ndarray, terms: _Terms, residual: np.ndarray | None) -> np.ndarray:
    total = values.astype(np.int64)
    if terms.bias is not None:
        total += terms.bias
    if residual is not None:
        total += terms.residual_term(residual).astype(np.int64)
    return total


def _groups(values: np.ndarray, residual: np.ndarray | None) -> Iterator[tuple[slice, int]]:
    """Yield slices of rows, and how many rows of each to lay side by side, since NumPy is slow on short rows."""
    rows, columns = values.shape
    contiguous = values.flags.c_contiguous and (residual is None or residual.flags.c_contiguous)
    group = min(rows, max(1, _GROUPED_COLUMNS // columns)) if contiguous else 1
    whole = rows - rows % group
    yield slice(0, whole), group
    if whole < rows:
        yield slice(whole, rows), 1


def _rescale_rows(
    values: np.ndarray,
    terms: _Terms,
    residual: np.ndarray | None,
    zero_point: int,
    limits: tuple[int, int],
    out: np.ndarray,
) -> None:
    """Write the result of `rescale` for arrays [rows, columns] into `out`, in f64 and in pieces that stay in the
    cache.
    """
    rows, columns = values.shape
    step = max(1, _CHUNK_ELEMENTS // columns)
    scale = np.ldexp(terms.multiplier.astype(np.float64), -terms.shift)
    bias = None if terms.bias is None else terms.bias.astype(np.float64)
    buffers = np.empty((3, min(step, rows), columns))
    for first in range(0, rows, step):
        piece = values[first : first + step]
        total, product, rounded = (buffer[: len(piece)] for buffer in buffers)
        np.copyto(total, piece, casting="same_kind")
        if bias is not None:
            total += bias
        if residual is not None:
            total += terms.residual_term(residual[first : first + step])
        np.multiply(total, scale, out=product)
        np.rint(product, out=rounded)
        product -= rounded
        if product.max() == 0.5 or product.min() == -0.5:
            where = np.nonzero(np.abs(product) == 0.5)
            again = total[where].astype(np.int64)
            rounded[where] = scaled_exactly(
                again, terms.multiplier[where[1]], terms.shift[where[1]]
            )
        np.clip(rounded, limits[0] - zero_point, limits[1] - zero_point, out=rounded)
        rounded += zero_point
        np.copyto(out[first : first + step], rounded, casting="unsafe")


def rescale_quotient(
    total: np.ndarray,
    count: np.ndarray | int,
    multiplier: int,
    shift: int,
    zero_point: int,
    limits: tuple[int, int],
    dtype: np.dtype,
) -> np.ndarray:
    """Compute clip(round_half_even(total * multiplier / (count * 2^shift)) + zero_point, *limits) as `dtype`, exact.

    `total` is an integer array; `count` (> 0) broadcasts to it. With |total| < 2^22 the numerator n
    = total * multiplier * 2^-shift is an f64, so n / count is rounded once and the argument of this
    module holds; at a half-integer h the sign of n - h * count, both exact, says which way the
    quotient lies. Larger totals are divided in Python integers.
    """
    total = np.asarray(total, dtype=np.int64)
    if not total.size:
        return np.empty(total.shape, dtype)
    check_scale(multiplier, shift)
    counts = np.asarray(count, dtype=np.int64)
    if np.any(counts < 1):
        raise ValueError("the count of a mean must be positive")
    if int(np.abs(total).max()) >= 2**22 or int(counts.max()) >= 2**18:
        divide = np.frompyfunc(
            lambda t, c: _round_half_even_ratio(t * multiplier, c << shift), 2, 1
        )
        quotient = divide(total.astype(object), counts.astype(object))
        return np.clip(quotient + zero_point, *limits).astype(dtype)
    numerator = np.atleast_1d(total * np.ldexp(float(multiplier), -shift))
    quotient = numerator / counts
    rounded = np.rint(quotient)
    # Halves beyond 2^33 saturate. Below, h * count has at most 34 + 18 bits and is exact.
    tied = (np.abs(quotient - rounded) == 0.5) & (np.abs(quotient) < 2.0**33)
    if tied.any():
        half = quotient[tied]
        excess = numerator[tied] - half * np.broadcast_to(counts, numerator.shape)[tied]
        nearest = np.where(excess > 0, np.ceil(half), np.floor(half))
        rounded[tied] = np.where(excess == 0, rounded[tied], nearest)
    limited = np.clip(rounded, limits[0] - zero_point, limits[1] - zero_point) + zero_point
    return limited.astype(dtype).reshape(total.shape)


def _round_half_even_ratio(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))
