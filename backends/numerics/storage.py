"""Storage types by name: how the elements of a tensor are kept in memory.

Every table of storage types elsewhere (the codes in programs and in safetensors files, the rates of a
target) is derived from the one here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import ml_dtypes
import numpy as np

from .rounding_up import Whole, ceil_div


@dataclass(frozen=True)
class StorageType:
    """What is known of a storage type.

    `bits` is the size of an element in memory, whole bytes, `program_code` the type's code in the words of instructions
    (0 means no type), `safetensors_code` its code in weight files. `is_float`: something computes with it as floating
    point. `is_operand`: networks compute with it, and the matrix and the vector unit multiply it. `is_accumulator`:
    sums of products are kept in it. `small` says that elements are only given, moved, compared, cast and returned, and
    what numbers they are. `file_bits` is the size of an element in files, where small ones share bytes. `is_packed`:
    the matrix and the vector unit take weights of it that share bytes in memory, too (`packing.py`).
    """

    name: str
    dtype: np.dtype
    bits: int
    program_code: int
    safetensors_code: str
    is_float: bool = False
    is_operand: bool = False
    is_accumulator: bool = False
    small: Literal["", "float", "integer"] = ""
    file_bits: int = 0
    is_packed: bool = False

    def __post_init__(self) -> None:
        if not self.file_bits:
            object.__setattr__(self, "file_bits", self.bits)


def _small_float(
    name: str, dtype: type, program_code: int, code: str, bits: int = 8
) -> StorageType:
    return StorageType(name, np.dtype(dtype), 8, program_code, code, small="float", file_bits=bits)


def _small_integer(
    name: str, dtype: type, program_code: int, bits: int, *, is_packed: bool = False
) -> StorageType:
    # Formats of weight files know no integers of less than a byte: theirs are bytes (`dialects/ir/weights.py`).
    return StorageType(
        name,
        np.dtype(dtype),
        8,
        program_code,
        "U8",
        small="integer",
        file_bits=bits,
        is_packed=is_packed,
    )


STORAGE_TYPES: Mapping[str, StorageType] = {
    row.name: row
    for row in (
        StorageType(
            "f32",
            np.dtype(np.float32),
            32,
            10,
            "F32",
            is_float=True,
            is_operand=True,
            is_accumulator=True,
        ),
        StorageType("f16", np.dtype(np.float16), 16, 8, "F16", is_float=True, is_operand=True),
        StorageType(
            "bf16", np.dtype(ml_dtypes.bfloat16), 16, 9, "BF16", is_float=True, is_operand=True
        ),
        StorageType("f64", np.dtype(np.float64), 64, 11, "F64", is_float=True),
        StorageType("i8", np.dtype(np.int8), 8, 1, "I8", is_operand=True),
        StorageType("i16", np.dtype(np.int16), 16, 3, "I16", is_operand=True),
        StorageType("i32", np.dtype(np.int32), 32, 5, "I32", is_accumulator=True),
        StorageType("i64", np.dtype(np.int64), 64, 7, "I64", is_accumulator=True),
        StorageType("u8", np.dtype(np.uint8), 8, 2, "U8", is_operand=True),
        StorageType("u16", np.dtype(np.uint16), 16, 4, "U16"),
        StorageType("u32", np.dtype(np.uint32), 32, 6, "U32"),
        StorageType("u64", np.dtype(np.uint64), 64, 13, "U64"),
        StorageType("bool", np.dtype(np.bool_), 8, 12, "BOOL"),
        _small_float("f8E4M3FN", ml_dtypes.float8_e4m3fn, 14, "F8_E4M3"),
        _small_float("f8E4M3FNUZ", ml_dtypes.float8_e4m3fnuz, 15, "F8_E4M3FNUZ"),
        _small_float("f8E5M2", ml_dtypes.float8_e5m2, 16, "F8_E5M2"),
        _small_float("f8E5M2FNUZ", ml_dtypes.float8_e5m2fnuz, 17, "F8_E5M2FNUZ"),
        _small_float("f8E8M0FNU", ml_dtypes.float8_e8m0fnu, 18, "F8_E8M0"),
        _small_float("f6E2M3FN", ml_dtypes.float6_e2m3fn, 19, "U8", 6),
        _small_float("f6E3M2FN", ml_dtypes.float6_e3m2fn, 20, "U8", 6),
        _small_float("f4E2M1FN", ml_dtypes.float4_e2m1fn, 21, "U8", 4),
        _small_integer("i4", ml_dtypes.int4, 22, 4, is_packed=True),
        _small_integer("u4", ml_dtypes.uint4, 23, 4),
        _small_integer("i2", ml_dtypes.int2, 24, 2),
        _small_integer("u2", ml_dtypes.uint2, 25, 2),
    )
}
"""Every storage type, by name. Small floats have MLIR's names."""

STORAGE_NAMES: tuple[str, ...] = tuple(STORAGE_TYPES)
"""The names of all storage types."""


def _names(holds: Callable[[StorageType], bool]) -> tuple[str, ...]:
    """Return the names of the storage types for which `holds` is true, in the order of their codes."""
    rows = sorted(STORAGE_TYPES.values(), key=lambda row: row.program_code)
    return tuple(row.name for row in rows if holds(row))


FLOAT_NAMES = _names(lambda row: row.is_float)
"""The names of the floating-point storage types: f16, bf16, f32, f64."""
OPERAND_NAMES = _names(lambda row: row.is_operand)
"""The storage types that the matrix and the vector unit multiply: i8, u8, i16, f16, bf16, f32."""
INTEGER_OPERAND_NAMES = _names(lambda row: row.is_operand and not row.is_float)
"""The storage types of quantized operands of the matrix unit: i8, u8, i16."""
NETWORK_FLOAT_NAMES = _names(lambda row: row.is_operand and row.is_float)
"""The floating-point storage types that networks compute with: f16, bf16, f32."""
ACCUMULATOR_NAMES = _names(lambda row: row.is_accumulator)
"""The storage types in which sums of products are kept: i32, i64, f32."""
INTEGER_ACCUMULATOR_NAMES = _names(lambda row: row.is_accumulator and not row.is_float)
"""The storage types in which sums of integer products are kept: i32, i64."""
LOOKUP_NAMES = _names(lambda row: row.is_operand and not row.is_float and row.bits == 8)
"""The storage types whose elements are positions in a lookup table: i8, u8."""
SMALL_FLOAT_NAMES = _names(lambda row: row.small == "float")
"""The floats of 8 bits and less, which nothing computes with but the matrix unit: f8E4M3FN … f4E2M1FN."""
SMALL_INTEGER_NAMES = _names(lambda row: row.small == "integer")
"""The integers of less than 8 bits, which nothing computes with but products with weights of i4: i4, u4, i2, u2."""
SCALED_FLOAT_NAMES = ("f8E4M3FN", "f8E5M2")
"""The small floats that the matrix unit multiplies; what they stand for has a scale."""
MATRIX_NAMES = (*OPERAND_NAMES, *SCALED_FLOAT_NAMES)
"""The storage types that the matrix unit multiplies: i8, u8, i16, f16, bf16, f32, f8E4M3FN, f8E5M2."""
PACKED_NAMES = _names(lambda row: row.is_packed)
"""The storage types of weights several of which share a byte in memory, until a unit multiplies them: i4."""
NARROW_WEIGHT_NAMES = ("i8", *PACKED_NAMES)
"""The storage types of weights that may have another type than the numbers that they are multiplied with: i8, i4."""
WEIGHT_NAMES = (*INTEGER_OPERAND_NAMES, *PACKED_NAMES)
"""The storage types of quantized weights: i8, u8, i16, i4."""
SMALL_NAMES = (*SMALL_FLOAT_NAMES, *SMALL_INTEGER_NAMES)
"""The storage types that nothing computes with: their elements are given, moved, compared, cast and returned."""
EXPONENTS = "f8E8M0FNU"
"""The storage type whose elements are powers of 2: block scales."""
FILE_PACKED_NAMES = _names(lambda row: row.file_bits < 8)
"""The storage types several of whose elements share a byte in files; in memory each takes a byte."""
PERMUTED_NAMES = _names(lambda row: row.bits in (8, 16, 32))
"""The storage types whose elements the vector unit can move between lanes: those of 1, 2 and 4 bytes."""

_NAMES: dict[np.dtype, str] = {row.dtype: name for name, row in STORAGE_TYPES.items()}


def storage_type(name: str) -> StorageType:
    """Look up storage type `name`. Raises ValueError for an unknown name."""
    try:
        return STORAGE_TYPES[name]
    except KeyError:
        known = ", ".join(STORAGE_TYPES)
        raise ValueError(f"unknown storage type '{name}' (known: {known})") from None


def dtype_of(name: str) -> np.dtype:
    """Return the NumPy data type of storage type `name`. Raises ValueError for an unknown name."""
    return storage_type(name).dtype


def name_of(dtype: np.dtype | type) -> str:
    """Return the name of the storage type with a NumPy data type. Raises ValueError if there is none."""
    try:
        return _NAMES[np.dtype(dtype).newbyteorder("=")]
    except KeyError:
        raise ValueError(f"no storage type for data type '{np.dtype(dtype)}'") from None


def bytes_of(elements: Whole, name: str) -> Whole:
    """Return how many bytes `elements` of storage type `name` take side by side, rounded up to whole bytes."""
    bits = storage_type(name).bits
    if bits % 8 == 0:
        return elements * (bits // 8)
    return ceil_div(elements, 8 // bits)


def elements_in(size_bytes: int, name: str) -> int:
    """Return how many elements of storage type `name` fit into `size_bytes`."""
    return size_bytes * 8 // storage_type(name).bits


def size_bytes(name: str) -> int:
    """Return the distance in bytes from one element of storage type `name` to the next.

    An element's address is its number times this distance, so an instruction that strides over single elements needs a
    type of whole bytes. For sizes of buffers and transfers use `bytes_of`.
    """
    return bytes_of(1, name)


def bits_of(name: str) -> int:
    """Return how many bits the elements of storage type `name` say something with."""
    return storage_type(name).file_bits


def repeats_one_byte(value: int, name: str) -> bool:
    """Tell whether all bytes of an integer in a storage type are equal: DMA engines pad with bytes."""
    size = size_bytes(name)
    return len(set((value % (1 << 8 * size)).to_bytes(size, "little"))) == 1


def takes_weights(input: str, weight: str) -> bool:
    """Tell whether inputs of one storage type are multiplied by weights of another one: of a type that weights may have
    beside other inputs (`NARROW_WEIGHT_NAMES`), with fewer bits or, beside unsigned inputs, as many.
    """
    if weight not in NARROW_WEIGHT_NAMES or input in SCALED_FLOAT_NAMES:
        return False
    unsigned = dtype_of(input).kind == "u"
    return bits_of(weight) - unsigned < bits_of(input)


def sums_floats(name: str) -> bool:
    """Return whether products of a storage type are summed as floats: of what computes as floats, and of scaled small
    floats.
    """
    return is_float(name) or name in SCALED_FLOAT_NAMES


def is_float(name: str) -> bool:
    """Return whether something computes with storage type `name` as floating point, which is so for none of 8 bits and
    less. Raises ValueError for an unknown name.
    """
    return storage_type(name).is_float


def integer_range(name: str) -> tuple[int, int]:
    """Return least and greatest value of an integer storage type. Raises ValueError for floats and bool."""
    row = storage_type(name)
    if row.dtype.kind not in "iu" and row.small != "integer":
        raise ValueError(f"storage type '{name}' is not an integer type")
    info = ml_dtypes.iinfo(row.dtype)
    return int(info.min), int(info.max)


def round_to(x: np.ndarray, name: str) -> np.ndarray:
    """Round `x` [any shape, any float] once, half to even, to the floating-point storage type `name`.

    Numbers that are too large become infinite, or NaN, or the largest one, by what the type has. Raises ValueError if
    `name` is not a float type.
    """
    row = storage_type(name)
    if not row.is_float and row.small != "float":
        raise ValueError(f"storage type '{name}' is not a floating-point type")
    dtype = row.dtype
    if x.dtype == dtype:
        return x
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if x.dtype == np.float64 and dtype.itemsize < 4 and name != "f16":
            return _round_to_odd_f32(x).astype(dtype)
        return x.astype(dtype)


def saturate_to(x: np.ndarray, name: str) -> tuple[np.ndarray, int]:
    """Round constants `x` [any shape, any float] to the floating-point storage type `name`; count those outside its
    range.

    Rounds half to even. As in ONNX Runtime's float16 converter, a finite number stays finite (it becomes the largest
    one), and a number other than zero does not become zero (it becomes the smallest one): a mask of -1e9 stays a mask,
    and a divisor can still be divided by. Raises ValueError if `name` is not a float type.
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
    """Round f64 to f32, making inexact results odd, so that a second rounding gives what a single rounding would.

    The conversions of f64 to bf16 and to small floats go through f32, and rounding to the nearest f32 could make a tie
    that was none. With more than two spare bits, rounding to odd first is harmless (Boldo and Melquiond, 2008, theorem
    1).
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
