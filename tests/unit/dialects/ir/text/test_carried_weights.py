"""Weights that go with the text of IR through a pipe."""

import sys
from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import SmaltiContext
from smalti.dialects.ir.text import module_text
from smalti.dialects.ir.text.module_text import (
    carry_weights,
    parse_module,
    print_module,
    read_module,
    write_module,
)
from xdsl.dialects.builtin import ModuleOp

IR = 'func.func @main() { %w = top.weight "w" key = "w" : tensor<2x3xf32> func.return }'
VALUE = np.float32([[1, np.nan, -0.0], [np.inf, 1e-40, 3]])


def with_weight() -> tuple[ModuleOp, SmaltiContext]:
    ctx = make_context()
    ctx.weights.add("w", VALUE)
    return parse_module(IR, ctx), ctx


def read_again(text: str) -> SmaltiContext:
    ctx = make_context()
    parse_module(text, ctx)
    return ctx


def test_changed_weights_go_with_the_text():
    module, ctx = with_weight()
    carried = carry_weights(module, ctx, same_folder=True)
    again = read_again(print_module(module) + carried)
    assert again.weights.get("w").tobytes() == VALUE.tobytes()
    assert again.weights.added(["w"]) == ["w"], "they are written to a file with -o"


def test_carried_weights_are_written_to_the_same_file(tmp_path: Path):
    module, ctx = with_weight()
    carried = carry_weights(module, ctx, same_folder=True)
    text = print_module(module) + carried
    write_module(module, tmp_path / "direct.mlir", ctx)
    second = make_context()
    write_module(parse_module(text, second), tmp_path / "piped.mlir", second)
    direct = (tmp_path / "direct.safetensors").read_bytes()
    assert (tmp_path / "piped.safetensors").read_bytes() == direct


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below the current one with IR whose weights lie beside it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    module, ctx = with_weight()
    write_module(module, folder / "m.mlir", ctx)
    return folder


def test_weights_in_a_file_are_named_from_the_current_folder(elsewhere: Path):
    ctx = make_context()
    module = read_module("folder/m.mlir", ctx)
    assert carry_weights(module, ctx, same_folder=True) == ""
    assert 'smalti.weights = "folder/m.safetensors"' in print_module(module)
    assert read_again(print_module(module)).weights.get("w").tobytes() == VALUE.tobytes()


def test_weights_in_a_file_are_carried_where_they_cannot_be_named(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
):
    ctx = make_context()
    module = read_module("folder/m.mlir", ctx)
    (elsewhere / "inner").mkdir()
    monkeypatch.chdir(elsewhere / "inner")
    for same_folder in (True, False):
        copy = module.clone()
        carried = carry_weights(copy, ctx, same_folder=same_folder)
        text = print_module(copy) + carried
        assert "smalti.weights" not in text
        assert read_again(text).weights.get("w").tobytes() == VALUE.tobytes()


def test_weights_beside_the_text_stay_named(elsewhere: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(elsewhere)
    ctx = make_context()
    module = read_module("m.mlir", ctx)
    before = print_module(module)
    assert carry_weights(module, ctx, same_folder=False) == ""
    assert print_module(module) == before


def test_ir_without_its_weights_can_be_printed():
    ctx = make_context()
    module = parse_module(IR, ctx)
    assert carry_weights(module, ctx, same_folder=False) == ""


def test_too_large_weights_are_left_out_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(module_text, "CARRIED_LIMIT_BYTES", VALUE.nbytes - 1)
    module, ctx = with_weight()
    assert carry_weights(module, ctx, same_folder=False) == ""
    assert "24 bytes" in (told := capsys.readouterr().err)
    assert "warning" in told and "--weights-out" in told


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text.replace("0x40", "0xZZ"), "no hexadecimal number"),
        (lambda text: text.replace('"0x', '"'), "no hexadecimal number"),
        (lambda text: text.replace("40000000", "4000000000"), "not a valid safetensors file"),
        (lambda text: text[: text.index("0x") + 20] + '"}}#-}', "not a valid safetensors file"),
        (lambda text: text[: text.index("0x") + 10] + '"}}#-}', "not a valid safetensors file"),
    ],
)  # fmt: skip
def test_damaged_weights(damage, told: str):
    module, ctx = with_weight()
    carried = carry_weights(module, ctx, same_folder=False)
    broken = print_module(module) + damage(carried)
    with pytest.raises(DiagnosticError, match=told):
        read_again(broken)


def test_text_for_a_pipe_that_is_named_as_a_file(tmp_path: Path):
    """`-o /dev/fd/N`, `-o >(command)`: there is no place for a file beside it."""
    if sys.platform != "linux":
        pytest.skip("no /dev/fd")
    module, ctx = with_weight()
    with (tmp_path / "out.mlir").open("wb") as file:
        write_module(module, f"/dev/fd/{file.fileno()}", ctx)
    text = (tmp_path / "out.mlir").read_text(encoding="utf-8")
    assert read_again(text).weights.get("w").tobytes() == VALUE.tobytes()
    write_module(module, "/dev/null", ctx)
