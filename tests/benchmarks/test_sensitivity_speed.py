"""How much faster the sensitivity of all layers is than the loop that runs the whole network for each."""

import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from smalti.backends.interpreter.tpu import run_tpu
from smalti.compiler.calibration.ranges import calibrate
from smalti.compiler.sensitivity.quantized_network import (
    Choice,
    NetworkSource,
    QuantizedNetwork,
    network_at_top,
)
from smalti.passes.top.calibration_table import table_of
from threadpoolctl import threadpool_limits

from ..networks.mobilenet import SIZE, mobilenet_v2
from .conftest import Say

SAMPLES = 30
SHARES = (1.0, 0.95, 0.9)
"""What stands for thresholds of three methods: shares of the ranges."""
PLAIN_RUNS = 4
"""The loop is measured on so many layers, spread over the network; each takes the same."""


@pytest.mark.slow
def test_sensitivity_of_mobilenet(tmp_path: Path, benchmark: BenchmarkFixture, say: Say):
    """CPU seconds of all layers x 3 tables x 30 samples, one thread each; owed: a ratio of at least 4, and 150 s."""
    model = tmp_path / "mobilenet_v2.onnx"
    onnx.save(mobilenet_v2(), model)
    data = {"image": np.random.default_rng(0).random((SAMPLES, 3, SIZE, SIZE), np.float32)}
    module, ctx = network_at_top(str(model), {"batch": 1})
    found = calibrate(module, ctx.weights, {"image": data["image"][:4]})
    tables = {
        str(share): table_of(
            {name: (low * share, high * share) for name, (low, high) in found.items()}
        ).rows
        for share in SHARES
    }
    network = QuantizedNetwork(NetworkSource(str(model), "default-8c", data, tables, {"batch": 1}))
    choices = [Choice({name: "int8"}, "f32", table) for name in network.groups for table in tables]

    def measure_all() -> dict[tuple[str, ...], float]:
        return {(*each.schemes, each.table): network.measure(each)["loss"] for each in choices}

    began = time.process_time()
    losses = benchmark.pedantic(measure_all, rounds=1, iterations=1)
    ours = time.process_time() - began
    began = time.process_time()
    sample = choices[:: len(choices) // PLAIN_RUNS][:PLAIN_RUNS]
    for choice in sample:
        with threadpool_limits(1, "blas"):
            outputs = run_tpu(network.convert(choice), network.ctx.weights, data)
        judged = network.source.judge.measure(network.float_outputs, outputs, SAMPLES)
        assert losses[*choice.schemes, choice.table] == pytest.approx(judged["loss"], abs=1e-6)
    plain = (time.process_time() - began) / len(sample) * len(choices)
    benchmark.extra_info |= {"cpu_seconds": ours, "loop_cpu_seconds": plain}
    say(
        f"{len(choices)} choices: {ours:.0f} CPU s, the loop over the whole network {plain:.0f} CPU s "
        f"({plain / ours:.1f} times)"
    )
