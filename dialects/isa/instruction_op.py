"""The op classes of the instructions, one for each instruction in the table of
`backends/instructions/instruction_set.py`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    BytesAttr,
    DenseArrayBase,
    LocationAttr,
    StringAttr,
    UnknownLoc,
    f64,
)
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.instruction_set import BY_MNEMONIC, ENGINES, INSTRUCTIONS, Instruction
from ..ir.attribute import INTS, REALS, Ints, Reals, ints_of_bytes, values_of
from .field_values import FieldError, field_values
from .line import NAME, Line, line_format

MAX_CORES = 64
"""How many cores a signal's bit mask can name."""
UNKNOWN = UnknownLoc()
_NAME = re.compile(NAME)


class InstructionOp(IRDLOperation):
    """Base of the instruction ops, which have no operands and no results.

    `fields` holds the fields that are not real, in table order, with codes for names; `reals` holds the real ones.
    `after` names earlier instructions of the stream, `wait` is (counter, least value), `signal` is (counter, cores…),
    `engine` is the engine of a sync; `origin` is the name of the `tpu` result that is computed, and the location holds
    the ONNX nodes.
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
        """The class of the instruction in the table."""
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
        """The fields that are not real, in table order, with codes for names."""
        return values_of(self.fields_)

    def values(self) -> dict[str, Any]:
        """Return the fields by name as the table's functions take them: names for codes, and `engine`."""
        return {
            **field_values(self.instruction).by_name(self.integers, values_of(self.reals)),
            "engine": self.engine,
        }

    def line(self, location: str | None = None) -> Line:
        """Return the op as a line of text; `location` is the text of its location, or None to leave that out."""
        # Read the properties directly: xDSL's accessors would take half of the time of a listing.
        properties = cast(Mapping[str, Any], self.properties)
        fields, reals = properties["fields"].data.data, properties["reals"].data.data
        engine, origin = properties.get("engine"), properties.get("origin")
        after, wait, signal = (properties.get(name) for name in ("after", "wait", "signal"))
        return Line(
            properties["name"].data,
            self.instruction,
            struct.unpack(f"<{len(fields) // 8}q", fields),
            struct.unpack(f"<{len(reals) // 8}d", reals),
            None if engine is None else engine.data,
            () if after is None else tuple([name.data for name in after.data]),
            None if wait is None else wait.get_values(),
            None if signal is None else signal.get_values(),
            None if origin is None else origin.data,
            location,
        )

    def print(self, printer: Printer) -> None:
        """Write an op that stands alone (for example in an error message): a line without mnemonic."""
        head, _, rest = line_format(self.instruction).write(self.line()).partition(": ")
        printer.print_string(f" {head}:{rest[len(self.instruction.mnemonic) :]}")

    @classmethod
    def parse(cls, parser: Parser) -> InstructionOp:
        """Read an op that stands alone: the rest of its line, after the mnemonic."""
        from .grammar import LineError, read_line

        content = parser.lexer.input.content
        start = parser.pos
        end = content.find("\n", start)
        end = len(content) if end < 0 else end
        match = re.compile(rf"({NAME})\s*:").match(content, start, end)
        if match is None:
            parser.raise_error("expected the instruction's name and ':'")
        text = content[match.end() : end]
        # The parser reads the location after the line, as for every other op.
        mnemonic = cls.name[len("isa.") :]
        stop = text.rfind(" loc(")
        text = text if stop < 0 else text[:stop]
        try:
            line = read_line(f"{match[1]}: {mnemonic}{text}")
        except LineError as error:
            parser.raise_error(error.message, start, end)
        assert line is not None
        op = op_of_line(line, UNKNOWN)
        parser._resume_from(match.end() + len(text))
        return op

    def verify_(self) -> None:
        """Raise VerifyException unless every field fits, and `after`, `wait` and `signal` make sense by themselves."""
        where = f"instruction '{self.instruction_name.data}' ({self.instruction.mnemonic})"
        if _NAME.fullmatch(self.instruction_name.data) is None:
            raise VerifyException(f"{where}: the name has to be letters, digits and underscores")
        if self.attributes:
            raise VerifyException(
                f"{where}: instructions carry no attributes, got {next(iter(self.attributes))}"
            )
        values = field_values(self.instruction)
        problem = values.problem(self.integers, values_of(self.reals)) or self._order_problem()
        if problem:
            raise VerifyException(f"{where}: {problem}")

    def _order_problem(self) -> str | None:
        given = self.engine_.data if self.engine_ is not None else None
        if self.instruction.engine is None and given not in ENGINES:
            return f"engine is one of {', '.join(ENGINES)}, got {given}"
        if self.instruction.engine is not None and given is not None:
            return f"it always runs on engine {self.instruction.engine}: leave 'engine' out"
        wait = values_of(self.wait) if self.wait is not None else (0, 1)
        if len(wait) != 2 or not 0 <= wait[0] < 2**16 or not 1 <= wait[1] < 2**32:
            return f"wait is a counter and a value of at least 1, got {wait}"
        signal = values_of(self.signal) if self.signal is not None else (0, 0)
        cores = signal[1:]
        if not cores or not 0 <= signal[0] < 2**16 or list(cores) != sorted(set(cores)):
            return f"signal is a counter and one or more different cores, ascending, got {signal}"
        if cores[0] < 0 or cores[-1] >= MAX_CORES:
            return f"signal names cores 0 to {MAX_CORES - 1}, got {cores}"
        if self.after is not None and not self.after.data:
            return "'after' names no instruction: leave it out"
        return None


def _define(instruction: type[Instruction]) -> type[InstructionOp]:
    """Return the op class of an instruction, with the instruction's documentation."""
    words = "".join(word.capitalize() for word in instruction.mnemonic.split("_"))
    namespace = {
        "name": f"isa.{instruction.mnemonic}",
        "__doc__": instruction.__doc__,
        "__module__": __name__,
    }
    return irdl_op_definition(type(f"{words}Op", (InstructionOp,), namespace))


OPS: dict[str, type[InstructionOp]] = {i.mnemonic: _define(i) for i in INSTRUCTIONS}
"""The op class of each instruction, by mnemonic."""


def add_instruction(instruction: type[Instruction]) -> type[InstructionOp]:
    """Make and return the op class of an instruction that was registered after this module was loaded."""
    return OPS.setdefault(instruction.mnemonic, _define(instruction))


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
    """Return an instruction op for field values by name (names for codes); fields at their defaults may be left out.

    A real that is stored as f32 is rounded to it. `signal` is (counter, cores). Raises DiagnosticError, which names the
    instruction, field and value, if a field is unknown, missing or out of range.
    """
    instruction = BY_MNEMONIC[mnemonic]
    try:
        integers, reals = field_values(instruction).codes(fields)
    except FieldError as error:
        raise DiagnosticError(f"instruction '{name}' ({mnemonic}){error}") from None
    cores = (signal[0], *sorted(set(signal[1]))) if signal else None
    line = Line(name, instruction, integers, reals, engine, tuple(after), wait, cores, origin)
    return op_of_line(line, location or UNKNOWN)


@lru_cache(maxsize=4096)
def _string(text: str) -> StringAttr:
    return StringAttr(text)


@lru_cache(maxsize=4096)
def _strings(texts: tuple[str, ...]) -> ArrayAttr[StringAttr]:
    return ArrayAttr([_string(text) for text in texts])


@lru_cache(maxsize=4096)
def _int_array(values: tuple[int, ...]) -> Ints:
    return ints_of_bytes(struct.pack(f"<{len(values)}q", *values))


@lru_cache(maxsize=1024)
def _real_array(data: bytes) -> Reals:
    return DenseArrayBase(f64, BytesAttr(data))


def op_of_line(line: Line, location: LocationAttr) -> InstructionOp:
    """Return the op of a line. Raises struct.error if a number does not fit 64 bits."""
    properties: dict[str, Attribute] = {
        "name": _string(line.name),
        "fields": ints_of_bytes(line_format(line.instruction).pack(line.integers)),
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
