"""Remembers results of functions of attributes and types, by the identity of the argument.

Attributes never change, and many ops share the same ones: one buffer type or list of strides stands in thousands of
ops. Looking an attribute up by its identity costs a tenth of a microsecond; hashing it, as a cache by value has to,
costs as much as most things that are asked of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")

MOST_ENTRIES = 1 << 16
"""How many results each function keeps before it starts afresh."""


def by_identity(function: Callable[[A], R]) -> Callable[[A], R]:
    """Return the function with a memory of its results. Its argument must be immutable and not None, and its result
    must never be changed.

    The arguments are kept alive as long as their results are, so that an identity always means the same object. A call
    that raises is not remembered.
    """
    known: dict[int, tuple[A, R]] = {}

    @wraps(function)
    def remembered(argument: A) -> R:
        found = known.get(id(argument))
        if found is not None:
            return found[1]
        result = function(argument)
        if len(known) >= MOST_ENTRIES:
            known.clear()
        known[id(argument)] = argument, result
        return result

    return remembered
