"""Reads and writes the listing of a stream: raw lines of instructions within the text of a module."""

from __future__ import annotations

import gc
import io
import re
import struct
from collections.abc import Iterable

from xdsl.dialects.builtin import (
    FusedLoc,
    LocationAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Operation
from xdsl.parser import Parser
from xdsl.printer import Printer

from ...backends.instructions.instruction_set import BY_MNEMONIC
from ..ir.location import given_location
from ..ir.text.parser import SmaltiParser
from ..ir.text.printer import SmaltiPrinter
from .instruction_op import UNKNOWN, InstructionOp, op_of_line
from .line import NAME, line_format, unquoted

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_TEXT = _STRING.pattern
_NAMES = re.compile(rf"loc\((?:(fused)\[)?({_TEXT}(?(1)(?:, {_TEXT})*))(?(1)\])\)")
_MNEMONIC = re.compile(rf"[ \t]*{NAME}: (\w+)", re.ASCII)


def write_listing(printer: Printer, instructions: Iterable[InstructionOp]) -> None:
    """Write `{`, a line for each instruction (with its location if the printer prints locations), `}`."""
    indent = " " * ((printer._indent + 1) * printer.indent_num_spaces)
    locations = _LocationTexts() if printer.print_debuginfo else None
    comments = printer.comments if isinstance(printer, SmaltiPrinter) else {}
    lines: list[str] = []
    for op in instructions:
        line = op.line(locations and locations.of(op.location))
        text = indent + line_format(line.instruction).write(line)
        lines.append(f"{text}  // {comments[op]}" if comments and op in comments else text)
    printer.print_string(" {")
    if lines:
        printer.print_string("\n" + "\n".join(lines), indent=0)
    printer.print_string("\n}")


class _LocationTexts:
    """The texts of locations; an attribute that comes again is printed only once."""

    def __init__(self) -> None:
        self._texts: dict[int, str | None] = {}

    def of(self, location: LocationAttr) -> str | None:
        key = id(location)
        if key not in self._texts:
            stream = io.StringIO()
            if not isinstance(given_location(location), UnknownLoc):
                Printer(stream).print_attribute(location)
            self._texts[key] = stream.getvalue() or None
        return self._texts[key]


def read_listing(parser: Parser) -> list[Operation]:
    """Read `{`, raw lines of instructions and `}`, and leave the parser behind them."""
    token = parser._current_token
    if token.text != "{":
        parser.raise_error("expected '{' before the listing")
    # All objects made here stay alive: the garbage collector would scan them again and again in vain.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _read_lines(parser, token.span.end)
    finally:
        if collecting:
            gc.enable()


def _read_lines(parser: Parser, start: int) -> list[Operation]:
    """Return the instructions from offset `start` up to a closing brace, and leave the parser behind it."""
    opening = parser._current_token.span
    content = parser.lexer.input.content
    locations: dict[str, LocationAttr] = {}
    instructions: list[Operation] = []
    positions = parser.positions if isinstance(parser, SmaltiParser) else {}
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
            positions[op] = start + len(text) - len(text.lstrip())
        start = end + 1
    parser.raise_error("the listing has no end: expected '}'", opening)


def _read_fast(text: str, locations: dict[str, LocationAttr]) -> InstructionOp | None:
    """Return the op of a line that is written as Smalti writes it; None for any other. The text of its location is
    noted in `locations`.
    """
    match = _MNEMONIC.match(text)
    instruction = BY_MNEMONIC.get(match[1]) if match is not None else None
    if instruction is None:
        return None
    try:
        line = line_format(instruction).read(text)
        if line is None:
            return None
        location = UNKNOWN
        if line.location is not None:
            found = locations.get(line.location) or _names(line.location)
            if found is None:
                return None
            location = locations[line.location] = found
        return op_of_line(line, location)
    except (ValueError, struct.error):
        return None


def _read_slowly(
    parser: Parser, text: str, start: int, locations: dict[str, LocationAttr]
) -> InstructionOp | None:
    """Return the op of any line; None for a blank one. Mistakes are raised at their position. The text of its location
    is noted.
    """
    from .grammar import LineError, read_line

    try:
        line = read_line(text)
    except LineError as error:
        parser.raise_error(error.message, start + error.start, start + error.end)
    if line is None:
        return None
    location: LocationAttr = UNKNOWN
    if line.location is not None:
        read = _names(line.location)
        if read is None:
            position = start + text.index(line.location)
            parser._resume_from(position)
            read = parser.parse_optional_location()
            if read is None:
                parser.raise_error("expected a location", position, position + len(line.location))
        location = locations[line.location] = read
    return op_of_line(line, location)


def _names(text: str) -> LocationAttr | None:
    """Return a location of one name, or of several fused ones; None for any other, which xDSL's parser reads.

    Names are read here because xDSL does not read a name beyond ASCII that it printed itself.
    """
    match = _NAMES.fullmatch(text)
    if match is None:
        return None
    try:
        names = [
            NameLoc(StringAttr(unquoted(name)), NoneAttr()) for name in _STRING.findall(match[2])
        ]
    except ValueError:
        return None
    return FusedLoc(tuple(names), NoneAttr()) if match[1] else names[0]
