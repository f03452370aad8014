"""Lines read with one expression: the same IR as the parser reads, and the parser's messages."""

import re
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.dialects.ir.text.op_line import OpLines
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from tests.shared_files import ROOT

GOLDEN = sorted(
    path
    for folder in ("dialects", "passes")
    for path in (ROOT / "tests" / "lit" / folder).rglob("*.mlir")
    if path.stem != "invalid"
)


def read(text: str, file: Path) -> ModuleOp | str:
    """The module of a text, or the message about it."""
    try:
        return parse_module(text, make_context(), str(file))
    except DiagnosticError as error:
        return str(error)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    """The ops that were read as lines."""
    found: list[Operation] = []
    plain = OpLines.read

    def counting(self: OpLines, position: int) -> Operation | None:
        op = plain(self, position)
        if op is not None:
            found.append(op)
        return op

    monkeypatch.setattr(OpLines, "read", counting)
    return found


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_same_ir_and_messages_without_it(path: Path, monkeypatch: pytest.MonkeyPatch):
    for chunk in path.read_text(encoding="utf-8").split("// -----"):
        quick = read(chunk, path)
        with monkeypatch.context() as patch:
            patch.setattr(OpLines, "read", lambda self, position: None)
            slow = read(chunk, path)
        if isinstance(quick, str) or isinstance(slow, str):
            assert quick == slow
            continue
        assert quick.is_structurally_equivalent(slow)
        for debug_info in (False, True):
            options = {"debug_info": debug_info, "positions": debug_info}
            assert print_module(quick, **options) == print_module(slow, **options)


def test_lines_that_are_printed_are_read_quickly(counted: list[Operation]):
    text = (ROOT / "tests" / "data" / "conv.top.mlir").read_text(encoding="utf-8")
    module = parse_module(text, make_context(), "conv.top.mlir")
    assert [op.name for op in counted] == ["top.weight", "top.conv2d", "top.relu"]
    assert counted[1].results[0].name_hint == "conv"
    counted.clear()
    again = parse_module(print_module(module), make_context(), "conv.top.mlir")
    assert len(counted) == 3
    assert again.is_structurally_equivalent(module)


WRONG = {
    "undefined": (
        '  %r = top.relu "r" %y : (tensor<4xf32>) -> tensor<4xf32>',
        "%y is used but not",
    ),
    "type": ('  %r = top.relu "r" %x : (tensor<5xf32>) -> tensor<5xf32>', "tensor<4xf32>"),
    "twice": ('  %x = top.relu "r" %x : (tensor<4xf32>) -> tensor<4xf32>', "defined twice"),
    "count": ('  %r = top.relu "r" %x, %x : (tensor<4xf32>) -> tensor<4xf32>', "':' and the types"),
    "element": (
        '  %r = top.relu "r" %x : (tensor<4xf33>) -> tensor<4xf32>',
        "is no size or element type",
    ),
    "property": ('  %r = top.clip "r" %x low = "a" : (tensor<4xf32>) -> tensor<4xf32>', "low"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_explained_as_ever(name: str, monkeypatch: pytest.MonkeyPatch):
    line, message = WRONG[name]
    text = (
        "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
        f"{line}\n  func.return %x : tensor<4xf32>\n}}\n"
    )
    quick = read(text, Path("wrong.mlir"))
    monkeypatch.setattr(OpLines, "read", lambda self, position: None)
    assert quick == read(text, Path("wrong.mlir"))
    assert isinstance(quick, str) and re.search(r"wrong\.mlir:2:\d+: error", quick)
    assert message.lower() in quick.lower()
