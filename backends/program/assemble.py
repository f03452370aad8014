"""Converts isa IR to programs and back: `assemble` encodes a module, `disassemble` returns the text of a program.

Assembling turns the names in `after` into counts: for each other engine, how many of its instructions must have
completed. Disassembling names the n-th instruction of an engine by the engine's letter and n (m12).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import LocationAttr, ModuleOp, StringAttr, UnknownLoc

from ...dialects import isa
from ...dialects.ir.attribute import values_of
from ...dialects.ir.context import weights_of
from ...dialects.ir.location import fuse, named, names_of, place_of
from ...dialects.ir.target_attribute import set_target
from ...dialects.ir.text.module_text import WEIGHTS, print_module
from ...dialects.isa.field_values import field_values
from ..diagnostics.diagnostic import DiagnosticError, Place
from ..instructions.instruction_set import ENGINE_PREFIX, ENGINES, Engine, Instruction
from .check import check_program
from .encoding import WORD, decode_stream, encode_columns
from .program import DebugEntry, DebugMap, Port, Program

if TYPE_CHECKING:
    from xdsl.context import Context

PROGRAM_WEIGHTS = "program.weights"
"""The key in the weight store of the bytes of segment "weights", u8 [n], which the isa.program names.
"""


def assemble(
    module: ModuleOp,
    ctx: Context | None = None,
    *,
    weights: bytes | memoryview | np.ndarray | None = None,
) -> Program:
    """Encode a verified isa module as a program.

    The bytes of segment "weights" are `weights`, or else those that the weight store of `ctx` has under the program's
    key. Raises DiagnosticError if the module is not an isa module, if the target or the weights are not those that it
    names, or if the program fails its check.
    """
    op = _program_op(module)
    debug = _DebugNumbers()
    streams = [_encode_stream(stream, debug) for stream in op.streams]
    program = Program(
        target=op.load_target(),
        streams=streams,
        weights=_weights(op, ctx) if weights is None else weights,
        inputs=[_port(port) for port in op.inputs],
        outputs=[_port(port) for port in op.outputs],
        segment_sizes=op.segment_sizes,
        counters=op.counters.value.data,
        local_bytes=[stream.local_bytes.value.data for stream in op.streams],
        acc_bytes=[stream.acc_bytes.value.data for stream in op.streams],
        debug=debug.entries,
        name=op.sym_name.data,
        statistics=op.counts,
        target_reference=op.target.data,
        calls=op.host_calls,
    )
    check_program(program)
    return program


def _program_op(module: ModuleOp) -> isa.ProgramOp:
    programs = [op for op in module.body.block.ops if isinstance(op, isa.ProgramOp)]
    if len(programs) != 1 or len(list(module.body.block.ops)) != 1:
        first = module.body.block.first_op
        found = (
            f"it has {len(programs)}"
            if programs
            else f"it starts with {first.name if first else 'nothing'}"
        )
        raise DiagnosticError(
            f"a module to assemble holds one isa.program and nothing else, {found}",
            place_of(first or module),
            hint="lower it to isa first: smalti compile --emit isa",
        )
    return programs[0]


def _weights(op: isa.ProgramOp, ctx: Context | None) -> np.ndarray:
    """Read the bytes of segment "weights" from the weight store."""
    size = op.segment_sizes["weights"]
    if op.key is None:
        return np.zeros(0, np.uint8)
    if ctx is None:
        raise DiagnosticError(
            f"program @{op.sym_name.data} needs {size} bytes of weights, none are given",
            place_of(op),
        )
    array = np.ascontiguousarray(weights_of(ctx).get(op.key.data)).reshape(-1).view(np.uint8)
    if array.size != size:
        raise DiagnosticError(
            f"weight '{op.key.data}' has {array.size} bytes, segment 'weights' of "
            f"@{op.sym_name.data} has {size}",
            place_of(op),
            hint="keep the .safetensors file that was written with the IR beside it",
        )
    return array


def _port(port: isa.PortAttr) -> Port:
    return Port.of(port.port_name.data, port.offset.value.data, port.format)


def _port_attribute(port: Port) -> isa.PortAttr:
    return isa.PortAttr.get(port.name, port.storage, port.shape, port.offset, port.format)


class _DebugNumbers:
    """Numbers the entries of the debug map in order of first use; entry 0 is the empty one."""

    def __init__(self) -> None:
        self.entries: DebugMap = [DebugEntry()]
        self._numbers: dict[DebugEntry, int] = {DebugEntry(): 0}
        self._by_identity: dict[tuple[int, int], int] = {}

    def of(self, op: isa.InstructionOp) -> int:
        """Return the number of the entry for an instruction: the op and the ONNX nodes that it computes."""
        # Attributes are shared and live as long as the module, so their identity can stand for
        # them, which saves hashing.
        origin = op.properties.get("origin")
        identity = (id(origin), id(op.location))
        number = self._by_identity.get(identity)
        if number is None:
            name = origin.data if isinstance(origin, StringAttr) else ""
            entry = DebugEntry(name, tuple(names_of(op.location)))
            number = self._numbers.setdefault(entry, len(self.entries))
            if number == len(self.entries):
                self.entries.append(entry)
            self._by_identity[identity] = number
        return number


def _encode_stream(stream: isa.StreamOp, debug: _DebugNumbers) -> np.ndarray:
    """Encode a stream as words [n]: the fields of a class's instructions all at once, the header one by one."""
    classes: dict[type[Instruction], tuple[list[int], list[bytes], list[bytes]]] = {}
    header = _HeaderColumns(stream)
    for index, op in enumerate(stream.instructions):
        indices, integers, reals = classes.setdefault(op.instruction, ([], [], []))
        indices.append(index)
        integers.append(op.fields_.data.data)
        reals.append(op.reals.data.data)
        header.add(op, debug.of(op))
    words = np.zeros(len(header), WORD)
    for instruction, (indices, integers, reals) in classes.items():
        layout = field_values(instruction)
        words[indices] = encode_columns(
            instruction,
            _table(integers, "<i8", len(layout.integer_fields)),
            _table(reals, "<f8", len(layout.real_fields)),
        )
    header.write(words)
    return words


def _table(rows: Sequence[bytes], dtype: str, columns: int) -> np.ndarray:
    if columns == 0:
        return np.zeros((len(rows), 0), dtype)
    return np.frombuffer(b"".join(rows), dtype).reshape(len(rows), columns)


class _HeaderColumns:
    """The header fields of a stream's instructions, gathered by column."""

    def __init__(self, stream: isa.StreamOp) -> None:
        self._core = stream.core.value.data
        self._order: dict[str, tuple[int, int]] = {}
        self._completed = [0] * len(ENGINES)
        self._engines: list[int] = []
        self._waits: list[list[int]] = []
        self._counters: list[tuple[int, int, int, int, int]] = []

    def __len__(self) -> int:
        return len(self._engines)

    def add(self, op: isa.InstructionOp, debug: int) -> None:
        """Add the next instruction of the stream."""
        engine = ENGINES.index(op.engine)  # type: ignore[arg-type]
        waits = [0] * len(ENGINES)
        for name in op.after.data if op.after is not None else ():
            if name.data not in self._order:
                raise DiagnosticError(
                    f"it is after '{name.data}', which does not stand before it",
                    Place(name=f"core {self._core}, instruction '{op.instruction_name.data}'"),
                )
            other, count = self._order[name.data]
            # An engine runs its instructions in order, so instructions in the same queue need no
            # wait.
            if other != engine:
                waits[other] = max(waits[other], count)
        self._completed[engine] += 1
        self._order[op.instruction_name.data] = (engine, self._completed[engine])
        self._engines.append(engine)
        self._waits.append(waits)
        counter, value = values_of(op.wait) if op.wait is not None else (0, 0)
        signal, *cores = values_of(op.signal) if op.signal is not None else (0,)
        mask = sum(1 << core for core in cores)
        self._counters.append((counter, value, signal, mask, debug))

    def write(self, words: np.ndarray) -> None:
        """Write the columns to words [n]."""
        words["engine"] = self._engines
        if not self._engines:
            return
        for column, engine in zip(zip(*self._waits, strict=True), ENGINES, strict=True):
            words[f"wait_{engine}"] = column
        names = ("wait_counter", "wait_value", "signal_counter", "signal_cores", "debug")
        for column, name in zip(zip(*self._counters, strict=True), names, strict=True):
            words[name] = np.array(column, dtype=WORD[name])


def disassemble_module(program: Program, ctx: Context | None = None) -> ModuleOp:
    """Return the isa module of a checked program; the weights go to the weight store of `ctx`, if one is given."""
    key = PROGRAM_WEIGHTS if program.segment_sizes["weights"] else None
    if key is not None and ctx is not None:
        key = weights_of(ctx).add(key, program.weight_bytes)
    origins = [(entry.op or None, _location(entry)) for entry in program.debug]
    streams = [
        isa.StreamOp.get(
            core, program.local_bytes[core], program.acc_bytes[core], _decode_stream(words, origins)
        )
        for core, words in enumerate(program.streams)
    ]
    op = isa.ProgramOp.get(
        program.name,
        program.target_reference,
        program.target.content_hash,
        counters=program.counters,
        segments=program.segment_sizes,
        inputs=[_port_attribute(port) for port in program.inputs],
        outputs=[_port_attribute(port) for port in program.outputs],
        streams=streams,
        calls=[isa.CallAttr.get(call) for call in program.calls],
        key=key,
        statistics=program.statistics,
    )
    module = ModuleOp([op])
    set_target(module, program.target_reference, program.target)
    return module


def _location(entry: DebugEntry) -> LocationAttr:
    return fuse(named(node) for node in entry.nodes) if entry.nodes else UnknownLoc()


def _decode_stream(
    words: np.ndarray, origins: Sequence[tuple[str | None, LocationAttr]]
) -> list[isa.InstructionOp]:
    """Return the ops of a stream, named by engine and number."""
    counts = dict.fromkeys(ENGINES, 0)
    result: list[isa.InstructionOp] = []
    for instruction, fields in decode_stream(words):
        engine: Engine = fields["engine"]
        origin, location = origins[fields["debug"]]
        result.append(
            isa.instruction_op(
                instruction.mnemonic,
                f"{ENGINE_PREFIX[engine]}{counts[engine]}",
                {field.name: fields[field.name] for field in instruction.fields},
                after=[
                    f"{ENGINE_PREFIX[other]}{fields[f'wait_{other}'] - 1}"
                    for other in ENGINES
                    if fields[f"wait_{other}"]
                ],
                wait=(fields["wait_counter"], fields["wait_value"])
                if fields["wait_value"]
                else None,
                signal=_signal(fields["signal_counter"], fields["signal_cores"]),
                engine=engine if instruction.engine is None else None,
                origin=origin,
                location=location,
            )
        )
        counts[engine] += 1
    return result


def _signal(counter: int, mask: int) -> tuple[int, list[int]] | None:
    if mask == 0:
        return None
    return counter, [core for core in range(mask.bit_length()) if mask >> core & 1]


def disassemble(program: Program, *, weights_file: str | None = None) -> str:
    """Return the isa text of a checked program, with locations; reading and assembling it gives the same program.

    The weights stay outside the text: the caller writes `program.weights` as "program.weights" (u8)
    to a safetensors file, and names it in `weights_file`, relative to where the text will be.
    """
    module = disassemble_module(program)
    if weights_file is not None:
        module.attributes[WEIGHTS] = StringAttr(weights_file)
    return print_module(module)
