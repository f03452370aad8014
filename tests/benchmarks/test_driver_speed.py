"""smalti-opt against xdsl-opt: the same text, the same dialects, each in a process of its own."""

from __future__ import annotations

from pathlib import Path
from statistics import median_low

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Say
from tests.benchmarks.fresh_process import Run, run_fresh

OPS = 10_000
PROGRAMS = {"smalti-opt": "smalti.tools.opt", "xdsl-opt": "xdsl.tools.xdsl_opt"}


def top_module(ops: int) -> str:
    """A module of so many top ops: weight, convolution, relu, residual, again and again."""
    image, kernel = "tensor<1x64x56x56xf32>", "tensor<64x64x3x3xf32>"
    lines = [
        f'func.func @main(%x: {image}) -> {image} attributes {{smalti.inputs = ["x"], smalti.outputs = ["y"]}} {{'
    ]
    before = "%x"
    for i in range(ops // 4):
        lines += [
            f'  %w{i} = top.weight "w{i}" seed = {i} : {kernel}',
            f'  %c{i} = top.conv2d "c{i}" {before}, %w{i} pads = [1, 1, 1, 1] : ({image}, {kernel}) -> {image}',
            f'  %r{i} = top.relu "r{i}" %c{i} : ({image}) -> {image}',
            f'  %a{i} = top.add "a{i}" %r{i}, {before} : ({image}, {image}) -> {image}',
        ]
        before = f"%a{i}"
    return "\n".join([*lines, f"  func.return {before} : {image}", "}", ""])


@pytest.fixture(scope="module")
def module_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The text of a large module."""
    path = tmp_path_factory.mktemp("text") / "large.mlir"
    path.write_text(top_module(OPS))
    return path


def _compare(
    benchmark: BenchmarkFixture, say: Say, folder: Path, *words: object, rounds: int
) -> None:
    """Times smalti-opt, and prints how much CPU time xdsl-opt takes for the same."""
    ours: list[Run] = []
    benchmark.pedantic(
        lambda: ours.append(run_fresh(PROGRAMS["smalti-opt"], *words, folder=folder)), rounds=rounds
    )
    theirs = [run_fresh(PROGRAMS["xdsl-opt"], *words, folder=folder) for _ in range(rounds)]
    own, peer = (median_low(run.cpu_seconds for run in runs) for runs in (ours, theirs))
    benchmark.extra_info |= {"cpu_seconds": own, "xdsl_opt_cpu_seconds": peer}
    say(f"smalti-opt {own:.2f} s CPU, xdsl-opt {peer:.2f} s: {peer / own:.1f} times as fast")


def test_parse_and_print(benchmark: BenchmarkFixture, module_file: Path, tmp_path: Path, say: Say):
    """Reads, verifies and prints a module of 10,000 ops."""
    _compare(benchmark, say, tmp_path, module_file, "-o", tmp_path / "out.mlir", rounds=1)
    assert (tmp_path / "out.mlir").read_text().count("top.conv2d") == OPS // 4


def test_start_up(benchmark: BenchmarkFixture, tmp_path: Path, say: Say):
    """What it takes to say what one can do."""
    _compare(benchmark, say, tmp_path, "--help", rounds=3)
