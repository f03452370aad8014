"""A package outside of Smalti, installed: its op goes from ONNX to its own instruction and back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "out_of_tree"
SHAPE = [1, 20, 9, 7]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package is installed to."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*pip, str(folder / "site"), str(source)], check=True, capture_output=True)
    return folder / "site"


@pytest.fixture(scope="module")
def model(site: Path) -> Path:
    """relu(x · x) + x, with inputs and expected outputs beside it."""
    nodes = [
        oh.make_node("Mul", ["x", "x"], ["s"], "square_me"),
        oh.make_node("Relu", ["s"], ["r"], "relu"),
        oh.make_node("Add", ["r", "x"], ["y"], "add"),
    ]
    ports = [oh.make_tensor_value_info(n, onnx.TensorProto.FLOAT, SHAPE) for n in ("x", "y")]
    graph = oh.make_graph(nodes, "squares", ports[:1], ports[1:])
    path = site.parent / "squares.onnx"
    onnx.save(oh.make_model(graph, opset_imports=[oh.make_opsetid("", 17)], ir_version=8), path)
    x = np.random.default_rng(0).normal(size=[4, *SHAPE[1:]]).astype(np.float32)
    np.savez(path.with_suffix(".npz"), x=x)
    np.savez(path.with_suffix(".expected.npz"), y=x * x + x)
    return path


def call(site: Path, program: str, *words: object, plugin: bool = True) -> tuple[int, str]:
    """Runs a program of ours, with the package installed or not; exit code and all that it prints."""
    path = os.environ.get("PYTHONPATH", "")
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{path}" if plugin else path}
    command = [sys.executable, "-m", program, *map(str, words)]
    done = subprocess.run(
        command, cwd=site.parent, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


OPT, SMALTI = "smalti.tools.opt", "smalti.tools.main"


@pytest.mark.share(4)
def test_tools_list_what_it_brings(site: Path):
    assert "top-find-squares" in call(site, OPT, "--list-passes")[1]
    assert "square" in call(site, OPT, "--list-dialects")[1]
    assert "square-2c" in call(site, SMALTI, "targets")[1]
    assert "top-find-squares" not in call(site, OPT, "--list-passes", plugin=False)[1]


@pytest.mark.share(4)
def test_each_level_reads_and_runs_its_ops(site: Path, model: Path):
    words = ["--insert-pass", "before=cse:top-find-squares", "--target", "square-2c"]
    words += ["--quantize", "f32", "--emit", "top,tpu,tile,isa,program", "-o", "squares.smalti"]
    code, printed = call(site, SMALTI, "compile", model, *words)
    assert code == 0, printed
    data = ["--inputs", model.with_suffix(".npz"), "--compare", model.with_suffix(".expected.npz")]
    found = {
        "top": "square.square",
        "tpu": "square.of_floats",
        "tile": "square.of_tile",
        "isa": ": square x=",
    }
    for level, text in found.items():
        file = f"squares.{level}.mlir"
        assert text in (site.parent / file).read_text()
        code, again = call(site, OPT, file, "--verify-roundtrip")
        assert code == 0 and text in again, again
        code, printed = call(site, SMALTI, "run", file, *data)
        assert code == 0 and "1 output, equal" in printed, printed
    for options in (["--mode", "both", "--sanitize"], ["--jobs", "2"]):
        code, printed = call(site, SMALTI, "run", "squares.smalti", *data, *options)
        assert code == 0 and "1 output, equal" in printed, printed
    code, printed = call(site, SMALTI, "disassemble", "squares.smalti")
    assert code == 0 and "square x=" in printed and 'loc("square_me")' in printed


@pytest.mark.share(3)
@pytest.mark.parametrize("quantize", ["int8", "f16"])
def test_mixed_with_other_formats(site: Path, model: Path, quantize: str):
    words = ["--insert-pass", "before=cse:top-find-squares", "--target", "square-2c"]
    words += ["--quantize", quantize, "-o", f"{quantize}.smalti"]
    if quantize == "int8":
        words += ["--calibration", model.with_suffix(".npz")]
    assert call(site, SMALTI, "compile", model, *words)[0] == 0
    data = ["--inputs", model.with_suffix(".npz"), "--compare", model.with_suffix(".expected.npz")]
    code, printed = call(site, SMALTI, "run", f"{quantize}.smalti", *data)
    assert code == 0, printed
    decibels = float(
        next(line for line in printed.splitlines() if line.startswith("y ")).split()[2]
    )
    assert decibels > 30


@pytest.mark.share(3)
def test_program_without_its_plugin_is_a_diagnostic(site: Path, model: Path):
    words = [
        "--insert-pass",
        "before=cse:top-find-squares",
        "--quantize",
        "f32",
        "-o",
        "alone.smalti",
    ]
    assert call(site, SMALTI, "compile", model, *words)[0] == 0
    code, printed = call(site, SMALTI, "disassemble", "alone.smalti", plugin=False)
    assert code == 1 and "no such instruction, got 256" in printed
    assert "--load-plugin" in printed and "Traceback" not in printed
