"""Pipelines nested as MLIR writes them."""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.passes.anchors import is_anchored, without_anchors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("builtin.module()", ""),
        ("a,b{x=1}", "a,b{x=1}"),
        ("builtin.module(a,b{x=1 y=2})", "a,b{x=1 y=2}"),
        (" any ( a , builtin.module( b{x=1,2} ) , c ) ", "a,b{x=1,2},c"),
        ('a{x="(,)}"}', 'a{x="(,)}"}'),
        ("a{x=(1,2)}", "a{x=(1,2)}"),
    ],
)
def test_anchors_are_taken_away(text, expected):
    assert without_anchors(text) == expected


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("a,,b", "on both sides of a comma"),
        ("a,", "on both sides of a comma"),
        ("builtin.module(a", "'(' is not closed"),
        ("builtin.module(a))", "')' closes nothing"),
        ("builtin.module(a}", "'}' closes nothing"),
        ("builtin.module(a)b", "a comma or the end was expected"),
        ("func.func(a)", "passes run on builtin.module, not on 'func.func'"),
    ],
)
def test_what_does_not_nest_is_told(text, note):
    with pytest.raises(DiagnosticError) as caught:
        without_anchors(text)
    assert note in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("builtin.module(a)", True),
        (" any(", True),
        ("a,b", False),
        ("a{x=(1)}", False),
        ("", False),
    ],
)
def test_anchors_are_recognized(text, expected):
    assert is_anchored(text) is expected
