"""Checks instructions whose fields each fit: the rules of the class hold, and all bytes lie in memory.

The verifier of the isa dialect and the check of program files share this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..numerics.functions.call import Call
from .columns import extent
from .host_call import call_error
from .instruction_set import SEGMENTS, Access, HostCall, Instruction
from .rules import Fields

_CHECKED_BYTES = 1 << 24
"""A transfer that writes more bytes is not searched for runs that overlap."""


@dataclass(frozen=True)
class MemorySizes:
    """The bytes of the memories that a program uses: of each core's local and accumulator memory, and of the segments
    in the order of `SEGMENTS`.
    """

    local: tuple[int, ...]
    acc: tuple[int, ...]
    segments: tuple[int, ...]

    @property
    def cores(self) -> int:
        """How many cores the program has."""
        return len(self.local)

    def of(self, access: Access, core: int) -> int:
        """Return the size of the memory that an access of an instruction of `core` touches."""
        if access.space == "global":
            return self.segments[access.segment]
        return (self.local if access.space == "local" else self.acc)[
            core if access.core is None else access.core
        ]


def instruction_error(
    instruction: type[Instruction],
    fields: Fields,
    sizes: MemorySizes,
    core: int,
    calls: Sequence[Call] = (),
) -> str | None:
    """Say what is wrong with an instruction of `core` whose fields each fit: a broken rule, bytes outside the memory
    that the program uses, or a call that is none of the program's `calls`; None if nothing.

    `fields` are those of the table's `accesses`: names for codes, with `engine`. The answer names
    the field.
    """
    for text, holds in instruction.rules:
        if not holds(fields):
            return f"it must have {text}, got {_shown(text, fields)}"
    if instruction is HostCall:
        weights_bytes = sizes.segments[SEGMENTS.index("weights")]
        if (problem := call_error(fields, calls, weights_bytes)) is not None:
            return problem
    transfer = "src_space" in fields
    for access in instruction.accesses(fields):
        if access.core is not None and access.core >= sizes.cores:
            return f"field 'peer_core' names core {access.core}, there are {sizes.cores}"
        first, last, total = extent(access)
        size = sizes.of(access, core)
        where = _address_field(instruction, fields, access)
        if first < 0 or last > size:
            verb = "writes" if access.write else "reads"
            return (
                f"field '{where}': it {verb} bytes {first:#x} to {last:#x} of "
                f"{_memory_name(access, size)}"
            )
        # Runs that lie inside the memory and do not overlap have no more bytes than it: that bounds
        # what a simulator holds.
        if total > size and (access.write or not transfer):
            return f"field '{where}': its runs overlap ({total} bytes in a range of {last - first})"
        # A file cannot make the check hold more than this; the sanitizer checks larger transfers.
        twice = access.overlap() if access.write and transfer and total <= _CHECKED_BYTES else None
        if twice is not None:
            return f"field '{where}': its runs overlap, bytes {twice[0]:#x} to {twice[1]:#x} are written twice"
    return None


def _address_field(instruction: type[Instruction], fields: Fields, access: Access) -> str:
    """Return the address field that an access starts from (the first with its value)."""
    if "src_space" in fields:
        return "dst" if access.write else "src"
    names = [field.name for field in instruction.fields if field.kind == "address"]
    return next((name for name in names if fields[name] == access.address), "address")


def _memory_name(access: Access, size: int) -> str:
    if access.space == "global":
        return f"segment '{SEGMENTS[access.segment]}', which has {size:#x}"
    owner = "" if access.core is None else f"core {access.core}'s "
    return f"{owner}{access.space} memory, of which the program uses {size:#x}"


def _shown(text: str, fields: Fields) -> str:
    """Say which values the fields have that a rule mentions."""
    words = text.replace(",", " ").split()
    return ", ".join(f"{name}={fields[name]}" for name in fields if name in words) or "other values"
