"""Handles many instructions at once: groups instructions that differ only in numbers, with their fields as columns.

A class's formulas (`cycles`, `accesses`) and the rules of its fields are arithmetic, so they work on columns as well as
on the numbers of one instruction, a hundred times quicker. Values that formulas choose by are plain, and the same for
all instructions of a group: names, flags, whether an optional operand is there, which core is the peer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .field_range import code_names
from .fields import ENGINES, NO_ADDRESS, Field
from .instruction_set import Instruction

EXACT = 2.0**53
"""f64 holds whole numbers below this limit exactly; of a larger result it is only certain that it reaches the limit."""


@dataclass(frozen=True)
class Columns:
    """A group of instructions: their `numbers` (int64 [n], ascending), which the caller has given, and their `fields`.

    A field is a plain value that all share, or a column f64 [n].
    """

    instruction: type[Instruction]
    numbers: np.ndarray
    fields: Mapping[str, Any]


class _Fields(Mapping[str, Any]):
    """Fields of the instructions at `places` of a table; a column is made when it is asked for."""

    def __init__(self, table: Any, places: np.ndarray, shared: dict[str, Any]) -> None:
        self._table, self._places, self._known = table, places, shared
        self._names = (*shared, *(name for name in table.dtype.names if name not in shared))

    def __getitem__(self, name: str) -> Any:
        found = self._known.get(name)
        if found is None:
            if name not in self._table.dtype.names:
                raise KeyError(name)
            found = self._known[name] = self._table[name][self._places].astype(np.float64)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def grouped(
    instruction: type[Instruction], table: np.ndarray, numbers: np.ndarray
) -> Iterator[Columns]:
    """Yield groups of instructions of one class that share the fields that formulas choose by.

    `table` is a structured array [n] with the class's fields and `engine`, as codes that have
    names; `numbers` int64 [n].
    """
    codes: dict[str, np.ndarray] = {"engine": table["engine"]}
    fields = {field.name: field for field in instruction.fields}
    for name, field in fields.items():
        if _is_shared(field):
            codes[name] = table[name]
        elif _is_optional(field):
            codes[name] = table[name] == NO_ADDRESS
    for places in _equal_rows(list(codes.values()), len(table)):
        first = places[0]
        shared: dict[str, Any] = {"engine": ENGINES[table["engine"][first]]}
        for name in codes.keys() & fields.keys():
            value = table[name][first].item()
            if _is_shared(fields[name]):
                names = code_names(fields[name])
                shared[name] = names[value] if names else value
            elif value == NO_ADDRESS:
                shared[name] = NO_ADDRESS
        yield Columns(instruction, numbers[places], _Fields(table, places, shared))


def _is_shared(field: Field) -> bool:
    """Return whether formulas may choose by a field's value."""
    return field.kind in ("storage", "enum", "flag") or field.name == "peer_core"


def _is_optional(field: Field) -> bool:
    """Return whether a field is the address of an optional operand."""
    return field.kind == "address" and field.default == NO_ADDRESS


def _equal_rows(columns: list[np.ndarray], count: int) -> list[np.ndarray]:
    """Return the places at which all columns agree, ascending, group by group."""
    group = np.zeros(count, np.int64)
    for column in columns:
        if column.size and (column != column[0]).any():
            key = group * (int(column.max()) + 1) + column
            group = np.unique(key, return_inverse=True)[1]
    if not group.any():
        return [np.arange(count)] if count else []
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def extent(access: Any) -> tuple[Any, Any, Any]:
    """Return the first byte of an access, the byte past its last, and the bytes of all runs; for columns f64 [n]
    each.
    """
    low, high, total = access.address, access.address + access.run_bytes, access.run_bytes
    for count, stride in zip(access.counts, access.strides, strict=True):
        reach = (count - 1) * stride
        low, high, total = low + reach * (reach < 0), high + reach * (reach > 0), total * count
    return low, high, total
