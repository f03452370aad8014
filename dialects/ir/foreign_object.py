"""Finds Python objects that a pass has put where an attribute or a location belongs: no text could show them."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr
from xdsl.ir import Attribute, Operation

CONTAINERS = (ArrayAttr, DictionaryAttr)
"""The attributes that hold others."""


def holds_attributes_only(value: object) -> bool:
    """Tell whether a value is an attribute, and so is all that it holds."""
    return all(isinstance(each, Attribute) for each in _members(value))


def foreign_object(op: Operation) -> str | None:
    """Say which object in the properties, the attributes and the location of an op does not belong there; None if all
    do.
    """
    if not isinstance(op.location, Attribute):
        return f"its location is {_shown(op.location)}, expected a location"
    for name, value in (*op.properties.items(), *op.attributes.items()):
        if not isinstance(name, str):
            return f"the name of an attribute is {_shown(name)}, expected a string"
        for each in _members(value):
            if not isinstance(each, Attribute):
                return f"'{name}' holds {_shown(each)}, expected an attribute"
    return None


def _members(value: object) -> Iterator[object]:
    """Return what stands in an array or a dictionary, at any depth; anything else is returned as it is."""
    if not isinstance(value, CONTAINERS):
        yield value
        return
    for each in value.data.values() if isinstance(value, DictionaryAttr) else value.data:
        yield from _members(each)


def _shown(value: object) -> str:
    return f"a Python object of type {type(value).__name__}"
