"""A field of a plugin that holds something else than it is for is a diagnostic that names the field."""

from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import Plugin, load_plugin
from smalti.compiler.onnx_import.operator_table import OPERATORS
from smalti.dialects.top import ReluOp
from smalti.passes.canonicalize import Canonicalize
from smalti.passes.registry import PASSES
from smalti.tools import opt

A_PASS = "expected a class derived from smalti.passes.smalti_pass.SmaltiPass"
A_TILER = "expected a class derived from smalti.passes.tile.tiler_bases.tiler.Tiler"
AN_INSTRUCTION = "a class derived from smalti.backends.instructions.instruction.Instruction"
WRONG = [
    ("passes", {"top-x": int}, "passes['top-x'] is the class int", A_PASS),
    ("passes", {"top-x": Canonicalize()}, "passes['top-x'] is a Canonicalize", A_PASS),
    ("passes", [Canonicalize], "passes is a list", "expected a dictionary from a name to a class"),
    ("passes", {3: Canonicalize}, "passes, a key is a int", "expected a name"),
    ("dialects", {"mine": None}, "dialects['mine'] is a NoneType", "expected a function that"),
    ("targets", {"mine": 3}, "targets['mine'] is a int", "expected the path of a TOML file"),
    ("targets", "mine.toml", "targets is a str", "expected a dictionary from a name to the path"),
    ("instructions", [int], "instructions[0] is the class int", AN_INSTRUCTION),
    ("instructions", int, "instructions is the class int", AN_INSTRUCTION),
    ("importers", {"me.Op": 3}, "importers['me.Op'] is a int", "a function of (node, builder)"),
    ("conversions", {"top.relu": print}, "conversions, a key is a str", "the class of an op"),
    ("conversions", {ReluOp: 3}, "conversions[ReluOp] is a int", "a function of (builder, op)"),
    ("exporters", [print], "exporters is a list", "a dictionary to a function of (op, graph)"),
    ("exporters", {3: print}, "exporters, a key is a int", "the class of an op"),
    ("exporters", {"trilu": 3}, "exporters['trilu'] is a int", "a function of (op, graph)"),
    ("exporters", {ReluOp: 3}, "exporters[ReluOp] is a int", "a function of (op, graph)"),
    ("tilers", {ReluOp: int}, "tilers[ReluOp] is the class int", A_TILER),
]


@pytest.mark.parametrize(("field", "value", "message", "expected"), WRONG)
def test_wrong_fields_are_named(field: str, value: object, message: str, expected: str):
    plugin = Plugin(**{field: value})  # pyright: ignore[reportArgumentType]
    with pytest.raises(DiagnosticError) as caught:
        load_plugin(plugin)
    assert caught.value.message == f"the plugin's {message}"
    assert caught.value.hint is not None and expected in caught.value.hint
    assert "top-x" not in PASSES and "me.Op" not in OPERATORS


def test_the_command_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    text = "from smalti.compiler import Plugin\nPLUGIN = Plugin(passes=[int])\n"
    (tmp_path / "mine.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert opt.main(["--load-plugin=mine.py", "--canonicalize"]) == 1
    error = capsys.readouterr().err
    assert "mine.py: error: the plugin's passes is a list" in error and "Traceback" not in error
