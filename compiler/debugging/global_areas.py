"""Finds the areas of global memory that chosen instructions touch: what becomes input or output of their program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.instruction_set import SEGMENTS, Access
from ...backends.program.program import Port, Program
from ...backends.simulator.streams.streams import Streams
from .port_names import unused_name

_WEIGHTS = SEGMENTS.index("weights")


@dataclass(eq=False)
class Area:
    """Bytes [low, high) of a segment that become one input or output (`side`) of the new program, where they start at
    `offset`. `port` is the input or output of the whole program that they are, or None.
    """

    side: str
    segment: int
    low: int
    high: int
    port: Port | None = None
    numbers: list[int] = field(default_factory=list)
    """The instructions that touch it."""
    gone: list[tuple[int, int]] = field(default_factory=list)
    """What was written since it was read: bytes [first, past the last)."""
    name: str = ""
    offset: int = 0

    def note_write(self, access: Access) -> None:
        """Note what an instruction overwrites."""
        first, end = access.extent()
        low, high = max(self.low, first), min(self.high, end)
        known = any(first <= low and high <= end for first, end in self.gone)
        if access.segment == self.segment and low < high and not known:
            self.gone.append((low, high))

    def takes(self, other: Area) -> bool:
        """Return whether an area that is read or written later is to be a part of this one.

        It is if it shares bytes that are not gone, or touches, such as neighboring tiles do. Inputs and outputs of the
        whole are not joined with what touches them.
        """
        seam = int(self.port is other.port is None)
        return (
            (self.side, self.segment) == (other.side, other.segment)
            and self.low < other.high + seam
            and other.low < self.high + seam
            and not any(low < other.high and other.low < high for low, high in self.gone)
        )

    def join(self, other: Area) -> None:
        """Make another area a part of this one."""
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.port = self.port if self.port is other.port else None
        self.numbers += other.numbers
        self.gone += other.gone


def global_access(streams: Streams, number: int) -> Access | None:
    """Return what an instruction touches of global memory apart from weights, or None."""
    for access in streams.accesses(number):
        if access.space == "global" and access.segment != _WEIGHTS:
            return access
    return None


def find_sides(streams: Streams, order: Sequence[int], kept: AbstractSet[int]) -> dict[int, str]:
    """Return for each chosen instruction that touches global memory whether that becomes "input" or "output".

    Outputs are written by chosen instructions, and may be read again by them.
    """
    sizes = streams.program.segment_sizes
    own = [np.zeros(sizes.get(name, 0), np.bool_) for name in SEGMENTS]
    sides: dict[int, str] = {}
    for number in order:
        access = global_access(streams, number)
        if access is None:
            continue
        runs = access.intervals().tolist()
        if access.write:
            for low, high in runs:
                own[access.segment][low:high] = number in kept
            if number in kept:
                sides[number] = "output"
        elif number in kept:
            written = [own[access.segment][low:high] for low, high in runs]
            some = any(part.any() for part in written)
            if some and not all(part.all() for part in written):
                raise DiagnosticError(
                    f"{streams.name(number)} reads bytes of chosen and of other instructions at once",
                    hint="choose whole ops",
                )
            sides[number] = "output" if some else "input"
    return sides


def find_areas(streams: Streams, order: Sequence[int], sides: Mapping[int, str]) -> list[Area]:
    """Return the areas of global memory that chosen instructions touch, by side, segment and address.

    `sides` are those of `find_sides`. What is read of one place before and after it is written are two inputs.
    """
    found: list[Area] = []
    for number in order:
        access = global_access(streams, number)
        if access is None:
            continue
        if access.write:
            for area in found:
                if area.side == "input":
                    area.note_write(access)
        if number not in sides:
            continue
        area = _area(streams.program, sides[number], access)
        area.numbers.append(number)
        for other in reversed(found.copy()):
            if other.takes(area):
                found.remove(other)
                area.join(other)
        found.append(area)
    found.sort(key=lambda a: (a.side, a.segment, a.low))
    return _named(found)


def _named(areas: list[Area]) -> list[Area]:
    """Return the areas with the names of their inputs and outputs."""
    for area in areas:
        taken = {other.name for other in areas if other.side == area.side}
        name = f"{SEGMENTS[area.segment]}_0x{area.low:x}"
        area.name = unused_name(name, taken) if area.port is None else area.port.name
    return areas


def _area(program: Program, side: str, access: Access) -> Area:
    """Return the input or output of the whole that an instruction touches a part of, or else just what it touches."""
    low, high = access.extent()
    ports = {"input": program.inputs, "output": program.outputs}[side]
    for port in ports if SEGMENTS[access.segment] == side else ():
        if port.offset <= low and high <= port.offset + port.size:
            return Area(side, access.segment, port.offset, port.offset + port.size, port)
    return Area(side, access.segment, low, high)
