"""What a plugin raises is told as the plugin's mistake, in every tool: its name, the pass, exit code 1."""

import asyncio
import builtins
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError, as_diagnostic, words_of
from smalti.compiler import compile_model, import_model, load_plugin
from smalti.compiler.onnx_import.operator_table import OPERATORS
from smalti.dialects.context import DIALECTS
from smalti.passes.registry import PASSES
from smalti.tools import bisect, extract, main, opt, reduce

PLUGIN = '''
import builtins
import sys
from dataclasses import dataclass
from smalti.compiler import Plugin
from smalti.dialects.network.shape import Shape
from smalti.dialects.ir.field import operand
from smalti.dialects.quant.element_type import shape_of
from smalti.dialects.top.top_op import TopOp
from smalti.passes.smalti_pass import SmaltiPass
from xdsl.ir import Dialect, SSAValue
from xdsl.irdl import irdl_op_definition

class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no words")

class Ending(BaseException):
    pass

def deeper(n):
    return deeper(n + 1)

def fail(module=None):
    exec(builtins.smalti_test_fault)

@dataclass(frozen=True)
class Faulty(SmaltiPass):
    """Fail."""
    name = "top-faulty"

    def run(self, ctx, module):
        fail(module)

@irdl_op_definition
class FaultyOp(TopOp):
    """An op that cannot be computed."""
    name = "faulty.op"
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def evaluate(self, operands):
        fail()

def import_it(node, builder):
    fail()

def import_as_op(node, builder):
    return [builder.emit(FaultyOp, node.output, node.input(0))]

PLUGIN = Plugin(
    passes={"top-faulty": Faulty},
    dialects={"faulty": lambda: Dialect("faulty", [FaultyOp], [])},
    importers={"com.me.Faulty": import_it, "com.me.AsOp": import_as_op},
)
'''
FAULTS = {
    "sys.exit(0)": "SystemExit: 0",
    "sys.exit('done')": "SystemExit: done",
    "open('/nowhere/file')": "FileNotFoundError: ",
    "raise OSError(28, 'No space left on device')": "OSError: ",
    "raise BrokenPipeError('mine')": "BrokenPipeError: mine",
    "deeper(0)": "RecursionError: ",
    "raise MemoryError('mine')": "MemoryError: mine",
    "raise Ending('now')": "Ending: now",
    "raise GeneratorExit('mine')": "GeneratorExit: mine",
    "raise Unprintable": "Unprintable, whose message cannot be printed (ValueError)",
    "raise BaseExceptionGroup('two', [Ending()])": "BaseExceptionGroup: two",
    "{}['absent']": "KeyError: 'absent'",
}
RELU = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %y = top.relu "y" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
"""
OP = RELU.replace("top.relu", "faulty.op")
NAMES = {"top-faulty": PASSES, "faulty": DIALECTS}
IMPORTED = ("com.me.Faulty", "com.me.AsOp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with IR and models, in which the plugin mine.py is loaded."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "mine.py").write_text(PLUGIN)
    (folder / "relu.mlir").write_text(RELU)
    (folder / "op.mlir").write_text(OP)
    for name in ("Faulty", "AsOp"):
        ports = [oh.make_tensor_value_info(port, onnx.TensorProto.FLOAT, [4]) for port in "xy"]
        nodes = [oh.make_node(name, ["x"], ["y"], "mine", domain="com.me")]
        graph = oh.make_graph(nodes, "mine", ports[:1], ports[1:])
        sets = [oh.make_opsetid("", 17), oh.make_opsetid("com.me", 3)]
        model = oh.make_model(graph, opset_imports=sets, ir_version=8)
        onnx.save(model, folder / f"{name}.onnx")
    np.savez(folder / "x.npz", x=np.zeros(4, np.float32))
    before = Path.cwd()
    # The app's list of passes is made once: before this plugin comes.
    importlib.import_module("smalti.tools.universe")
    os.chdir(folder)
    load_plugin("mine.py")
    yield folder
    os.chdir(before)
    for name, table in NAMES.items():
        del table[name]
    for name in IMPORTED:
        del OPERATORS[name]


COMMANDS: dict[str, tuple[Callable[[Sequence[str]], int], list[str], str]] = {
    "smalti-opt": (opt.main, ["relu.mlir", "--top-faulty"], "in pass 'top-faulty'"),
    "smalti compile": (
        main.main,
        ["compile", "relu.mlir", "--quantize=f32", "--insert-pass=top:top-faulty"],
        "in pass 'top-faulty'",
    ),
    "smalti import": (
        main.main,
        ["import", "Faulty.onnx", "-o", "out.mlir"],
        "in the importer of node 'mine' (Faulty)",
    ),
    "smalti run": (main.main, ["run", "op.mlir", "--inputs=x.npz"], "in faulty.op 'y'"),
    "smalti-extract": (
        extract.main,
        ["op.mlir", "--op=y", "--inputs=x.npz", "-o", "out.mlir"],
        "in faulty.op 'y'",
    ),
}


def told(
    command: str, fault: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> str:
    """Runs a command in which the plugin fails; what it writes to standard error."""
    monkeypatch.setattr(builtins, "smalti_test_fault", fault, raising=False)
    call, words, _ = COMMANDS[command]
    code = call(words)
    out, err = capsys.readouterr()
    assert (code, out) == (1, "") and "Traceback" not in err, err
    return err


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", ["smalti-opt", "smalti compile", "smalti import"])
def test_fault_names_the_plugin_and_the_pass(
    command: str, fault: str, folder: Path, capsys, monkeypatch
):
    err = told(command, fault, capsys, monkeypatch)
    assert f"error: plugin 'mine.py' ends with {FAULTS[fault]}" in err
    assert COMMANDS[command][2] in err and "mine.py:" in err


@pytest.mark.parametrize("command", ["smalti-opt", "smalti compile"])
def test_a_python_object_in_the_ir_names_the_pass(command: str, folder: Path, capsys, monkeypatch):
    err = told(command, "module.attributes['mine'] = 3", capsys, monkeypatch)
    assert "error: 'builtin.module': 'mine' holds a Python object of type int, expected" in err
    assert "after pass 'top-faulty', which should not have made such IR" in err
    assert "hint: wrap it: IntegerAttr, " in err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_it(command: str, folder: Path, capsys, monkeypatch):
    err = told(command, "sys.exit(0)", capsys, monkeypatch)
    assert "error: plugin 'mine.py' ends with SystemExit: 0" in err
    assert COMMANDS[command][2] in err and "a plugin does not end the program" in err


def test_bisect_and_reduce_find_it(folder: Path, capsys, monkeypatch):
    monkeypatch.setattr(builtins, "smalti_test_fault", "sys.exit(0)", raising=False)
    assert bisect.main(["relu.mlir", "-p", "cse,top-faulty"]) == 0
    found = capsys.readouterr().out
    assert (
        "pass 2 of 2: top-faulty" in found and "plugin 'mine.py' ends with SystemExit: 0" in found
    )
    assert reduce.main(["relu.mlir", "-p", "top-faulty", "-o", "less.mlir"]) == 0
    assert "plugin 'mine.py' ends with SystemExit: 0" in capsys.readouterr().out


@pytest.mark.share(3)
def test_app_shows_it(folder: Path, monkeypatch):
    pytest.importorskip("textual", reason="the interactive app is an extra")
    from smalti.tools.gui import make_app

    async def shown(fault: str) -> str:
        monkeypatch.setattr(builtins, "smalti_test_fault", fault, raising=False)
        app = make_app("relu.mlir", "top-faulty")
        async with app.run_test() as pilot:
            await pilot.pause()
            return app.output_text_area.text

    for fault in ("sys.exit(0)", "raise Unprintable"):
        text = asyncio.run(shown(fault))
        assert f"plugin 'mine.py' ends with {FAULTS[fault]}" in text
        assert "in pass 'top-faulty'" in text


def test_an_interruption_stays_one(folder: Path, capsys, monkeypatch):
    monkeypatch.setattr(builtins, "smalti_test_fault", "raise KeyboardInterrupt", raising=False)
    for call, words, _ in COMMANDS.values():
        assert call(words) == 130
        assert capsys.readouterr().err == "interrupted\n"


def test_a_python_program_goes_on(folder: Path, monkeypatch):
    """In Python the plugin's exit is a DiagnosticError; other errors stay what they are."""
    monkeypatch.setattr(builtins, "smalti_test_fault", "sys.exit(0)", raising=False)
    with pytest.raises(DiagnosticError, match=r"plugin 'mine.py' ends with SystemExit: 0"):
        compile_model("Faulty.onnx", quantize="f32")
    with pytest.raises(DiagnosticError, match=r"plugin 'mine.py' ends with SystemExit: 0"):
        import_model("AsOp.onnx").run({"x": np.zeros(4, np.float32)})
    monkeypatch.setattr(builtins, "smalti_test_fault", "open('/nowhere/file')", raising=False)
    with pytest.raises(FileNotFoundError):
        compile_model("Faulty.onnx", quantize="f32")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plugin_that_fails_while_it_is_loaded(fault: str, tmp_path: Path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN.replace("exec(builtins.smalti_test_fault)", fault) + "\nfail()\n")
    assert opt.main(["--list-passes", f"--load-plugin={path}"]) == 1
    out, err = capsys.readouterr()
    assert f"{path}: error: the plugin cannot be imported: {FAULTS[fault]}" in err
    assert out == "" and "Traceback" not in err


def test_a_process_ends_with_1(tmp_path: Path):
    (tmp_path / "mine.py").write_text("import sys\nsys.exit(0)\n")
    command = [sys.executable, "-m", "smalti.tools.opt", "--list-passes", "--load-plugin=mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "mine.py: error: the plugin cannot be imported: SystemExit: 0" in done.stderr


def test_an_exit_of_our_own_code_is_an_internal_error():
    error = as_diagnostic(SystemExit(3))
    assert error.message == "internal error: SystemExit: 3"


class Silent(DiagnosticError):
    """A diagnostic that cannot be printed."""

    def __str__(self) -> str:
        raise LookupError


def test_a_diagnostic_that_cannot_be_printed_is_told_all_the_same():
    assert words_of(Silent("x")) == "Silent, whose message cannot be printed (LookupError)"
    assert "Silent, whose message" in str(as_diagnostic(Silent("x")))
