"""Mistakes on the command line of every program: one line that says what was probably meant."""

import sys
from collections.abc import Callable, Sequence

import pytest
from smalti.tools import bisect, extract, main, opt, reduce
from smalti.tools.main import COMMANDS

Program = Callable[[Sequence[str]], int]


@pytest.mark.parametrize(
    ("program", "words", "told"),
    [
        (opt.main, ["--mlir-print-value-user"], "did you mean --mlir-print-value-users"),
        (opt.main, ["--cs"], "did you mean --cse"),
        (opt.main, ["--convert-top-to-tp=quantize=f32"], "did you mean --convert-top-to-tpu"),
        (opt.main, ["--mlir-timing-display=lists"], "'lists' is not one of tree, list (did you mean list"),
        (opt.main, ["--verify-each=maybe"], "'maybe' is neither true nor false"),
        (opt.main, ["a.mlir", "b.mlir"], "unknown argument 'b.mlir'"),
        (main.main, ["compil"], "did you mean compile"),
        (main.main, ["compile", "m.onnx", "--targett", "x"], "did you mean --target"),
        (main.main, ["compile", "m.onnx", "--quantize", "in8"], "did you mean int8"),
        (main.main, ["compile", "m.onnx", "--emit", "top,tpuu"], "did you mean tpu"),
        (main.main, ["compile", "m.onnx", "--import-limit", "foldedbytes=3"], "is not one of"),
        (main.main, ["compile"], "input"),
        (main.main, ["run", "m.smalti", "--mode", "timings"], "did you mean timing"),
        (bisect.main, ["m.mlir", "--fails=x", "--numerics=y"], "not allowed with argument --fails"),
        (reduce.main, ["m.mlir", "--numercs=random:0", "-o", "x"], "did you mean --numerics"),
        (extract.main, ["m.mlir", "--input=random:0"], ""),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(
    program: Program, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        program(words)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and err.endswith("--help shows all\n"), err
    assert told in err


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_whole(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        main.main([*command.split(), "--help"])
    assert "usage: smalti" in capsys.readouterr().out


def test_a_value_that_may_be_left_out_does_not_take_the_input(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "m.mlir"
    file.write_text("func.func @f() {\n  func.return\n}\n", encoding="utf-8")
    for flag in ("--verify-each", "--color", "--split-input-file", "--color=false"):
        monkeypatch.setattr(sys, "argv", ["smalti-opt", flag, str(file)])
        assert opt.main() == 0
        assert "func.func @f" in capsys.readouterr().out
