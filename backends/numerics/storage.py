"""Storage types by name: how the elements of a tensor are kept in memory, as NumPy data types."""

from __future__ import annotations

import ml_dtypes
import numpy as np

_DTYPES: dict[str, np.dtype] = {
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "f64": np.dtype(np.float64),
    "i8": np.dtype(np.int8),
    "i16": np.dtype(np.int16),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "u8": np.dtype(np.uint8),
    "u16": np.dtype(np.uint16),
    "u32": np.dtype(np.uint32),
    "bool": np.dtype(np.bool_),
}
_NAMES: dict[np.dtype, str] = {dtype: name for name, dtype in _DTYPES.items()}
_FLOATS = frozenset({"f32", "f16", "bf16", "f64"})
STORAGE_NAMES: tuple[str, ...] = tuple(_DTYPES)
"""Every storage type there is."""


def dtype_of(name: str) -> np.dtype:
    """The NumPy data type of storage type `name`; ValueError for an unknown name."""
    try:
        return _DTYPES[name]
    except KeyError:
        known = ", ".join(_DTYPES)
        raise ValueError(f"unknown storage type '{name}' (known: {known})") from None


def name_of(dtype: np.dtype | type) -> str:
    """The storage type's name of a NumPy data type; ValueError where no storage type has it."""
    try:
        return _NAMES[np.dtype(dtype).newbyteorder("=")]
    except KeyError:
        raise ValueError(f"no storage type for data type '{np.dtype(dtype)}'") from None


def size_bytes(name: str) -> int:
    """Bytes of one element of storage type `name`."""
    return dtype_of(name).itemsize


def is_float(name: str) -> bool:
    """Whether `name` is a floating-point storage type; ValueError for an unknown name."""
    return dtype_of(name) is not None and name in _FLOATS


def integer_range(name: str) -> tuple[int, int]:
    """Least and greatest value of an integer storage type; ValueError for floats and bool."""
    dtype = dtype_of(name)
    if dtype.kind not in "iu":
        raise ValueError(f"storage type '{name}' is not an integer type")
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def round_to(x: np.ndarray, name: str) -> np.ndarray:
    """`x` [any shape, any float] in the floating-point storage type `name`, rounded once, half to
    even.

    What is too large becomes an infinity. ValueError when `name` is not a float type.
    """
    if not is_float(name):
        raise ValueError(f"storage type '{name}' is not a floating-point type")
    dtype = dtype_of(name)
    if x.dtype == dtype:
        return x
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if x.dtype == np.float64 and name == "bf16":
            return _round_to_odd_f32(x).astype(dtype)
        return x.astype(dtype)


def saturate_to(x: np.ndarray, name: str) -> tuple[np.ndarray, int]:
    """Constants `x` [any shape, any float] in the floating-point storage type `name`, and how many
    finite numbers it does not reach.

    Rounded half to even; a finite number stays finite (the largest there is), and what is not zero
    does not become zero (but the smallest there is), as in ONNX Runtime's float16 converter: a mask
    of -1e9 stays a mask, a divisor stays one. ValueError when `name` is not a float type.
    """
    stored = round_to(x, name)
    if stored is x:
        return x, 0
    limits = ml_dtypes.finfo(stored.dtype)
    finite = np.isfinite(x)
    beyond = finite & ~np.isfinite(stored)
    vanished = (x != 0) & (stored == 0)
    if beyond.any() or vanished.any():
        stored[beyond] = np.where(x[beyond] < 0, limits.min, limits.max).astype(stored.dtype)
        least = limits.smallest_subnormal
        stored[vanished] = np.where(x[vanished] < 0, -least, least).astype(stored.dtype)
    return stored, int(np.count_nonzero(beyond))


def _round_to_odd_f32(x: np.ndarray) -> np.ndarray:
    """f64 to f32, inexact results made odd, so that a second rounding gives what one rounding
    would.

    The conversion of f64 to bf16 goes through f32, whose rounding to nearest could make a tie of
    what is none. With more than two spare bits, rounding to odd first is harmless (Boldo and
    Melquiond, 2008, theorem 1).
    """
    nearest = np.atleast_1d(x.astype(np.float32))
    wide = np.atleast_1d(x)
    bits = nearest.view(np.uint32).copy()
    finite = np.isfinite(nearest)
    even = (bits & 1) == 0
    back = nearest.astype(np.float64)
    # An even f32 that is not x: its neighbor on the other side of x is odd. Bits count magnitudes.
    too_small = finite & even & (np.abs(back) < np.abs(wide))
    too_large = finite & even & (np.abs(back) > np.abs(wide))
    bits[too_small] += 1
    bits[too_large] -= 1
    return bits.view(np.float32).reshape(x.shape)
