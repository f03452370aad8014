"""Checks that a program gives the same results however fast its engines run, and reads only bytes that were written.

The check is exact to the byte and covers every execution that the machine allows, not only a simulated one: two
instructions that touch the same byte, one of them writing, must be ordered by the vector clocks of `clocks.py`. Memory
is cut at the ends of all accesses, so that the pieces of a memory are few and each is touched whole or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError
from ..instructions.instruction_set import SEGMENTS, Access
from ..program.program import Port
from .clocks import start_clocks
from .functional.schedule import execution_order
from .streams.streams import Streams, memory_name

_REPORTED = 20
_Key = tuple[str, int]
"""A memory: ("global", segment) or its space and core."""


@dataclass
class _Shadow:
    """What is known of each piece of one memory.

    `bounds` int64 [pieces + 1] are the ends of the pieces. `written` bool [pieces] says whether they were written.
    `writers` and `readers` have for each engine int32 [pieces]: 1 + the position of the engine's last instruction that
    wrote or read the piece, 0 for none.
    """

    name: str
    bounds: np.ndarray
    written: np.ndarray
    writers: dict[int, np.ndarray] = field(default_factory=dict)
    readers: dict[int, np.ndarray] = field(default_factory=dict)

    def pieces(self, intervals: np.ndarray) -> np.ndarray | slice:
        """Return the pieces that intervals [n, 2] of bytes consist of."""
        ends = np.searchsorted(self.bounds, intervals)
        if len(ends) == 1:
            return slice(int(ends[0, 0]), int(ends[0, 1]))
        counts = ends[:, 1] - ends[:, 0]
        offsets = np.repeat(ends[:, 0] - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
        return offsets + np.arange(int(counts.sum()))

    def bytes_at(self, pieces: np.ndarray | slice, chosen: np.ndarray) -> str:
        """Name the first and the last byte of the first run of neighboring pieces that are `chosen` among `pieces`."""
        numbers = np.arange(pieces.start, pieces.stop) if isinstance(pieces, slice) else pieces
        numbers = numbers[chosen]
        gaps = np.flatnonzero(np.diff(numbers) > 1)
        last = numbers[gaps[0]] if len(gaps) else numbers[-1]
        return f"bytes {self.bounds[numbers[0]]} to {self.bounds[last + 1] - 1} of {self.name}"


def sanitize_program(streams: Streams) -> None:
    """Raise DiagnosticError if a program has unordered conflicts, reads of unwritten bytes, unwritten outputs or a
    deadlock.

    The error lists them. Accesses outside their memory are found when the program is decoded.
    """
    order = execution_order(streams)
    checker = _Checker(streams, order)
    for number in order:
        checker.visit(number)
    checker.check_outputs()
    if checker.count:
        notes = checker.notes
        if checker.count > len(notes):
            notes = [*notes, f"and {checker.count - len(notes)} more"]
        raise DiagnosticError(
            "the program's result depends on chance, or on bytes that nobody wrote",
            notes=notes,
            hint="order accesses with `after`, or with a signal and a wait; if Smalti compiled the program and nobody "
            "edited it, this is a bug in Smalti",
        )


class _Checker:
    def __init__(self, streams: Streams, order: list[int]) -> None:
        self._streams = streams
        self._clocks = start_clocks(streams, order)
        self._accesses = [
            [
                (_key(access), access.write, access.intervals())
                for access in streams.exact_accesses(number)
            ]
            for number in range(len(streams))
        ]
        self._shadows = self._cut_memories()
        self._seen: set[tuple[int, int, str]] = set()
        self.notes: list[str] = []
        self.count = 0

    def _cut_memories(self) -> dict[_Key, _Shadow]:
        ends: dict[_Key, list[np.ndarray]] = defaultdict(list)
        for accesses in self._accesses:
            for key, _, intervals in accesses:
                ends[key].append(intervals.ravel())
        program = self._streams.program
        inputs = ("global", SEGMENTS.index("input"))
        for segment, ports in (("input", program.inputs), ("output", program.outputs)):
            for port in ports:
                ends["global", SEGMENTS.index(segment)].append(_port_bytes(port).ravel())
        result: dict[_Key, _Shadow] = {}
        for key, arrays in ends.items():
            space, number = key
            bounds = np.unique(np.concatenate(arrays))
            name = memory_name(Access(space, number, number, 0, 0))
            given = space == "global" and SEGMENTS[number] == "weights"
            shadow = _Shadow(name, bounds, np.full(max(len(bounds) - 1, 0), given))
            if key == inputs:
                for port in self._streams.program.inputs:
                    shadow.written[shadow.pieces(_port_bytes(port))] = True
            result[key] = shadow
        return result

    def visit(self, number: int) -> None:
        """Check an instruction against those before it in the order of execution; it reads before it writes."""
        for key, write, intervals in sorted(self._accesses[number], key=lambda access: access[1]):
            shadow = self._shadows[key]
            pieces = shadow.pieces(intervals)
            self._check_order(
                number, shadow, pieces, shadow.writers, "writes" if write else "reads", "writes"
            )
            engine = self._streams.engine[number]
            place = self._streams.position[number] + 1
            if write:
                self._check_order(number, shadow, pieces, shadow.readers, "writes", "reads")
                shadow.written[pieces] = True
                self._check_own_runs(number, shadow)
                self._plane(shadow, shadow.writers, engine)[pieces] = place
                continue
            missing = ~shadow.written[pieces]
            if missing.any():
                where = shadow.bytes_at(pieces, missing)
                self._report(
                    number,
                    -1,
                    where,
                    f"{self._streams.name(number)} reads {where}, which nobody wrote",
                )
            self._plane(shadow, shadow.readers, engine)[pieces] = place

    @staticmethod
    def _plane(shadow: _Shadow, planes: dict[int, np.ndarray], engine: int) -> np.ndarray:
        plane = planes.get(engine)
        if plane is None:
            plane = planes[engine] = np.zeros(len(shadow.written), np.int32)
        return plane

    def _check_order(
        self,
        number: int,
        shadow: _Shadow,
        pieces: np.ndarray | slice,
        planes: dict[int, np.ndarray],
        verb: str,
        earlier: str,
    ) -> None:
        clock = self._clocks[number]
        for engine, plane in planes.items():
            places = plane[pieces]
            unordered = places > clock[engine]
            if engine == self._streams.engine[number]:
                # An instruction reads its operands before it writes its result.
                unordered &= places != self._streams.position[number] + 1
            if unordered.any():
                # Report the last unordered one of the engine: waiting for it would order the others
                # too.
                place = int(places[unordered].max())
                other = self._streams.queues[engine][place - 1]
                where = shadow.bytes_at(pieces, places == place)
                names = self._streams.name(number), self._streams.name(other)
                self._report(
                    number,
                    other,
                    shadow.name,
                    f"{names[0]} {verb} {where}, which {names[1]} {earlier}, "
                    "and nothing orders the two",
                )

    def _check_own_runs(self, number: int, shadow: _Shadow) -> None:
        """Report bytes that an instruction writes twice: their value depends on which of its runs is moved last."""
        for access in self._streams.accesses(number):
            twice = access.overlap() if access.write else None
            if twice is not None:
                where = f"bytes {twice[0]} to {twice[1] - 1} of {shadow.name}"
                name = self._streams.name(number)
                self._report(
                    number, number, where, f"{name} writes {where} twice: its runs overlap"
                )

    def _report(self, number: int, other: int, where: str, text: str) -> None:
        if (number, other, where) in self._seen:
            return
        self._seen.add((number, other, where))
        self.count += 1
        if len(self.notes) < _REPORTED:
            self.notes.append(text)

    def check_outputs(self) -> None:
        """Check that some instruction writes every byte of the outputs."""
        shadow = self._shadows.get(("global", SEGMENTS.index("output")))
        for port in self._streams.program.outputs:
            if shadow is None or not port.size:
                continue
            pieces = shadow.pieces(_port_bytes(port))
            missing = ~shadow.written[pieces]
            if missing.any():
                where = shadow.bytes_at(pieces, missing)
                self._report(-1, -1, where, f"output '{port.name}': nobody writes {where}")


def _port_bytes(port: Port) -> np.ndarray:
    """Return the bytes of an input or output as one interval [1, 2]."""
    return np.array([[port.offset, port.offset + port.size]])


def _key(access: Access) -> _Key:
    if access.space == "global":
        return "global", access.segment
    assert access.core is not None
    return access.space, access.core
