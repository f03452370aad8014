"""A program decoded once for simulation: flat lists over all instructions, and who waits for what.

Instructions are numbered through all cores: first those of core 0 in the order of its stream, then
core 1's, and so on. This number is "the order of the program" that the functional simulator
follows. Engines are numbered `4 * core + engine`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from ...dialects.diagnostic import DiagnosticError
from ...dialects.instruction import ENGINES, SEGMENTS, Access, Instruction, Load, Store
from ..program.encoding import decode_stream
from ..program.program import Program

ENGINE_COUNT = len(ENGINES)
_AGAIN = "compile the program again"
_WAIT_FIELDS = tuple(f"wait_{engine}" for engine in ENGINES)


@dataclass(eq=False)
class Streams:
    """The instructions of all cores, by number.

    `queues[e]` are the numbers of the instructions of engine e in order; `position[i]` is the place
    of instruction i in its queue. `waits[i]` are pairs (engine, completed instructions that it must
    have); `counter_wait[i]` is (counter, least value) or None and `signals[i]` the counters that
    grow by one, counters being numbered `core * counters + counter`. `groups` gives the members of
    each multicast group, `group[i]` is 0 outside of groups. `signallers[counter]` are the
    instructions that signal it.
    """

    program: Program
    kinds: list[type[Instruction]]
    fields: list[dict[str, Any]]
    core: list[int]
    index: list[int]
    engine: list[int]
    position: list[int]
    queues: list[list[int]]
    waits: list[tuple[tuple[int, int], ...]]
    counter_wait: list[tuple[int, int] | None]
    signals: list[tuple[int, ...]]
    group: list[int]
    groups: dict[int, list[int]]
    signallers: dict[int, list[int]]

    def __len__(self) -> int:
        """Instructions of all cores."""
        return len(self.kinds)

    @property
    def cores(self) -> int:
        """Virtual cores of the program."""
        return len(self.program.streams)

    def name(self, number: int) -> str:
        """What a diagnostic calls an instruction: core, index, mnemonic and where it comes from."""
        entry = self.program.origin(self.fields[number]["debug"])
        origin = " of " + ", ".join(f"'{node}'" for node in entry.nodes) if entry.nodes else ""
        mnemonic = self.kinds[number].mnemonic
        return f"core {self.core[number]} instruction {self.index[number]} ({mnemonic}{origin})"

    def engine_name(self, engine: int) -> str:
        """`core 3 matrix`."""
        return f"core {engine // ENGINE_COUNT} {ENGINES[engine % ENGINE_COUNT]}"

    def counter_name(self, counter: int) -> str:
        """`counter 5 of core 3`."""
        core, own = divmod(counter, max(self.program.counters, 1))
        return f"counter {own} of core {core}"

    def accesses(self, number: int) -> tuple[Access, ...]:
        """The bytes that an instruction reads and writes, `core` filled in."""
        own = self.core[number]
        return tuple(
            access if access.core is not None else replace(access, core=own)
            for access in self.kinds[number].accesses(self.fields[number])
        )

    def memory_bytes(self, access: Access) -> int:
        """Size of the memory that an access is in: a segment, or what the program uses of a core's
        memory.
        """
        if access.space == "global":
            return self.program.segment_sizes.get(SEGMENTS[access.segment], 0)
        assert access.core is not None
        sizes = self.program.local_bytes if access.space == "local" else self.program.acc_bytes
        return sizes[access.core]


def memory_name(access: Access) -> str:
    """How a diagnostic speaks of a memory."""
    if access.space == "global":
        return f"segment {SEGMENTS[access.segment]}"
    return f"{access.space} memory of core {access.core}"


def extent(access: Access) -> tuple[int, int]:
    """First byte of an access and the byte past its last."""
    low, high = access.address, access.address + access.run_bytes
    for count, stride in zip(access.counts, access.strides, strict=True):
        if count < 1:
            return access.address, access.address
        if stride < 0:
            low += (count - 1) * stride
        else:
            high += (count - 1) * stride
    return low, high


def decode_program(program: Program) -> Streams:
    """Decodes all streams. About 5 µs an instruction.

    Raises DiagnosticError for what cannot be simulated at all: unknown opcodes, counters or cores
    that the program does not have, accesses outside their memory, a multicast group whose members
    do not load the same bytes. `check_program` finds more and says it earlier.
    """
    streams = Streams(
        program, [], [], [], [], [], [], [[] for _ in range(ENGINE_COUNT * len(program.streams))],
        [], [], [], [], {}, defaultdict(list),
    )  # fmt: skip
    for core, words in enumerate(program.streams):
        for index, (kind, fields) in enumerate(decode_stream(words)):
            streams.kinds.append(kind)
            streams.fields.append(fields)
            streams.core.append(core)
            streams.index.append(index)
            _queue(streams, core, fields)
            _synchronise(streams, core, fields)
    for members in streams.groups.values():
        _check_group(streams, members)
    _check_memory(streams)
    return streams


def _queue(streams: Streams, core: int, fields: dict[str, Any]) -> None:
    engine = ENGINE_COUNT * core + ENGINES.index(fields["engine"])
    streams.engine.append(engine)
    streams.position.append(len(streams.queues[engine]))
    streams.queues[engine].append(len(streams.engine) - 1)


def _synchronise(streams: Streams, core: int, fields: dict[str, Any]) -> None:
    """Waits, signals and multicast group of the instruction that was added last."""
    number = len(streams.engine) - 1
    base = ENGINE_COUNT * core
    streams.waits.append(
        tuple((base + e, fields[name]) for e, name in enumerate(_WAIT_FIELDS) if fields[name])
    )
    counters = streams.program.counters
    wait = None
    if fields["wait_value"]:
        _check_counter(streams, number, fields["wait_counter"])
        wait = (core * counters + fields["wait_counter"], fields["wait_value"])
    streams.counter_wait.append(wait)
    mask, signals = fields["signal_cores"], []
    if mask:
        _check_counter(streams, number, fields["signal_counter"])
        if mask >> streams.cores:
            raise DiagnosticError(
                f"{streams.name(number)} signals core {mask.bit_length() - 1}; "
                f"the program has {streams.cores} cores"
            )
        for other in range(streams.cores):
            if mask >> other & 1:
                signals.append(other * counters + fields["signal_counter"])
                streams.signallers[signals[-1]].append(number)
    streams.signals.append(tuple(signals))
    group = fields.get("group", 0)
    streams.group.append(group)
    if group:
        streams.groups.setdefault(group, []).append(number)


def _check_counter(streams: Streams, number: int, counter: int) -> None:
    if counter >= streams.program.counters:
        raise DiagnosticError(
            f"{streams.name(number)} uses counter {counter}; "
            f"the program has {streams.program.counters}"
        )


_SAME_IN_GROUP = (
    "src_space", "dst_space", "src_segment", "src", "run", "peer_core",
    *(f"{name}{d}" for name in ("count", "src_stride") for d in range(4)),
)  # fmt: skip


def _check_group(streams: Streams, members: list[int]) -> None:
    """The loads of a multicast group are on different cores and read the same bytes."""
    first = members[0]
    group = streams.group[first]
    if len({streams.core[member] for member in members}) < len(members):
        raise DiagnosticError(
            f"multicast group {group} has two loads on one core",
            hint="give each multicast its own group",
        )
    for member in members:
        fields = streams.fields[member]
        if fields["engine"] != "dma_in":
            raise DiagnosticError(
                f"{streams.name(member)} is in multicast group {group}, which is for loads only"
            )
        for name in _SAME_IN_GROUP:
            if fields[name] != streams.fields[first][name]:
                raise DiagnosticError(
                    f"the loads of multicast group {group} differ in field '{name}'",
                    notes=[
                        f"{streams.name(i)}: {streams.fields[i][name]}" for i in (first, member)
                    ],
                )


def _check_memory(streams: Streams) -> None:
    """Every access lies in its memory, and none touches more bytes than its memory has.

    The second bounds what one instruction can make the simulator do: without it a word with four
    counts of 2^32 and strides of 0 would run for ever. Only a transfer may read bytes again and
    again (a row that is repeated); what it writes bounds it too.
    """
    for number in range(len(streams)):
        for access in streams.accesses(number):
            if access.core is not None and not 0 <= access.core < streams.cores:
                raise DiagnosticError(
                    f"{streams.name(number)} names core {access.core}; "
                    f"the program has {streams.cores} cores"
                )
            low, high = extent(access)
            size = streams.memory_bytes(access)
            if low < 0 or high > size:
                verb = "writes" if access.write else "reads"
                raise DiagnosticError(
                    f"{streams.name(number)} {verb} bytes {low} to {high - 1} "
                    f"of {memory_name(access)}, which has {size}",
                    hint=_AGAIN,
                )
            touched = access.run_bytes * prod(access.counts)
            if touched > size and (access.write or streams.kinds[number] not in (Load, Store)):
                verb = "writes" if access.write else "reads"
                raise DiagnosticError(
                    f"{streams.name(number)} {verb} {touched} bytes "
                    f"of {memory_name(access)}, which has {size}",
                    hint=_AGAIN,
                )
