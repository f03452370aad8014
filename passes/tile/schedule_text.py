"""Reads the schedules of a network's layers from text.

    // comments as in IR
    schedule for network "main" "sha256:5f0c2a91d3b7e846" target "default-8c"

    "conv1" <cores = [0, 1, 2, 3], split = [1, 1, 4, 1], tile = [1, 64, 14, 56], depth = 128, order = channels_outer>
    "layer?.*" <output = local, weights = multicast>
    "conv5" <group = <first = "conv4", axis = 2, slices = 4, halos = kept>>

The first line may be left out, or its hash: then what they say is not checked. Each entry has the name of a layer, or a
glob of names, and fields as `#tile.schedule` has them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xdsl.context import Context
from xdsl.parser import AttrParser, ParserState
from xdsl.utils.exceptions import ParseError
from xdsl.utils.lexer import Input

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ...backends.diagnostics.files import read_bytes
from ...dialects.ir.source_text import SourceText, end_of_ir
from ...dialects.ir.text.parser import SmaltiLexer
from ...dialects.isa.line import quoted
from ...dialects.tile import Group, Schedule
from ...dialects.tile.schedule import FIELDS, GROUP_FIELDS, ScheduleAttr
from .network_schedule import Entry, NetworkSchedule, Origin

SCHEDULE_LIMIT_BYTES = 64 << 20
"""The greatest size of a schedule's text: 64 MiB."""

ScheduleSource = (
    str
    | Path
    | NetworkSchedule
    | Mapping[str, Schedule | str | Mapping[str, int | str | Sequence | Group]]
)
"""A schedule, or the path of one, or its text, or schedules by the names of layers or globs of them: each a `Schedule`,
the text of its fields, or values by the names of its fields.
"""

_FIRST_LINE = 'the first line is: schedule for network "NAME" "sha256:HASH" target "NAME", where the hash may be absent'
_ENTRY = 'an entry is: "NAME" <field = value, ...>'
_UNKNOWN_FIELD = re.compile(r"a (schedule|group) has no field '(\w+)'")
_HINT = (
    "a schedule is text, as smalti compile --emit schedule writes it, and smalti info PROGRAM --schedule prints "
    "that of a program"
)


def schedule_from(source: ScheduleSource) -> NetworkSchedule:
    """Return a schedule, which may be given in any form. A `str` is a text if it has several lines or fields in angle
    brackets, else a path.

    Raises DiagnosticError if it cannot be read, or if it is wrong.
    """
    if isinstance(source, NetworkSchedule):
        return source
    if isinstance(source, Mapping):
        lines = [f"{quoted(str(name))} <{_fields(name, each)}>" for name, each in source.items()]
        return parse_schedule("\n".join(lines))
    if not isinstance(source, str | Path):
        raise DiagnosticError(
            f"a schedule cannot be {source!r}, of type {type(source).__name__}",
            Place(name="schedule="),
            hint="give the path of a file, its text, a mapping from names of layers to schedules, or None",
        )
    if isinstance(source, str) and ("\n" in source or "<" in source):
        return parse_schedule(source)
    if not str(source).strip():
        raise DiagnosticError(
            "a schedule cannot be an empty text, which is no path",
            Place(name="schedule="),
            hint="give None, or leave it out, to have all decided by passes",
        )
    return read_schedule(source)


def read_schedule(path: str | Path) -> NetworkSchedule:
    """Return the schedule in a file. Raises DiagnosticError if it cannot be read, or if it is wrong."""
    data = read_bytes(path, "the schedule", SCHEDULE_LIMIT_BYTES, _HINT)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DiagnosticError(
            f"not a schedule: byte {error.start} is not UTF-8", Place(file=str(path)), hint=_HINT
        ) from None
    return parse_schedule(text, str(path))


def parse_schedule(text: str, file: str | None = None) -> NetworkSchedule:
    """Return the schedule that a text is. Raises DiagnosticError, with line and column, if it is wrong."""
    source = SourceText(text, file or "<schedule>")
    form = _ENTRY
    try:
        parser = AttrParser(ParserState(SmaltiLexer(Input(text, source.file))), Context())
        form = _FIRST_LINE
        origin = _origin(parser, source)
        form = _ENTRY
        entries: list[Entry] = []
        while parser.pos < len(text):
            entries.append(_entry(parser, source))
        return NetworkSchedule(tuple(entries), origin, file)
    except ParseError as error:
        raise _wrong(error.msg.strip(), error.span.start, source, form) from None


def _origin(parser: AttrParser, source: SourceText) -> Origin | None:
    """Read the line that says for which network and target the schedule is, if there is one."""
    start = parser.pos
    if parser.parse_optional_keyword("schedule") is None:
        return None
    parser.parse_keyword("for", " after 'schedule'")
    parser.parse_keyword("network", " after 'schedule for'")
    network = parser.parse_str_literal(" for the name of the network")
    layers = parser.parse_optional_str_literal()
    parser.parse_keyword("target", " after the network")
    target = parser.parse_str_literal(" for the name of the target")
    return Origin(network, layers, target, source.place(start))


def _entry(parser: AttrParser, source: SourceText) -> Entry:
    start = parser.pos
    pattern = parser.parse_optional_str_literal()
    if pattern is None:
        parser.raise_error("expected the name of a layer, or a glob of names, in quotes")
    schedule, offsets = ScheduleAttr.parse_fields(parser)
    places = {name: source.place(offset) for name, offset in offsets.items()}
    return Entry(pattern, replace(schedule, places=places), source.place(start))


def _wrong(message: str, offset: int, source: SourceText, form: str) -> DiagnosticError:
    """Return the diagnostic for a mistake at an offset; at the end, it points at the last character that is there.
    `form` says what should stand there.
    """
    end = end_of_ir(source.text)
    hint = form if "expected" in message.lower() else None
    if (unknown := _UNKNOWN_FIELD.match(message)) is not None:
        hint = did_you_mean(unknown[2], GROUP_FIELDS if unknown[1] == "group" else FIELDS)
    if offset >= end > 0:
        offset, message = end - 1, f"{message}, but the text ends here"
    return DiagnosticError(message, source.place(offset), hint=hint)


def _fields(name: object, value: object) -> str:
    """Return the text of the fields that a mapping gives for a layer."""
    if isinstance(value, Schedule):
        return ScheduleAttr(value).body()
    if isinstance(value, str):
        return value.strip().removeprefix("<").removesuffix(">")
    if isinstance(value, Mapping):
        return ", ".join(f"{field} = {_value(each)}" for field, each in value.items())
    raise DiagnosticError(
        f"the schedule of '{name}' is {value!r}",
        hint="give a Schedule, the text of its fields, or values by the names of its fields",
    )


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Group):
        return f"<{value}>"
    return str(value)
