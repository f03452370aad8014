"""Builds and reads the builtin attributes in which ops keep their fields: integers, reals, lists and texts."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    BytesAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    f64,
    i1,
    i64,
)
from xdsl.ir import Attribute
from xdsl.irdl import EqAttrConstraint, irdl_to_attr_constraint
from xdsl.utils.exceptions import VerifyException

from .identity_cache import by_identity

Ints = DenseArrayBase[I64]
"""A list of integers: `array<i64: 1, 2>`."""
Reals = DenseArrayBase[Float64Type]
"""A list of reals: `array<f64: 1.0, 2.0>`."""
Integer = IntegerAttr[I64]
"""An integer of 64 bits."""
Real = FloatAttr[Float64Type]
"""A real number in f64."""

INTEGER = irdl_to_attr_constraint(IntegerAttr[I64])
INTS = DenseArrayBase.constr(EqAttrConstraint(i64))
REALS = DenseArrayBase.constr(EqAttrConstraint(f64))
REAL = FloatAttr.constr(EqAttrConstraint(f64))

_SHARED = 1 << 16
"""How many attributes of a kind are kept for sharing: building one costs more than using it."""


def ints(values: Iterable[int]) -> Ints:
    """Return a list of integers as an attribute; equal lists share one attribute."""
    return _ints(tuple([int(value) for value in values]))


@lru_cache(maxsize=_SHARED)
def _ints(values: tuple[int, ...]) -> Ints:
    return DenseArrayBase.from_list(i64, values)


def ints_of_bytes(data: bytes) -> Ints:
    """Return the attribute of a list of integers that is given as little-endian bytes, 8 for each integer.

    The attribute is made without its constructor, whose checks cannot fail here and would take a quarter of the time of
    reading a listing. This relies only on xDSL's attributes being frozen dataclasses.
    """
    assert len(data) % 8 == 0
    content = BytesAttr.__new__(BytesAttr)
    object.__setattr__(content, "data", data)
    made = cast(Ints, DenseArrayBase.__new__(DenseArrayBase))
    object.__setattr__(made, "elt_type", i64)
    object.__setattr__(made, "data", content)
    return made


def reals(values: Iterable[float]) -> Reals:
    """Return a list of reals as an attribute, kept in f64; lists of the same bits share one attribute."""
    return _reals(array("d", values).tobytes())


@lru_cache(maxsize=_SHARED)
def _reals(data: bytes) -> Reals:
    # Bits as the key: 0.0 and -0.0 are equal, and NaN is not equal to itself.
    return DenseArrayBase.from_list(f64, array("d", data))


@by_identity
def values_of(numbers: Ints | Reals) -> tuple[Any, ...]:
    """Return the numbers of a list attribute as Python numbers."""
    return numbers.get_values()


def integer(value: int) -> Integer:
    """Return an integer as an attribute; equal integers share one attribute."""
    return _integer(value)


@lru_cache(maxsize=_SHARED)
def _integer(value: int) -> Integer:
    return IntegerAttr(int(value), i64)


def real(value: float) -> Real:
    """Return a real number as an attribute, kept in f64."""
    return FloatAttr(float(value), f64)


def text(value: str) -> StringAttr:
    """Return a text as an attribute; equal texts share one attribute."""
    return _text(value)


@lru_cache(maxsize=_SHARED)
def _text(value: str) -> StringAttr:
    return StringAttr(value)


def optional_integer(value: int | None) -> Integer | None:
    """Return `integer(value)`, or None for None."""
    return None if value is None else integer(value)


def optional_real(value: float | None) -> Real | None:
    """Return `real(value)`, or None for None."""
    return None if value is None else real(value)


def optional_reals(value: Iterable[float] | None) -> Reals | None:
    """Return `reals(value)`, or None for None."""
    return None if value is None else reals(value)


def optional_dense(value: DenseIntOrFPElementsAttr | None) -> DenseIntOrFPElementsAttr | None:
    """Return the attribute unchanged: a dense constant already says the type of its elements."""
    return value


def optional_text(value: str | None) -> StringAttr | None:
    """Return a text as an attribute, or None for None."""
    return None if value is None else text(value)


def optional_dictionary(value: Mapping[str, object] | None) -> DictionaryAttr | None:
    """Return values by name as an attribute: bools, integers, reals, texts, and lists of them; None for no values."""
    if not value:
        return None
    return DictionaryAttr({name: _plain(each) for name, each in value.items()})


def _plain(value: object) -> Attribute:
    """Return a value of a dictionary as an attribute."""
    match value:
        case bool():
            return IntegerAttr(int(value), i1)
        case int():
            return integer(value)
        case float():
            return real(value)
        case str():
            return text(value)
        case list() | tuple():
            return ArrayAttr([_plain(each) for each in cast("Sequence[object]", value)])
        case _:
            raise TypeError(f"no attribute for {value!r}")


def plain_values(dictionary: DictionaryAttr | None) -> dict[str, Any]:
    """Return the values of a dictionary by name, as Python values. Raises VerifyException if one is no bool, integer
    of 64 bits, real in f64, text, or list of these.
    """
    return {} if dictionary is None else {k: _python(v) for k, v in dictionary.data.items()}


def _python(value: Attribute) -> Any:
    match value:
        case IntegerAttr() if value.type == i1:
            return bool(value.value.data)
        case IntegerAttr() if value.type == i64:
            return value.value.data
        case FloatAttr() if value.type == f64:
            return value.value.data
        case StringAttr():
            return value.data
        case ArrayAttr():
            return [_python(each) for each in value.data]
        case _:
            raise VerifyException(
                f"an attribute is a bool, an integer (i64), a real (f64), a text or a list of them, got {value}"
            )


def flag(value: bool) -> UnitAttr | None:
    """Return the attribute of a flag that is set, or None for one that is not."""
    return UnitAttr() if value else None


def bounds_of(low: Real | None, high: Real | None) -> tuple[float | None, float | None]:
    """Return two optional bounds as numbers; None for a missing one."""
    return None if low is None else low.value.data, None if high is None else high.value.data


def check_bounds(name: str, low: float | None, high: float | None) -> None:
    """Raise VerifyException if both bounds are given and no number lies between them."""
    if low is not None and high is not None and not low <= high:
        raise VerifyException(f"{name} {low} and {high} leave nothing between them")


def check_one_of(name: str, value: str, known: Sequence[str]) -> None:
    """Raise VerifyException unless `value`, the text of attribute `name`, is one of the `known` ones."""
    if value not in known:
        raise VerifyException(f"{name} must be one of {', '.join(known)}, got '{value}'")
