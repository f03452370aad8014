"""Locations of ops: where in the ONNX model they come from, by the names of its nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    FusedLoc,
    LocationAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute

_UNKNOWN = UnknownLoc()


def named(name: str) -> LocationAttr:
    """`loc("name")`."""
    return NameLoc(StringAttr(name), NoneAttr())


def fuse(locations: Iterable[LocationAttr]) -> LocationAttr:
    """One location that stands for all: flat, each location once, unknown ones left out; unknown if
    none remains.
    """
    unique: dict[Attribute, None] = {}
    for location in locations:
        unique.update(dict.fromkeys(_leaves(location)))
    if not unique:
        return _UNKNOWN
    leaves = tuple(unique)
    if len(leaves) == 1 and isinstance(leaves[0], LocationAttr):
        return leaves[0]
    return FusedLoc(leaves, NoneAttr())


def names_of(location: LocationAttr) -> list[str]:
    """The names in a location, each once, in order."""
    names = {leaf.desc.data: None for leaf in _leaves(location) if isinstance(leaf, NameLoc)}
    return list(names)


def _leaves(location: Attribute) -> Iterator[Attribute]:
    """The locations that a fused one holds, nested ones too; a call site stands for its callee."""
    if isinstance(location, FusedLoc):
        if isinstance(location.locations, ArrayAttr):
            for inner in location.locations:
                yield from _leaves(inner)
    elif isinstance(location, CallSiteLoc):
        yield from _leaves(location.callee)
    elif not isinstance(location, UnknownLoc | NoneAttr):
        yield location
