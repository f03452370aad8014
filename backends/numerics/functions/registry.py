"""The table of named functions, to which plugins add theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from ..module_tables import module_tables
from .function import Function, FunctionError

_NAME = re.compile(r"[a-z][a-z0-9_]*")

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for family in module_tables(f"{__package__}.families", "FUNCTIONS")
    for function in family
}
"""Every function, by name: those of the modules of the folder `families`, and of plugins."""


def register_functions(functions: Iterable[Function]) -> None:
    """Add functions to the table. Raises FunctionError if a name is taken or is no word of small letters."""
    for function in functions:
        if not _NAME.fullmatch(function.name) or function.name in FUNCTIONS:
            raise FunctionError(f"the name '{function.name}' is taken or no word of small letters")
        FUNCTIONS[function.name] = function


def function_of(name: str) -> Function:
    """Return the function of this name. Raises FunctionError if there is none."""
    found = FUNCTIONS.get(name)
    if found is None:
        near = get_close_matches(name, FUNCTIONS, 1)
        known = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(FUNCTIONS))}"
        raise FunctionError(f"there is no function '{name}' ({known})")
    return found
