"""Reads an op that stands on one line, as the printer writes it, with one match of a regular expression.

xDSL's parser spends about 14 µs on each token, and a line has fifty. The expression of a class of ops follows from the
layout of its text; types, properties and locations, which come again and again, are parsed once and remembered by their
text. A line that is written in any other way, or that has a mistake in it, is left to the parser, which knows the whole
grammar and explains mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from xdsl.dialects.builtin import LocationAttr, StringAttr, UnitAttr, UnknownLoc
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import AttrSizedOperandSegments

from ..attribute import integer, ints, real, reals
from .assembly import TextOp, text_layout
from .source_parser import SourceParser

_ID = r"%[A-Za-z0-9_$.\-]+"
_HEAD = re.compile(rf"(?:({_ID}) = )?([a-z]+\.[a-z0-9_]+)(?= )")
_LOCATION = re.compile(r' loc\((?:unknown|"[^"\\]*"|fused\[[^\]\\]*\])\)$')
_NUMBER = r"-?[0-9][0-9.eE+\-]*"
_VALUE = {
    "integer": r"-?[0-9]+",
    "integers": r"\[(?:-?[0-9]+(?:, -?[0-9]+)*)?\]",
    "real": _NUMBER,
    "reals": rf"\[(?:{_NUMBER}(?:, {_NUMBER})*)?\]",
    "string": r'"[^"\\]*"',
}
_UNKNOWN = UnknownLoc()


class _Types(NamedTuple):
    """The types at the end of a line."""

    operands: tuple[Attribute, ...]
    results: tuple[Attribute, ...]


class _Form(NamedTuple):
    """How the lines of a class of ops look: the expression, and what its groups are."""

    pattern: re.Pattern[str]
    named: bool
    core: bool
    positional: int
    keyword: tuple[str, ...]
    destination: bool
    properties: tuple[tuple[str, str], ...]
    least: int
    order: tuple[str, ...]
    """The operands in the order of the definition."""
    text_order: tuple[str, ...]
    sized: bool
    """Whether a property says which optional operands are present."""


class OpLines:
    """Reads lines for one parser."""

    def __init__(self, parser: SourceParser) -> None:
        self._parser = parser
        self._content = parser.source.text
        self._types: dict[tuple[bool, bool, str], _Types] = {}
        self._values: dict[tuple[str, str], Attribute] = {}
        self._locations: dict[str, LocationAttr] = {}

    def read(self, position: int) -> Operation | None:
        """Read the op whose line begins at `position`, make its result known to the parser, and move the parser behind
        it. Return None, and read nothing, if the line is one that the parser has to read.
        """
        end = self._content.find("\n", position)
        line = self._content[position : len(self._content) if end < 0 else end].rstrip()
        head = _HEAD.match(line)
        if head is None:
            return None
        cls = self._parser.ctx.get_optional_op(head[2])
        if cls is None or not issubclass(cls, TextOp):
            return None
        form = _form(cls)
        if form is None:
            return None
        location = _LOCATION.search(line)
        stop = len(line) if location is None else location.start()
        match = form.pattern.fullmatch(line, head.end(), stop)
        result = head[1]
        if match is None or (result is not None and not self._is_new(result[1:])):
            return None
        types = self._types_of(cls, match["types"], position + match.start("types"))
        if types is None or len(types.results) != (result is not None):
            return None
        operands = self._operands(form, match, types)
        if operands is None:
            return None
        properties = self._properties(form, match, cls)
        where = self._location(location, position)
        if where is None:
            return None
        op = _build(cls, form, operands, types, properties)
        op.location = where
        if result is not None:
            value = op.results[0]
            self._parser.ssa_values[result[1:]] = (value,)
            if SSAValue.is_valid_name(result[1:]):
                value.name_hint = result[1:]
        self._parser.go_on_at(position + len(line))
        return op

    def _is_new(self, name: str) -> bool:
        """Tell whether no value of this name is defined yet or used before its definition."""
        parser = self._parser
        return name not in parser.ssa_values and name not in parser.forward_ssa_references

    def _types_of(self, cls: type[TextOp], text: str, position: int) -> _Types | None:
        key = bool(cls.get_irdl_definition().results), cls.HAS_BARE_TYPES, text
        found = self._types.get(key)
        if found is None:
            found = self._parsed(position, position + len(text), lambda: self._read_types(key))
            if found is None:
                return None
            self._types[key] = found
        return found

    def _read_types(self, key: tuple[bool, bool, str]) -> _Types:
        parser = self._parser
        has_result, bare, text = key
        if has_result and bare:
            operand = parser.parse_type()
            parser.parse_punctuation("->")
            return _Types((operand,), (parser.parse_type(),))
        if has_result:
            if not text.startswith("("):
                return _Types((), (parser.parse_type(),))
            function = parser.parse_function_type()
            return _Types(tuple(function.inputs.data), tuple(function.outputs.data))
        types = [parser.parse_type()]
        while parser.parse_optional_punctuation(",") or parser.parse_optional_punctuation("->"):
            types.append(parser.parse_type())
        return _Types(tuple(types), ())

    def _parsed(self, begin: int, end: int, read: Callable[[], Any]) -> Any:
        """Return what `read` reads with the parser at `begin`; None if reading fails or does not end exactly at
        `end`.
        """
        parser = self._parser
        back = parser.pos
        try:
            parser.go_on_at(begin)
            result = read()
            whole = not self._content[end : parser.pos].strip() and parser.pos >= end
        except Exception:
            # The parser will meet the same mistake and report its place.
            result, whole = None, False
        parser.go_on_at(back)
        return result if whole else None

    def _operands(
        self, form: _Form, match: re.Match[str], types: _Types
    ) -> dict[str, SSAValue] | None:
        """Return the operands by field; None if one is not defined yet, or has another type than the line says."""
        text = match["operands"]
        names = [] if not text else text[1:].split(", ")
        if not form.least <= len(names) <= form.positional:
            return None
        fields = list(form.text_order[: len(names)])
        for number, keyword in enumerate(form.keyword):
            name = match[f"k{number}"]
            if name is not None:
                names.append(name)
                fields.append(keyword)
        if form.destination:
            names.append(match["destination"])
            fields.append(form.text_order[-1])
        if len(names) != len(types.operands):
            return None
        known = self._parser.ssa_values
        operands: dict[str, SSAValue] = {}
        for field, name, type in zip(fields, names, types.operands, strict=True):
            values = known.get(name[1:])
            if values is None or len(values) != 1:
                return None
            value = values[0]
            if value.type is not type and value.type != type:
                return None
            operands[field] = value
        return operands

    def _properties(
        self, form: _Form, match: re.Match[str], cls: type[TextOp]
    ) -> dict[str, Attribute]:
        properties = dict(text_layout(cls).defaults)
        if form.named:
            properties["name"] = StringAttr(match["name"])
        if form.core and match["core"] is not None:
            properties["core"] = self._value("integer", match["core"])
        for number, (name, kind) in enumerate(form.properties):
            text = match[f"p{number}"]
            if text is None:
                continue
            properties[name] = UnitAttr() if kind == "flag" else self._value(kind, text)
        return properties

    def _value(self, kind: str, text: str) -> Attribute:
        key = kind, text
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = _attribute(kind, text)
        return found

    def _location(self, match: re.Match[str] | None, position: int) -> LocationAttr | None:
        if match is None:
            return _UNKNOWN
        text = match[0]
        found = self._locations.get(text)
        if found is None:
            begin = position + match.start() + 1
            read = self._parser.parse_optional_location
            found = self._parsed(begin, position + match.end(), read)
            if found is not None:
                self._locations[text] = found
        return found


def _attribute(kind: str, text: str) -> Attribute:
    """Return the attribute of a property's value, whose text the expression has already checked."""
    numbers = [part for part in text.strip("[]").split(", ") if part]
    match kind:
        case "integer":
            return integer(int(text))
        case "integers":
            return ints([int(number) for number in numbers])
        case "real":
            return real(float(text))
        case "reals":
            return reals([float(number) for number in numbers])
        case _:
            return StringAttr(text[1:-1])


def _build(
    cls: type[TextOp],
    form: _Form,
    operands: dict[str, SSAValue],
    types: _Types,
    properties: dict[str, Attribute],
) -> Operation:
    if form.sized:
        return cls.build(
            operands=[operands.get(name) for name in form.order],
            result_types=types.results,
            properties=properties,
        )
    listed = [operands[name] for name in form.order if name in operands]
    return cls.create(operands=listed, result_types=types.results, properties=properties)


@cache
def _form(cls: type[TextOp]) -> _Form | None:
    """Return the form of the lines of a class; None for ops with a text of their own, and for ops with a list of
    operands.
    """
    if cls.parse.__func__ is not TextOp.parse.__func__:
        return None
    layout = text_layout(cls)
    if layout.variadic is not None or cls.get_irdl_definition().regions:
        return None
    parts: list[str] = []
    if layout.named:
        parts.append(r' "(?P<name>[^"\\]*)"')
    if layout.core:
        parts.append(r"(?: core (?P<core>[0-9]+))" + ("" if layout.core == "needed" else "?"))
    parts.append(rf"(?P<operands> {_ID}(?:, {_ID})*)?")
    for number, name in enumerate(layout.keyword):
        parts.append(rf"(?: {name} (?P<k{number}>{_ID}))" + _may(name in layout.optional))
    if layout.destination is not None:
        parts.append(rf" -> (?P<destination>{_ID})")
    properties: list[tuple[str, str]] = []
    for name, kind, may_miss in layout.properties:
        if kind not in _VALUE and kind != "flag":
            continue
        group = f"p{len(properties)}"
        text = (
            rf" (?P<{group}>{name})"
            if kind == "flag"
            else rf" {name} = (?P<{group}>{_VALUE[kind]})"
        )
        parts.append(f"(?:{text})" + _may(may_miss or kind == "flag" or name in layout.defaults))
        properties.append((name, kind))
    parts.append(r" : (?P<types>.+)")
    destination = () if layout.destination is None else (layout.destination,)
    required = sum(name not in layout.optional for name in layout.positional)
    return _Form(
        re.compile("".join(parts)),
        layout.named,
        bool(layout.core),
        len(layout.positional),
        layout.keyword,
        layout.destination is not None,
        tuple(properties),
        required,
        tuple(name for name, _ in cls.get_irdl_definition().operands),
        (*layout.positional, *destination),
        any(
            isinstance(each, AttrSizedOperandSegments) for each in cls.get_irdl_definition().options
        ),
    )


def _may(absent: bool) -> str:
    return "?" if absent else ""
