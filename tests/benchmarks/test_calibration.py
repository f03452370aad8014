"""How much time and memory the calibration of 256 images takes, beside ONNX Runtime's static quantization of them.

Every run is a process of its own, from its start to its end. Nothing is asserted on the clock; memory is.
"""

from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Say
from tests.benchmarks.fresh_process import run_fresh
from tests.shared_files import SHARED

MODEL, IMAGES = SHARED / "models/cifar10_mobilenetv2.onnx", SHARED / "models/cifar10.npz"
MEAN, DEVIATION = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)
MOST_MB = 250


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The calibration images as the network takes them, in an .npz file."""
    if not IMAGES.is_file():
        pytest.skip(f"{IMAGES} is not here")
    mean, deviation = (np.array(each, np.float32)[:, None, None] for each in (MEAN, DEVIATION))
    path = tmp_path_factory.mktemp("data") / "images.npz"
    pixels = np.load(IMAGES)["calibration_images"].astype(np.float32)
    np.savez(path, input=(pixels - mean) / deviation)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("method", ["min-max", "mse", "best-of"])
def test_calibration_of_256_images(
    benchmark: BenchmarkFixture, data: Path, tmp_path: Path, say: Say, method: str
):
    words = ("calibrate", MODEL, "--data", data, "--method", method, "-o", tmp_path / "t")
    run = benchmark.pedantic(
        run_fresh, args=("smalti.tools.main", *words), kwargs={"folder": tmp_path}, rounds=1
    )
    say(f"smalti calibrate, {method}: {run.cpu_seconds:.1f} CPU s, {run.peak_mb or 0:.0f} MB")
    assert run.peak_mb is None or run.peak_mb <= MOST_MB


@pytest.mark.slow
def test_onnx_runtime(benchmark: BenchmarkFixture, data: Path, tmp_path: Path, say: Say):
    words = ("tests.benchmarks.onnxruntime_peer", MODEL, data)
    run = benchmark.pedantic(run_fresh, args=words, kwargs={"folder": tmp_path}, rounds=1)
    say(f"ONNX Runtime, MinMax: {run.cpu_seconds:.1f} CPU s, {run.peak_mb or 0:.0f} MB")
