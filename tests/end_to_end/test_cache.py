"""Programs that were compiled before come from a cache: on the command line, in Python and in service."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import smalti.runtime as ov
from smalti.compiler import compile_model
from smalti.tools import main as smalti

from tests.unit.backends.runtime.served_network import network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model and data for its calibration."""
    onnx.save(network(), tmp_path / "m.onnx")
    np.savez(tmp_path / "data.npz", x=np.linspace(-1, 1, 1200, dtype=np.float32).reshape(200, 6))
    return tmp_path


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs `smalti compile` in that folder; its exit code, and what it prints to both streams."""
    monkeypatch.chdir(folder)

    def run(*words: str) -> tuple[int, str, str]:
        code = smalti.main(["compile", "m.onnx", "--batch", "2", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


INT8 = ("--calibration", "data.npz", "--cache", "kept")


def test_the_second_time_all_files_are_the_same(folder: Path, command):
    files = ("a.smalti", "a.calibration", "a.schedule")
    words = (*INT8, "--emit", "program,schedule", "-o", "a.smalti")
    code, first, errors = command(*words)
    assert (code, errors) == (0, "") and "cache" not in first
    contents = [(folder / name).read_bytes() for name in files]
    for name in files:
        (folder / name).unlink()
    code, second, errors = command(*words)
    assert (code, errors) == (0, "")
    assert [(folder / name).read_bytes() for name in files] == contents
    assert second.splitlines() == [
        *first.splitlines()[:-1],
        "cache        kept",
        first.splitlines()[-1],
    ]


def test_what_is_asked_for_of_the_passes_is_compiled(folder: Path, command):
    command(*INT8)
    for words in (("--emit", "program,tile"), ("--mlir-timing",), ("--print-pipeline",)):
        code, output, _ = command(*INT8, *words)
        assert code == 0 and "cache" not in output
    assert (folder / "m.tile.mlir").exists()
    assert "cache" in command(*INT8)[1]
    assert "cache" not in command(*INT8, "--cores", "1")[1]


def test_mistakes(folder: Path, command):
    code, _, errors = command("--quantize", "f16", "--cache-size", "1G")
    assert code == 1 and "give --cache DIR" in errors
    code, _, errors = command("--quantize", "f16", "--cache", "m.onnx")
    assert code == 0 and errors.startswith("m.onnx: warning: nothing is kept in the cache")
    command("--quantize", "f16", "--emit", "top", "-o", "m.smalti")
    assert smalti.main(["compile", "m.top.mlir", "--quantize", "f16", "--cache", "kept"]) == 1


@pytest.mark.parametrize("size", ["0", "-1", "1X", "1.5G", "9" * 20])
def test_sizes_that_are_none(command, size: str):
    with pytest.raises(SystemExit):
        command(*INT8, "--cache-size", size)


def test_in_python(folder: Path):
    given = {"calibration": folder / "data.npz", "batch": 2, "cache": folder / "kept"}
    first = compile_model(folder / "m.onnx", **given)
    again = compile_model(folder / "m.onnx", **given)
    assert again.calibrated is not None and first.calibrated is not None
    assert again.calibrated.rows == first.calibrated.rows
    assert again.schedule == first.schedule
    assert again.ir("isa") == first.ir("isa")
    assert compile_model(folder / "m.onnx", **given, trace_plan=True).plan_trace is not None


def test_in_service(folder: Path):
    def loaded() -> bool:
        with ov.Core([ov.TpuDevice()], ov.VirtualClock()) as core:
            core.set_property("TPU", {"CACHE_DIR": str(folder / "kept")})
            with core.compile_model(folder / "m.onnx", "TPU", {"QUANTIZE": "f16"}) as model:
                return model.get_property("LOADED_FROM_CACHE")

    assert [loaded(), loaded()] == [False, True]
