"""Element types: their storage names ("i8", "f32" …), and the builtin types for those names."""

from __future__ import annotations

from math import prod

from xdsl.dialects.builtin import (
    Float4E2M1FNType,
    Float6E2M3FNType,
    Float6E3M2FNType,
    Float8E4M3FNType,
    Float8E4M3FNUZType,
    Float8E5M2FNUZType,
    Float8E5M2Type,
    Float8E8M0FNUType,
    IntegerType,
    MemRefType,
    Signedness,
    TensorType,
    bf16,
    f16,
    f32,
    f64,
)
from xdsl.ir import Attribute, SSAValue

from ...backends.numerics.storage import (
    NETWORK_FLOAT_NAMES,
    PACKED_NAMES,
    SMALL_NAMES,
    STORAGE_TYPES,
    bytes_of,
)
from ..ir.identity_cache import by_identity
from .calibrated_type import CalibratedType
from .scaled_type import ScaledFloatType
from .uniform_type import UniformQuantizedType

_SMALL_FLOATS = (
    Float8E4M3FNType,
    Float8E4M3FNUZType,
    Float8E5M2Type,
    Float8E5M2FNUZType,
    Float8E8M0FNUType,
    Float6E2M3FNType,
    Float6E3M2FNType,
    Float4E2M1FNType,
)
_TYPES: dict[str, Attribute] = {
    "f32": f32,
    "f16": f16,
    "bf16": bf16,
    "f64": f64,
    "bool": IntegerType(1),
    **{
        name: IntegerType(
            row.file_bits, Signedness.UNSIGNED if name[0] == "u" else Signedness.SIGNLESS
        )
        for name, row in STORAGE_TYPES.items()
        if row.dtype.kind in "iu" or row.small == "integer"
    },
    **{kind.name: kind() for kind in _SMALL_FLOATS},
}
_NOT_QUANTIZED = frozenset(SMALL_NAMES) - frozenset(PACKED_NAMES)
"""The storage types of integers that nothing computes with: quantized elements are not stored so."""
_SMALL_FLOAT_NAMES: dict[type, str] = {kind: kind.name for kind in _SMALL_FLOATS}
_FLOAT_NAMES = {type(_TYPES[name]): name for name, row in STORAGE_TYPES.items() if row.is_float}


@by_identity
def element_storage(type: Attribute) -> str:
    """Return the storage name of an element type, or of a tensor's or buffer's elements.

    A quantized type gives the name of its storage, a calibrated one that of the float that it expresses. Raises
    ValueError if no storage holds the type.
    """
    if isinstance(type, TensorType | MemRefType):
        type = type.element_type
    if isinstance(type, ScaledFloatType):
        return type.storage_name
    if isinstance(type, UniformQuantizedType):
        type = type.storage
        if isinstance(type, IntegerType) and _integer_name(type) in _NOT_QUANTIZED:
            raise ValueError(f"no storage type for quantized elements of {type}")
    elif isinstance(type, CalibratedType):
        type = type.expressed
    name = _FLOAT_NAMES.get(type.__class__) or _SMALL_FLOAT_NAMES.get(type.__class__)
    if name is not None:
        return name
    if isinstance(type, IntegerType):
        name = _integer_name(type)
        if name in _TYPES:
            return name
    raise ValueError(f"no storage type for elements of type {type}")


def _integer_name(type: IntegerType) -> str:
    width = type.width.data
    if width == 1:
        return "bool"
    return f"{'u' if type.signedness.data == Signedness.UNSIGNED else 'i'}{width}"


def type_of_storage(name: str) -> Attribute:
    """Return the builtin type whose storage name is `name` ("u8" → ui8, "bool" → i1). Raises ValueError if the name is
    unknown.
    """
    try:
        return _TYPES[name]
    except KeyError:
        raise ValueError(f"unknown storage type '{name}' (known: {', '.join(_TYPES)})") from None


def is_float(type: Attribute) -> bool:
    """Return whether an element type (or a tensor's) is a float of 16 bits or more, calibrated or not: something
    computes with it.
    """
    if isinstance(type, TensorType | MemRefType):
        type = type.element_type
    return isinstance(type, CalibratedType) or type.__class__ in _FLOAT_NAMES


def is_network_float(type: Attribute) -> bool:
    """Return whether an element type (or a tensor's) is a float that networks compute with: f16, bf16 or f32,
    calibrated or not. Wider floats are only moved and given to calls, as integers are.
    """
    return is_float(type) and element_storage(type) in NETWORK_FLOAT_NAMES


def is_bool(type: Attribute) -> bool:
    """Return whether an element type (or a tensor's) is i1."""
    if isinstance(type, TensorType | MemRefType):
        type = type.element_type
    return isinstance(type, IntegerType) and type.width.data == 1


def is_quantized(type: Attribute) -> bool:
    """Return whether an element type (or a tensor's) is !quant.uniform."""
    if isinstance(type, TensorType | MemRefType):
        type = type.element_type
    return isinstance(type, UniformQuantizedType)


def is_scaled(type: Attribute) -> bool:
    """Return whether an element type (or a tensor's) is !tpu.scaled."""
    if isinstance(type, TensorType | MemRefType):
        type = type.element_type
    return isinstance(type, ScaledFloatType)


def expressed(type: Attribute) -> Attribute:
    """Return the element type without its calibrated range."""
    return type.expressed if isinstance(type, CalibratedType) else type


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """Return the shape of a value that is a tensor or a buffer."""
    return type_shape(value.type)


@by_identity
def type_shape(type: Attribute) -> tuple[int, ...]:
    """Return the shape of a tensor or buffer. Raises ValueError if the type is neither."""
    if not isinstance(type, TensorType | MemRefType):
        raise ValueError(f"a tensor or buffer was expected, got {type}")
    return type.get_shape()


def element_of(value: SSAValue) -> Attribute:
    """Return the element type of a value that is a tensor or a buffer."""
    type = value.type
    if not isinstance(type, TensorType | MemRefType):
        raise ValueError(f"a tensor or buffer was expected, got {type}")
    return type.element_type


@by_identity
def type_bytes(type: Attribute) -> int:
    """Return the size of a tensor or buffer in bytes. Raises ValueError if the type is neither, or its size is not
    known.
    """
    shape = type_shape(type)
    if any(size < 0 for size in shape):
        raise ValueError(f"the size of {type} is not known")
    return bytes_of(prod(shape), element_storage(type))
