"""How long import, compilation and both simulator modes take on the two networks that are part of the project.

Benchmarks, not tests of time: nothing is asserted on the clock. ONNX Runtime's time for the same
inference stands beside the functional simulator's, as a ratio (`extra_info`), from the same run.
"""

import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from smalti.backends.simulator.simulate import simulate
from smalti.compiler import compile_model, import_model

SHAPES = {"digits": (1, 1, 8, 8), "cifar10": (1, 3, 32, 32)}
INPUTS = {"digits": "image", "cifar10": "input"}


@pytest.fixture(scope="module", params=["digits", "cifar10"])
def network(
    request: pytest.FixtureRequest, digits_model: Path, cifar10_model: Path
) -> tuple[str, Path]:
    """A network's name and file."""
    return request.param, digits_model if request.param == "digits" else cifar10_model


@pytest.fixture(scope="module")
def compiled(network: tuple[str, Path]):
    """The network compiled to INT8 for the default target."""
    return compile_model(network[1], calibration="random:0")


def test_import(benchmark: BenchmarkFixture, network: tuple[str, Path]):
    model = benchmark.pedantic(import_model, args=(network[1],), rounds=3)
    assert model.ir()


def test_compile(benchmark: BenchmarkFixture, network: tuple[str, Path]):
    """From the file to the program, calibration on random data included."""
    result = benchmark.pedantic(
        compile_model, args=(network[1],), kwargs={"calibration": "random:0"}, rounds=2
    )
    benchmark.extra_info["instructions"] = result.program.instruction_count


def test_simulate_timing(benchmark: BenchmarkFixture, compiled):
    timing = benchmark.pedantic(compiled.profile, rounds=3)
    benchmark.extra_info["cycles"] = timing.cycles
    benchmark.extra_info["instructions"] = compiled.program.instruction_count


def test_simulate_functional(benchmark: BenchmarkFixture, network: tuple[str, Path], compiled):
    """One INT8 inference; beside it ONNX Runtime's float inference of the same model."""
    import onnxruntime

    name, path = network
    inputs = {INPUTS[name]: np.random.default_rng(0).normal(size=SHAPES[name]).astype(np.float32)}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    times = []
    for _ in range(20):
        start = time.perf_counter()
        session.run(None, inputs)
        times.append(time.perf_counter() - start)
    result = benchmark.pedantic(
        simulate, args=(compiled.program, inputs), kwargs={"mode": "functional"}, rounds=5
    )
    assert result.outputs is not None
    benchmark.extra_info["onnxruntime_float_seconds"] = median(times)
    if benchmark.stats is not None:
        benchmark.extra_info["times_onnxruntime"] = benchmark.stats.stats.median / median(times)


@pytest.mark.parametrize("quantize", ["f32", "f16", "bf16"])
def test_simulate_functional_in_floats(
    benchmark: BenchmarkFixture, network: tuple[str, Path], quantize: str
):
    """One inference; f16 and bf16 are computed in f32 and rounded once, so they should take about as long."""
    name, path = network
    program = compile_model(path, quantize=quantize).program  # pyright: ignore[reportArgumentType]
    inputs = {INPUTS[name]: np.random.default_rng(0).normal(size=SHAPES[name]).astype(np.float32)}
    result = benchmark.pedantic(simulate, args=(program, inputs), rounds=5)
    assert result.outputs is not None
