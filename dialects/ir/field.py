"""Declares the fields of an op once, for the op's definition and for its constructor.

    strides: Ints = prop(converter=ints, default=(1, 1))
    input: SSAValue = operand()
    bias: SSAValue | None = operand(default=None)

Each line says which attribute or operand the op keeps, which function makes the attribute of a Python value, and which
value the field has where a call or the text leaves it out. Editors and type checkers derive the constructor from these
lines, as for a dataclass (PEP 681): operands are given by position, the rest by keyword.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    MemRefType,
    StringAttr,
    TensorType,
    UnitAttr,
)
from xdsl.irdl import operand_def, opt_operand_def, opt_prop_def, prop_def, var_operand_def

from . import attribute
from .attribute import INTEGER, INTS, REAL, REALS

Value = TypeVar("Value")
Kept = TypeVar("Kept")

_REQUIRED: dict[Callable[[Any], Any], Any] = {
    attribute.integer: INTEGER,
    attribute.ints: INTS,
    attribute.real: REAL,
    attribute.reals: REALS,
    attribute.text: StringAttr,
}
_OPTIONAL: dict[Callable[[Any], Any], Any] = {
    attribute.optional_integer: INTEGER,
    attribute.optional_real: REAL,
    attribute.optional_reals: REALS,
    attribute.optional_text: StringAttr,
    attribute.optional_dense: DenseIntOrFPElementsAttr,
    attribute.optional_dictionary: DictionaryAttr,
    attribute.flag: UnitAttr,
}
"""The attributes that each converter makes; the op has no such property where the converter gives None."""

DERIVED: Any = None
"""The default of a field that the op derives from its operands (`TensorOp.derive_fields`)."""


def prop(
    *,
    converter: Callable[[Value], Kept],
    default: Any = DERIVED,
    alias: str | None = None,
    kw_only: bool = True,
) -> Kept:
    """Declare a property.

    Args:
        converter: the function that makes the attribute of a Python value; one of those in ir/attribute.py.
        default: the Python value of a field that is left out; without it the field must be given.
        alias: the property's name in IR and in the constructor, if it differs from the field's.
        kw_only: whether the constructor takes the field by keyword only.

    Raises TypeError if a property that may be absent has a default.
    """
    declared: Any
    if converter in _OPTIONAL:
        if converter(default) is not None:
            raise TypeError(f"a property made by {converter.__name__} is absent by default")
        declared = opt_prop_def(_OPTIONAL[converter], prop_name=alias)
    else:
        value: Any = None if default is DERIVED else converter(default)
        declared = prop_def(_REQUIRED[converter], value, prop_name=alias)
    return declared


def operand(*, default: Any = ..., kw_only: bool = False) -> Any:
    """Declare an operand that is a tensor; an operand whose default is None may be left out."""
    return opt_operand_def(TensorType) if default is None else operand_def(TensorType)


def buffer(*, optional: bool = False) -> Any:
    """Declare an operand that is a buffer; an `optional` one is None where the op has none."""
    return opt_operand_def(MemRefType) if optional else operand_def(MemRefType)


def operand_list() -> Sequence[Any]:
    """Declare a list of operands that are tensors."""
    return var_operand_def(TensorType)


def buffer_list() -> Any:
    """Declare a list of operands that are buffers."""
    return var_operand_def(MemRefType)


def argument(*, converter: Any = None, default: Any = ..., kw_only: bool = True) -> Any:
    """Declare an argument of the constructor that is not a field of the op."""
    return property(doc="An argument of the constructor.")
