"""Tells which operand an access of an instruction belongs to, before the operands have addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .access import Access
from .instruction import Instruction

_OPERAND_SHIFT = 40
"""Operand k is given the address (k + 1) << 40, so that an address tells the operand: no operand is as large."""


def with_operands_apart(
    instruction: type[Instruction], fields: Mapping[str, Any], operands: Sequence[str]
) -> dict[str, Any]:
    """Return all fields of an instruction: those of `fields`, defaults, and addresses for the address fields
    `operands`, far from each other.
    """
    complete = {f.name: fields.get(f.name, f.default) for f in instruction.fields}
    return complete | {name: k << _OPERAND_SHIFT for k, name in enumerate(operands, 1)}


def operand_accesses(
    instruction: type[Instruction], apart: Mapping[str, Any], operands: Sequence[str]
) -> Iterator[tuple[str, Access]]:
    """Return the accesses of an instruction, each with the address field of its operand, and with an address that
    counts from the start of the operand. `apart` are the fields that `with_operands_apart` returned.
    """
    for access in instruction.accesses(apart):
        number, address = divmod(access.address, 1 << _OPERAND_SHIFT)
        yield operands[number - 1], access._replace(address=address)
