"""Models that are wrong, each in one way: every family is a function that yields a name and a model, or the bytes of a
file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .attributes import attributes
from .building import Bad, edited
from .damage import damaged
from .external_data import external
from .graphs import GRAPHS, TENSORS
from .nesting import functions, nested
from .operands import operands
from .sizes import huge

FAMILIES: dict[str, Callable[[], Iterator[Bad]]] = {
    "damaged": damaged,
    "graphs": lambda: edited(GRAPHS),
    "tensors": lambda: edited(TENSORS),
    "attributes": attributes,
    "operands": operands,
    "huge": huge,
    "nested": nested,
    "functions": functions,
    "external": external,
}
"""The families of bad models, by name."""
