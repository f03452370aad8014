"""Plugins: what is wrong with one is a diagnostic, and names are taken once."""

import subprocess
import sys
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import load_plugin

GOOD = """
from dataclasses import dataclass
from smalti.compiler import Plugin
from smalti.passes.smalti_pass import SmaltiPass

@dataclass(frozen=True)
class Nothing(SmaltiPass):
    \"\"\"Do nothing.\"\"\"

    name = "top-nothing"

    def run(self, ctx, module):
        pass

PLUGIN = Plugin(passes={"top-nothing": Nothing})
"""
RELU = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %y = top.relu "y" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
"""


def opt(folder: Path, *words: str) -> tuple[int, str, str]:
    """`smalti-opt relu.mlir WORDS` in a process of its own, since plugins stay loaded."""
    (folder / "relu.mlir").write_text(RELU)
    command = [sys.executable, "-m", "smalti.tools.opt", "relu.mlir", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.share(3)
def test_pass_of_a_file_is_a_flag_a_name_and_a_list_entry(tmp_path: Path):
    (tmp_path / "mine.py").write_text(GOOD)
    for words in (["--top-nothing"], ["-p", "top-nothing"]):
        code, out, err = opt(tmp_path, "--load-plugin", "mine.py", *words)
        assert code == 0, err
        assert 'top.relu "y"' in out
    code, out, err = opt(tmp_path, "--load-plugin=mine.py", "--list-passes")
    assert code == 0 and "top-nothing" in out and "Do nothing" in out


def test_same_file_twice_is_one_plugin(tmp_path: Path):
    (tmp_path / "mine.py").write_text(GOOD)
    code, _, err = opt(
        tmp_path, "--load-plugin=mine.py", "--load-plugin=./mine.py", "--top-nothing"
    )
    assert code == 0, err


FUNCTION = """
from smalti.backends.numerics.functions.function import Function, taken
from smalti.compiler import Plugin

PLUGIN = Plugin(
    functions=[Function("twice", "2 x.", lambda kinds, attributes: list(taken(kinds, "x")), lambda xs, _: [2 * xs[0]])]
)
"""


@pytest.mark.share(3)
def test_a_function_of_a_plugin_is_called_by_name(tmp_path: Path):
    (tmp_path / "mine.py").write_text(FUNCTION)
    text = RELU.replace('top.relu "y" %x', 'top.call "y" %x function = "twice"')
    (tmp_path / "call.mlir").write_text(text)
    for words, told in (
        (["--load-plugin", "mine.py"], 'top.call "y" %x function = "twice"'),
        ([], "there is no function 'twice'"),
    ):
        command = [sys.executable, "-m", "smalti.tools.opt", "call.mlir", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert told in done.stdout + done.stderr


BROKEN = {
    "a taken function": (FUNCTION.replace("twice", "add"), "the name 'add' is taken"),
    "no function": (
        FUNCTION.replace("Function(", "str(").replace(
            'str("twice", "2 x.", lambda kinds, attributes: list(taken(kinds, "x")), lambda xs, _: [2 * xs[0]])',
            "3",
        ),
        "functions[0]",
    ),
    "no PLUGIN": ("x = 1", "a plugin has a global PLUGIN of class Plugin, there is none"),
    "another PLUGIN": ("PLUGIN = 3", "it is a int"),
    "an error": ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
    "a syntax error": ("def (:", "cannot be imported: SyntaxError"),
    "no such import": ("import nothing_like_this", "ModuleNotFoundError"),
    "a taken name": (GOOD.replace("top-nothing", "cse"), "there is a pass 'cse' already"),
    "two names": (GOOD.replace('passes={"top-', 'passes={"tpu-'), "whose name is 'top-nothing'"),
    "a taken dialect": (
        "from smalti.compiler import Plugin\nPLUGIN = Plugin(dialects={'top': print})",
        "there is a dialect 'top' already",
    ),
    "a taken target": (
        "from smalti.compiler import Plugin\nPLUGIN = Plugin(targets={'edge-1c': 'x.toml'})",
        "there is a target 'edge-1c' already",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plugin_is_a_diagnostic(name: str, tmp_path: Path):
    text, message = BROKEN[name]
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(DiagnosticError) as caught:
        load_plugin(tmp_path / "mine.py")
    assert message in str(caught.value) and "mine.py" in str(caught.value)


def test_broken_plugin_ends_the_command(tmp_path: Path):
    (tmp_path / "mine.py").write_text("1 / 0")
    code, out, err = opt(tmp_path, "--load-plugin=mine.py")
    assert (code, out) == (1, "")
    assert "mine.py: error: the plugin cannot be imported" in err and "Traceback" not in err


@pytest.mark.parametrize("source", ["absent.py", "no_such_module_here"])
def test_plugin_that_is_not_there(source: str):
    with pytest.raises(DiagnosticError) as caught:
        load_plugin(source)
    assert source in str(caught.value) and caught.value.hint


INSTRUCTION = """
from smalti.compiler import Plugin
from smalti.backends.instructions.instruction_set import Instruction, Field

class Mine(Instruction):
    mnemonic, opcode, engine = "mine", 300, "vector"
    fields = (Field("x", "<u4", "address", "byte address"),)
    numerics = staticmethod(lambda x: x)

PLUGIN = Plugin(instructions=[Mine])
"""

UNFIT = {
    "mnemonic": ('"mine"', '"conv2d"', "its mnemonic 'conv2d' is taken"),
    "number": ("300", "16", "its number 16 is taken or not from 256"),
    "engine": ('"vector"', '"tensor"', "its engine 'tensor' is none of"),
    "field": ('Field("x"', 'Field("opcode"', "or that of a field of the header"),
    "size": (
        '"byte address"),)',
        '"byte address"),) + tuple(Field(f"f{i}", "<u8", "int", "") for i in range(11))',
        "a word has 128",
    ),
    "numerics": ("staticmethod(lambda x: x)", '"softmax"', "is not the function"),
    "type": ("x: x)", "x: x)", "nothing says by which storage type its work counts"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_instruction_that_does_not_fit(name: str, tmp_path: Path):
    old, new, message = UNFIT[name]
    assert old in INSTRUCTION
    (tmp_path / "mine.py").write_text(INSTRUCTION.replace(old, new))
    with pytest.raises(DiagnosticError, match=message):
        load_plugin(tmp_path / "mine.py")
