"""Conversion of elements to another storage type: of their values, with the rounding and saturation of ONNX's Cast, or
of their bits.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np

from ...storage import (
    EXPONENTS,
    STORAGE_NAMES,
    STORAGE_TYPES,
    dtype_of,
    is_float,
    name_of,
    round_to,
)
from ..function import (
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    taken,
)

_EXPONENT_BIAS = 127
_LARGEST_CODE = 0xFE
_NAN_CODE = 0xFF
ROUND_MODES = ("up", "down", "nearest")
"""How a number between two powers of 2 is rounded."""
SATURATING = tuple(
    name for name, row in STORAGE_TYPES.items() if row.small == "float" and row.file_bits == 8
)
"""The storage types for which `saturate` matters: those of 6 and 4 bits have nothing beyond their largest number."""


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    return [TensorKind(x.shape, attributes["to"])]


def _cast(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Convert as ONNX says: floats to integers toward zero, to floats rounded once, integers to narrower ones by their
    low bits; what is not 0 is true.
    """
    (x,), storage = arrays, attributes["to"]
    if x.dtype == dtype_of(storage):
        return [x]
    if storage == "bool":
        return [x != 0]
    x = widened(x)
    if STORAGE_TYPES[storage].small == "float":
        return [to_small_float(x, storage, attributes["saturate"], attributes["round_mode"])]
    if STORAGE_TYPES[storage].small == "integer":
        return [_to_small_integer(x, storage)]
    if is_float(storage):
        # Integers of 64 bits have more digits than f64: NumPy rounds them to f32 at once.
        exact = x if x.dtype.kind == "f" or storage in ("f32", "f64") else x.astype(np.float64)
        return [
            round_to(exact, storage) if exact.dtype.kind == "f" else exact.astype(dtype_of(storage))
        ]
    return [x.astype(dtype_of(storage))]


def _infer_bits(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    (x,) = taken(operands, "x")
    given, wanted = (STORAGE_TYPES[name].file_bits for name in (x.storage, attributes["to"]))
    if given != wanted:
        raise FunctionError(f"elements of {given} bits are none of {wanted} bits")
    return [TensorKind(x.shape, attributes["to"])]


def _bit_cast(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Read the bits of elements as another type; a byte that is not 0 is true."""
    (x,), storage = arrays, attributes["to"]
    if storage == "bool":
        return [x.view(np.uint8) != 0]
    return [x.view(dtype_of(storage))]


def widened(x: np.ndarray) -> np.ndarray:
    """Return elements that are small in a type that NumPy computes with and that holds them all: f32 or i8; others as
    they are.
    """
    small = STORAGE_TYPES[name_of(x.dtype)].small
    return x.astype(np.float32 if small == "float" else np.int8) if small else x


def to_small_float(
    x: np.ndarray, storage: str, saturate: bool = True, round_mode: str = "up"
) -> np.ndarray:
    """Round numbers [any shape] of a type that is not small to small floats, once, half to even.

    With `saturate` numbers beyond the largest one, the infinite too, become the largest one; without, they become
    infinite or, in a type without infinity, NaN (ONNX, Cast). A type with neither always saturates, and NaN becomes 0
    in it, with a sign of its own. Powers of 2 are rounded by `round_mode`.
    """
    wide = x.astype(np.float64) if x.dtype.kind in "iub" else x
    if storage == EXPONENTS:
        return _to_exponents(wide.astype(np.float64), saturate, round_mode)
    if saturate and storage in SATURATING:
        wide = wide.astype(np.float64)  # the limits of some types are beyond f16
        limit = float(ml_dtypes.finfo(dtype_of(storage)).max)
        wide = np.clip(wide, -limit, limit)
    return round_to(wide, storage)


def _to_exponents(x: np.ndarray, saturate: bool, round_mode: str) -> np.ndarray:
    """Round f64 to powers of 2, from 2^-127 to 2^127, "up", "down" or to the "nearest" number, up if both are as near.

    With `saturate` numbers outside the range become its ends, without NaN. Negative numbers become NaN.
    """
    mantissas, exponents = np.frexp(x)  # x is a mantissa from 0.5 to 1 times a power
    rounded_up = {"up": mantissas > 0.5, "nearest": mantissas >= 0.75}.get(round_mode, False)
    codes = exponents.astype(np.int64) - 1 + rounded_up + _EXPONENT_BIAS
    codes = np.where(x == 0, -1, np.where(np.isinf(x), _NAN_CODE, codes))
    outside = (codes < 0) | (codes > _LARGEST_CODE)
    codes = np.clip(codes, 0, _LARGEST_CODE) if saturate else np.where(outside, _NAN_CODE, codes)
    codes = np.where(np.isnan(x) | (x < 0), _NAN_CODE, codes)
    return codes.astype(np.uint8).view(dtype_of(EXPONENTS))


def _to_small_integer(x: np.ndarray, storage: str) -> np.ndarray:
    """Convert to integers of less than a byte: by the low bits of the whole part. A float beyond 64 bits, or NaN, is
    none in particular, as in NumPy's own conversions.
    """
    bits = STORAGE_TYPES[storage].file_bits
    whole = x.astype(np.int64) if x.dtype.kind not in "iub" else x
    codes = (whole.astype(np.uint8) & np.uint8((1 << bits) - 1)).astype(np.uint8)
    return codes.view(dtype_of(storage))


FUNCTIONS = (
    Function(
        "bit_cast",
        "The bits of x as elements of the storage type `to`, which has as many bits.",
        _infer_bits,
        _bit_cast,
        {"to": Parameter(str, None, STORAGE_NAMES)},
        example=((TensorKind((4,), "f32"),), {"to": "i32"}),
    ),
    Function(
        "cast",
        "x in the storage type `to`: floats toward zero to integers, integers by their low bits; to floats rounded. "
        "Floats of 8 bits become the largest number if they are beyond it, unless `saturate` is false; those that are "
        "powers of 2 are rounded by `round_mode`.",
        _infer,
        _cast,
        {
            "to": Parameter(str, None, STORAGE_NAMES),
            "saturate": Parameter(bool, True),
            "round_mode": Parameter(str, "up", ROUND_MODES),
        },
        example=((TensorKind((4,), "i64"),), {"to": "f32"}),
    ),
)
"""The functions of this family."""
