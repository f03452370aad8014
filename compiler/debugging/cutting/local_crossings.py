"""Finds the bytes of the cores' local memories that go between chosen and other instructions of a program."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....backends.instructions.instruction_set import Access
from ....backends.simulator.streams.streams import Streams

_NONE = -1


@dataclass(eq=False)
class Crossing:
    """Bytes of one core's local memory that instructions of one side wrote, of one origin, and the other side reads.

    `side` says what they become for the chosen instructions: "input" if others wrote them, "output" if others read
    them. Once one of the bytes is written again, later reads are another crossing.
    """

    side: str
    core: int
    writer: int
    """One of the instructions that wrote them."""
    reads: list[tuple[int, np.ndarray]] = field(default_factory=list)
    """Instructions, each with the addresses that it reads and none before it did: int [n], ascending."""
    overwriter: int | None = None
    """The first instruction that writes one of the bytes again."""

    def addresses(self) -> np.ndarray:
        """Return the addresses of all bytes, ascending."""
        return np.sort(np.concatenate([part for _, part in self.reads]))

    def touches(self, addresses: np.ndarray) -> bool:
        """Return whether addresses lie among those of this crossing, or next to them."""
        first = min(int(part[0]) for _, part in self.reads)
        last = max(int(part[-1]) for _, part in self.reads)
        return first <= int(addresses[-1]) + 1 and int(addresses[0]) <= last + 1


def find_crossings(
    streams: Streams, order: Sequence[int], chosen: AbstractSet[int]
) -> list[Crossing]:
    """Return what crosses between the `chosen` and the other instructions, which run in `order`.

    Bytes that nobody wrote do not cross. Raises DiagnosticError if bytes of accumulator memory cross.
    """
    finder = _Finder(streams, chosen)
    for number in order:
        accesses = [access for access in streams.accesses(number) if access.space != "global"]
        # An instruction reads its operands before it writes its result.
        for access in sorted(accesses, key=lambda access: access.write):
            (finder.write if access.write else finder.read)(number, access)
    return [crossing for crossing in finder.crossings if crossing.reads]


class _Memory:
    """What is known of each byte of one core's local or accumulator memory.

    `writers` has its last writer, `crossings` the crossing that it has become a part of since then, by number.
    """

    def __init__(self, size_bytes: int) -> None:
        self.addresses = np.arange(size_bytes, dtype=np.int32)
        self.writers = np.full(size_bytes, _NONE, np.int32)
        self.crossings = np.full(size_bytes, _NONE, np.int32)


class _Finder:
    """Follows the execution of a whole program, and notes what crosses."""

    def __init__(self, streams: Streams, chosen: AbstractSet[int]) -> None:
        self.crossings: list[Crossing] = []
        self._streams = streams
        self._sides = ["input" if n in chosen else "output" for n in range(len(streams))]
        # What crosses if an instruction of a side reads it, by writer; nobody's is the last entry.
        self._crosses = {
            side: np.array([*(other != side for other in self._sides), False])
            for side in ("input", "output")
        }
        self._origins = streams.words["debug"]
        sizes = {"local": streams.program.local_bytes, "acc": streams.program.acc_bytes}
        self._memories = {
            (space, core): _Memory(size)
            for space, cores in sizes.items()
            for core, size in enumerate(cores)
        }
        self._open: dict[tuple[str, int, int], list[int]] = {}

    def read(self, number: int, access: Access) -> None:
        """Note what crosses when an instruction reads."""
        assert access.core is not None
        side, memory = self._sides[number], self._memories[access.space, access.core]
        writers = _entries(memory.writers, access)
        crosses = self._crosses[side][writers]
        if not crosses.any():
            return
        if access.space == "acc":
            raise self._accumulators(number, int(writers[crosses][0]))
        crosses &= _entries(memory.crossings, access) == _NONE
        addresses = np.unique(_entries(memory.addresses, access)[crosses])
        origins = self._origins[memory.writers[addresses]]
        for origin in np.unique(origins).tolist():
            self._cross((side, access.core, origin), number, addresses[origins == origin])

    def _accumulators(self, reader: int, writer: int) -> DiagnosticError:
        name = self._streams.name
        side = self._sides[reader]
        return DiagnosticError(
            f"{name(reader)} reads accumulators that {name(writer)} wrote, "
            f"and only the {'first' if side == 'input' else 'second'} of the two is chosen",
            hint="choose whole ops",
        )

    def _cross(self, key: tuple[str, int, int], number: int, addresses: np.ndarray) -> None:
        """Add bytes that an instruction reads to the crossing that they touch, or to a new one."""
        side, core, _ = key
        memory = self._memories["local", core]
        own = [i for i in self._open.get(key, ()) if self.crossings[i].overwriter is None]
        near = [i for i in own if self.crossings[i].touches(addresses)]
        if not near:
            near = [len(self.crossings)]
            self.crossings.append(Crossing(side, core, int(memory.writers[addresses[0]])))
        index, *joined = near
        crossing = self.crossings[index]
        added = [(number, addresses)]
        for other in joined:
            added += self.crossings[other].reads
            self.crossings[other].reads = []
        crossing.reads += added
        for _, part in added:
            memory.crossings[part] = index
        self._open[key] = [*(i for i in own if i not in near), index]

    def write(self, number: int, access: Access) -> None:
        """Note that an instruction writes, which ends the crossings that have some of the bytes."""
        assert access.core is not None
        memory = self._memories[access.space, access.core]
        crossings = _entries(memory.crossings, access)
        for index in np.unique(crossings[crossings != _NONE]).tolist():
            if self.crossings[index].overwriter is None:
                self.crossings[index].overwriter = number
        crossings[...] = _NONE
        _entries(memory.writers, access)[...] = number


def _entries(array: np.ndarray, access: Access) -> np.ndarray:
    """Return a view of the entries for the bytes of an access; `array` has one for each byte of the memory."""
    strides = [stride * array.itemsize for stride in (*access.strides, 1)]
    shape = (*access.counts, access.run_bytes)
    return np.lib.stride_tricks.as_strided(array[access.address :], shape, strides)
