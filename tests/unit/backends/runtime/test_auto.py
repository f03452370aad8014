"""AUTO in virtual time: who serves while devices load, switch and fail."""

from collections.abc import Callable

import pytest
from smalti.backends.runtime.batching.adaptive import Adaptive
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.device_choice.device_choice import DeviceChoice
from smalti.backends.runtime.device_choice.device_priority import DevicePriority
from smalti.backends.runtime.device_choice.first_ready import FirstReady
from smalti.backends.runtime.device_choice.round_robin import RoundRobin
from smalti.backends.runtime.devices.loaded_model import LoadedModel
from smalti.backends.runtime.requests.inference import Inference, State
from smalti.backends.runtime.serving.auto import Auto, AutoOptions, Candidate
from smalti.backends.runtime.serving.instance import Instance
from smalti.backends.runtime.serving.server import QueueFull, Server

from .timed_model import TimedModel


class Scene:
    """A CPU that takes 50 to infer and a TPU that takes 5, of which the TPU loads for 1000."""

    def __init__(
        self,
        *,
        choice: DeviceChoice | None = None,
        load_tpu: Callable[[], LoadedModel] | None = None,
        **options: object,
    ) -> None:
        self.clock = VirtualClock(computes=True)
        self.tpu, self.cpu = TimedModel({1: 5}), TimedModel({1: 50})
        candidates = [
            self.candidate("TPU", load_tpu or (lambda: self.tpu), 1000),
            self.candidate("CPU", lambda: self.cpu, 10),
        ]
        self.auto = Auto(self.clock, candidates, choice or FirstReady(), AutoOptions(**options))
        self.inferences: list[Inference] = []
        self.ended: list[Inference] = []

    def candidate(self, name: str, load: Callable[[], LoadedModel], load_time: int) -> Candidate:
        def serve(model: LoadedModel, failed) -> Server:
            instance = Instance(model, self.clock, name)
            return Server(self.clock, name, [instance], Adaptive(1), on_failure=failed)

        return Candidate(name, load, serve, load_time)

    def arrive(self, *times: int) -> None:
        for time in times:
            self.clock.call_at(time, self._submit)

    def _submit(self) -> None:
        inference = Inference({}, self.clock.now(), self.ended.append)
        self.inferences.append(inference)
        self.auto.submit(inference)

    def devices(self) -> list[str]:
        """Run everything and return who served, in the order of arrival."""
        self.clock.run()
        assert len(self.ended) == len(self.inferences) == len(set(self.ended))
        return [each.device for each in self.inferences]


def test_the_cpu_serves_until_the_better_device_is_ready():
    scene = Scene()
    scene.arrive(0, 100, 990, 1001)
    executing = {}
    for time in (5, 20, 1010, 1500):
        scene.clock.call_at(
            time, lambda time=time: executing.update({time: scene.auto.execution_devices})
        )
    assert scene.devices() == ["CPU", "CPU", "CPU", "TPU"]
    assert [each.ended for each in scene.inferences] == [60, 150, 1040, 1006]
    assert executing == {5: [], 20: ["CPU"], 1010: ["TPU", "CPU"], 1500: ["TPU"]}


def test_without_the_helper_inferences_wait_for_the_device():
    scene = Scene(startup_helper=None, most_held=2)
    scene.arrive(0, 100)
    assert scene.devices() == ["TPU", "TPU"]
    assert [each.ended for each in scene.inferences] == [1005, 1010]
    scene = Scene(startup_helper=None, most_held=1)
    scene.arrive(0, 100)
    with pytest.raises(QueueFull, match="1 inferences wait for a device to be loaded"):
        scene.clock.run()


def test_a_device_that_cannot_load_is_passed_over():
    def broken() -> LoadedModel:
        raise RuntimeError("no such card")

    scene = Scene(load_tpu=broken, startup_helper=None)
    scene.arrive(0, 1500)
    assert scene.devices() == ["CPU", "CPU"]
    assert [each.ended for each in scene.inferences] == [1060, 1550]


def test_what_fails_runs_elsewhere_and_the_device_is_left_out():
    scene = Scene()
    scene.tpu.failures = 1
    scene.arrive(1100, 1101, 1300)
    # The second one runs before the CPU, which is loaded again, has proven that the first one can be served.
    assert scene.devices() == ["CPU", "TPU", "CPU"]
    assert all(each.state is State.DONE for each in scene.inferences)
    assert scene.auto.execution_devices == ["CPU"]


def test_an_inference_that_no_device_can_serve_takes_none_of_them_out():
    scene = Scene()
    scene.tpu.failures = scene.cpu.failures = 1
    scene.arrive(1100, 1400)
    assert scene.devices() == ["CPU", "TPU"]
    assert [each.state for each in scene.inferences] == [State.FAILED, State.DONE]


def test_the_next_device_is_tried_when_the_best_one_cannot_load():
    def broken() -> LoadedModel:
        raise RuntimeError("no such card")

    scene = Scene()
    candidates = [
        scene.candidate("TPU.0", broken, 100),
        scene.candidate("TPU.1", lambda: scene.tpu, 100),
        scene.candidate("CPU", lambda: scene.cpu, 10),
    ]
    scene.auto = Auto(scene.clock, candidates, FirstReady(), AutoOptions())
    scene.arrive(20, 300)
    assert scene.devices() == ["CPU", "TPU.1"]


def test_without_the_fallback_the_caller_gets_the_error():
    scene = Scene(runtime_fallback=False)
    scene.tpu.failures = 1
    scene.arrive(1100, 1101)
    assert scene.devices() == ["TPU", "TPU"]
    assert [each.state for each in scene.inferences] == [State.FAILED, State.DONE]


def test_when_no_device_is_left_the_caller_gets_the_first_cause():
    def broken() -> LoadedModel:
        raise RuntimeError("no such card")

    scene = Scene(load_tpu=broken)
    scene.cpu.failures = 100
    scene.arrive(0, 2000)
    scene.clock.run()
    assert [str(each.error) for each in scene.inferences] == [
        "the device failed",
        "the device failed",
    ]


@pytest.mark.parametrize(
    ("choice", "served"),
    [
        (RoundRobin(), ["TPU", "CPU", "TPU", "CPU"]),
        (DevicePriority(), ["TPU", "CPU", "TPU", "TPU"]),
    ],
)
def test_all_devices_serve_at_once(choice: DeviceChoice, served: list[str]):
    scene = Scene(choice=choice, all_at_once=True)
    scene.arrive(2000, 2001, 2010, 2020)
    assert scene.devices() == served
    assert scene.auto.execution_devices == ["TPU", "CPU"]


def test_canceled_inferences_end_wherever_they_are():
    scene = Scene()
    scene.arrive(0, 1, 20, 21)
    for time, number in ((5, 0), (6, 1), (25, 2), (26, 3)):
        scene.clock.call_at(time, lambda number=number: scene.auto.cancel(scene.inferences[number]))
    scene.devices()
    assert [each.ended for each in scene.inferences] == [5, 6, 25, 26]
    assert {each.state for each in scene.inferences} == {State.CANCELED}
