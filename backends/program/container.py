"""Reads and writes the `.smalti` file: a preamble, a JSON manifest of sections, and the sections.

    preamble (64 bytes): magic (8 bytes), version (u32), zero (u32), size of the manifest (u64),
        size of the file (u64), SHA-256 of the manifest (32 bytes)
    manifest: JSON list of {name, offset, size, sha256}, blanks after it
    sections, each at the next multiple of 64 bytes, zeros between: program (JSON), target (JSON),
        debug (JSON), stream0, stream1, … (words), weights, lower_bound (JSON, may be absent),
        schedule (text, may be absent)

All numbers are little-endian. The layout leaves a writer no choice, so that the same program always has the same bytes.
A reader allocates no more than the real size of the file allows, and raises DiagnosticError for a damaged file.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, NoReturn, TypeVar

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ..diagnostics.diagnostic import DiagnosticError, Place
from ..diagnostics.files import read_bytes, write_atomically
from ..instructions.instruction_set import INSTRUCTION_BYTES
from ..numerics.functions.call import Call
from ..numerics.functions.function import FunctionError
from ..numerics.quantization import Quantization
from ..numerics.rounding_up import round_up
from ..targets.target import Target
from .check import check_program
from .encoding import WORD
from .lower_bound import LowerBound
from .program import DebugEntry, Port, Program

MAGIC = b"\x89SMALTI\n"
VERSION = 3
ALIGNMENT = 64
FILE_LIMIT_BYTES = 1 << 33
"""No program file may have more: 8 GiB."""
_PREAMBLE = struct.Struct("<8sIIQQ32s")
_AGAIN = "compile the program again"
_BOUND, _SCHEDULE = _REMARKS = ("lower_bound", "schedule")
"""Sections about the network that a program was made of, which need not be there."""

_Size = Annotated[int, Field(ge=0, lt=2**63)]
_Plain = bool | int | float | str
_Attribute = _Plain | list[bool] | list[int] | list[float] | list[str]
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Section:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    name: str
    offset: _Size
    size: _Size
    sha256: str


@dataclass(frozen=True)
class _Port:
    """An input or output: the fields of `Port`, with what its integers stand for in two of them."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    name: str
    shape: tuple[_Size, ...]
    storage: str
    offset: _Size
    order: tuple[_Size, ...] | None = None
    model: str | None = None
    scale: float | None = None
    zero_point: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None

    @staticmethod
    def of(port: Port) -> _Port:
        numbers = port.quantization
        return _Port(
            port.name,
            port.shape,
            port.storage,
            port.offset,
            port.order,
            port.model,
            None if numbers is None else numbers.scale,
            None if numbers is None else numbers.zero_point,
        )

    def port(self, file: str) -> Port:
        if (self.scale is None) != (self.zero_point is None):
            _fail(file, f"port '{self.name}' has a scale or a zero point without the other")
        quantization = None
        if self.scale is not None and self.zero_point is not None:
            quantization = Quantization(self.scale, self.zero_point)
        return Port(
            self.name,
            self.shape,
            self.storage,
            self.offset,
            self.order,
            self.model,
            quantization,
        )


@dataclass(frozen=True)
class _Call:
    """A call of the host: function, storage type and shape of each operand, attributes, number of the result, and the
    place among the weights of each operand that lies there, if any does.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    function: str
    operands: list[tuple[str, list[_Size]]]
    attributes: dict[str, _Attribute]
    result: _Size
    places: list[_Size | None] = field(default_factory=list)

    def call(self, file: str) -> Call:
        try:
            return Call.from_parts(
                self.function, self.operands, self.attributes, self.result, self.places
            )
        except FunctionError as error:
            _fail(file, f"a call of the host cannot be made: {error}")


@dataclass(frozen=True)
class _Description:
    """The section "program": everything of a program but streams, weights, the target and the debug map."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    name: str
    target_reference: str
    inputs: list[_Port]
    outputs: list[_Port]
    segment_sizes: dict[str, _Size]
    counters: _Size
    local_bytes: list[_Size]
    acc_bytes: list[_Size]
    statistics: dict[str, Annotated[int, Field(ge=-(2**63), lt=2**63)]]
    calls: list[_Call] = field(default_factory=list)
    """Not in the file if the host computes nothing."""
    dma_queues: Annotated[int, Field(ge=1, le=256)] | None = None
    """Not in the file if the program uses all queues."""


_SECTIONS = TypeAdapter(list[_Section])
_DESCRIPTION = TypeAdapter(_Description)
_LOWER_BOUND = TypeAdapter(Annotated[dict[str, _Size], Field(min_length=1)])
_DEBUG = TypeAdapter(list[tuple[str, list[str]]])


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _aligned(offset: int) -> int:
    return round_up(offset, ALIGNMENT)


def write(program: Program) -> bytes:
    """Return the bytes of a program's file; the same program always gives the same bytes."""
    return b"".join(_pieces(program))


def _pieces(program: Program) -> list[bytes | memoryview]:
    """Return the file in pieces, so that large sections are not copied."""
    description = _Description(
        name=program.name,
        target_reference=program.target_reference,
        inputs=[_Port.of(port) for port in program.inputs],
        outputs=[_Port.of(port) for port in program.outputs],
        segment_sizes=program.segment_sizes,
        counters=program.counters,
        local_bytes=program.local_bytes,
        acc_bytes=program.acc_bytes,
        statistics=program.statistics,
        dma_queues=program.dma_queues,
        calls=[_Call(**call.to_json()) for call in program.calls],
    )
    fields = asdict(description)
    if not program.calls:
        del fields["calls"]
    if program.dma_queues is None:
        del fields["dma_queues"]
    contents: dict[str, Any] = {
        "program": _json(fields),
        "target": program.target.to_json().encode(),
        "debug": _json([[entry.op, list(entry.nodes)] for entry in program.debug]),
    }
    for core, stream in enumerate(program.streams):
        contents[f"stream{core}"] = np.ascontiguousarray(stream).view(np.uint8).data
    contents["weights"] = program.weight_bytes.data
    if program.lower_bound is not None:
        contents[_BOUND] = _json(dict(program.lower_bound.parts))
    if program.schedule:
        contents[_SCHEDULE] = program.schedule.encode()
    return _pack({name: memoryview(content) for name, content in contents.items()})


def _pack(contents: Mapping[str, memoryview]) -> list[bytes | memoryview]:
    """Lay out the sections.

    The manifest holds their offsets, which depend on the length of the manifest: repeat until that length is stable.
    """
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = b""
    while True:
        sections: list[dict[str, Any]] = []
        end = _PREAMBLE.size + len(manifest)
        for name, content in contents.items():
            offset = _aligned(end)
            end = offset + content.nbytes
            sections.append(
                {"name": name, "offset": offset, "size": content.nbytes, "sha256": digests[name]}
            )
        text = _json(sections)
        # The length only grows (blanks may follow JSON), so it is stable after a few rounds.
        text += b" " * (len(manifest) - len(text))
        if len(text) == len(manifest):
            break
        manifest = text
    preamble = _PREAMBLE.pack(MAGIC, VERSION, 0, len(text), end, hashlib.sha256(text).digest())
    pieces: list[bytes | memoryview] = [preamble, text]
    end = len(preamble) + len(text)
    for section in sections:
        pieces += [bytes(section["offset"] - end), contents[section["name"]]]
        end = section["offset"] + section["size"]
    return pieces


def read(data: bytes | bytearray | memoryview, file: str = "program") -> Program:
    """Read and check the program in the bytes of a file, which errors call `file`.

    Raises:
        DiagnosticError: if it is not a whole, undamaged file of this version, or its program cannot
            run.
    """
    view = memoryview(data).toreadonly().cast("B")
    sections = _read_sections(view, file)
    for name in ("program", "target", "debug", "weights"):
        if name not in sections:
            _fail(file, f"section '{name}' is missing")
    names = [name for name in sections if name.startswith("stream")]
    known = len(names) + 4 + sum(name in sections for name in _REMARKS)
    if names != [f"stream{core}" for core in range(len(names))] or len(sections) != known:
        _fail(file, "its sections are not those of a program")
    description = _parse(_DESCRIPTION, sections["program"], file, "program")
    debug = _parse(_DEBUG, sections["debug"], file, "debug")
    target = _read_target(sections["target"], file)
    bound = None
    if _BOUND in sections:
        bound = LowerBound(_parse(_LOWER_BOUND, sections[_BOUND], file, _BOUND))
    program = Program(
        target=target,
        streams=[_read_stream(sections[name], file, name) for name in names],
        weights=sections["weights"],
        inputs=[each.port(file) for each in description.inputs],
        outputs=[each.port(file) for each in description.outputs],
        segment_sizes=description.segment_sizes,
        counters=description.counters,
        local_bytes=description.local_bytes,
        acc_bytes=description.acc_bytes,
        debug=[DebugEntry(op, tuple(nodes)) for op, nodes in debug],
        name=description.name,
        statistics=description.statistics,
        dma_queues=description.dma_queues,
        calls=[each.call(file) for each in description.calls],
        target_reference=description.target_reference,
        lower_bound=bound,
        schedule=_read_text(sections.get(_SCHEDULE, memoryview(b"")), file, _SCHEDULE),
    )
    check_program(program, file)
    return program


def _fail(file: str, message: str, hint: str = _AGAIN) -> NoReturn:
    raise DiagnosticError(message, Place(file=file), hint=hint)


def _read_sections(view: memoryview, file: str) -> dict[str, memoryview]:
    """Return the sections by name, checked against the file's size and their checksums."""
    if len(view) < _PREAMBLE.size or bytes(view[: len(MAGIC)]) != MAGIC:
        _fail(file, "this is not a Smalti program", "give a .smalti file made by `smalti compile`")
    _, version, zero, length, size, digest = _PREAMBLE.unpack(view[: _PREAMBLE.size])
    if version != VERSION:
        _fail(file, f"the file has format version {version}, this Smalti reads version {VERSION}")
    if size != len(view):
        _fail(file, f"the file is damaged: it should have {size} bytes and has {len(view)}")
    end = _PREAMBLE.size + length
    if zero != 0 or end > len(view):
        _fail(file, "the preamble is damaged")
    text = view[_PREAMBLE.size : end]
    if hashlib.sha256(text).digest() != digest:
        _fail(file, "the manifest is damaged (its checksum differs)")
    result: dict[str, memoryview] = {}
    for section in _parse(_SECTIONS, text, file, "manifest"):
        start = _aligned(end)
        if section.offset != start or start + section.size > len(view) or section.name in result:
            _fail(file, f"the manifest puts section '{section.name}' where it cannot be")
        if any(view[end:start]):
            _fail(file, f"the bytes before section '{section.name}' are damaged")
        end = start + section.size
        content = view[start:end]
        if hashlib.sha256(content).hexdigest() != section.sha256:
            _fail(file, f"section '{section.name}' is damaged (its checksum differs)")
        result[section.name] = content
    if end != len(view):
        _fail(file, f"the file is damaged: {len(view) - end} bytes follow the last section")
    return result


def _parse(adapter: TypeAdapter[_T], text: memoryview, file: str, section: str) -> _T:
    """Parse and validate JSON text. Raises DiagnosticError, which names the first few mistakes."""
    try:
        return adapter.validate_json(bytes(text), strict=True)
    except ValidationError as error:
        notes = [
            f"{'.'.join(str(part) for part in mistake['loc']) or section}: {mistake['msg']}"
            for mistake in error.errors(include_url=False, include_input=False)[:5]
        ]
        raise DiagnosticError(
            f"section '{section}' does not say what it should", Place(file=file), notes, _AGAIN
        ) from None


def _read_target(text: memoryview, file: str) -> Target:
    try:
        return Target.from_json(bytes(text).decode())
    except (DiagnosticError, UnicodeDecodeError) as error:
        note = error.message if isinstance(error, DiagnosticError) else str(error)
        raise DiagnosticError(
            "section 'target' does not describe a target", Place(file=file), [note], _AGAIN
        ) from None


def _read_text(content: memoryview, file: str, name: str) -> str:
    try:
        return bytes(content).decode()
    except UnicodeDecodeError as error:
        _fail(file, f"section '{name}' is no text: byte {error.start} is not UTF-8")


def _read_stream(content: memoryview, file: str, name: str) -> np.ndarray:
    if content.nbytes % INSTRUCTION_BYTES:
        _fail(
            file,
            f"section '{name}' has {content.nbytes} bytes: no whole number of instructions",
        )
    if content.nbytes == 0:
        return np.zeros(0, WORD)
    return np.frombuffer(content, WORD)


def load(path: str | Path) -> Program:
    """Read and check a program file.

    Raises:
        DiagnosticError: if it cannot be read, is damaged, or its program cannot run.
    """
    hint = "give a .smalti file made by `smalti compile`"
    return read(read_bytes(path, "the program", FILE_LIMIT_BYTES, hint), str(path))


def program_hash(path: str | Path) -> str | None:
    """Return the hash by which files of the same compile name a program file: that of the digests of its sections, but
    for those about its network, which a program compiled from IR lacks. None if there is no such file, or if it is no
    program.
    """
    path = Path(path)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            preamble = file.read(_PREAMBLE.size)
            if len(preamble) < _PREAMBLE.size or not preamble.startswith(MAGIC):
                return None
            length = _PREAMBLE.unpack(preamble)[3]
            manifest = file.read(min(length, path.stat().st_size))
        sections = _SECTIONS.validate_json(manifest, strict=True)
    except (OSError, ValidationError):
        return None
    digests = [[each.name, each.sha256] for each in sections if each.name not in _REMARKS]
    return f"sha256:{hashlib.sha256(_json(digests)).hexdigest()[:16]}"


def save(program: Program, path: str | Path) -> None:
    """Write the file of a program, whole or not at all. Raises DiagnosticError if that fails."""
    write_atomically(Path(path), lambda file: file.writelines(_pieces(program)))
