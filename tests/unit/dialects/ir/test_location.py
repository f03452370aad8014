"""Locations: names in, flat fused locations out."""

from smalti.dialects.ir.location import fuse, named, names_of
from xdsl.dialects.builtin import (
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)

FILE = FileLineColLoc(StringAttr("m.py"), IntAttr(1), IntAttr(2))


def test_fusing_is_flat_and_unique():
    a, b, c = named("a"), named("b"), named("c")
    assert fuse([]) == fuse([UnknownLoc()]) == UnknownLoc()
    assert fuse([a, UnknownLoc(), a]) == a
    nested = FusedLoc((a, FusedLoc((b, a), NoneAttr())), NoneAttr())
    fused = fuse([nested, c, b])
    assert fused == FusedLoc((a, b, c), NoneAttr())
    assert names_of(fused) == ["a", "b", "c"]
    assert fuse([fused]) == fused


def test_locations_that_are_no_names_stay_but_have_no_name():
    call = CallSiteLoc(named("inner"), FILE)
    assert fuse([FILE, named("a")]) == FusedLoc((FILE, named("a")), NoneAttr())
    assert names_of(FILE) == [] and names_of(call) == ["inner"]
