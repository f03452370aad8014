"""What README shows is what the tools print, and its example of a pass works."""

import re
import shlex
import sys
import types
from pathlib import Path

import pytest
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.registry import PASSES
from smalti.passes.top import fold_shapes
from smalti.tools import opt

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
LISTINGS = [text for _, text in BLOCKS if text.startswith("// smalti-opt ")]


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda t: t.split("\n")[1].strip()[:30])
def test_listings(
    listing: str, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """Each listing's lines stand in the output of the command above it, in that order."""
    monkeypatch.chdir(ROOT)
    command, *lines = listing.splitlines()
    words = shlex.split(command.removeprefix("// smalti-opt "))
    assert opt.main([*words, "--weights-out", str(tmp_path / "w.safetensors")]) == 0
    printed = iter(line.strip() for line in capsys.readouterr().out.splitlines())
    for line in lines:
        if line.strip() != "…":
            assert line.strip() in printed, line


def test_the_message_of_the_readme(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch):
    """The message shown is what smalti-opt says of that line."""
    (block,) = [text for _, text in BLOCKS if text.startswith("m.mlir:")]
    lines = ["// the model", "func.func @f(%x: tensor<4xf32>) {", "", block.splitlines()[1], "}"]
    monkeypatch.chdir(tmp_path)
    Path("m.mlir").write_text("\n".join(lines))
    assert opt.main(["m.mlir"]) == 1
    assert capsys.readouterr().err == block


def test_the_flags_of_the_readme(capsys: pytest.CaptureFixture):
    """Every flag in the section about looking on is one of smalti-opt's, or a pass."""
    section = README.partition("## Looking on")[2].partition("\n## ")[0]
    with pytest.raises(SystemExit):
        opt.main(["--help"])
    help_text = capsys.readouterr().out
    for flag in set(re.findall(r"--([a-z][a-z-]+)", section)):
        assert f"--{flag}" in help_text or flag in PASSES, flag


def test_there_is_a_listing_per_level():
    assert len(LISTINGS) == 3
    assert (ROOT / "tests" / "data" / "conv.top.mlir").read_text() in README


def test_the_pass_of_the_readme():
    """The example's code, as a module beside the passes that it imports from, rewrites what it says it does."""
    code = next(text for kind, text in BLOCKS if kind == "python" and "class MergeRelu" in text)
    module = types.ModuleType(f"{fold_shapes.__package__}.merge_relu")
    module.__package__ = fold_shapes.__package__
    sys.modules[module.__name__] = module
    try:
        exec(compile(code, "merge_relu.py", "exec"), vars(module))
        ctx = make_context()
        ir = parse_module(
            """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32>
                 attributes {smalti.inputs = ["x"], smalti.outputs = ["b"]} {
              %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32> loc("first")
              %b = top.relu "b" %a : (tensor<4xf32>) -> tensor<4xf32> loc("second")
              func.return %b : tensor<4xf32>
            }""",
            ctx,
        )
        module.MergeReluPass().apply(ctx, ir)
    finally:
        del sys.modules[module.__name__]
    text = print_module(ir)
    assert text.count("top.relu") == 1
    assert 'top.relu "b" %x' in text
    assert "second" in text


def test_the_two_commands():
    """CI runs README's second command; both name what exists."""
    assert "bash tests/run.sh" in README
    assert "bash tests/run.sh" in (ROOT / ".ci" / "run").read_text()
    assert ".venv/bin/smalti demo" in README
