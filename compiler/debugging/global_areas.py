"""Finds the areas of global memory that chosen instructions touch: what becomes input or output of their program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.instruction_set import SEGMENTS, Access
from ...backends.program.program import Port, Program
from ...backends.simulator.streams.streams import Streams

_WEIGHTS = SEGMENTS.index("weights")


@dataclass
class Area:
    """Bytes [low, high) of a segment that become one input or output (`side`) of the new program, where they start at
    `offset`. `port` is the input or output of the whole program that they are, or None.
    """

    side: str
    segment: int
    low: int
    high: int
    port: Port | None = None
    offset: int = 0

    @property
    def name(self) -> str:
        """The name of the input or output."""
        return f"{SEGMENTS[self.segment]}_0x{self.low:x}" if self.port is None else self.port.name


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
    """Return the areas of global memory, by side, segment and address."""
    found: list[Area] = []
    for number in order:
        access = global_access(streams, number)
        if access is None:
            continue
        area = _area(streams.program, sides[number], access)
        for other in [o for o in found if _overlap(o, area)]:
            found.remove(other)
            low, high = min(other.low, area.low), max(other.high, area.high)
            port = area.port if area.port is other.port else None
            area = replace(area, low=low, high=high, port=port)
        found.append(area)
    return _without_seams(sorted(found, key=lambda a: (a.side, a.segment, a.low)))


def _area(program: Program, side: str, access: Access) -> Area:
    """Return the input or output of the whole that an instruction touches a part of, or else just what it touches."""
    low, high = access.extent()
    ports = {"input": program.inputs, "output": program.outputs}[side]
    for port in ports if SEGMENTS[access.segment] == side else ():
        if port.offset <= low and high <= port.offset + port.size:
            return Area(side, access.segment, port.offset, port.offset + port.size, port)
    return Area(side, access.segment, low, high)


def _without_seams(areas: Sequence[Area]) -> list[Area]:
    """Join areas of one kind that touch, such as those of neighboring tiles, but no inputs or outputs of the whole."""
    result: list[Area] = []
    for area in areas:
        last = result[-1] if result else None
        if (
            last is not None
            and last.port is area.port is None
            and (last.side, last.segment, last.high) == (area.side, area.segment, area.low)
        ):
            last.high = area.high
        else:
            result.append(area)
    return result


def _overlap(a: Area, b: Area) -> bool:
    return (a.side, a.segment) == (b.side, b.segment) and a.low < b.high and b.low < a.high


def area_of(areas: Sequence[Area], side: str, access: Access) -> Area:
    """Return the area that holds what an instruction touches."""
    low, high = access.extent()
    return next(
        area
        for area in areas
        if (area.side, area.segment) == (side, access.segment)
        and area.low <= low
        and high <= area.high
    )
