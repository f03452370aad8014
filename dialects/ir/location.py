"""Locations of ops: where in the ONNX model they come from, by the names of its nodes, and where in a text they were
read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    LocationAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute, BuiltinAttribute, Data, Operation
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from ...backends.diagnostics.diagnostic import Place
from .source_text import SourceText

_UNKNOWN = UnknownLoc()
_POSITIONS_KEPT = 8
"""How many positions a fused location keeps: a diagnostic needs only the first few."""


class Position(NamedTuple):
    """Where an op was read: a text and the offset of its first character."""

    source: SourceText
    offset: int


class Parsed(NamedTuple):
    """A location as the text gives it (unknown where it gives none), and where its ops were read."""

    given: LocationAttr
    positions: tuple[Position, ...]


@irdl_attr_definition
class ParsedLoc(BuiltinAttribute, Data[Parsed]):
    """The location of an op that was read from a text, or made from such ops.

    It is printed as the location that the text gives. The positions are for diagnostics; a printer
    with `print_positions` writes them where there is no other location, as mlir-opt does.
    """

    name = "builtin.parsed_loc"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Parsed:
        parser.raise_error("a position is not written in IR")

    def print_parameter(self, printer: Printer) -> None:
        self.print_builtin(printer)

    def print_builtin(self, printer: Printer) -> None:
        printer.print_attribute(
            self.in_full() if getattr(printer, "print_positions", False) else self.data.given
        )

    def in_full(self) -> LocationAttr:
        """Return the location that the text gave, or, if it gave none, the positions as locations of file, line and
        column.
        """
        given, positions = self.data
        return fuse(map(_file_location, positions)) if isinstance(given, UnknownLoc) else given


def parsed(given: LocationAttr, source: SourceText, offset: int) -> LocationAttr:
    """Return the location of an op read at `offset` of a text that gives it the location `given`."""
    return cast(LocationAttr, ParsedLoc(Parsed(given, (Position(source, offset),))))


def given_location(location: LocationAttr) -> LocationAttr:
    """Return the location as the text gave it, without the positions that the parser added."""
    return location.data.given if isinstance(location, ParsedLoc) else location


def is_unknown(location: LocationAttr) -> bool:
    """Tell whether a location says nothing about the model, whether or not it was read from a text."""
    return isinstance(given_location(location), UnknownLoc)


def place_of(op: Operation) -> Place:
    """Return the place that a diagnostic about `op` points at: where it was read and the nodes of the model that it
    stems from; if neither is known, its name, of a function @NAME; if it has none, what kind of op it is.
    """
    nodes = ", ".join(names_of(op.location))
    if isinstance(op.location, ParsedLoc):
        source, offset = op.location.data.positions[0]
        return source.place(offset, name=nodes or None, op=op)
    name, symbol = op.properties.get("name"), op.properties.get("sym_name")
    own = f"{op.name} '{name.data}'" if isinstance(name, StringAttr) and op.results else op.name
    if isinstance(symbol, StringAttr):
        own = f"@{symbol.data}"
    return Place(name=nodes or own, op=op)


def _file_location(position: Position) -> LocationAttr:
    line, column = position.source.position(position.offset)
    return FileLineColLoc(StringAttr(position.source.file), IntAttr(max(line, 1)), IntAttr(column))


def named(name: str) -> LocationAttr:
    """Return the location `loc("name")`."""
    return NameLoc(StringAttr(name), NoneAttr())


def fuse(locations: Iterable[LocationAttr]) -> LocationAttr:
    """Return one location that stands for all of `locations`: flat, each location once, without unknown ones; unknown
    if none remains. It keeps the first few of their positions.
    """
    unique: dict[Attribute, None] = {}
    positions: dict[Position, None] = {}
    for location in locations:
        unique.update(dict.fromkeys(_leaves(location)))
        if isinstance(location, ParsedLoc) and len(positions) < _POSITIONS_KEPT:
            positions.update(dict.fromkeys(location.data.positions))
    leaves = tuple(unique)
    given = _UNKNOWN
    if len(leaves) == 1 and isinstance(leaves[0], LocationAttr):
        given = leaves[0]
    elif leaves:
        given = FusedLoc(leaves, NoneAttr())
    if not positions:
        return given
    kept = tuple(positions)[:_POSITIONS_KEPT]
    return cast(LocationAttr, ParsedLoc(Parsed(given, kept)))


def names_of(location: LocationAttr) -> list[str]:
    """Return the names in a location, each once, in order."""
    names = {leaf.desc.data: None for leaf in _leaves(location) if isinstance(leaf, NameLoc)}
    return list(names)


def _leaves(location: Attribute) -> Iterator[Attribute]:
    """Return the locations that a location is fused of, nested ones included; for a call site, those of its callee."""
    if isinstance(location, ParsedLoc):
        yield from _leaves(location.data.given)
    elif isinstance(location, FusedLoc):
        if isinstance(location.locations, ArrayAttr):
            for inner in location.locations:
                yield from _leaves(inner)
    elif isinstance(location, CallSiteLoc):
        yield from _leaves(location.callee)
    elif not isinstance(location, UnknownLoc | NoneAttr):
        yield location
