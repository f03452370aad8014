"""Plugin packages that new_pass, new_op and new_target write: they pass their own tests and ruff as they are."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from smalti.tools import new_op, new_pass, new_target

from tests.shared_files import ROOT

Main = Callable[[list[str]], int]
PACKAGES: dict[str, tuple[Main, list[str]]] = {
    **{
        f"{level}-pass": (new_pass.main, [f"{level}-try-it-out", "--level", level])
        for level in ("top", "tpu", "tile", "isa")
    },
    "op": (new_op.main, ["my_networks.scaled_hard_gate"]),
    "decomposed-op": (new_op.main, ["mine.try_it", "--decompose"]),
    "target": (new_target.main, ["try-chip"]),
    "large-target": (new_target.main, ["try-chip-2", "--like", "default-8c"]),
}

PASSED = {"op": 6}
"""How many tests a package has, unless it is one."""


def run(folder: Path, *words: str, path: Path | None = None) -> str:
    """Runs a command in a folder, which has to succeed; what it prints."""
    places = [str(path)] if path else []
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*places, os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        words, cwd=folder, env=environment, text=True, check=False, timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def program(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).with_name(name))


@pytest.mark.share(3)
@pytest.mark.parametrize("kind", PACKAGES)
def test_a_new_package_passes_its_tests_and_ruff(kind: str, tmp_path: Path):
    main, words = PACKAGES[kind]
    passed = f"{PASSED.get(kind, 1)} passed"
    folder = tmp_path / f"try-{kind}"
    assert main([*words, "--package", str(folder)]) == 0
    before = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert passed in run(folder, sys.executable, "-m", "pytest", "-q")
    run(folder, sys.executable, "-m", "pytest", "-q", "tests/lit", "--update-golden")
    run(folder, program("ruff"), "check", ".")
    run(folder, program("ruff"), "format", "--check", ".")
    assert {path: path.read_text() for path in before} == before


def test_the_golden_test_of_a_new_package_can_fail(tmp_path: Path):
    folder = tmp_path / "try-op"
    assert new_op.main(["mine.try_it", "--decompose", "--package", str(folder)]) == 0
    lowering = folder / "try_op" / "lowering.py"
    lowering.write_text(lowering.read_text().replace("top.ReluOp(", "top.TanhOp("))
    with pytest.raises(AssertionError, match="1 failed"):
        run(folder, sys.executable, "-m", "pytest", "-q")


@pytest.mark.share(3)
def test_the_tests_of_a_new_op_can_fail(tmp_path: Path):
    """If one level computes something else, the test of the node fails in both formats on both targets."""
    folder = tmp_path / "try-op"
    assert new_op.main(["mine.try_it", "--package", str(folder)]) == 0
    dialect = folder / "try_op" / "dialect.py"
    dialect.write_text(dialect.read_text().replace(".zero_point)", ".zero_point + 1)"))
    with pytest.raises(AssertionError, match="4 failed, 2 passed"):
        run(folder, sys.executable, "-m", "pytest", "-q")


@pytest.mark.share(4)
def test_a_new_package_under_lit_and_installed(tmp_path: Path):
    """lit runs the golden test as pytest does; an installed plugin may be named by --load-plugin as well."""
    folder = tmp_path / "try-op"
    assert new_op.main(["mine.try_it", "--decompose", "--package", str(folder)]) == 0
    assert "Passed: 1 (100.00%)" in run(folder, program("lit"), "tests/lit")
    listed = [sys.executable, "-m", "smalti.tools.opt", "--list-passes"]
    assert "top-decompose-try-it" not in run(folder, *listed, path=folder)
    installed = folder / "try_op-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: try-op\nVersion: 0.1.0\n")
    (installed / "entry_points.txt").write_text("[smalti.plugins]\ntry-op = try_op:PLUGIN\n")
    assert "top-decompose-try-it" in run(folder, *listed, path=folder)
    assert "top-decompose-try-it" in run(folder, *listed, "--load-plugin=try_op", path=folder)
    assert "1 passed" in run(folder, sys.executable, "-m", "pytest", "-q", path=folder)


@pytest.mark.parametrize(
    ("main", "words", "message"),
    [
        (new_pass.main, ["merge", "--level", "top"], "is no name for a pass of level top"),
        (new_pass.main, ["top-fold-shapes", "--level", "top"], "a pass 'top-fold-shapes' already"),
        (new_op.main, ["hard_gate"], "'hard_gate' is no name for an op"),
        (new_op.main, ["top.hard_gate"], "my_top.hard_gate"),
        (new_target.main, ["My Chip"], "'My Chip' is no name for a target"),
        (new_target.main, ["edge-1c"], "there is a target 'edge-1c' already"),
        (new_target.main, ["my-chip", "--like", "none"], "no target 'none' is shipped"),
    ],
)
def test_a_wrong_name_is_a_diagnostic(
    main: Main, words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([*words, "--package", str(tmp_path / "new")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["numpy", "json", "class", "tests", "2nd", "My-Plugin", "a.b"])
def test_a_folder_whose_name_is_none_for_a_package(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert new_target.main(["my-chip", "--package", str(tmp_path / name)]) == 1
    assert name.lower() in capsys.readouterr().err.lower()
    assert not (tmp_path / name).exists()


def test_what_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.txt").write_text("mine")
    assert new_target.main(["my-chip", "--package", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_installed_smalti_is_no_checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "passes").mkdir()
    registry = (ROOT / "passes" / "registry.py").read_text()
    (tmp_path / "passes" / "registry.py").write_text(registry)
    assert new_pass.main(["top-new", "--level", "top", "--root", str(tmp_path)]) == 1
    assert "--package FOLDER" in capsys.readouterr().err
    assert (tmp_path / "passes" / "registry.py").read_text() == registry
