"""Checks the addresses that buffers of a tile program have: inside their memory, and no byte shared in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import StringAttr

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects.ir.location import place_of
from ...dialects.tile.analysis.buffer_uses import BufferUse, memory_capacity
from ...dialects.tile.buffer import BufferOp, MemoryPlace
from ..tiling.allocation import Lifetime, first_conflict

if TYPE_CHECKING:
    from ...backends.targets.target import Target

PACKED_SEGMENTS = ("weights", "input", "output")
"""Segments of global memory whose buffers are in use as long as the program runs."""
_Given = dict[MemoryPlace, list[tuple[BufferUse, int]]]
_HINT = "change one of the addresses, or remove them: tile-assign-addresses chooses those that are left out"


def address_of(op: BufferOp) -> int | None:
    """Return the address of a buffer, None where it has none yet."""
    return None if op.address is None else op.address.value.data


def lifetime_of(use: BufferUse, steps: int) -> Lifetime:
    """Return from when to when the bytes of a buffer are in use, in a program of so many steps."""
    if use.memory[0] in PACKED_SEGMENTS:
        return Lifetime(use.size_bytes, 0, steps)
    return Lifetime(use.size_bytes, use.first, use.last)


def check_given_addresses(uses: Iterable[BufferUse], steps: int, target: Target) -> None:
    """Check the buffers that have an address, in a program of so many steps.

    Raises DiagnosticError if a buffer lies outside its memory, or if two that are in use at one time share bytes.
    """
    memories = _by_memory(uses)
    _check_inside(memories, target)
    for memory, given in memories.items():
        lifetimes = [lifetime_of(use, steps) for use, _ in given]
        pair = first_conflict(lifetimes, [address for _, address in given])
        if pair is not None:
            (first, low), (second, high) = given[pair[0]], given[pair[1]]
            raise DiagnosticError(
                f"{_name(first.op)} and {_name(second.op)} are in use at one time and share bytes of {_memory(memory)}",
                place_of(second.op),
                notes=[
                    f"{_name(use.op)}: {_bytes(use, address)}, in use from step {life.first} to step {life.last}"
                    for use, address, life in (
                        (first, low, lifetimes[pair[0]]),
                        (second, high, lifetimes[pair[1]]),
                    )
                ],
                hint=_HINT,
            )


def check_inside_memories(uses: Iterable[BufferUse], target: Target) -> None:
    """Raise DiagnosticError if a buffer that has an address lies outside its memory."""
    _check_inside(_by_memory(uses), target)


def _by_memory(uses: Iterable[BufferUse]) -> _Given:
    """Return the buffers that have an address, with the addresses, by memory."""
    memories: _Given = defaultdict(list)
    for use in uses:
        address = address_of(use.op)
        if address is not None and (use.is_used or use.memory[0] in PACKED_SEGMENTS):
            memories[use.memory].append((use, address))
    return memories


def _check_inside(memories: _Given, target: Target) -> None:
    for memory, given in memories.items():
        capacity = memory_capacity(target, memory)
        for use, address in given:
            if address + use.size_bytes > capacity:
                raise DiagnosticError(
                    f"{_name(use.op)} is at {_bytes(use, address)} of {_memory(memory)}, which has {capacity} bytes",
                    place_of(use.op),
                    hint=_HINT,
                )


def _bytes(use: BufferUse, address: int) -> str:
    return f"bytes {address} to {address + use.size_bytes - 1}"


def _name(op: BufferOp) -> str:
    """Return what a diagnostic calls a buffer: its name in the text, or the kind of its declaration."""
    name = op.properties.get("name")
    hint = name.data if isinstance(name, StringAttr) else op.output.name_hint
    return f"buffer '%{hint}'" if hint else f"a {op.name} of {op.output.type}"


def _memory(memory: MemoryPlace) -> str:
    space, core = memory
    return f"segment {space}" if core < 0 else f"{space} memory of core {core}"
