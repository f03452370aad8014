"""Checks that a program can run: every instruction is known, fits, and touches only memory that exists.

A program that passes cannot make a simulator read outside an array, wait for an instruction that does not come before,
or allocate more than the program's memories. Whether accesses are ordered, and bytes written before they are read, is
for the sanitizer to check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from ..diagnostics.diagnostic import DiagnosticError, Place
from ..instructions.field_range import bounds, field_error
from ..instructions.instruction_check import MemorySizes, instruction_error
from ..instructions.instruction_set import (
    BY_OPCODE,
    ENGINES,
    FIRST_FREE_OPCODE,
    SEGMENTS,
    Field,
    Instruction,
    Load,
    Store,
)
from ..instructions.movement import ALIKE_IN_GROUP, SAME_SOURCE
from .encoding import decode_stream, select
from .program import DebugEntry, Port, Program

_AGAIN = "compile the program again"
MAX_COUNTERS = 2**16


def check_program(program: Program, file: str | None = None) -> None:
    """Raise DiagnosticError for the first mistake, if there is one; it names the program's file `file`.

    For a mistake in an instruction it names core, index, mnemonic, field, and the ONNX nodes that the instruction
    computes.
    """
    _check_description(program, file)
    sizes = MemorySizes(
        tuple(program.local_bytes),
        tuple(program.acc_bytes),
        tuple(program.segment_sizes[segment] for segment in SEGMENTS),
    )
    groups: dict[int, _Group] = {}
    for core in range(len(program.streams)):
        _StreamCheck(program, core, sizes, file).run(groups)


def _fail(file: str | None, message: str) -> NoReturn:
    raise DiagnosticError(message, Place(file=file) if file else None, hint=_AGAIN)


def _check_description(program: Program, file: str | None) -> None:
    """Check cores, memory sizes, ports and the debug map."""
    target, cores = program.target, len(program.streams)
    if not 1 <= cores <= target.cores:
        _fail(file, f"the program is for {cores} cores, target '{target.name}' has {target.cores}")
    for what, used, size in (
        ("local memory", program.local_bytes, target.local_memory.size_bytes),
        ("accumulator memory", program.acc_bytes, target.matrix.accumulator_bytes),
    ):
        if len(used) != cores or not all(0 <= number <= size for number in used):
            _fail(
                file,
                f"the cores use {used} bytes of {what}; there are {cores} cores with {size} bytes",
            )
    if tuple(program.segment_sizes) != SEGMENTS or min(program.segment_sizes.values()) < 0:
        _fail(file, f"the segments are {', '.join(SEGMENTS)}, got {program.segment_sizes}")
    total = sum(program.segment_sizes.values())
    if total > target.global_memory.size_bytes:
        _fail(
            file,
            f"the program needs {total} bytes of global memory, target '{target.name}' has "
            f"{target.global_memory.size_bytes}",
        )
    weights = program.weight_bytes.size
    if weights != program.segment_sizes["weights"]:
        _fail(
            file,
            f"there are {weights} bytes of weights, their segment has "
            f"{program.segment_sizes['weights']}",
        )
    if not 0 <= program.counters <= MAX_COUNTERS:
        _fail(file, f"there are at most {MAX_COUNTERS} counters, got {program.counters}")
    _check_ports(program.inputs, "input", program, file)
    _check_ports(program.outputs, "output", program, file)
    if not program.debug or program.debug[0] != DebugEntry():
        _fail(file, "entry 0 of the debug map is not empty")


def _check_ports(ports: list[Port], segment: str, program: Program, file: str | None) -> None:
    names = [port.name for port in ports]
    if len(set(names)) != len(names):
        _fail(file, f"two {segment}s have the same name: {', '.join(sorted(names))}")
    for port in ports:
        if (problem := port.format.error()) is not None:
            _fail(file, f"{segment} '{port.name}': {problem}")
        if min((0, port.offset, *port.shape)) < 0:
            _fail(
                file,
                f"{segment} '{port.name}': negative size or offset: {port.shape} at {port.offset}",
            )
        size = program.segment_sizes[segment]
        if port.offset + port.size > size:
            _fail(
                file,
                f"{segment} '{port.name}' ends at byte {port.offset + port.size} of segment "
                f"'{segment}', which has {size}",
            )


_PLUGIN = "the program has instructions of a plugin: install it, or load it with --load-plugin"


@dataclass
class _Group:
    """What is known of a multicast group when its members so far have been checked.

    `kind`: their class; `alike`: the fields in which they agree; `receivers`: the cores to whose local memories they
    bring the bytes; `core` and `place`: the last one's core, and how many instructions of dma_out stand before it.
    """

    kind: type[Instruction]
    alike: dict[str, Any]
    receivers: set[int]
    core: int
    place: int


class _StreamCheck:
    """The check of one core's stream."""

    def __init__(self, program: Program, core: int, sizes: MemorySizes, file: str | None) -> None:
        self.program, self.core, self.sizes, self.file = program, core, sizes, file
        self.stream = program.streams[core]

    def fail(self, index: int, problem: str) -> NoReturn:
        """Raise DiagnosticError for a mistake in the instruction at `index`."""
        word = self.stream[index]
        instruction = BY_OPCODE.get(int(word["opcode"]))
        mnemonic = instruction.mnemonic if instruction else "unknown"
        origin = self.program.origin(int(word["debug"]))
        notes = [f"it computes '{origin.op}'"] if origin.op else []
        if origin.nodes:
            notes.append(f"ONNX node {', '.join(origin.nodes)}")
        place = Place(file=self.file, name=f"core {self.core}, instruction {index} ({mnemonic})")
        free = int(word["opcode"]) >= FIRST_FREE_OPCODE and instruction is None
        raise DiagnosticError(problem, place, notes, _PLUGIN if free else _AGAIN)

    def fail_where(self, wrong: np.ndarray, problem: str, values: np.ndarray | None = None) -> None:
        """Fail at the first index where `wrong` holds, if there is one, with the value there."""
        indices = np.flatnonzero(wrong)
        if len(indices):
            index = int(indices[0])
            self.fail(index, problem if values is None else f"{problem}, got {values[index]}")

    def run(self, groups: dict[int, _Group]) -> None:
        """Check the whole stream. `groups` collects the multicast groups of all streams."""
        known = np.isin(self.stream["opcode"], list(BY_OPCODE))
        self.fail_where(
            ~known, "field 'opcode': there is no such instruction", self.stream["opcode"]
        )
        self.fail_where(
            self.stream["engine"] >= len(ENGINES),
            "field 'engine': there is no such engine",
            self.stream["engine"],
        )
        for opcode in np.unique(self.stream["opcode"]).tolist():
            self._check_fields(BY_OPCODE[opcode])
        self._check_header()
        for index, (instruction, fields) in enumerate(decode_stream(self.stream)):
            problem = instruction_error(
                instruction, fields, self.sizes, self.core, self.program.calls
            )
            if problem:
                self.fail(index, problem)
            if instruction in (Load, Store) and fields["group"]:
                self._check_group(index, instruction, fields, groups)

    def _check_header(self) -> None:
        """Check waits, counters, cores and debug numbers."""
        stream, program = self.stream, self.program
        self.fail_where(stream["reserved"] != 0, "field 'reserved' is not 0", stream["reserved"])
        for code, engine in enumerate(ENGINES):
            own = stream["engine"] == code
            waits = stream[f"wait_{engine}"]
            self.fail_where(
                own & (waits != 0),
                f"field 'wait_{engine}' is not 0, though the instruction runs there itself",
                waits,
            )
            earlier = np.cumsum(own) - own
            self.fail_where(
                waits > earlier,
                f"field 'wait_{engine}' waits for more {engine} instructions than stand before it",
                waits,
            )
        waiting = stream["wait_value"] != 0
        self.fail_where(
            np.where(
                waiting, stream["wait_counter"] >= program.counters, stream["wait_counter"] != 0
            ),
            f"field 'wait_counter' names no counter (there are {program.counters})",
            stream["wait_counter"],
        )
        cores = np.uint64(len(program.streams))
        beyond = (stream["signal_cores"] >> (cores - np.uint64(1))) >> np.uint64(1)
        self.fail_where(
            beyond != 0,
            f"field 'signal_cores' names a core beyond the last ({cores} cores)",
            stream["signal_cores"],
        )
        signaling = stream["signal_cores"] != 0
        self.fail_where(
            np.where(
                signaling,
                stream["signal_counter"] >= program.counters,
                stream["signal_counter"] != 0,
            ),
            f"field 'signal_counter' names no counter (there are {program.counters})",
            stream["signal_counter"],
        )
        self.fail_where(
            stream["debug"] >= len(program.debug),
            f"field 'debug' names no entry of the debug map (it has {len(program.debug)})",
            stream["debug"],
        )

    def _check_fields(self, instruction: type[Instruction]) -> None:
        """Check the ranges of all fields of all instructions of one class."""
        indices, words = select(self.stream, instruction)
        if instruction.engine is not None:
            other = words["engine"] != ENGINES.index(instruction.engine)
            if other.any():
                engine = ENGINES[words["engine"][other][0]]
                self.fail(
                    int(indices[other][0]),
                    f"field 'engine': it runs on {instruction.engine}, got {engine}",
                )
        used = words["padding"].any(axis=1)
        if used.any():
            self.fail(int(indices[used][0]), "the bytes after its last field are not 0")
        for field in instruction.fields:
            wrong = _out_of_range(field, words[field.name])
            if wrong.any():
                value = words[field.name][wrong][0].item()
                self.fail(
                    int(indices[wrong][0]),
                    field_error(field, value) or f"field '{field.name}' is wrong",
                )

    def _check_group(
        self,
        index: int,
        kind: type[Instruction],
        fields: Mapping[str, Any],
        groups: dict[int, _Group],
    ) -> None:
        """Check that a load or store can be in its multicast group.

        Loads of a group stand on different cores and read the same bytes. Stores stand side by side on one core and
        bring the same bytes to the local memories of different cores.
        """
        number, place = fields["group"], int(self._places[index])
        what = f"the {kind.mnemonic}s of multicast group {number}"
        alike = {name: fields[name] for name in ALIKE_IN_GROUP[kind]}
        known = groups.get(number)
        if known is None:
            known = groups[number] = _Group(kind, alike, set(), self.core, place - 1)
        if known.kind is not kind:
            self.fail(index, f"field 'group': multicast group {number} has loads and stores")
        if kind is Store and known.core != self.core:
            self.fail(index, f"field 'group': {what} stand on core {known.core}: one sends to all")
        if kind is Store and known.place != place - 1:
            self.fail(index, f"field 'group': {what} do not stand side by side in dma_out")
        if any(known.alike[name] != fields[name] for name in SAME_SOURCE):
            self.fail(index, f"field 'group': {what} read different bytes")
        for name, value in alike.items():
            if known.alike[name] != value:
                self.fail(
                    index,
                    f"field '{name}': {what} differ in it, got {known.alike[name]} and {value}",
                )
        is_far = kind is Store and fields["peer_core"]
        receiver = fields["peer_core"] - 1 if is_far else self.core
        if receiver in known.receivers:
            self.fail(
                index,
                f"field 'group': a {kind.mnemonic} to core {receiver} is in multicast group {number} "
                "already",
            )
        known.receivers.add(receiver)
        known.core, known.place = self.core, place

    @cached_property
    def _places(self) -> np.ndarray:
        """How many instructions of dma_out stand before each instruction, int64 [n]."""
        own = self.stream["engine"] == ENGINES.index("dma_out")
        return np.cumsum(own) - own


def _out_of_range(field: Field, values: np.ndarray) -> np.ndarray:
    """Return which values of a column a field cannot hold."""
    if field.kind == "real":
        return np.isnan(values)
    low, high = bounds(field)
    # Compare in the column's own type: comparing u64 with a negative Python number would go through
    # floats.
    info = np.iinfo(values.dtype)
    return (values < max(low, info.min)) | (values > min(high, info.max))
