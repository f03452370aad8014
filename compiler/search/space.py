"""Points, and spaces of them: what a search may choose among, knowing nothing of what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from ...backends.diagnostics.diagnostic import DiagnosticError

Point = Mapping[str, Any]
"""A choice: by the name of each axis, a value that JSON can hold."""


def key_of(point: Point) -> str:
    """Return the text by which a point is known: its JSON, without regard to the order of its axes."""
    return json.dumps(point, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Space:
    """All combinations of one value of each axis.

    Raises DiagnosticError if an axis has no value.
    """

    axes: Mapping[str, Sequence[Any]]

    def __post_init__(self) -> None:
        for name, values in self.axes.items():
            if not values:
                raise DiagnosticError(
                    f"there is nothing to search: '{name}' has no value",
                    hint="widen the space",
                )

    def __len__(self) -> int:
        return prod(len(values) for values in self.axes.values())

    def __iter__(self) -> Iterator[Point]:
        """Yield the points, those that differ in the last axis only one after the other."""
        for values in product(*self.axes.values()):
            yield dict(zip(self.axes, values, strict=True))

    def point(self, number: int) -> Point:
        """Return the point that `__iter__` yields at a place, counted from 0."""
        chosen: dict[str, Any] = {}
        for name, values in reversed(list(self.axes.items())):
            number, place = divmod(number, len(values))
            chosen[name] = values[place]
        return {name: chosen[name] for name in self.axes}
