"""How long it takes from an ONNX file to a program, and how much memory: INT8, default target, 8 cores.

Every run is `smalti compile` in a process of its own, from its start to its end, with calibration on random data.
Peers run beside it in the same session, where they are installed. Nothing is asserted on the clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from pytest_benchmark.fixture import BenchmarkFixture
from smalti.backends.program import container
from smalti.backends.program.program import Program

from tests.benchmarks.conftest import Say
from tests.benchmarks.fresh_process import Run, run_fresh
from tests.commit_seed import runs_all, share_of_commit
from tests.networks.catalog import NETWORKS

SLOW = pytest.mark.slow
OTHERS = ("densenet121", "inception_v2", "bert_layer")
"""One of them is compiled with each commit, as all that tests/commit_seed.py chooses."""
TPU_MLIR_PYTHON = "SMALTI_TPU_MLIR_PYTHON"
"""Names the interpreter of an environment that has TPU-MLIR (tests/benchmarks/README.md)."""
TPU_MLIR_CHIP = "bm1690"
"""TPU-MLIR's target with 8 cores."""

ModelFile = Callable[[str], Path]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    """A function from a network's name to its ONNX file, made once."""
    folder = tmp_path_factory.mktemp("models")

    def make(name: str) -> Path:
        path = folder / f"{name}.onnx"
        if not path.exists():
            onnx.save(NETWORKS[name].make(0), path)
        return path

    return make


def _smalti(model: Path, folder: Path, *words: str) -> tuple[Run, Program]:
    """Compiles a model; what that took, and the program."""
    output = folder / "out.smalti"
    run = run_fresh(
        "smalti.tools.main", "compile", model, "-o", output, "--calibration", "random:0", *words,
        folder=folder,
    )  # fmt: skip
    return run, container.load(output)


def _note(benchmark: BenchmarkFixture, say: Say, what: str, run: Run) -> None:
    benchmark.extra_info["cpu_seconds"] = round(run.cpu_seconds, 2)
    benchmark.extra_info["peak_mb"] = run.peak_mb and round(run.peak_mb)
    say(
        f"{what}: {run.seconds:.1f} s, {run.cpu_seconds:.1f} s of CPU time, {run.peak_mb or 0:.0f} MB"
    )


def test_a_program_of_the_cache(
    benchmark: BenchmarkFixture, model_file: ModelFile, tmp_path: Path, say: Say
):
    """ResNet-50, found in a cache, beside its compilation."""
    model, words = model_file("resnet50"), ("--cache", str(tmp_path / "cache"))
    compiled, program = _smalti(model, tmp_path, *words)
    found, again = benchmark.pedantic(_smalti, (model, tmp_path, *words), rounds=3)
    assert again.instruction_count == program.instruction_count
    _note(benchmark, say, "ResNet-50 compiled", compiled)
    _note(benchmark, say, "found in the cache", found)
    share = found.cpu_seconds / compiled.cpu_seconds
    benchmark.extra_info["share_of_compile"] = round(share, 3)
    say(f"found in {share:.3f} of the CPU time of the compilation (0.1 is the aim)")


@pytest.mark.parametrize(
    "name",
    [
        "resnet50",
        "mobilenet_v2",
        *(pytest.param(n, marks=SLOW) for n in share_of_commit(OTHERS, 3)),
    ],
)
def test_compile_network(
    benchmark: BenchmarkFixture, model_file: ModelFile, tmp_path: Path, say: Say, name: str
):
    """From a cold process."""
    words = ["--batch", "1"]
    for symbol, size in NETWORKS[name].symbols.items():
        words += ["--define-symbol", f"{symbol}={size}"]
    args = (model_file(name), tmp_path, *words)
    run, program = benchmark.pedantic(_smalti, args=args, rounds=1)
    _note(benchmark, say, f"{name}, Smalti", run)
    benchmark.extra_info["instructions"] = program.instruction_count


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2"])
def test_peer_onnxruntime(
    benchmark: BenchmarkFixture, model_file: ModelFile, tmp_path: Path, say: Say, name: str
):
    """ONNX Runtime: optimize, quantize statically, make a session; it plans no tiles, memory or cores."""
    run = benchmark.pedantic(
        run_fresh,
        args=("tests.benchmarks.onnxruntime_peer", model_file(name)),
        kwargs={"folder": tmp_path},
        rounds=1,
    )
    _note(benchmark, say, f"{name}, ONNX Runtime", run)


@pytest.fixture
def tpu_mlir() -> Iterator[str]:
    """The interpreter that has TPU-MLIR."""
    python = os.environ.get(TPU_MLIR_PYTHON)
    if not python:
        pytest.skip(
            f"TPU-MLIR needs an environment of its own (Python 3.10): name it in {TPU_MLIR_PYTHON}"
        )
    yield python


@SLOW
@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2"])
def test_peer_tpu_mlir(
    benchmark: BenchmarkFixture,
    model_file: ModelFile,
    tmp_path: Path,
    say: Say,
    tpu_mlir: str,
    name: str,
):
    """TPU-MLIR: `model_transform`, `run_calibration` on eight samples, `model_deploy` for 8 cores."""
    model = onnx.load(model_file(name), load_external_data=False)
    weights = {tensor.name for tensor in model.graph.initializer}
    data = next(value.name for value in model.graph.input if value.name not in weights)
    samples = tmp_path / "samples"
    samples.mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        image = rng.standard_normal((1, 3, 224, 224), dtype=np.float32)
        np.savez(samples / f"{number}.npz", **{data: image})
    scripts = Path(tpu_mlir).parent
    environment = {"PYTHONPATH": "", "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}

    def step(script: str, *words: object) -> Run:
        path = str(scripts / script)
        return run_fresh(path, *words, folder=tmp_path, python=tpu_mlir, environment=environment)

    def compile_model() -> list[Run]:
        transform = step(
            "model_transform.py", "--model_name", name, "--model_def", model_file(name), "--input_shapes",
            "[[1,3,224,224]]", "--mlir", f"{name}.mlir",
        )  # fmt: skip
        calibrate = step(
            "run_calibration.py", f"{name}.mlir", "--dataset", samples, "--input_num", 8, "-o", "table",
        )  # fmt: skip
        deploy = step(
            "model_deploy.py", "--mlir", f"{name}.mlir", "--quantize", "INT8", "--calibration_table", "table",
            "--chip", TPU_MLIR_CHIP, "--num_core", 8, "--model", f"{name}.bmodel",
        )  # fmt: skip
        return [transform, calibrate, deploy]

    runs = benchmark.pedantic(compile_model, rounds=1)
    for stage, run in zip(("transform", "calibrate", "deploy"), runs, strict=True):
        benchmark.extra_info[f"{stage}_cpu_seconds"] = round(run.cpu_seconds, 2)
        say(f"{name}, TPU-MLIR {stage}: {run.cpu_seconds:.1f} s of CPU time")
    benchmark.extra_info["peak_mb"] = max(round(run.peak_mb or 0) for run in runs)


def _chain(layers: int, *, residual: bool = False) -> onnx.ModelProto:
    """`layers` 3x3 convolutions of 16 channels with Relu, on 32x32 pixels; if `residual`, every second one adds to
    the input of the one before it.
    """
    rng = np.random.default_rng(0)
    nodes, weights = [], []
    for layer in range(layers):
        adds = residual and layer % 2
        scale = np.sqrt(2 / 144) * (0.1 if adds else 1)
        kernel = rng.normal(0, scale, (16, 16, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"w{layer}"))
        names = [f"x{layer}", f"w{layer}"], [f"c{layer}"]
        nodes.append(helper.make_node("Conv", *names, name=f"conv{layer}", pads=[1] * 4))
        summed = f"c{layer}"
        if adds:
            summed = f"s{layer}"
            nodes.append(
                helper.make_node("Add", [f"c{layer}", f"x{layer - 1}"], [summed], f"add{layer}")
            )
        nodes.append(helper.make_node("Relu", [summed], [f"x{layer + 1}"], f"relu{layer}"))
    shape = [1, 16, 32, 32]
    ends = [
        [helper.make_tensor_value_info(f"x{end}", TensorProto.FLOAT, shape)] for end in (0, layers)
    ]
    graph = helper.make_graph(nodes, "chain", *ends, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@SLOW
@pytest.mark.parametrize("residual", [False, True], ids=["plain", "residual"])
def test_compile_chains(
    benchmark: BenchmarkFixture,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    residual: bool,
):
    """Time and memory against the number of layers: a table, and programs that grow no faster than the layers. The
    longest chain takes minutes, and is compiled where sweeps run whole.
    """
    sizes = (10, 30, 100, 300, *((1000,) if runs_all() else ()))
    for layers in sizes:
        onnx.save(_chain(layers, residual=residual), tmp_path / f"{layers}.onnx")

    def compile_all() -> list[tuple[Run, Program]]:
        return [_smalti(tmp_path / f"{layers}.onnx", tmp_path) for layers in sizes]

    results = benchmark.pedantic(compile_all, rounds=1)
    heads = ("layers", "instructions", "seconds", "CPU s", "peak MB", "CPU ms/layer")
    lines = ["", "".join(f"{head:>14}" for head in heads)]
    for layers, (run, program) in zip(sizes, results, strict=True):
        lines.append(
            f"{layers:>14}{program.instruction_count:>14}{run.seconds:>14.2f}{run.cpu_seconds:>14.2f}"
            f"{run.peak_mb or 0:>14.0f}{run.cpu_seconds / layers * 1e3:>14.1f}"
        )
    with capsys.disabled():
        print("\n".join(lines))
    per_layer = [
        program.instruction_count / layers
        for layers, (_, program) in zip(sizes, results, strict=True)
    ]
    # Chains below 20 layers are planned otherwise, with some 200 instructions more in all.
    assert all(longer < 1.1 * shorter for shorter, longer in pairwise(per_layer))
