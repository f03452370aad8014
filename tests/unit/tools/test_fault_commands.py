"""smalti-bisect, smalti-reduce and smalti-extract as commands."""

from pathlib import Path

import numpy as np
import pytest
from smalti.compiler.debugging.inputs import InputSource
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import read_module
from smalti.tools import bisect, extract, opt, reduce
from smalti.tools import main as smalti

from tests.unit.compiler.debugging.faulty_passes import (
    CLIPPED,
    faulty_passes,
    ir_experiment,
    residual_network,
)

__all__ = ["faulty_passes"]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The network as a file of top IR, beside it its inputs."""
    path = tmp_path / "net.top.mlir"
    experiment = ir_experiment()
    experiment.save(path)
    np.savez(tmp_path / "net.npz", **InputSource(seed=0).arrays(experiment.module))
    return path


@pytest.mark.usefixtures("faulty_passes")
def test_bisect_names_pass_and_rewrite(network: Path, capsys: pytest.CaptureFixture[str]):
    passes = "top-fold-shapes,test-wrong-numbers,cse"
    assert bisect.main([str(network), "-p", passes, "--numerics", "random:0"]) == 0
    output = capsys.readouterr().out
    assert "pass 2 of 3: test-wrong-numbers" in output
    assert "rewrite 34 of 66: drop_relu at relu33 (" in output


@pytest.mark.usefixtures("faulty_passes")
def test_reduce_writes_ir_that_shows_the_fault(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    small = tmp_path / "small.mlir"
    words = ["-p", "canonicalize,test-refuses", "-o", str(small)]
    assert reduce.main([str(network), *words]) == 0
    output = capsys.readouterr().out
    assert "198 ops -> 2" in output and "passes: test-refuses" in output
    assert len(small.read_text().splitlines()) < 10
    assert bisect.main([str(small), "-p", "test-refuses"]) == 0


@pytest.mark.usefixtures("faulty_passes")
def test_reduce_takes_recorded_inputs_and_models(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = str(network.with_name("net.npz"))
    words = ["-p", "test-wrong-numbers", "--numerics", data, "-o", str(tmp_path / "a.mlir")]
    assert reduce.main([str(network), *words]) == 0
    assert "198 ops -> 1" in capsys.readouterr().out
    model = tmp_path / "net.onnx"
    model.write_bytes(residual_network().SerializeToString())
    words = ["-p", "test-refuses", "-o", str(tmp_path / "b.onnx")]
    assert reduce.main([str(model), *words]) == 0
    assert "198 ops -> 2" in capsys.readouterr().out


def test_extract_writes_what_smalti_run_runs(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    part = tmp_path / "part.mlir"
    words = ["--span", "c5", "a6", "--inputs", str(network.with_name("net.npz")), "-o", str(part)]
    assert extract.main([str(network), *words]) == 0
    values = part.with_suffix(".npz")
    assert f"smalti run {part} --inputs {values}" in capsys.readouterr().out
    assert smalti.main(["run", str(part), "--inputs", str(values)]) == 0
    assert "a6: 1x8x8x8 float32" in capsys.readouterr().out
    names = set(np.load(values))
    assert names == {"a4"}
    assert len(list(read_module(part, make_context()).body.block.ops)) == 1


@pytest.mark.usefixtures("faulty_passes")
def test_reduce_writes_the_inputs_that_show_the_fault(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    small = tmp_path / "small.mlir"
    words = ["-p", "test-wrong-numbers", "--numerics", "random:5", "-o", str(small)]
    assert reduce.main([str(network), *words]) == 0
    shown = capsys.readouterr().out
    assert f"on: {small.with_suffix('.npz')}" in shown
    words = ["-p", "test-wrong-numbers", "--numerics", str(small.with_suffix(".npz"))]
    assert bisect.main([str(small), *words]) == 0
    again = capsys.readouterr().out
    evidence = next(line for line in shown.splitlines() if line.startswith("shows:"))
    assert evidence in again


@pytest.mark.usefixtures("faulty_passes")
def test_random_inputs_fill_the_calibrated_range(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Normal random numbers would never reach the bound of the clip."""
    path = tmp_path / "clip.top.mlir"
    path.write_text(CLIPPED)
    words = [str(path), "-p", "cse,test-drop-clip", "--numerics", "random:0"]
    assert bisect.main(words) == 0
    assert "pass 2 of 2: test-drop-clip" in capsys.readouterr().out
    words = [str(path), "-p", "cse,test-drop-clip", "--verify-numerics", "random:0"]
    assert opt.main(words) == 1
    assert "pass 'test-drop-clip': error: " in capsys.readouterr().err


def test_reduce_keeps_its_inputs(network: Path, capsys: pytest.CaptureFixture[str]):
    data = network.with_name("net.npz")
    before = data.read_bytes()
    words = ["-p", "cse", "--numerics", str(data), "-o", str(network.with_name("net.mlir"))]
    assert reduce.main([str(network), *words]) == 1
    assert "the output would replace the input" in capsys.readouterr().err
    assert data.read_bytes() == before


@pytest.mark.usefixtures("faulty_passes")
@pytest.mark.parametrize("program", ["reduce", "extract"])
def test_ir_and_its_inputs_are_two_files(
    program: str, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    part = tmp_path / "part.npz"
    if program == "reduce":
        words = ["-p", "test-wrong-numbers", "--numerics", "random:0", "-o", str(part)]
        assert reduce.main([str(network), *words]) == 1
    else:
        assert (
            extract.main([str(network), "--op", "c5", "--inputs", "random:0", "-o", str(part)]) == 1
        )
    assert "part.npz: error: two outputs would be the same file" in capsys.readouterr().err
    assert not part.exists()


def test_extract_takes_random_inputs(network: Path, tmp_path: Path):
    part = tmp_path / "part.mlir"
    words = [str(network), "--op", "c5", "--inputs", "random:0", "-o", str(part)]
    assert extract.main(words) == 0
    assert smalti.main(["run", str(part), "--inputs", str(part.with_suffix(".npz"))]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["net.top.mlir", "-p", "canonicalize"], "no fault is named"),
        (["net.top.mlir", "-p", "canonicalise"], "did you mean canonicalize"),
        (["net.top.mlir", "--fails", "("], "no regular expression"),
        (["net.top.mlir", "--numerics", "random:x"], "has no seed"),
        (["net.top.mlir", "--numerics", "absent.npz"], "no such file"),
        (["net.top.mlir", "--command", ""], "names no program"),
        (["net.top.mlir", "--command", "sh 'x"], "no closing quotation"),
        (["absent.mlir"], "absent.mlir"),
        (["absent.onnx"], "absent.onnx"),
    ],
)
def test_mistakes_are_diagnostics(
    network: Path,
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(network.parent)
    assert bisect.main(words) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--tolerance", "-1"], "no share of a range"),
        (["--tolerance", "nan"], "no share of a range"),
        (["--timeout", "0"], "no time"),
    ],
)
def test_numbers_that_make_no_sense_are_usage(
    network: Path, option: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        bisect.main([str(network), *option])
    assert message in capsys.readouterr().err


def test_outputs_are_checked_before_the_work(network: Path, capsys: pytest.CaptureFixture[str]):
    """Not after minutes of trials."""
    words = [str(network), "--command", "false", "-o", str(network.parent / "absent" / "o.mlir")]
    assert reduce.main(words) == 1
    error = capsys.readouterr().err
    assert "cannot write: No such file" in error and "ops ->" not in error
    words = [str(network), "--op", "c1", "--inputs", str(network.with_name("net.npz"))]
    assert extract.main([*words, "-o", str(network.parent)]) == 1
    assert "cannot write: Is a directory" in capsys.readouterr().err
