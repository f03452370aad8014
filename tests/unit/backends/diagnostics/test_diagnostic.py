"""Diagnostics as text: place, source line, caret, notes, hint."""

import pytest
from smalti.backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Note, Place
from smalti.dialects.context import make_context
from smalti.dialects.ir.location import fuse, given_location, is_unknown, named, parsed, place_of
from smalti.dialects.ir.source_text import Piece, SourceText
from smalti.dialects.ir.text.module_text import parse_module, print_module, verify
from xdsl.dialects.builtin import UnknownLoc

TEXT = "first\n\tsecond line\nthird"


def test_a_source_text_turns_offsets_into_places():
    source = SourceText(TEXT, "f.mlir")
    assert source.position(0) == (1, 1)
    assert source.position(TEXT.index("line")) == (2, 9)
    assert source.position(len(TEXT)) == (3, 6)
    assert str(SourceText(TEXT, "f.mlir", first_line=10).place(6)) == "f.mlir:11:1"
    moved = source.with_line_in_front("line first", TEXT, [Piece(0, 14), Piece(5, 0)])
    assert [str(moved.place(at)) for at in (0, 1, 5, 6, 11)] == [
        "f.mlir:2:9",
        "f.mlir:2:10",
        "f.mlir:1:1",
        "f.mlir:1:2",
        "f.mlir:1:1",
    ]


def test_the_caret_stands_under_the_column():
    place = SourceText(TEXT, "f.mlir").place(TEXT.index("line"))
    error = DiagnosticError("wrong", place, ["a detail"], "do this")
    assert str(error).splitlines() == [
        "f.mlir:2:9: error: wrong",
        "\tsecond line",
        "\t       ^",
        "  note: a detail",
        "  hint: do this",
    ]


def test_long_lines_are_cut_around_the_place():
    text = "x" * 1000 + "here" + "y" * 1000
    line, caret = SourceText(text, "f").place(1000).excerpt()
    assert len(line) < 200 and line[caret.index("^") :].startswith("here")


def test_notes_have_places_of_their_own_and_names_stand_beside_lines():
    source = SourceText(TEXT, "f.mlir")
    warning = Diagnostic(
        "warning", "odd", source.place(0, name="Conv_0"), [Note("see", Place("g", 4))]
    )
    assert str(warning).splitlines() == [
        "f.mlir:1:1: warning: odd",
        "first",
        "^",
        "  note: from ONNX node Conv_0",
        "g:4: note: see",
    ]
    assert str(Place(name="Conv_0")) == "Conv_0"


def test_positions_are_carried_but_not_printed():
    source = SourceText(TEXT, "f.mlir")
    a, b = parsed(named("a"), source, 0), parsed(named("b"), source, 7)
    fused = fuse([a, b, a])
    assert str(fused) == 'loc(fused["a", "b"])' and given_location(fused) == fuse(
        [named("a"), named("b")]
    )
    assert is_unknown(parsed(UnknownLoc(), source, 0)) and not is_unknown(a)
    ctx = make_context()
    relu = '%a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>'
    text = f"func.func @f(%x: tensor<4xf32>) {{\n  {relu}\n  func.return\n}}\n"
    module = parse_module(text, ctx, "f.mlir")
    relu = next(op for op in module.walk() if op.name == "top.relu")
    assert str(place_of(relu)) == "f.mlir:2:3"
    assert "f.mlir" not in print_module(module)


def test_a_wrong_op_is_shown_among_its_neighbors():
    lines = [f'%v{i} = top.weight "v{i}" seed = 1 : tensor<4xf32>' for i in range(5)]
    ctx = make_context()
    module = parse_module("\n".join(lines), ctx, "f.mlir")
    wrong = [op for op in module.walk() if op.name == "top.weight"][2]
    del wrong.properties["seed"]
    with pytest.raises(DiagnosticError) as caught:
        verify(module)
    assert str(caught.value).splitlines() == [
        "f.mlir:3:1: error: 'top.weight': exactly one of key, seed and value is needed, got none of them",
        lines[2],
        "^",
        "  note: see current operation:",
        f"      {lines[1]}",
        '    > %v2 = top.weight "v2" : tensor<4xf32>',
        f"      {lines[3]}",
    ]
