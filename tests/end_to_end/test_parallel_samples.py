"""Samples computed in several processes: the same outputs, in order, and the same diagnostics."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.functional import parallel
from smalti.backends.simulator.simulate import simulate
from smalti.compiler import CompiledModel, compile_model

from tests.unit.backends.simulator.functional.test_functional_simulator import copier
from tests.unit.backends.simulator.stream_builder import Builder

from .conftest import Ran
from .markdown_pages import ROOT, blocks

IMAGES = 7


@pytest.fixture(scope="module")
def digits(digits_model: Path) -> CompiledModel:
    return compile_model(digits_model, calibration="random:0")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(IMAGES, 1, 8, 8)).astype(np.float32)


@pytest.mark.share(3)
@pytest.mark.parametrize("jobs", [2, 3, 20])
def test_jobs_change_nothing(digits: CompiledModel, images: np.ndarray, jobs: int):
    alone = digits.run({"image": images})
    assert len({row.tobytes() for row in next(iter(alone.values()))}) == IMAGES
    shared = digits.run({"image": images}, jobs=jobs)
    assert alone.keys() == shared.keys()
    for name, value in alone.items():
        assert value.dtype == shared[name].dtype
        np.testing.assert_array_equal(value, shared[name])


def test_progress_counts_all_samples(digits: CompiledModel, images: np.ndarray):
    steps: list[tuple[int, int]] = []
    simulate(digits.program, {"image": images}, jobs=2, progress=lambda *at: steps.append(at))
    assert steps == sorted(steps) and steps[-1] == (IMAGES, IMAGES)


@pytest.mark.parametrize("storage", ["f32", "bf16", "i8"])
def test_every_type_comes_back_as_it_was(storage: str):
    from smalti.backends.numerics.storage import dtype_of

    build = copier((2, 64), storage)
    x = np.arange(3 * 2 * 64).reshape(6, 64).astype(dtype_of(storage))
    outputs = simulate(build.program(), {"x": x}, jobs=2).outputs
    assert outputs is not None and outputs["y"].dtype == x.dtype
    np.testing.assert_array_equal(outputs["y"].view(np.uint8), x.view(np.uint8))


def test_a_diagnostic_of_a_process_is_the_callers(images: np.ndarray):
    """A program that passes the first checks, and cannot run to its end."""
    build = copier()
    build.add(0, "sync", engine="matrix", wait_counter=2, wait_value=1)
    x = np.zeros((4, 32), np.float32)
    with pytest.raises(DiagnosticError, match="deadlock") as alone:
        simulate(build.program(), {"x": x})
    with pytest.raises(DiagnosticError, match="deadlock") as shared:
        simulate(build.program(), {"x": x}, jobs=2)
    assert str(shared.value) == str(alone.value)


def test_a_process_that_dies_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parallel, "_WORKER", "smalti.backends.simulator.no_such_module")
    with pytest.raises(DiagnosticError, match="samples 0 to 1 ended with code 1") as caught:
        simulate(copier().program(), {"x": np.zeros((8, 32), np.float32)}, jobs=2)
    assert "--jobs" in str(caught.value)


@pytest.mark.parametrize("jobs", [0, 10_000])
def test_the_number_of_processes_is_bounded(jobs: int):
    with pytest.raises(DiagnosticError, match="jobs must be 1 to 256"):
        simulate(Builder().program(), {}, jobs=jobs)


def test_the_option(
    smalti: Callable[..., Ran], digits: CompiledModel, images: np.ndarray, tmp_path: Path
):
    digits.save(tmp_path / "digits.smalti")
    np.savez(tmp_path / "images.npz", image=images)
    words = ("run", tmp_path / "digits.smalti", "--inputs", tmp_path / "images.npz")
    printed = []
    for jobs in (1, 2):
        ran = smalti(*words, "--outputs", tmp_path / f"{jobs}.npz", "--jobs", jobs)
        assert ran.code == 0, ran.err
        printed.append(ran.out.replace(f"{jobs}.npz", "N.npz"))
    assert printed[0] == printed[1]
    with np.load(tmp_path / "1.npz") as alone, np.load(tmp_path / "2.npz") as shared:
        assert alone.files == shared.files
        for name in alone.files:
            np.testing.assert_array_equal(alone[name], shared[name])
    ran = smalti(*words[:2], "--mode", "timing", "--jobs", 2)
    assert ran.code == 1 and "--mode both" in ran.err


@pytest.mark.share(4)
def test_an_instruction_of_a_plugins_file_runs_in_every_process(tmp_path: Path):
    """The instruction of the page for authors, loaded from its file: of no module that a process could import."""

    def smalti(*words: object) -> str:
        command = [sys.executable, "-m", "smalti.tools.main", *map(str, words)]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    for block in blocks(ROOT / "backends/instructions/first_instruction.md"):
        if block.role == "file":
            (tmp_path / block.name).write_text(block.text)
    plugin = ("--load-plugin", "square.py")
    use = "after=tile-cut-to-local-memory:tile-use-squares"
    options = ("--quantize", "f32", "--target", "edge-1c", "--emit", "isa,program")
    smalti("compile", "product.mlir", *plugin, "--insert-pass", use, *options)
    assert " square " in (tmp_path / "product.isa.mlir").read_text()
    x = np.random.default_rng(0).normal(size=(5, 16, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    for jobs in (1, 2, 3):
        words = ("--inputs", "x.npz", "--outputs", f"{jobs}.npz", "--jobs", jobs)
        smalti("run", "product.smalti", *plugin, *words)
        with np.load(tmp_path / f"{jobs}.npz") as outputs:
            np.testing.assert_array_equal(outputs["y"], x * x)
