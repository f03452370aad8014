"""Decodes a program once for simulation: what each instruction is, and what it waits for.

Instructions are numbered across all cores: first those of core 0 in the order of its stream, then core 1's, and so on.
This number is "the order of the program" that the functional simulator follows. Engines are numbered `4 * core +
engine`, counters `core * counters + counter`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ...instructions.columns import EXACT, Columns
from ...instructions.columns import extent as column_extent
from ...instructions.host_call import operand_accesses
from ...instructions.instruction_set import (
    BY_OPCODE,
    ENGINES,
    SEGMENTS,
    SPACES,
    Access,
    HostCall,
    Instruction,
    Load,
    Store,
)
from ...instructions.movement import ALIKE_IN_GROUP
from ...program.encoding import WORD, columns_of, decode_stream, known_codes, select
from ...program.program import Program

ENGINE_COUNT = len(ENGINES)
_AGAIN = "compile the program again"
_OWN_GROUP = "give each multicast its own group"
WAIT_FIELDS = tuple(f"wait_{engine}" for engine in ENGINES)


@dataclass(eq=False)
class Streams:
    """The instructions of all cores, by number.

    They are kept in two forms. `words` (all streams as one array of `WORD`) and `core_numbers` (int64 [n]) serve code
    that looks at all instructions at once. The lists, made when they are asked for, serve code that follows
    instructions one by one.
    """

    program: Program
    words: np.ndarray
    core_numbers: np.ndarray

    def __len__(self) -> int:
        """Return the number of instructions of all cores."""
        return len(self.words)

    @property
    def cores(self) -> int:
        """Virtual cores of the program."""
        return len(self.program.streams)

    # For all instructions at once

    @cached_property
    def engine_numbers(self) -> np.ndarray:
        """The engine of each instruction, int64 [n]."""
        return ENGINE_COUNT * self.core_numbers + self.words["engine"]

    @cached_property
    def by_engine(self) -> np.ndarray:
        """The instructions of engine 0 in order, then of engine 1, and so on: int64 [n]."""
        return np.argsort(self.engine_numbers, kind="stable")

    @cached_property
    def queue_lengths(self) -> np.ndarray:
        """Instructions of each engine, int64 [engines]."""
        return np.bincount(self.engine_numbers, minlength=ENGINE_COUNT * self.cores)

    @cached_property
    def positions(self) -> np.ndarray:
        """The place of each instruction in its engine's queue, int64 [n]."""
        result = np.empty(len(self), np.int64)
        first = np.cumsum(self.queue_lengths) - self.queue_lengths
        result[self.by_engine] = np.arange(len(self)) - np.repeat(first, self.queue_lengths)
        return result

    @cached_property
    def group_numbers(self) -> np.ndarray:
        """The multicast group of each instruction, int64 [n], 0 outside of groups."""
        result = np.zeros(len(self), np.int64)
        for kind in (Load, Store):
            numbers, words = select(self.words, kind)
            result[numbers] = words["group"]
        return result

    @cached_property
    def follows(self) -> np.ndarray:
        """Whether each instruction is one of a multicast's stores but not the first: bool [n].

        Its engine moves no bytes for it but those of the first one.
        """
        groups = self.group_numbers[self.by_engine]
        engines = self.engine_numbers[self.by_engine]
        result = np.zeros(len(self), np.bool_)
        result[self.by_engine[1:]] = (
            (groups[1:] != 0) & (groups[1:] == groups[:-1]) & (engines[1:] == engines[:-1])
        )
        return result

    @cached_property
    def columns(self) -> list[Columns]:
        """The instructions in groups, fields as columns."""
        return list(columns_of(self.words))

    # For one instruction after the other

    @cached_property
    def _decoded(self) -> list[tuple[type[Instruction], dict[str, Any]]]:
        return [pair for words in self.program.streams for pair in decode_stream(words)]

    @cached_property
    def kinds(self) -> list[type[Instruction]]:
        """The class of each instruction."""
        return [kind for kind, _ in self._decoded]

    @cached_property
    def fields(self) -> list[dict[str, Any]]:
        """The fields of each instruction, with names for codes."""
        return [fields for _, fields in self._decoded]

    @cached_property
    def core(self) -> list[int]:
        """The core of each instruction."""
        return self.core_numbers.tolist()

    @cached_property
    def index(self) -> list[int]:
        """The place of each instruction in its core's stream."""
        return [index for words in self.program.streams for index in range(len(words))]

    @cached_property
    def engine(self) -> list[int]:
        """The engine of each instruction."""
        return self.engine_numbers.tolist()

    @cached_property
    def position(self) -> list[int]:
        """The place of each instruction in its engine's queue."""
        return self.positions.tolist()

    @cached_property
    def queues(self) -> list[list[int]]:
        """The instructions of each engine in order."""
        ends = np.cumsum(self.queue_lengths)[:-1]
        return [queue.tolist() for queue in np.split(self.by_engine, ends)] if self.cores else []

    @cached_property
    def waits(self) -> list[tuple[tuple[int, int], ...]]:
        """The waits of each instruction: pairs (engine, how many of its instructions must have completed)."""
        counts = zip(*(self.words[name].tolist() for name in WAIT_FIELDS), strict=True)
        return [
            tuple([(ENGINE_COUNT * core + e, count) for e, count in enumerate(row) if count])
            for core, row in zip(self.core, counts, strict=True)
        ]

    @cached_property
    def counter_wait(self) -> list[tuple[int, int] | None]:
        """The counter that each instruction waits for and the value that it must have reached, or None."""
        own = self.core_numbers * self.program.counters + self.words["wait_counter"]
        values = self.words["wait_value"].tolist()
        pairs = zip(own.tolist(), values, strict=True)
        return [(counter, value) if value else None for counter, value in pairs]

    @cached_property
    def signals(self) -> list[tuple[int, ...]]:
        """The counters that each instruction signals (increases by one), ascending."""
        counters = self.program.counters
        fields = (self.words[name].tolist() for name in ("signal_cores", "signal_counter"))
        return [
            tuple([c * counters + counter for c in range(self.cores) if mask >> c & 1])
            if mask
            else ()
            for mask, counter in zip(*fields, strict=True)
        ]

    @cached_property
    def signalers(self) -> dict[int, list[int]]:
        """The instructions that signal each counter, by counter."""
        result: dict[int, list[int]] = defaultdict(list)
        for number, signals in enumerate(self.signals):
            for counter in signals:
                result[counter].append(number)
        return result

    @cached_property
    def group(self) -> list[int]:
        """The multicast group of each instruction, 0 outside of groups."""
        return self.group_numbers.tolist()

    @cached_property
    def groups(self) -> dict[int, list[int]]:
        """The members of each multicast group."""
        result: dict[int, list[int]] = {}
        for number in np.flatnonzero(self.group_numbers).tolist():
            result.setdefault(self.group[number], []).append(number)
        return result

    def starting_with(self, number: int) -> list[int]:
        """Return what an engine starts at once when `number` is its next instruction: all stores of a multicast, or
        the instruction alone.
        """
        members = self.groups.get(self.group[number], [number])
        return members if self.engine[members[-1]] == self.engine[members[0]] else [number]

    def name(self, number: int) -> str:
        """Name an instruction for a diagnostic: core, index, mnemonic and the ONNX nodes that it comes from."""
        entry = self.program.origin(self.fields[number]["debug"])
        origin = " of " + ", ".join(f"'{node}'" for node in entry.nodes) if entry.nodes else ""
        mnemonic = self.kinds[number].mnemonic
        return f"core {self.core[number]} instruction {self.index[number]} ({mnemonic}{origin})"

    def engine_name(self, engine: int) -> str:
        """Name an engine for a diagnostic, as in `core 3 matrix`."""
        return f"core {engine // ENGINE_COUNT} {ENGINES[engine % ENGINE_COUNT]}"

    def counter_name(self, counter: int) -> str:
        """Name a counter for a diagnostic, as in `counter 5 of core 3`."""
        core, own = divmod(counter, max(self.program.counters, 1))
        return f"counter {own} of core {core}"

    def accesses(self, number: int) -> tuple[Access, ...]:
        """Return the bytes that an instruction reads and writes, with `core` filled in."""
        own = self.core[number]
        return tuple(
            access if access.core is not None else access._replace(core=own)
            for access in self.kinds[number].accesses(self.fields[number])
        )

    def exact_accesses(self, number: int) -> tuple[Access, ...]:
        """Return the accesses of an instruction without the bytes between the operands of a call of the host."""
        if self.kinds[number] is not HostCall:
            return self.accesses(number)
        fields = self.fields[number]
        return operand_accesses(fields, self.program.calls[fields["call"] - 1])

    def memory_bytes(self, access: Access) -> int:
        """Return the size of the memory that an access touches: of a segment, or of what the program uses of a
        core's memory.
        """
        if access.space == "global":
            return self.program.segment_sizes.get(SEGMENTS[access.segment], 0)
        assert access.core is not None
        sizes = self.program.local_bytes if access.space == "local" else self.program.acc_bytes
        return sizes[access.core]


def memory_name(access: Access) -> str:
    """Name the memory of an access for a diagnostic."""
    if access.space == "global":
        return f"segment {SEGMENTS[access.segment]}"
    return f"{access.space} memory of core {access.core}"


def decode_program(program: Program) -> Streams:
    """Decode and check all streams; takes less than 1 µs an instruction.

    Raises DiagnosticError if the program cannot be simulated at all: if it has unknown opcodes, counters or cores that
    do not exist, accesses outside their memory, or a multicast group whose members do not move the same bytes.
    `check_program`, which runs earlier, finds more.
    """
    words = np.concatenate([*program.streams, np.zeros(0, WORD)])
    cores = np.repeat(np.arange(len(program.streams)), [len(words) for words in program.streams])
    streams = Streams(program, words, cores.astype(np.int64))
    if not (_codes_known(streams) and _counters_known(streams) and _groups_agree(streams)
            and _memory_suffices(streams)):  # fmt: skip
        # Something is wrong, or too large to be certain in f64: look at each instruction.
        _check_synchronization(streams)
        for members in streams.groups.values():
            _check_group(streams, members)
        _check_memory(streams)
    return streams


def _codes_known(streams: Streams) -> bool:
    words = streams.words
    if len(words) and words["engine"].max() >= ENGINE_COUNT:
        return False
    opcodes = np.unique(words["opcode"]).tolist()
    return all(op in BY_OPCODE and known_codes(*select(words, BY_OPCODE[op])) for op in opcodes)


def _counters_known(streams: Streams) -> bool:
    words, counters = streams.words, streams.program.counters
    waiting, signaling = words["wait_value"] != 0, words["signal_cores"] != 0
    mask = np.bitwise_or.reduce(words["signal_cores"]) if len(words) else 0
    return not (
        (waiting & (words["wait_counter"] >= counters)).any()
        or (signaling & (words["signal_counter"] >= counters)).any()
        or int(mask) >> streams.cores
    )


def _check_synchronization(streams: Streams) -> None:
    """Check that fields can be decoded, and that the counters and cores that waits and signals name exist."""
    for number, fields in enumerate(streams.fields):
        if fields["wait_value"]:
            _check_counter(streams, number, fields["wait_counter"])
        mask = fields["signal_cores"]
        if mask:
            _check_counter(streams, number, fields["signal_counter"])
        if mask >> streams.cores:
            raise DiagnosticError(
                f"{streams.name(number)} signals core {mask.bit_length() - 1}; "
                f"the program has {streams.cores} cores"
            )


def _check_counter(streams: Streams, number: int, counter: int) -> None:
    if counter >= streams.program.counters:
        raise DiagnosticError(
            f"{streams.name(number)} uses counter {counter}; "
            f"the program has {streams.program.counters}"
        )


def _groups_agree(streams: Streams) -> bool:
    """Return whether `_check_group` would find no mistake in any multicast group."""
    loads, stores = (_members(streams, kind) for kind in (Load, Store))
    if len(np.intersect1d(loads[1]["group"], stores[1]["group"])):
        return False
    return all(
        not len(numbers) or _members_agree(streams, kind, numbers, words)
        for kind, (numbers, words) in ((Load, loads), (Store, stores))
    )


def _members(streams: Streams, kind: type[Instruction]) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers and words of the instructions of a class that are in multicast groups."""
    numbers, words = select(streams.words, kind)
    chosen = words["group"] != 0
    return numbers[chosen], words[chosen]


def _members_agree(
    streams: Streams, kind: type[Instruction], numbers: np.ndarray, words: np.ndarray
) -> bool:
    """Return whether the members of the groups of loads, or of those of stores, can be in their groups."""
    _, first, which = np.unique(words["group"], return_index=True, return_inverse=True)
    receivers = streams.core_numbers[numbers]
    if kind is Store:
        peers = words["peer_core"].astype(np.int64)
        receivers = np.where(peers != 0, peers - 1, receivers)
        firsts = numbers[first][which]
        if not (
            (streams.engine_numbers[numbers] == streams.engine_numbers[firsts]).all()
            and int((~streams.follows[numbers]).sum()) == len(first)
            and (words["dst_space"] == SPACES.index("local")).all()
        ):
            return False
    pairs = np.unique(np.stack([which, receivers]), axis=1)
    return (
        pairs.shape[1] == len(numbers)
        and kind.engine is not None
        and not (words["engine"] != ENGINES.index(kind.engine)).any()
        and all((words[name] == words[name][first][which]).all() for name in ALIKE_IN_GROUP[kind])
    )


def _check_group(streams: Streams, members: list[int]) -> None:
    """Check the members of a multicast group.

    They are loads of different cores that read the same bytes, or stores side by side in one engine that
    send the same bytes to the local memories of different cores.
    """
    first = members[0]
    group, kind = streams.group[first], streams.kinds[first]
    if any(streams.kinds[member] is not kind for member in members):
        raise DiagnosticError(f"multicast group {group} has loads and stores", hint=_OWN_GROUP)
    if kind is Store:
        _check_stores(streams, group, members)
    elif len({streams.core[member] for member in members}) < len(members):
        raise DiagnosticError(f"multicast group {group} has two loads on one core", hint=_OWN_GROUP)
    for member in members:
        fields = streams.fields[member]
        if fields["engine"] != kind.engine:
            raise DiagnosticError(
                f"{streams.name(member)} is in multicast group {group}, but not in {kind.engine}"
            )
        for name in ALIKE_IN_GROUP[kind]:
            if fields[name] != streams.fields[first][name]:
                raise DiagnosticError(
                    f"the {kind.mnemonic}s of multicast group {group} differ in field '{name}'",
                    notes=[
                        f"{streams.name(i)}: {streams.fields[i][name]}" for i in (first, member)
                    ],
                )


def _check_stores(streams: Streams, group: int, members: list[int]) -> None:
    """Check that the stores of a multicast group stand side by side and write local memories of different cores."""
    cores = sorted({streams.core[member] for member in members})
    if len(cores) > 1:
        raise DiagnosticError(
            f"multicast group {group} has stores on cores {', '.join(map(str, cores))}: "
            "one core sends to all",
            hint=_OWN_GROUP,
        )
    receivers: dict[int, int] = {}
    for member, before in zip(members, [None, *members[:-1]], strict=True):
        fields = streams.fields[member]
        if before is not None and streams.position[member] != streams.position[before] + 1:
            raise DiagnosticError(
                f"the stores of multicast group {group} do not stand side by side in "
                f"{streams.engine_name(streams.engine[member])}",
                notes=[streams.name(number) for number in (before, member)],
            )
        if fields["dst_space"] != "local":
            raise DiagnosticError(
                f"{streams.name(member)} is in multicast group {group}, "
                f"but writes {fields['dst_space']} memory",
                hint="a multicast of stores writes local memories",
            )
        receiver = fields["peer_core"] - 1 if fields["peer_core"] else streams.core[member]
        if receiver in receivers:
            raise DiagnosticError(
                f"multicast group {group} has two stores to the local memory of core {receiver}",
                notes=[streams.name(number) for number in (receivers[receiver], member)],
            )
        receivers[receiver] = member


def _memory_suffices(streams: Streams) -> bool:
    """Return whether `_check_memory` would certainly find no mistake."""
    program = streams.program
    sizes = {
        "local": np.array(program.local_bytes, np.float64),
        "acc": np.array(program.acc_bytes, np.float64),
    }
    for columns in streams.columns:
        with np.errstate(all="ignore"):
            accesses = columns.instruction.accesses(columns.fields)
        for access in accesses:
            if access.space == "global":
                size = float(program.segment_sizes.get(SEGMENTS[access.segment], 0))
            elif access.core is None:
                size = sizes[access.space][streams.core_numbers[columns.numbers]]
            elif not 0 <= access.core < streams.cores:
                return False
            else:
                size = sizes[access.space][access.core]
            low, high, touched = column_extent(access)
            repeats = columns.instruction in (Load, Store) and not access.write
            inside = (low >= 0) & (high <= size) & ((touched <= size) | repeats)
            if not np.all(inside & (size < EXACT) & (touched < EXACT)):
                return False
    return True


def _check_memory(streams: Streams) -> None:
    """Check that every access lies in its memory, and that none touches more bytes than its memory has.

    The second rule bounds the work of one instruction: without it a word with four counts of 2^32 and strides of 0
    would run practically forever. Only a transfer may read the same bytes again and again (a row that is repeated): the
    bytes that it writes bound its work.
    """
    for number in range(len(streams)):
        for access in streams.accesses(number):
            if access.core is not None and not 0 <= access.core < streams.cores:
                raise DiagnosticError(
                    f"{streams.name(number)} names core {access.core}; "
                    f"the program has {streams.cores} cores"
                )
            low, high = access.extent()
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
