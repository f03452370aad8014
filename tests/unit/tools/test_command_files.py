"""No command writes what it reads: every argument that names a file says which of both it does."""

import argparse
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.tools import bisect, extract, gui, main, opt, reduce
from smalti.tools.arguments.files import (
    CacheFolder,
    InputFile,
    OutputFile,
    OutputFolder,
    OutputIr,
    OutputModel,
    PassText,
    PlacedPassText,
    check_files,
)

_TYPES = (InputFile, OutputFile, OutputIr, OutputModel, OutputFolder, CacheFolder)
_NAMED_FILES = {
    "input",
    "output",
    "program",
    "model",
    "before",
    "after",
    "inputs",
    "outputs",
    "target",
}
_METAVARS = ("FILE", "FOLDER", "DIR", "DATA", "INPUTS", "TARGET")


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its parser."""
    for command in main.COMMANDS:
        (group,) = [
            action
            for action in main._parser(command)._actions
            if isinstance(action, argparse._SubParsersAction)
        ]
        yield f"smalti {command}", group.choices[command]
    for tool in (opt, reduce, bisect, extract, gui):
        yield tool.__name__, tool._parser()


PARSERS = dict(parsers())


def _pairs() -> Iterator[tuple[str, argparse.Action, argparse.Action]]:
    for name, parser in PARSERS.items():
        reads = [each for each in parser._actions if each.type is InputFile]
        writes = [
            each for each in parser._actions if each.type in (OutputFile, OutputIr, OutputModel)
        ]
        for read, write in itertools.product(reads, writes):
            yield name, read, write


@pytest.mark.parametrize("name", PARSERS)
def test_every_argument_that_names_a_file_says_what_is_done_with_it(name: str):
    for action in PARSERS[name]._actions:
        metavar = action.metavar if isinstance(action.metavar, str) else ""
        named = action.dest in _NAMED_FILES or any(word in metavar for word in _METAVARS)
        if named:
            assert action.type in _TYPES, (
                f"{name}: {action.dest} names a file, and has no file type"
            )


@pytest.mark.parametrize("name", PARSERS)
def test_every_argument_that_holds_passes_says_so(name: str):
    for action in PARSERS[name]._actions:
        metavar = action.metavar if isinstance(action.metavar, str) else ""
        if metavar == "PIPELINE" or "{" in metavar:
            assert action.type in (PassText, PlacedPassText), f"{name}: {action.dest}"


@pytest.mark.parametrize("path", ["", ".", "/"])
@pytest.mark.parametrize("words", [["smalti-opt", "a.mlir", "-o"], ["compile", "a.onnx", "-o"]])
def test_an_output_without_a_name_is_an_error_of_usage(
    words: list[str], path: str, capsys: pytest.CaptureFixture[str]
):
    tool = opt.main if words[0] == "smalti-opt" else main.main
    with pytest.raises(SystemExit):
        tool([*words[tool is opt.main :], path])
    assert f"'{path}' names no file" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["", "."])
def test_a_folder_is_no_model(path: str, capsys: pytest.CaptureFixture[str]):
    assert main.main(["compile", path, "--quantize", "f32"]) == 1
    error = capsys.readouterr().err
    assert "this is a folder" in error and "internal error" not in error


@pytest.mark.parametrize("name", PARSERS)
def test_every_command_shows_a_traceback_on_demand(name: str):
    assert "--debug" in PARSERS[name]._option_string_actions


@pytest.mark.parametrize("spelling", ["same", "absent_folder", "link", "hard_link", "relative"])
@pytest.mark.parametrize(
    ("name", "read", "write"),
    [pytest.param(*pair, id=f"{pair[0]}-{pair[1].dest}-{pair[2].dest}") for pair in _pairs()],
)
def test_no_input_is_written(
    name: str,
    read: argparse.Action,
    write: argparse.Action,
    spelling: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    path = tmp_path / "in.x"
    path.write_text("precious")
    other = tmp_path / "other.x"
    if spelling == "link":
        other.symlink_to(path)
    elif spelling == "hard_link":
        os.link(path, other)
    else:
        spellings = {
            "same": path,
            "absent_folder": tmp_path / "no/../in.x",
            "relative": Path("in.x"),
        }
        other = spellings[spelling]
    monkeypatch.chdir(tmp_path)

    def given(action: argparse.Action, value: Path) -> object:
        made = action.type(str(value))  # pyright: ignore[reportOptionalCall, reportCallIssue]
        return [made] if action.nargs or isinstance(action.default, list) else made

    args = argparse.Namespace(**{read.dest: given(read, path), write.dest: given(write, other)})
    with pytest.raises(DiagnosticError, match="the output would replace the input"):
        check_files(args)


def test_weights_and_data_that_inputs_name_are_inputs(tmp_path: Path):
    import numpy as np
    import onnx
    import onnx.helper as oh

    (tmp_path / "w.safetensors").write_bytes(b"x")
    ir = tmp_path / "a.mlir"
    ir.write_text('module attributes {smalti.weights = "w.safetensors"} {}')
    with pytest.raises(DiagnosticError, match="the output would replace the input"):
        check_files(argparse.Namespace(i=InputFile(ir), o=OutputIr(tmp_path / "w.mlir")))

    weight = onnx.numpy_helper.from_array(np.ones(100, np.float32), "w")
    value = oh.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [100])
    graph = oh.make_graph([oh.make_node("Relu", ["w"], ["y"])], "g", [], [value], [weight])
    model = oh.make_model(graph)
    onnx.save(
        model, tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0
    )
    assert (tmp_path / "m.bin").is_file()
    with pytest.raises(DiagnosticError, match="the output would replace the input"):
        check_files(
            argparse.Namespace(i=InputFile(tmp_path / "m.onnx"), o=OutputFile(tmp_path / "m.bin"))
        )


@pytest.mark.parametrize(
    "passes",
    [
        PassText("top-annotate-calibration{table=in.x}"),
        PassText('canonicalize,top-annotate-calibration{table="in.x"}'),
        PassText("builtin.module(cse,convert-top-to-tpu{quantize=f32 target=./in.x})"),
        PlacedPassText("top:top-annotate-calibration{table=in.x}"),
        PlacedPassText("before=cse:convert-top-to-tpu{target=in.x}"),
    ],
)
def test_files_that_options_of_passes_name_are_inputs(
    passes: PassText, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("in.x").write_text("precious")
    with pytest.raises(DiagnosticError, match="the output would replace the input"):
        check_files(argparse.Namespace(p=[passes], o=OutputFile("in.x")))
    check_files(argparse.Namespace(p=[passes], o=OutputFile("other.x")))
    check_files(argparse.Namespace(p=PassText("no pipeline{{"), o=OutputFile("in.x")))


@pytest.mark.parametrize("flag", ["-o", "--log-rewrites"])
def test_a_table_of_a_pass_that_is_a_flag_is_not_written(
    flag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    ir, table = tmp_path / "a.mlir", tmp_path / "t.json"
    ir.write_text("builtin.module {}")
    table.write_text("precious")
    assert opt.main([str(ir), f"--top-annotate-calibration=table={table}", f"{flag}={table}"]) == 1
    assert "the output would replace the input" in capsys.readouterr().err
    assert table.read_text() == "precious"


def test_the_target_and_the_pipeline_of_ir_name_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("my.toml").write_text("precious")
    Path("a.mlir").write_text('builtin.module attributes {smalti.target = "my.toml"} {}')
    pipeline = 'pipeline: "builtin.module(convert-top-to-tpu{target=\\"my.toml\\"})"'
    Path("r.mlir").write_text(
        f"builtin.module {{}}\n{{-#\n  external_resources: {{ mlir_reproducer: {{ {pipeline} }} }}\n#-}}\n"
    )
    for ir in ("a.mlir", "r.mlir"):
        with pytest.raises(DiagnosticError, match="the output would replace the input"):
            check_files(argparse.Namespace(i=InputFile(ir), o=OutputFile("my.toml")))


def test_two_outputs_are_two_files(tmp_path: Path):
    args = argparse.Namespace(a=OutputFile(tmp_path / "x"), b=OutputFile(tmp_path / "d/../x"))
    with pytest.raises(DiagnosticError, match="two outputs would be the same file"):
        check_files(args)


def test_dumps_do_not_replace_an_input(tmp_path: Path):
    path = tmp_path / "00_cse.before.mlir"
    path.write_text("module {}")
    args = argparse.Namespace(i=InputFile(path), d=OutputFolder(tmp_path))
    with pytest.raises(DiagnosticError, match="the dumps would replace the input"):
        check_files(args)
    (tmp_path / "m.mlir").write_text("module {}")
    check_files(argparse.Namespace(i=InputFile(tmp_path / "m.mlir"), d=OutputFolder(tmp_path)))


def test_devices_are_no_files_to_lose():
    check_files(argparse.Namespace(a=OutputFile("/dev/null"), b=OutputIr("/dev/null")))
    check_files(argparse.Namespace(i=InputFile("/dev/null"), o=OutputFile("/dev/null")))
    check_files(argparse.Namespace(i=InputFile("random:0"), o=OutputFile("-")))


def test_outputs_are_checked_before_the_work(tmp_path: Path):
    with pytest.raises(DiagnosticError, match="cannot write: No such file or directory"):
        check_files(argparse.Namespace(o=OutputFile(tmp_path / "absent" / "x")))
