"""Locations as mlir-opt prints them with --mlir-pretty-debuginfo: for people, not for a parser."""

from __future__ import annotations

from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    NameLoc,
    NoneAttr,
)
from xdsl.ir import Attribute

from ..location import ParsedLoc


def pretty_location(location: Attribute) -> str:
    """Return a location as `"name"`, `file:line:column`, `[one, other]`, `callee at caller` or `[unknown]`."""
    match location:
        case ParsedLoc():
            return pretty_location(location.in_full())
        case NameLoc():
            inner = location.location
            text = f'"{location.desc.data}"'
            return text if isinstance(inner, NoneAttr) else f"{text}({pretty_location(inner)})"
        case FileLineColLoc():
            return f"{location.filename.data}:{location.line.data}:{location.column.data}"
        case FusedLoc():
            parts = location.locations.data if isinstance(location.locations, ArrayAttr) else ()
            return f"[{', '.join(map(pretty_location, parts))}]"
        case CallSiteLoc():
            return f"{pretty_location(location.callee)} at {pretty_location(location.caller)}"
        case _:
            return "[unknown]"
