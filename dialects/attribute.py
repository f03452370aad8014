"""Builds and reads the builtin attributes that ops keep their fields in: integers, reals, lists and
texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from xdsl.dialects.builtin import (
    I64,
    BytesAttr,
    DenseArrayBase,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    f64,
    i64,
)
from xdsl.irdl import EqAttrConstraint, irdl_to_attr_constraint
from xdsl.utils.exceptions import VerifyException

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

_INTEGERS: dict[int, Integer] = {}


def ints(values: Iterable[int]) -> Ints:
    """A list of integers as an attribute."""
    return DenseArrayBase.from_list(i64, [int(value) for value in values])


def ints_of_bytes(data: bytes) -> Ints:
    """A list of integers of their little-endian bytes, 8 for each.

    A quarter of the time of reading a listing would be checks of this attribute that cannot fail, so
    it is made without its constructor: what xDSL's attributes are, frozen dataclasses, is all that this relies on.
    """
    assert len(data) % 8 == 0
    content = BytesAttr.__new__(BytesAttr)
    object.__setattr__(content, "data", data)
    made = cast(Ints, DenseArrayBase.__new__(DenseArrayBase))
    object.__setattr__(made, "elt_type", i64)
    object.__setattr__(made, "data", content)
    return made


def reals(values: Iterable[float]) -> Reals:
    """A list of reals as an attribute, kept in f64."""
    return DenseArrayBase.from_list(f64, [float(value) for value in values])


def integer(value: int) -> Integer:
    """An integer as an attribute; attributes are immutable, so small ones are shared."""
    found = _INTEGERS.get(value)
    if found is None:
        found = IntegerAttr(int(value), i64)
        if -1024 <= value <= 1024:
            _INTEGERS[value] = found
    return found


def real(value: float) -> Real:
    """A real number as an attribute, kept in f64."""
    return FloatAttr(float(value), f64)


def optional_integer(value: int | None) -> Integer | None:
    """`integer(value)`, None for None."""
    return None if value is None else integer(value)


def optional_real(value: float | None) -> Real | None:
    """`real(value)`, None for None."""
    return None if value is None else real(value)


def optional_text(value: str | None) -> StringAttr | None:
    """A text as an attribute, None for None."""
    return None if value is None else StringAttr(value)


def flag(value: bool) -> UnitAttr | None:
    """The attribute of a flag: there or not."""
    return UnitAttr() if value else None


def check_one_of(name: str, value: str, known: Sequence[str]) -> None:
    """VerifyException unless the text of attribute `name` is one of those known."""
    if value not in known:
        raise VerifyException(f"{name} must be one of {', '.join(known)}, got '{value}'")
