"""The isa dialect: a program of one listing per core, one op per machine instruction.

    isa.program @digits target("default-8c", "sha256:0123456789abcdef") counters(6)
        segments(weights = 4096, input = 784, output = 40, scratch = 0)
        inputs("image" f32[1, 1, 14, 14] at 0) outputs("scores" f32[1, 10] at 0) {
      isa.stream core(0) local(2048) acc(1024) {
        d0: load src_space=global, dst_space=local, src=0x0, dst=0x400, run=512 signal c2@{0,1} for
        "conv1" m0: conv2d x=0x400, w=0x0, acc=0x0, type=i8, … after d0 wait c5>=3 loc("Conv_3")
      }
    }

The classes of the instruction ops are made from the table in `dialects/instruction.py`. The listing
of a stream is read and written line by line (`line.py`), not token by token. The generic form is
MLIR's.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from xdsl.dialects.builtin import (
    ArrayAttr,
    BytesAttr,
    DenseArrayBase,
    DictionaryAttr,
    IntegerAttr,
    LocationAttr,
    StringAttr,
    SymbolNameConstraint,
    UnknownLoc,
    f64,
    i64,
)
from xdsl.ir import Attribute, Block, Dialect, Operation, ParametrizedAttribute, Region
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, NoTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from ...backends.targets.target import Target, TargetError, load_target
from ..attribute import INTS, REALS, Integer, Ints, Reals
from ..diagnostic import DiagnosticError, Place
from ..instruction import BY_MNEMONIC, ENGINES, INSTRUCTIONS, SEGMENTS, STORAGE_BYTES, Instruction
from ..instruction_rules import (
    MemorySizes,
    code_names,
    field_code,
    field_error,
    instruction_error,
)
from .grammar import LineError, read_line
from .line import NAME, Line, line_format, quoted

MAX_CORES = 64
"""Cores that a signal's bit mask can name."""
_UNKNOWN = UnknownLoc()
_NAME = re.compile(NAME)
_LINE = re.compile(rf"[ \t]*({NAME}): ((\w+).*)", re.ASCII)


@irdl_attr_definition
class PortAttr(ParametrizedAttribute):
    """An input or output: name, storage type, ONNX shape, offset in its segment: `#isa.port<"x"
    f32[1, 3, 8, 8] at 0>`.
    """

    name = "isa.port"
    port_name: StringAttr
    storage: StringAttr
    shape: Ints
    offset: Integer

    @staticmethod
    def get(name: str, storage: str, shape: Sequence[int], offset: int) -> PortAttr:
        """The attribute of a port of `storage` with the dense, row-major `shape` at byte `offset`.
        """
        dims = DenseArrayBase.from_list(i64, list(shape))
        return PortAttr(StringAttr(name), StringAttr(storage), dims, IntegerAttr(offset, i64))

    @classmethod
    def parse_body(cls, parser: AttrParser) -> list[Attribute]:
        """Reads `"x" f32[1, 3, 8, 8] at 0`."""
        name = parser.parse_str_literal(" for the port's name")
        storage = parser.parse_identifier(" for the port's storage type")
        shape = parser.parse_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)
        )
        parser.parse_keyword("at")
        offset = parser.parse_integer(allow_boolean=False)
        return list(PortAttr.get(name, storage, shape, offset).parameters)

    def body(self) -> str:
        """What `parse_body` reads."""
        shape = ", ".join(str(dim) for dim in self.shape.iter_values())
        return f"{quoted(self.port_name.data)} {self.storage.data}[{shape}] at {self.offset.value.data}"

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        """Reads the body in angle brackets."""
        with parser.in_angle_brackets():
            return cls.parse_body(parser)

    def print_parameters(self, printer: Printer) -> None:
        """Writes the body in angle brackets."""
        printer.print_string(f"<{self.body()}>")

    def verify(self) -> None:
        """A known storage type, no negative number."""
        if self.storage.data not in STORAGE_BYTES or self.storage.data == "none":
            raise VerifyException(
                f"port '{self.port_name.data}': there is no storage type '{self.storage.data}'"
            )
        if any(dim < 0 for dim in self.shape.iter_values()) or self.offset.value.data < 0:
            raise VerifyException(f"port '{self.port_name.data}': a size or offset is negative")

    @property
    def size_bytes(self) -> int:
        """Bytes of the tensor."""
        size = STORAGE_BYTES[self.storage.data]
        for dim in self.shape.iter_values():
            size *= dim
        return size


class InstructionOp(IRDLOperation):
    """Base of the instruction ops: no operands, no results.

    `fields` holds the fields that are not real, in table order, names as codes; `reals` the real
    ones. `after` names earlier instructions of the stream, `wait` is (counter, least value),
    `signal` (counter, cores…), `engine` is sync's; `origin` is the name of the `tpu` result that is
    computed, the location the ONNX nodes.
    """

    instruction_name = prop_def(StringAttr, prop_name="name")
    fields_ = prop_def(INTS, prop_name="fields")
    reals = prop_def(REALS)
    after = opt_prop_def(ArrayAttr[StringAttr])
    wait = opt_prop_def(INTS)
    signal = opt_prop_def(INTS)
    engine_ = opt_prop_def(StringAttr, prop_name="engine")
    origin = opt_prop_def(StringAttr)

    @property
    def instruction(self) -> type[Instruction]:
        """The instruction's class in the table."""
        return BY_MNEMONIC[self.name[len("isa.") :]]

    @property
    def engine(self) -> str:
        """The engine in whose queue the instruction stands."""
        own = self.instruction.engine
        if own is not None:
            return own
        return self.engine_.data if self.engine_ is not None else ""

    @property
    def integers(self) -> tuple[int, ...]:
        """The fields that are not real, in table order, names as codes."""
        return self.fields_.get_values()

    def values(self) -> dict[str, Any]:
        """The fields by name as the table's functions take them: names for codes, and `engine`."""
        integers, reals = self.fields_.iter_values(), self.reals.iter_values()
        result: dict[str, Any] = {}
        for field in self.instruction.fields:
            value = next(reals) if field.kind == "real" else next(integers)
            named = field.kind in ("storage", "enum")
            result[field.name] = code_names(field)[int(value)] if named else value
        result["engine"] = self.engine
        return result

    def line(self, location: str | None = None) -> Line:
        """The op as a line of text; `location` is the text of its location, if that is to be
        written.
        """
        properties = self.properties
        fields, reals = properties["fields"], properties["reals"]
        assert isinstance(fields, DenseArrayBase) and isinstance(reals, DenseArrayBase)
        after, wait, signal, origin = self.after, self.wait, self.signal, self.origin
        return Line(
            self.instruction_name.data,
            self.instruction,
            struct.unpack(f"<{len(fields.data.data) // 8}q", fields.data.data),
            struct.unpack(f"<{len(reals.data.data) // 8}d", reals.data.data),
            self.engine_.data if self.engine_ is not None else None,
            tuple(name.data for name in after) if after is not None else (),
            wait.get_values() if wait is not None else None,  # type: ignore[arg-type]
            signal.get_values() if signal is not None else None,
            origin.data if origin is not None else None,
            location,
        )

    def print(self, printer: Printer) -> None:
        """Writes an op that stands alone (in an error message, say): its line without the mnemonic.
        """
        head, _, rest = line_format(self.instruction).write(self.line()).partition(": ")
        printer.print_string(f" {head}:{rest[len(self.instruction.mnemonic) :]}")

    @classmethod
    def parse(cls, parser: Parser) -> InstructionOp:
        """Reads an op that stands alone: the rest of its line."""
        content = parser.lexer.input.content
        start = parser.pos
        end = content.find("\n", start)
        end = len(content) if end < 0 else end
        match = re.compile(rf"({NAME})\s*:").match(content, start, end)
        if match is None:
            parser.raise_error("expected the instruction's name and ':'")
        text = content[match.end() : end]
        # The location after the line is the parser's, as for every other op.
        mnemonic = cls.name[len("isa.") :]
        stop = text.rfind(" loc(")
        text = text if stop < 0 else text[:stop]
        try:
            line = read_line(f"{match[1]}: {mnemonic}{text}")
        except LineError as error:
            parser.raise_error(error.message, start, end)
        assert line is not None
        op = _op_of(line, _UNKNOWN)
        parser._resume_from(match.end() + len(text))
        return op

    def verify_(self) -> None:
        """Every field fits and the parts that order the instruction make sense by themselves."""
        where = f"instruction '{self.instruction_name.data}' ({self.instruction.mnemonic})"
        if _NAME.fullmatch(self.instruction_name.data) is None:
            raise VerifyException(f"{where}: the name has to be letters, digits and underscores")
        if self.attributes:
            raise VerifyException(
                f"{where}: instructions carry no attributes, got {next(iter(self.attributes))}"
            )
        problem = self._field_problem() or self._order_problem()
        if problem:
            raise VerifyException(f"{where}: {problem}")

    def _field_problem(self) -> str | None:
        layout = line_format(self.instruction)
        kinds = (
            (layout.integer_fields, self.integers),
            (layout.real_fields, self.reals.get_values()),
        )
        for fields, values in kinds:
            if len(fields) != len(values):
                kind = "real" if fields is layout.real_fields else "integer"
                return f"it has {len(fields)} {kind} fields, got {len(values)} values"
            for field, value in zip(fields, values, strict=True):
                problem = field_error(field, value)
                if problem:
                    return problem
        return None

    def _order_problem(self) -> str | None:
        given = self.engine_.data if self.engine_ is not None else None
        if self.instruction.engine is None and given not in ENGINES:
            return f"engine is one of {', '.join(ENGINES)}, got {given}"
        if self.instruction.engine is not None and given is not None:
            return f"it always runs on engine {self.instruction.engine}: leave 'engine' out"
        wait = self.wait.get_values() if self.wait is not None else (0, 1)
        if len(wait) != 2 or not 0 <= wait[0] < 2**16 or not 1 <= wait[1] < 2**32:
            return f"wait is a counter and a value of at least 1, got {wait}"
        signal = self.signal.get_values() if self.signal is not None else (0, 0)
        cores = signal[1:]
        if not cores or not 0 <= signal[0] < 2**16 or list(cores) != sorted(set(cores)):
            return f"signal is a counter and one or more different cores, ascending, got {signal}"
        if cores[0] < 0 or cores[-1] >= MAX_CORES:
            return f"signal names cores 0 to {MAX_CORES - 1}, got {cores}"
        if self.after is not None and not self.after.data:
            return "'after' names no instruction: leave it out"
        return None


def _define(instruction: type[Instruction]) -> type[InstructionOp]:
    """The op class of an instruction: its documentation is the instruction's."""
    words = "".join(word.capitalize() for word in instruction.mnemonic.split("_"))
    namespace = {
        "name": f"isa.{instruction.mnemonic}",
        "__doc__": instruction.__doc__,
        "__module__": __name__,
    }
    return irdl_op_definition(type(f"{words}Op", (InstructionOp,), namespace))


OPS: Mapping[str, type[InstructionOp]] = {i.mnemonic: _define(i) for i in INSTRUCTIONS}
"""The op class of each instruction, by mnemonic."""


def instruction_op(
    mnemonic: str,
    name: str,
    fields: Mapping[str, Any],
    *,
    after: Sequence[str] = (),
    wait: tuple[int, int] | None = None,
    signal: tuple[int, Sequence[int]] | None = None,
    engine: str | None = None,
    origin: str | None = None,
    location: LocationAttr | None = None,
) -> InstructionOp:
    """An instruction op of field values by name (names for codes); fields at their defaults may be
    left out.

    A real that is stored as f32 is rounded to it. `signal` is (counter, cores). Raises
    DiagnosticError naming instruction, field and value for a field that is unknown, missing or out
    of range.
    """
    instruction = BY_MNEMONIC[mnemonic]
    unknown = fields.keys() - {field.name for field in instruction.fields}
    if unknown:
        raise DiagnosticError(f"instruction '{name}' ({mnemonic}) has no field '{min(unknown)}'")
    integers: list[int] = []
    reals: list[float] = []
    for field in instruction.fields:
        value = fields.get(field.name, field.default)
        if value is None:
            raise DiagnosticError(
                f"instruction '{name}' ({mnemonic}) needs its field '{field.name}'"
            )
        code = field_code(field, float(value) if field.kind == "real" else value)
        problem = field_error(field, code)
        if problem:
            raise DiagnosticError(f"instruction '{name}' ({mnemonic}): {problem}")
        if field.kind == "real":
            reals.append(code)
        else:
            integers.append(int(code))
    cores = (signal[0], *sorted(set(signal[1]))) if signal else None
    line = Line(
        name, instruction, tuple(integers), tuple(reals), engine, tuple(after), wait, cores, origin
    )
    return _op_of(line, location or _UNKNOWN)


@lru_cache(maxsize=4096)
def _string(text: str) -> StringAttr:
    return StringAttr(text)


@lru_cache(maxsize=4096)
def _strings(texts: tuple[str, ...]) -> ArrayAttr[StringAttr]:
    return ArrayAttr([StringAttr(text) for text in texts])


@lru_cache(maxsize=4096)
def _int_array(values: tuple[int, ...]) -> Ints:
    return DenseArrayBase(i64, BytesAttr(struct.pack(f"<{len(values)}q", *values)))


@lru_cache(maxsize=1024)
def _real_array(data: bytes) -> Reals:
    return DenseArrayBase(f64, BytesAttr(data))


def _op_of(line: Line, location: LocationAttr) -> InstructionOp:
    """The op of a line. Raises struct.error if a number does not fit 64 bits."""
    data = line_format(line.instruction).pack(line.integers)
    properties: dict[str, Attribute] = {
        "name": StringAttr(line.name),
        "fields": DenseArrayBase(i64, BytesAttr(data)),
        "reals": _real_array(struct.pack(f"<{len(line.reals)}d", *line.reals)),
    }
    if line.after:
        properties["after"] = _strings(line.after)
    if line.wait:
        properties["wait"] = _int_array(line.wait)
    if line.signal:
        properties["signal"] = _int_array(line.signal)
    if line.engine:
        properties["engine"] = _string(line.engine)
    if line.origin is not None:
        properties["origin"] = _string(line.origin)
    return OPS[line.instruction.mnemonic].create(properties=properties, location=location)


@irdl_op_definition
class StreamOp(IRDLOperation):
    """The listing of one virtual core, in program order; `local_bytes` and `acc_bytes` is the
    memory that it uses.
    """

    name = "isa.stream"
    core = prop_def(Integer)
    local_bytes = prop_def(Integer)
    acc_bytes = prop_def(Integer)
    body = region_def("single_block")
    traits = traits_def(NoTerminator())

    @staticmethod
    def get(
        core: int, local_bytes: int, acc_bytes: int, instructions: Sequence[Operation]
    ) -> StreamOp:
        """The listing `instructions` of core `core`."""
        numbers = {"core": core, "local_bytes": local_bytes, "acc_bytes": acc_bytes}
        return StreamOp.create(
            properties={name: IntegerAttr(value, i64) for name, value in numbers.items()},
            regions=[Region(Block(instructions))],
        )

    @property
    def instructions(self) -> Iterator[InstructionOp]:
        """The instructions in program order."""
        for op in self.body.block.ops:
            assert isinstance(op, InstructionOp)
            yield op

    def print(self, printer: Printer) -> None:
        """Writes head and listing."""
        printer.print_string(
            f" core({self.core.value.data}) local({self.local_bytes.value.data}) "
            f"acc({self.acc_bytes.value.data})"
        )
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" {")
        indent = " " * ((printer._indent + 1) * printer.indent_num_spaces)
        locations = _LocationTexts() if printer.print_debuginfo else None
        lines: list[str] = []
        for op in self.body.block.ops:
            assert isinstance(op, InstructionOp), (
                "the verifier lets only instructions into a stream"
            )
            location = locations.of(op.location) if locations else None
            lines.append(indent + line_format(op.instruction).write(op.line(location)))
        if lines:
            printer.print_string("\n" + "\n".join(lines), indent=0)
        printer.print_string("\n}")

    @classmethod
    def parse(cls, parser: Parser) -> StreamOp:
        """Reads head and listing."""
        core = _number(parser, "core")
        local_bytes = _number(parser, "local")
        acc_bytes = _number(parser, "acc")
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = StreamOp.get(core, local_bytes, acc_bytes, _read_listing(parser))
        if attributes is not None:
            op.attributes.update(attributes.data)
        return op

    def verify_(self) -> None:
        """Only instructions, each name once, and `after` names instructions that stand earlier."""
        if not isinstance(self.parent_op(), ProgramOp):
            raise VerifyException("isa.stream stands in an isa.program")
        where = f"core {self.core.value.data}"
        seen: set[str] = set()
        for op in self.body.block.ops:
            if not isinstance(op, InstructionOp):
                raise VerifyException(f"{where}: a stream holds instructions only, got {op.name}")
            name = op.instruction_name.data
            if name in seen:
                raise VerifyException(f"{where}: two instructions are called '{name}'")
            for earlier in op.after.data if op.after is not None else ():
                if earlier.data not in seen:
                    raise VerifyException(
                        f"{where}: instruction '{name}' is after '{earlier.data}', "
                        "which is not an instruction that stands earlier in this stream"
                    )
            seen.add(name)


class _LocationTexts:
    """The text of locations; the same attribute is written once."""

    def __init__(self) -> None:
        self._texts: dict[int, str | None] = {}

    def of(self, location: Attribute) -> str | None:
        key = id(location)
        if key not in self._texts:
            stream = io.StringIO()
            if not isinstance(location, UnknownLoc):
                Printer(stream).print_attribute(location)
            self._texts[key] = stream.getvalue() or None
        return self._texts[key]


def _number(parser: Parser, keyword: str) -> int:
    """Reads `keyword(NUMBER)`."""
    parser.parse_keyword(keyword)
    with parser.in_parens():
        return parser.parse_integer(allow_boolean=False, allow_negative=False)


def _read_listing(parser: Parser) -> list[Operation]:
    """Reads `{`, raw lines of instructions and `}`; the parser goes on after that."""
    token = parser._current_token
    if token.text != "{":
        parser.raise_error("expected '{' before the listing")
    content = parser.lexer.input.content
    locations: dict[str, LocationAttr] = {}
    instructions: list[Operation] = []
    start = token.span.end
    while start < len(content):
        end = content.find("\n", start)
        end = len(content) if end < 0 else end
        text = content[start:end]
        op = _read_fast(text, locations)
        if op is None:
            close = len(text) - len(text.lstrip())
            if text.startswith("}", close):
                parser._resume_from(start + close + 1)
                return instructions
            op = _read_slowly(parser, text, start, locations)
        if op is not None:
            instructions.append(op)
        start = end + 1
    parser.raise_error("the listing has no end: expected '}'", token.span)


def _read_fast(text: str, locations: dict[str, LocationAttr]) -> InstructionOp | None:
    """The op of a line that is written as Smalti writes it, None for any other."""
    match = _LINE.fullmatch(text)
    if match is None:
        return None
    instruction = BY_MNEMONIC.get(match[3])
    if instruction is None:
        return None
    try:
        line = line_format(instruction).read(match[1], match[2])
        if line is None:
            return None
        location = _UNKNOWN if line.location is None else locations.get(line.location)
        return _op_of(line, location) if location is not None else None
    except (ValueError, struct.error):
        return None


def _read_slowly(
    parser: Parser, text: str, start: int, locations: dict[str, LocationAttr]
) -> InstructionOp | None:
    """The op of any line, None for a blank one; mistakes are raised at their position. Notes the
    location's text.
    """
    try:
        line = read_line(text)
    except LineError as error:
        parser.raise_error(error.message, start + error.start, start + error.end)
    if line is None:
        return None
    location: LocationAttr = _UNKNOWN
    if line.location is not None:
        position = start + text.index(line.location)
        parser._resume_from(position)
        read = parser.parse_optional_location()
        if read is None:
            parser.raise_error("expected a location", position, position + len(line.location))
        location = locations[line.location] = read
    return _op_of(line, location)


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """A program: the target it is for, the memory it needs, its inputs and outputs, and a stream
    for each core.

    `target` is what `load_target` accepts and `target_hash` the target's content hash. `counters`
    is how many counters each core uses. `segments` holds the bytes of each segment of global
    memory, in the order of `SEGMENTS`. `key` names the bytes of segment "weights" (u8) in the
    weight store; without it there are none.
    """

    name = "isa.program"
    sym_name = prop_def(SymbolNameConstraint())
    target = prop_def(StringAttr)
    target_hash = prop_def(StringAttr)
    counters = prop_def(Integer)
    segments = prop_def(INTS)
    inputs = prop_def(ArrayAttr[PortAttr])
    outputs = prop_def(ArrayAttr[PortAttr])
    key = opt_prop_def(StringAttr)
    statistics = opt_prop_def(DictionaryAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator(), IsolatedFromAbove(), SymbolOpInterface())

    @staticmethod
    def get(
        name: str,
        target: str,
        target_hash: str,
        *,
        counters: int,
        segments: Mapping[str, int],
        inputs: Sequence[PortAttr],
        outputs: Sequence[PortAttr],
        streams: Sequence[StreamOp],
        key: str | None = None,
        statistics: Mapping[str, int] | None = None,
    ) -> ProgramOp:
        """A program; `segments` gives bytes by segment name (0 for those left out), `key` the
        weights in the store.
        """
        properties: dict[str, Attribute] = {
            "sym_name": StringAttr(name),
            "target": StringAttr(target),
            "target_hash": StringAttr(target_hash),
            "counters": IntegerAttr(counters, i64),
            "segments": DenseArrayBase.from_list(i64, [segments.get(s, 0) for s in SEGMENTS]),
            "inputs": ArrayAttr(inputs),
            "outputs": ArrayAttr(outputs),
        }
        if key is not None:
            properties["key"] = StringAttr(key)
        if statistics:
            properties["statistics"] = _statistics(statistics)
        return ProgramOp.create(properties=properties, regions=[Region(Block(streams))])

    @property
    def streams(self) -> list[StreamOp]:
        """The streams by core."""
        return [op for op in self.body.block.ops if isinstance(op, StreamOp)]

    @property
    def segment_sizes(self) -> dict[str, int]:
        """Bytes of each segment of global memory."""
        return dict(zip(SEGMENTS, self.segments.get_values(), strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """The statistics as plain numbers."""
        if self.statistics is None:
            return {}
        pairs = self.statistics.data.items()
        return {name: value.value.data for name, value in pairs if isinstance(value, IntegerAttr)}

    def load_target(self) -> Target:
        """The target, checked against the hash. Raises DiagnosticError if it cannot be loaded or
        has another content.
        """
        try:
            target = load_target(self.target.data)
        except TargetError as error:
            raise DiagnosticError(error.message, Place(error.file), hint=error.hint) from None
        if target.content_hash != self.target_hash.data:
            raise DiagnosticError(
                f"program @{self.sym_name.data} was made for a target '{self.target.data}' with the content hash "
                f"{self.target_hash.data}, the target now has {target.content_hash}",
                hint="compile the model again for the target as it is now",
            )
        return target

    def print(self, printer: Printer) -> None:
        """Writes head and streams."""
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        target = f"{quoted(self.target.data)}, {quoted(self.target_hash.data)}"
        segments = ", ".join(f"{name} = {size}" for name, size in self.segment_sizes.items())
        printer.print_string(f" target({target}) counters({self.counters.value.data})")
        with printer.indented(2):
            printer.print_string(f"\nsegments({segments})")
            for keyword, ports in (("inputs", self.inputs), ("outputs", self.outputs)):
                printer.print_string(f"\n{keyword}({', '.join(port.body() for port in ports)})")
            if self.key is not None:
                printer.print_string(f"\nweights({quoted(self.key.data)})")
            if self.statistics is not None:
                counts = ", ".join(f"{quoted(k)} = {v}" for k, v in self.counts.items())
                printer.print_string(f"\nstatistics({counts})")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body)

    @classmethod
    def parse(cls, parser: Parser) -> ProgramOp:
        """Reads head and streams."""
        name = parser.parse_symbol_name().data
        parser.parse_keyword("target")
        with parser.in_parens():
            target = parser.parse_str_literal(" for the target's name or path")
            parser.parse_punctuation(",")
            target_hash = parser.parse_str_literal(" for the target's hash")
        counters = _number(parser, "counters")
        parser.parse_keyword("segments")
        segments = dict(_pairs(parser))
        if tuple(segments) != SEGMENTS:
            parser.raise_error(f"segments are {', '.join(SEGMENTS)}, in this order")
        ports: list[list[PortAttr]] = []
        for keyword in ("inputs", "outputs"):
            parser.parse_keyword(keyword)
            ports.append(
                parser.parse_comma_separated_list(
                    parser.Delimiter.PAREN, lambda: PortAttr(*PortAttr.parse_body(parser))
                )
            )
        key = None
        if parser.parse_optional_keyword("weights"):
            with parser.in_parens():
                key = parser.parse_str_literal(" for the weights' key")
        statistics = dict(_pairs(parser)) if parser.parse_optional_keyword("statistics") else None
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = ProgramOp.get(
            name, target, target_hash, counters=counters, segments=segments, inputs=ports[0],
            outputs=ports[1], streams=[], key=key, statistics=statistics,
        )  # fmt: skip
        op.body.detach_block(0)
        parser.parse_region().move_blocks(op.body)
        if attributes is not None:
            op.attributes.update(attributes.data)
        return op

    def verify_(self) -> None:
        """Streams for cores 0, 1, …; ports inside their segments; instructions inside the target's
        memories.
        """
        try:
            target = self.load_target()
        except DiagnosticError as error:
            raise VerifyException(error.message) from None
        for op in self.body.block.ops:
            if not isinstance(op, StreamOp):
                raise VerifyException(f"an isa.program holds streams only, got {op.name}")
        cores = [stream.core.value.data for stream in self.streams]
        if cores != list(range(len(cores))) or not cores:
            raise VerifyException(f"there is one stream for each core 0, 1, …, got cores {cores}")
        if len(cores) > min(target.cores, MAX_CORES):
            raise VerifyException(
                f"target '{target.name}' has {target.cores} cores, got {len(cores)} streams"
            )
        self._verify_memory(target)
        for stream in self.streams:
            self._verify_stream(stream, target)

    def _verify_memory(self, target: Target) -> None:
        sizes = self.segments.get_values()
        if len(sizes) != len(SEGMENTS) or min(sizes) < 0:
            raise VerifyException(
                f"segments are {len(SEGMENTS)} sizes ({', '.join(SEGMENTS)}), got {list(sizes)}"
            )
        if sum(sizes) > target.global_memory.size_bytes:
            raise VerifyException(
                f"the segments take {sum(sizes)} bytes, the target's global memory has {target.global_memory.size_bytes}"
            )
        if not 0 <= self.counters.value.data <= 2**16:
            raise VerifyException(
                f"there are at most {2**16} counters, got {self.counters.value.data}"
            )
        for segment, ports in (("input", self.inputs), ("output", self.outputs)):
            size = self.segment_sizes[segment]
            for port in ports:
                if port.offset.value.data + port.size_bytes > size:
                    raise VerifyException(
                        f"{segment} '{port.port_name.data}' ends at byte {port.offset.value.data + port.size_bytes} "
                        f"of segment '{segment}', which has {size}"
                    )
        if (self.key is not None) != (sizes[0] > 0):
            there = "a key" if self.key is not None else "no key"
            raise VerifyException(
                f"segment 'weights' has {sizes[0]} bytes, and there is {there} for them in the weight store"
            )
        if self.statistics is not None and len(self.counts) != len(self.statistics.data):
            raise VerifyException("statistics are integers")

    def _verify_stream(self, stream: StreamOp, target: Target) -> None:
        """Every instruction's bytes inside the memory that the stream says it uses, its counters
        and cores known.
        """
        local, acc = stream.local_bytes.value.data, stream.acc_bytes.value.data
        core = stream.core.value.data
        for what, used, size in (
            ("local memory", local, target.local_memory.size_bytes),
            ("accumulator memory", acc, target.matrix.accumulator_bytes),
        ):
            if not 0 <= used <= size:
                raise VerifyException(
                    f"core {core} uses {used} bytes of {what}, the target has {size}"
                )
        sizes = MemorySizes(
            target.local_memory.size_bytes,
            target.matrix.accumulator_bytes,
            self.segments.get_values(),
            len(self.streams),
        )
        for op in stream.instructions:
            problem = instruction_error(
                op.instruction, op.values(), sizes
            ) or self._counter_problem(op)
            if problem:
                raise VerifyException(
                    f"core {core}: instruction '{op.instruction_name.data}' ({op.instruction.mnemonic}): {problem}"
                )

    def _counter_problem(self, op: InstructionOp) -> str | None:
        counters, cores = self.counters.value.data, len(self.streams)
        for what, value in (("wait", op.wait), ("signal", op.signal)):
            if value is not None and value.get_values()[0] >= counters:
                return f"'{what}' names counter {value.get_values()[0]}, the program has {counters}"
        if op.signal is not None and op.signal.get_values()[-1] >= cores:
            return f"'signal' names core {op.signal.get_values()[-1]}, the program has {cores}"
        return None


def _pairs(parser: Parser) -> list[tuple[str, int]]:
    """Reads `(NAME = NUMBER, …)`."""

    def pair() -> tuple[str, int]:
        name = parser.parse_identifier_or_str_literal()
        parser.parse_punctuation("=")
        return name, parser.parse_integer(allow_boolean=False)

    return parser.parse_comma_separated_list(parser.Delimiter.PAREN, pair)


def _statistics(counts: Mapping[str, int]) -> DictionaryAttr:
    return DictionaryAttr({name: IntegerAttr(counts[name], i64) for name in sorted(counts)})


Isa = Dialect("isa", [ProgramOp, StreamOp, *OPS.values()], [PortAttr])
