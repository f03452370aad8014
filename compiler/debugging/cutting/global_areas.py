"""Finds the areas of global memory that chosen instructions touch: what becomes input or output of their program."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....backends.instructions.instruction_set import SEGMENTS, Access
from ....backends.program.program import Port, Program
from ....backends.simulator.streams.streams import Streams
from .port_names import unused_name

_WEIGHTS = SEGMENTS.index("weights")


class GlobalUse(NamedTuple):
    """What an instruction touches of global memory by the address in one of its fields."""

    number: int
    field: str
    access: Access


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
    uses: list[GlobalUse] = field(default_factory=list)
    gone: list[tuple[int, int]] = field(default_factory=list)
    """What was written since it was read: bytes [first, past the last)."""
    name: str = ""
    offset: int = 0

    def note_write(self, access: Access) -> None:
        """Note what an instruction overwrites of an input; an output has what is written last."""
        if self.side == "output" or self.segment != access.segment:
            return
        first, end = access.extent()
        low, high = max(self.low, first), min(self.high, end)
        known = any(first <= low and high <= end for first, end in self.gone)
        if low < high and not known:
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
        self.uses += other.uses
        self.gone += other.gone


def global_uses(streams: Streams, number: int) -> list[GlobalUse]:
    """Return what an instruction touches of global memory apart from weights; what it reads comes first."""
    fields = streams.fields[number]
    names = [name.removesuffix("_segment") for name in fields if name.endswith("_segment")]
    uses: list[GlobalUse] = []
    for access in sorted(streams.accesses(number), key=lambda access: access.write):
        if access.space != "global" or access.segment == _WEIGHTS:
            continue
        place = SEGMENTS[access.segment], access.address
        name = next(n for n in names if (fields[f"{n}_segment"], fields[n]) == place)
        names.remove(name)
        uses.append(GlobalUse(number, name, access))
    return uses


def find_areas(streams: Streams, order: Sequence[int], chosen: AbstractSet[int]) -> list[Area]:
    """Return the areas of global memory that chosen instructions touch, by side, segment and address.

    Outputs are written by chosen instructions, and may be read again by them. What is read of one place before and
    after it is written are two inputs.

    Raises DiagnosticError if an instruction reads bytes of chosen and of other instructions at once.
    """
    sizes = streams.program.segment_sizes
    own = [np.zeros(sizes.get(name, 0), np.bool_) for name in SEGMENTS]
    found: list[Area] = []
    for number in order:
        for use in global_uses(streams, number):
            if use.access.write:
                for low, high in use.access.intervals().tolist():
                    own[use.access.segment][low:high] = number in chosen
                for area in found:
                    area.note_write(use.access)
            if number in chosen:
                side = "output" if use.access.write else _side_of_read(streams, use, own)
                _add(found, _area(streams.program, side, use))
    found.sort(key=lambda a: (a.side, a.segment, a.low))
    return _named(found)


def _side_of_read(streams: Streams, use: GlobalUse, own: Sequence[np.ndarray]) -> str:
    """Return whether a chosen instruction reads what others wrote, or what chosen ones did; `own` tells that of each
    byte of each segment.
    """
    memory = own[use.access.segment]
    written = [memory[low:high] for low, high in use.access.intervals().tolist()]
    some = any(part.any() for part in written)
    if some and not all(part.all() for part in written):
        raise DiagnosticError(
            f"{streams.name(use.number)} reads bytes of chosen and of other instructions at once",
            hint="choose whole ops",
        )
    return "output" if some else "input"


def _add(found: list[Area], area: Area) -> None:
    """Add an area, which takes in those found so far that it belongs together with."""
    for other in reversed(found.copy()):
        if other.takes(area):
            found.remove(other)
            area.join(other)
    found.append(area)


def _named(areas: list[Area]) -> list[Area]:
    """Return the areas with the names of their inputs and outputs."""
    for area in areas:
        taken = {other.name for other in areas if other.side == area.side}
        name = f"{SEGMENTS[area.segment]}_0x{area.low:x}"
        area.name = unused_name(name, taken) if area.port is None else area.port.name
    return areas


def _area(program: Program, side: str, use: GlobalUse) -> Area:
    """Return the input or output of the whole that an instruction touches a part of, or else just what it touches."""
    segment, (low, high) = use.access.segment, use.access.extent()
    ports = {"input": program.inputs, "output": program.outputs}[side]
    for port in ports if SEGMENTS[segment] == side else ():
        if port.offset <= low and high <= port.offset + port.size:
            return Area(side, segment, port.offset, port.offset + port.size, port, [use])
    return Area(side, segment, low, high, uses=[use])
