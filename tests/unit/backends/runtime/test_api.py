"""Core, compiled models and requests, on the CPU and on devices of tests, in real and in virtual time."""

import asyncio
import gc
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.runtime.api.async_infer_queue import AsyncInferQueue
from smalti.backends.runtime.api.core import Core
from smalti.backends.runtime.api.infer_request import Canceled
from smalti.backends.runtime.api.property_values import PerformanceMode, SchedulePolicy
from smalti.backends.runtime.api.results import Tensor
from smalti.backends.runtime.clocks.clock import MILLISECOND
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.devices.cpu_device import CpuDevice
from smalti.backends.runtime.devices.device import Device
from smalti.backends.runtime.devices.loaded_model import LoadedModel
from smalti.backends.runtime.devices.served_model import ServedModel
from smalti.backends.runtime.requests.deadlines import TooLate
from smalti.backends.runtime.serving.server import QueueFull

from .served_network import network, sample
from .timed_model import TimedModel


class Echo(TimedModel):
    """Gives the first half of its input back."""

    def execute(self, prepared, batch):
        return [{"y": each["x"][:, :3]} for each in super().execute(prepared, batch)]


class TestDevice(Device):
    """A device that takes 5 ms for one sample, and 8 for four."""

    __test__ = False
    name = "TEST.0"

    def __init__(self) -> None:
        self.model = Echo({1: 5 * MILLISECOND})
        self.settings: Mapping[str, Any] = {}

    @property
    def full_name(self) -> str:
        return "a device for tests"

    def load_nanoseconds(self) -> int:
        return 1000 * MILLISECOND

    def supported_nodes(self, model: ServedModel, settings) -> Collection[str]:
        return model.nodes[:1]

    @property
    def largest_batch(self) -> int:
        return 4

    def optimal_batch(self, model: ServedModel, settings) -> int:
        return 4

    def load(self, model: ServedModel, batches: Sequence[int], settings) -> LoadedModel:
        self.settings = settings
        self.model.device_times = {batch: (4 + batch) * MILLISECOND for batch in batches}
        return self.model


@pytest.fixture
def core():
    made = Core(
        [TestDevice(), CpuDevice(50 * MILLISECOND, 20 * MILLISECOND)], VirtualClock(computes=True)
    )
    yield made
    made.clock.close()


@pytest.fixture
def real():
    made = Core([CpuDevice()])
    yield made
    made.clock.close()


def expected(seed: int) -> np.ndarray:
    return run_onnx(network(), {"x": sample(seed)})["y"]


def test_an_inference_on_the_cpu(real: Core):
    compiled = real.compile_model(network(), "CPU")
    for inputs in (
        {"x": sample(1)},
        {0: sample(1)},
        [sample(1)],
        sample(1),
        {compiled.input(): sample(1)},
    ):
        results = compiled(inputs)
        for key in ("y", 0, compiled.output(0)):
            np.testing.assert_array_equal(results[key], expected(1))
    assert [port.any_name for port in compiled.inputs] == ["x"]
    assert compiled.input("x").partial_shape == (None, 6) and compiled.output().names == {"y"}
    assert list(results.to_dict()) == compiled.outputs and results.names() == ({"y"},)
    compiled.close()
    with pytest.raises(DiagnosticError, match="is closed"):
        compiled(sample(1))


def test_requests_run_again_and_again(real: Core):
    request = real.compile_model(network(), "CPU").create_infer_request()
    called = []
    request.set_callback(
        lambda data: called.append((data, threading.current_thread().name[:15])), "data"
    )
    for seed in (1, 2):
        request.start_async({"x": sample(seed)})
        request.wait()
        np.testing.assert_array_equal(request.get_output_tensor().data, expected(seed))
    assert called == [("data", "smalti-callback")] * 2
    request.infer()  # of the inputs that were set last
    np.testing.assert_array_equal(request.results[0], expected(2))
    assert request.wait_for(10) and request.latency > 0
    request.set_tensor("x", sample(3))
    np.testing.assert_array_equal(request.infer()["y"], expected(3))
    np.testing.assert_array_equal(request.get_tensor("x").data, sample(3))


def test_tensors_are_there_before_the_first_inference(real: Core):
    request = real.compile_model(network(), "CPU").create_infer_request()
    given, found = request.get_input_tensor(), request.get_output_tensor()
    assert given.shape == (0, 6) and found.data.shape == (0, 3) and found is request.get_tensor("y")
    with pytest.raises(DiagnosticError, match=r"input 'x' is empty: its shape is \[0, 6\]"):
        request.infer()
    given.shape = (1, 6)
    given.data[:] = sample(1)
    request.infer()
    np.testing.assert_array_equal(found.data, expected(1))
    given.data[:] = sample(2)
    np.testing.assert_array_equal(request.infer()["y"], expected(2))
    given.shape = (1, 5)
    with pytest.raises(DiagnosticError, match="expected"):
        request.infer()
    shared = sample(3)
    request.set_input_tensor(Tensor(shared, shared_memory=True))
    shared[:] = sample(4)
    np.testing.assert_array_equal(request.infer()["y"], expected(4))
    request.set_tensors({"x": Tensor(sample(5))})
    np.testing.assert_array_equal(request.infer()["y"], expected(5))
    request.set_input_tensors([sample(6)])
    np.testing.assert_array_equal(request.infer()["y"], expected(6))
    for mistake, told in (
        (lambda: request.set_input_tensors([sample(0)] * 2), "2 tensors are given for one input"),
        (lambda: request.get_input_tensor(1), "there is no input 1"),
        (lambda: request.get_output_tensor(-1), "there is no output -1"),
        (lambda: request.get_tensor("z"), "there is no tensor 'z'"),
        (lambda: given.set_shape((-1, 6)), r"a tensor cannot have shape \[-1, 6\]"),
    ):
        with pytest.raises(DiagnosticError, match=told):
            mistake()


def test_what_a_request_may_write_into_is_copied(core: Core):
    compiled = core.compile_model(network(), "BATCH:TEST(2)")
    first, second = compiled.create_infer_request(), compiled.create_infer_request()
    tensor = Tensor(np.ones((1, 6), np.float32))
    first.set_tensor("x", tensor)
    first.start_async()
    tensor.data[:] = 2
    second.infer(np.zeros((1, 6), np.float32))
    first.wait()
    assert first.results["y"].tolist() == [[1, 1, 1]]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({}, "input 'x' is missing"),
        ({"z": sample(0)}, "there is no input 'z'"),
        ({1: sample(0)}, "there is no input '1'"),
        ([sample(0), sample(0)], "2 inputs are given, and the model has 1"),
        ({"x": np.zeros((1, 5), np.float32)}, r"has shape \[1, 5\], expected \[\?, 6\]"),
        ({"x": np.zeros((6,), np.float32)}, r"has shape \[6\]"),
        ({"x": np.zeros((1, 6), complex)}, "has type complex128, expected float32"),
    ],
)
def test_inputs_that_do_not_fit(core: Core, inputs, told: str):
    request = core.compile_model(network(), "CPU").create_infer_request()
    with pytest.raises(DiagnosticError, match=told):
        request.infer(inputs)
    request.infer(sample(0))


def test_a_request_does_one_thing_at_a_time(core: Core):
    request = core.compile_model(network(), "TEST").create_infer_request()
    with pytest.raises(DiagnosticError, match="there are no outputs"):
        request.results  # noqa: B018
    request.start_async(sample(0))
    with pytest.raises(DiagnosticError, match="the request is busy"):
        request.start_async()
    with pytest.raises(DiagnosticError, match="nobody can wait for -1 ms"):
        request.wait_for(-1)
    assert not request.wait_for(4) and request.wait_for(1)
    assert request.latency == 5.0


def test_what_goes_wrong_reaches_its_caller_alone(core: Core):
    compiled = core.compile_model(network(), "TEST")
    fails, raises, fine, canceled = (compiled.create_infer_request() for _ in range(4))
    compiled._front._server._model.failures = 1  # type: ignore[attr-defined]
    raises.set_callback(lambda _: 1 / 0)
    for request in (fails, raises, fine, canceled):
        request.start_async(sample(0))
    canceled.cancel()
    with pytest.raises(RuntimeError, match="the device failed"):
        fails.wait()
    with pytest.raises(ZeroDivisionError):
        raises.wait()
    fine.wait()
    with pytest.raises(Canceled):
        canceled.wait()


def test_a_queue_keeps_several_under_way(core: Core):
    compiled = core.compile_model(network(), "BATCH:TEST(4)", {"AUTO_BATCH_TIMEOUT": 100})
    assert compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") == 4
    queue, ended = AsyncInferQueue(compiled), []
    assert len(queue) == 4 and queue.is_ready()
    queue.set_callback(lambda request, data: ended.append((data, request.latency)))
    for number in range(6):
        queue.start_async(sample(number), number)
    queue.wait_all()
    # Of four the batch is full at once; the two that are left start when the caller only waits.
    assert ended == [(number, 8.0) for number in range(4)] + [(4, 8.0), (5, 8.0)]


def test_errors_of_a_queue_come_out_when_it_is_waited_for(core: Core):
    compiled = core.compile_model(network(), "TEST")
    compiled._front._server._model.failures = 1  # type: ignore[attr-defined]
    queue = AsyncInferQueue(compiled, 2)
    for number in range(5):
        queue.start_async(sample(number), number)
    with pytest.raises(RuntimeError, match="the device failed"):
        queue.wait_all()
    queue.wait_all()


def test_threads_share_a_queue(real: Core):
    queue, ended = AsyncInferQueue(real.compile_model(network(), "CPU"), 2), []
    queue.set_callback(lambda request, data: ended.append(data))

    def ask(first: int) -> None:
        for number in range(first, first + 25):
            queue.start_async(sample(0), number)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(0, 200, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    queue.wait_all()
    assert sorted(ended) == list(range(200))
    with pytest.raises(DiagnosticError, match="cannot have -1 requests"):
        AsyncInferQueue(real.compile_model(network(), "CPU"), -1)


def test_arrays_of_callers_may_change_meanwhile(core: Core):
    queue, found = AsyncInferQueue(core.compile_model(network(), "BATCH:TEST(4)")), []
    queue.set_callback(lambda request, _: found.append(request.results["y"][0, 0]))
    shared = np.zeros((1, 6), np.float32)
    for number in range(4):
        shared[:] = number
        queue.start_async({"x": shared})
    queue.wait_all()
    assert found == [0, 1, 2, 3]


@pytest.mark.parametrize("which", ["core", "real"])
def test_callbacks_infer_and_start_again(which: str, request: pytest.FixtureRequest):
    compiled = request.getfixturevalue(which).compile_model(network(), "CPU")
    outer, inner = compiled.create_infer_request(), compiled.create_infer_request()
    called = []
    inner.set_callback(lambda _: called.append("inner"))

    def ended(_: object) -> None:
        inner.infer(sample(0))
        called.append("outer")
        if len(called) < 6:
            outer.start_async()

    outer.set_callback(ended)
    outer.start_async(sample(1))
    while len(called) < 6:
        outer.wait()
    assert called == ["inner", "outer"] * 3
    outer.set_callback(lambda _: exit())
    with pytest.raises(SystemExit):
        outer.infer()
    inner.infer()


def test_waits_end_when_the_clock_is_closed(real: Core):
    slow = threading.Event()
    request = real.compile_model(network(), "CPU").create_infer_request()
    request.set_callback(lambda _: slow.wait(30))
    request.start_async(sample(0))
    threading.Timer(0.2, real.close).start()
    with pytest.raises(RuntimeError, match="the clock was closed"):
        request.wait()
    slow.set()
    with pytest.raises(RuntimeError, match="the clock is closed"):
        request.start_async()


def test_models_that_nobody_closes_leave_no_threads(real: Core):
    before = threading.active_count()
    for _ in range(5):
        real.compile_model(network(), "CPU")(sample(0))
    gc.collect()
    deadline = time.monotonic() + 30
    while threading.active_count() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before + 1  # one for callbacks may stay


def test_bounded_queues(core: Core):
    compiled = core.compile_model(network(), "TEST", {"MAX_QUEUE": 2})
    requests = [compiled.create_infer_request() for _ in range(4)]
    for request in requests[:3]:  # one runs, two wait
        request.start_async(sample(0))
    with pytest.raises(QueueFull):
        requests[3].start_async(sample(0))
    requests[2].wait()
    requests[3].infer(sample(0))


def test_deadlines(core: Core):
    compiled = core.compile_model(network(), "TEST", {"DEADLINE": 12})
    requests = [compiled.create_infer_request() for _ in range(4)]
    for request in requests[:3]:
        request.start_async(sample(0))
    requests[3].start_async(sample(0), deadline=100)
    for request in (*requests[:2], requests[3]):
        request.wait()
    assert [each.latency for each in requests] == [5.0, 10.0, 7.000001, 15.0]
    with pytest.raises(TooLate):
        requests[2].wait()
    compiled.set_property({"DEADLINE": 0})
    for mistake in (-1, "soon"):
        with pytest.raises(DiagnosticError, match="DEADLINE cannot be"):
            requests[0].start_async(deadline=mistake)  # type: ignore[arg-type]
    compiled = core.compile_model(network(), "TEST", {"DEADLINE_ACTION": "DELAY"})
    requests = [compiled.create_infer_request() for _ in range(3)]
    for request, deadline in zip(requests, (None, 6, None), strict=True):
        request.start_async(sample(0), deadline=deadline)
    for request in requests:
        request.wait()
    assert [each.latency for each in requests] == [5.0, 15.0, 10.0], "the late one starts last"


def test_auto_switches_from_the_cpu(core: Core):
    compiled = core.compile_model(network(), "AUTO")
    assert compiled.get_property("EXECUTION_DEVICES") == []
    results = compiled(sample(1))  # by the CPU, which loads for 20 ms and infers for 50
    assert core.clock.now() == 70 * MILLISECOND
    np.testing.assert_array_equal(results["y"], expected(1))
    assert compiled.get_property("EXECUTION_DEVICES") == ["CPU"]
    assert isinstance(core.clock, VirtualClock)
    core.clock.run(1100 * MILLISECOND)
    assert compiled.get_property("EXECUTION_DEVICES") == ["TEST.0"]
    np.testing.assert_array_equal(compiled(sample(1))["y"], sample(1)[:, :3])


@pytest.mark.parametrize(
    ("device", "config", "batch"),
    [
        ("TEST", {}, 1),
        ("TEST", {"PERFORMANCE_HINT": "THROUGHPUT"}, 4),
        ("TEST", {"PERFORMANCE_HINT": PerformanceMode.THROUGHPUT, "ALLOW_AUTO_BATCHING": "NO"}, 1),
        ("TEST", {"PERFORMANCE_HINT": "THROUGHPUT", "PERFORMANCE_HINT_NUM_REQUESTS": 2}, 2),
        ("BATCH:TEST", {}, 4),
        ("BATCH:TEST(3)", {}, 3),
    ],
)
def test_batches_by_hints(core: Core, device: str, config: dict[str, object], batch: int):
    compiled = core.compile_model(network(), device, config)
    assert compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") == batch


def test_the_timeout_of_batches_can_be_changed_in_service(core: Core):
    compiled = core.compile_model(network(), "BATCH:TEST(4)")
    request = compiled.create_infer_request()
    request.infer(sample(0))
    assert request.latency == 1005.0
    compiled.set_property({"AUTO_BATCH_TIMEOUT": 50})
    assert compiled.get_property("AUTO_BATCH_TIMEOUT") == 50
    request.infer(sample(0))
    assert request.latency == 55.0
    with pytest.raises(DiagnosticError, match="SET_SIZE cannot be changed"):
        compiled.set_property({"SET_SIZE": 2})


def test_closing_waits_or_cancels(core: Core):
    compiled = core.compile_model(network(), "BATCH:TEST(4)")
    request = compiled.create_infer_request()
    request.start_async(sample(0))
    compiled.close()
    request.wait()
    assert request.latency == 5.0, "the incomplete batch starts at once"
    with core.compile_model(network(), "BATCH:TEST(4)") as compiled:
        request = compiled.create_infer_request()
        request.start_async(sample(0))
        compiled.close(cancel=True)
        with pytest.raises(Canceled):
            request.wait()


@pytest.mark.parametrize("which", ["core", "real"])
def test_asyncio(which: str, request: pytest.FixtureRequest):
    compiled = request.getfixturevalue(which).compile_model(network(), "CPU")

    async def infer() -> list[np.ndarray]:
        found = await asyncio.gather(*(compiled.infer_async(sample(seed)) for seed in range(3)))
        return [results["y"] for results in found]

    for seed, found in enumerate(asyncio.run(infer())):
        np.testing.assert_array_equal(found, expected(seed))


def test_a_task_that_is_canceled_cancels_its_inference():
    with Core([TestDevice()]) as core:
        config = {"AUTO_BATCH_TIMEOUT": 1_000_000, "MAX_QUEUE": 1}
        compiled = core.compile_model(network(), "BATCH:TEST(4)", config)

        async def cancel() -> None:
            task = asyncio.create_task(compiled.infer_async(sample(0)))
            await asyncio.sleep(0)
            with pytest.raises(QueueFull):
                await compiled.infer_async(sample(0))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())
        assert not compiled._under_way
        compiled.close()


def test_late_values_are_told():
    with Core([TestDevice()]) as core:
        request = core.compile_model(network(), "TEST").create_infer_request()
        assert request.late == 0
        request.infer(sample(0))
        assert 0 <= request.late <= request.latency


def test_properties(core: Core):
    assert core.available_devices == ["TEST.0", "CPU"]
    assert core.get_property("TEST", "FULL_DEVICE_NAME") == "a device for tests"
    assert core.get_property("CPU", "PERFORMANCE_HINT") is PerformanceMode.LATENCY
    core.set_property({"AUTO_BATCH_TIMEOUT": "20"})
    core.set_property("TEST", {"SET_SIZE": 2, lambda: "SCHEDULE_POLICY": "round_robin"})
    compiled = core.compile_model(network(), "TEST", {"INSTANCES": 1})
    for name, value in (
        ("AUTO_BATCH_TIMEOUT", 20),
        ("SET_SIZE", 2),
        ("SCHEDULE_POLICY", SchedulePolicy.ROUND_ROBIN),
    ):
        assert compiled.get_property(name) == value
    assert core.get_property("CPU", "SET_SIZE") == 1
    assert compiled.get_property("SUPPORTED_PROPERTIES")["AUTO_BATCH_TIMEOUT"] == "RW"
    assert compiled.get_property("MULTI_DEVICE_PRIORITIES") == "TEST.0"
    assert compiled.get_property("NETWORK_NAME") == "net"
    for name in ("NETWORK_NAME", "OPTIMAL_BATCH_SIZE"):
        with pytest.raises(DiagnosticError, match=f"{name} cannot be changed"):
            compiled.set_property({name: 1})
    compiled.set_property(("AUTO_BATCH_TIMEOUT", 30))
    assert compiled.get_property("AUTO_BATCH_TIMEOUT") == 30
    with pytest.raises(DiagnosticError, match="properties are a dictionary, not 'x'"):
        core.compile_model(network(), "CPU", "x")  # type: ignore[arg-type]
    assert core.query_model(network(), "AUTO:TEST,CPU") == {"product": "TEST.0", "relu": "CPU"}


def test_properties_that_follow_from_the_device(core: Core):
    for device in (*core.available_devices, "AUTO", "BATCH"):
        supported = core.get_property(device, "SUPPORTED_PROPERTIES")
        assert set(supported.values()) == {"RO", "RW"}
        for name in supported:
            if name != "OPTIMAL_BATCH_SIZE":
                core.get_property(device, name)
    assert core.get_property("TEST", "RANGE_FOR_STREAMS") == (1, 1)
    assert core.get_property("TEST", "RANGE_FOR_ASYNC_INFER_REQUESTS") == (1, 4, 1)
    assert core.get_property("TEST", "MAX_BATCH_SIZE") == 4
    model = {"MODEL_PTR": network()}
    assert core.get_property("TEST", "OPTIMAL_BATCH_SIZE", model) == 4
    with pytest.raises(DiagnosticError, match="OPTIMAL_BATCH_SIZE is that of a model"):
        core.get_property("TEST", "OPTIMAL_BATCH_SIZE")
    with pytest.raises(DiagnosticError, match=r"(?s)no property MAX_BATCH_SIZ\b.*MAX_BATCH_SIZE"):
        core.get_property("TEST", "MAX_BATCH_SIZ")
    # ONNX Runtime takes inferences one by one, whatever batch is asked for.
    for device, batch in (("BATCH:CPU(4)", 1), ("BATCH:TEST(3)", 3), ("AUTO:TEST,CPU", 1)):
        compiled = core.compile_model(network(), device)
        assert compiled.get_property("OPTIMAL_BATCH_SIZE") == batch


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "PERFORMANCE_HINTS",
            "LATENCY",
            "there is no property PERFORMANCE_HINTS.*PERFORMANCE_HINT",
        ),
        ("PERFORMANCE_HINT", "FAST", "cannot be 'FAST': it is one of LATENCY, THROUGHPUT"),
        ("PERFORMANCE_HINT", "LATENCI", "LATENCY"),
        ("EXECUTION_DEVICES", "CPU", "EXECUTION_DEVICES cannot be set.*follows from"),
        ("MODEL_PRIORITY", "HIH", "one of LOW, MEDIUM, HIGH.*did you mean HIGH"),
        ("DEADLINE", -1, "at least 0 and at most 1,000,000,000$"),
        ("PERFORMANCE_HINT_NUM_REQUESTS", -1, "at least 0"),
        ("MAX_QUEUE", -1, "at least 0"),
        ("AUTO_BATCH_TIMEOUT", -1, "cannot be -1: it is a whole number of at least 0"),
        ("AUTO_BATCH_TIMEOUT", "soon", "cannot be 'soon'"),
        ("AUTO_BATCH_TIMEOUT", 1.5, "cannot be 1.5"),
        ("SET_SIZE", 0, "at least 1"),
        ("SET_SIZE", True, "cannot be True"),
        ("ALLOW_AUTO_BATCHING", "maybe", "True or False, or YES or NO"),
        ("TARGET", 5, "it is a text"),
        ("INSTANCES", 2, "2 instances do not fit TEST.0, which has room for 1"),
    ],
)
def test_wrong_properties(core: Core, name: str, value: object, told: str):
    with pytest.raises(DiagnosticError, match=f"(?s){told}"):
        core.compile_model(network(), "TEST", {name: value})


def test_models_that_cannot_be_read(core: Core, tmp_path):
    with pytest.raises(DiagnosticError, match="no such file"):
        core.compile_model(tmp_path / "absent.onnx", "CPU")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(DiagnosticError, match="no model of ONNX"):
        core.compile_model(tmp_path / "bad.onnx", "CPU")
