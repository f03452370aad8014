"""The CPU and the simulated card: values of each caller's sample, whatever batch it ran in; simulated times."""

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import OnnxSession, run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.runtime.batching.fixed_size import FixedSize
from smalti.backends.runtime.clocks.clock import SECOND
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.devices.cpu_model import CpuModel
from smalti.backends.runtime.devices.loaded_model import LoadedModel
from smalti.backends.runtime.devices.served_model import ServedPort
from smalti.backends.runtime.devices.simulated_model import SimulatedModel
from smalti.backends.runtime.requests.inference import Inference
from smalti.backends.runtime.serving.instance import Instance
from smalti.backends.runtime.serving.server import Server
from smalti.compiler import compile_model

from . import served_network


@pytest.fixture(scope="module")
def network() -> onnx.ModelProto:
    return served_network.network()


@pytest.fixture(scope="module")
def programs(network: onnx.ModelProto):
    return {batch: compile_model(network, quantize="f32", batch=batch).program for batch in (1, 4)}


def served(model: LoadedModel, samples: list[np.ndarray]) -> tuple[list[Inference], VirtualClock]:
    """Serve samples that arrive together, in virtual time with values."""
    clock = VirtualClock(computes=True)
    server = Server(clock, "D", [Instance(model, clock, "i")], FixedSize(4, SECOND))
    inferences = [Inference({"x": sample}, 0, lambda _: None) for sample in samples]
    for each in inferences:
        server.submit(each)
    server.flush()
    clock.run()
    return inferences, clock


@pytest.mark.parametrize("kind", ["cpu", "simulated", "simulated by another"])
@pytest.mark.parametrize("count", [1, 4, 6])
def test_each_caller_gets_its_own_values(network, programs, kind: str, count: int):
    session = OnnxSession(network)
    model = {
        "cpu": CpuModel(session, 1000),
        "simulated": SimulatedModel(programs),
        "simulated by another": SimulatedModel(programs, session.run),
    }[kind]
    random = np.random.default_rng(count)
    samples = [random.normal(size=(1, 6)).astype(np.float32) for _ in range(count)]
    inferences, _ = served(model, samples)
    for sample, inference in zip(samples, inferences, strict=True):
        assert inference.outputs is not None
        expected = run_onnx(network, {"x": sample})["y"]
        np.testing.assert_allclose(inference.outputs["y"], expected, rtol=1e-5, atol=1e-6)


def test_the_cards_times_are_simulated(programs):
    """The first run is from cold; others are in the steady state, and the larger batch takes less per sample."""
    model = SimulatedModel(programs)
    assert model.batches == (1, 4)
    for batch, program in programs.items():
        from smalti.backends.simulator.simulate import simulate

        timing = simulate(program, mode="timing").timing
        assert timing is not None
        cold, steady = (model.times(batch, first=first).device for first in (True, False))
        assert cold == round(timing.cycles / timing.clock_ghz) and 0 < steady <= cold
    assert model.times(4, first=False).device < 4 * model.times(1, first=False).device
    samples = [np.zeros((1, 6), np.float32)] * 8
    _, clock = served(model, samples)
    assert clock.now() == sum(model.times(4, first=first).device for first in (True, False))


def test_the_cpu_takes_any_number_of_instances(network):
    assert CpuModel(OnnxSession(network)).most_instances > 1000


def test_integers_are_converted_only_if_they_stay_equal():
    port = ServedPort("i", (2,), np.dtype(np.int32))
    converted = port.check(np.array([3, -4], np.int64))
    assert converted.dtype == np.int32 and converted.tolist() == [3, -4]
    with pytest.raises(DiagnosticError, match="input 'i' holds 4294967296, which int32 cannot"):
        port.check(np.array([3, 2**32], np.int64))
    floats = ServedPort("f", (1,), np.dtype(np.float32))
    assert floats.check(np.array([0.1])).dtype == np.float32
