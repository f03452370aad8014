"""Devices of plugins: served on as on others, and what is wrong with one is a diagnostic."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import smalti.runtime as ov
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.runtime.devices import registry
from smalti.compiler import Plugin, load_plugin

from tests.unit.backends.runtime.served_network import network, sample

EXAMPLE = Path(__file__).resolve().parents[3] / "out_of_tree" / "reference_device.py"


class Unnamed(ov.CpuDevice):
    name = "OTHER"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let the registry be as before."""
    before = dict(registry._FACTORIES)
    yield
    registry._FACTORIES.clear()
    registry._FACTORIES.update(before)


def test_the_example_serves():
    load_plugin(EXAMPLE)
    with ov.Core(clock=ov.VirtualClock(computes=True)) as core:
        assert core.available_devices == ["TPU.0", "REFERENCE.0", "CPU"]
        compiled = core.compile_model(network(), "BATCH:REFERENCE(4)")
        assert compiled.get_property("OPTIMAL_BATCH_SIZE") == 4
        queue, found = ov.AsyncInferQueue(compiled), []
        queue.set_callback(
            lambda request, seed: found.append((seed, request.latency, request.results["y"]))
        )
        for seed in range(4):
            queue.start_async(sample(seed), seed)
        queue.wait_all()
        assert [(seed, latency) for seed, latency, _ in found] == [
            (seed, 0.006) for seed in range(4)
        ]
        for seed, _, y in found:
            np.testing.assert_allclose(y, run_onnx(network(), {"x": sample(seed)})["y"], rtol=1e-5)
        assert core.compile_model(network(), "AUTO:REFERENCE,CPU")(sample(0))["y"].shape == (1, 3)
        assert core.get_property("REFERENCE", "MAX_BATCH_SIZE") == 8


@pytest.mark.parametrize(
    ("devices", "told"),
    [
        ({"CPU": ov.CpuDevice}, "there is a device 'CPU' already"),
        ({"TPU.1": ov.CpuDevice}, "there is a device 'TPU.1' already"),
        ({"AUTO": ov.CpuDevice}, "there is a device 'AUTO' already"),
        ({"my npu": ov.CpuDevice}, "a device cannot be called 'my npu'"),
        ({"NPU": 3}, r"devices\['NPU'\] is a int"),
    ],
)
def test_devices_that_cannot_be_added(devices: dict, told: str):
    with pytest.raises(DiagnosticError, match=told):
        load_plugin(Plugin(devices=devices))
    assert "NPU" not in registry._FACTORIES


@pytest.mark.parametrize(
    ("make", "told"),
    [(list, "'NPU.0' is a list"), (Unnamed, "'NPU.0' calls itself 'OTHER'")],
)
def test_functions_that_make_no_such_device(make: type, told: str):
    registry.register_devices({"NPU.0": make})
    with pytest.raises(DiagnosticError, match=told):
        ov.Core()
