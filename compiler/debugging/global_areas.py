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
    `offset`.
    """

    side: str
    segment: int
    low: int
    high: int
    offset: int = 0

    @property
    def name(self) -> str:
        """The name of its port, unless it is an input or output of the whole."""
        return f"{SEGMENTS[self.segment]}_0x{self.low:x}"


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
        area = Area(sides[number], access.segment, *access.extent())
        for other in [o for o in found if _overlap(o, area)]:
            found.remove(other)
            low, high = min(other.low, area.low), max(other.high, area.high)
            area = replace(area, low=low, high=high)
        found.append(area)
    return _without_seams(sorted(found, key=lambda a: (a.side, a.segment, a.low)))


def _without_seams(areas: Sequence[Area]) -> list[Area]:
    """Join areas of one kind that touch, such as those of neighboring tiles."""
    result: list[Area] = []
    for area in areas:
        last = result[-1] if result else None
        if last is not None and (last.side, last.segment, last.high) == (
            area.side,
            area.segment,
            area.low,
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


def port_of(program: Program, area: Area) -> Port | None:
    """Return the input or output of the whole that an area is a part of, or None."""
    ports = {"input": program.inputs, "output": program.outputs}.get(SEGMENTS[area.segment], [])
    for port in ports:
        if port.offset <= area.low and area.high <= port.offset + port.size:
            return port
    return None
