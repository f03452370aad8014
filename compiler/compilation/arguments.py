"""Checks the arguments of the Python API: a value of a wrong type is a diagnostic, as it is on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import NamedTuple

from ...backends.diagnostics.diagnostic import DiagnosticError, Place

_SHOWN_CHARACTERS = 60


class Argument(NamedTuple):
    """What is given for an argument, the types that it may have, and words that say what it may be.

    `values` is one value or, of an argument that takes several, all of them.
    """

    values: Sequence[object]
    types: tuple[type, ...]
    expected: str


def whole_number(value: object, what: str) -> Argument:
    """Return an argument that is None or a whole number, also one of NumPy's."""
    return Argument([value], (Integral, type(None)), f"{what}, a whole number, or None")


def switch(value: object) -> Argument:
    """Return an argument that is True or False."""
    return Argument([value], (bool,), "True or False")


def by_name(value: object, what: str) -> Argument:
    """Return an argument that is None or maps names to something."""
    return Argument([value], (Mapping, type(None)), f"a mapping from names to {what}, or None")


def one_or_several(value: object, types: tuple[type, ...], expected: str) -> Argument:
    """Return an argument that is something of these types, or a sequence of such things."""
    values: Sequence[object] = [value]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        values = value
    return Argument(values, types, f"{expected}, or several in a list")


def check_arguments(function: str, arguments: Mapping[str, Argument]) -> None:
    """Raise DiagnosticError if an argument of a function has a type that it may not have. `arguments` has their names.

    True and False are no numbers.
    """
    for name, (values, types, expected) in arguments.items():
        for value in values:
            if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
                raise DiagnosticError(
                    f"{name} cannot be {_shown(value)}",
                    Place(name=f"{function}({name}=)"),
                    hint=f"give {expected}",
                )


def _shown(value: object) -> str:
    """Return a value as it is written in Python, without its end if it is long, and its type."""
    text = repr(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[:_SHOWN_CHARACTERS]}…"
    return f"{text}, of type {type(value).__name__}"
