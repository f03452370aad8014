"""Models that share a device: who waits for it, and in which order."""

import pytest
from smalti.backends.runtime.api.core import Core
from smalti.backends.runtime.clocks.clock import MILLISECOND
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.devices.device import Device

from .served_network import network, sample
from .timed_model import TimedModel


class Card(Device):
    """Runs take 5 ms, on a part of it."""

    name, full_name = "CARD", "a card"
    parts = 1

    def load(self, model, batches, settings):
        loaded = TimedModel(dict.fromkeys(batches, 5 * MILLISECOND))
        loaded.most_instances = self.parts if settings["CORES"] else 1
        return loaded


@pytest.fixture
def core():
    with Core([Card()], VirtualClock(computes=True)) as made:
        yield made


def latencies(requests: list) -> list[float]:
    for request in requests:
        request.wait()
    return [request.latency for request in requests]


def started(compiled, count: int) -> list:
    requests = [compiled.create_infer_request() for _ in range(count)]
    for request in requests:
        request.start_async(sample(0))
    return requests


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("MEDIUM", "MEDIUM", [5, 10, 15, 20, 25]),  # in the order of arrival
        ("LOW", "MEDIUM", [5, 20, 25, 10, 15]),
        ("MEDIUM", "HIGH", [5, 20, 25, 10, 15]),
        ("HIGH", "LOW", [5, 10, 15, 20, 25]),
    ],
)
def test_models_wait_by_priority(core: Core, first: str, second: str, expected: list[float]):
    models = [
        core.compile_model(network(), "CARD", {"MODEL_PRIORITY": each}) for each in (first, second)
    ]
    assert latencies([*started(models[0], 3), *started(models[1], 2)]) == expected
    assert core.clock.now() == 25 * MILLISECOND


def test_several_runs_under_way_do_not_keep_the_device(core: Core):
    busy = core.compile_model(network(), "CARD", {"SET_SIZE": 2})
    other = core.compile_model(network(), "CARD", {"MODEL_PRIORITY": "HIGH"})
    assert latencies([*started(busy, 4), *started(other, 1)]) == [5, 10, 20, 25, 15]


def test_priorities_change_in_service(core: Core):
    models = [core.compile_model(network(), "CARD") for _ in range(2)]
    requests = [*started(models[0], 2), *started(models[1], 1)]
    models[1].set_property({"MODEL_PRIORITY": "HIGH"})
    assert latencies(requests) == [5, 15, 10]


def test_models_on_parts_of_it_run_side_by_side(core: Core, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Card, "parts", 2)
    half, other = (core.compile_model(network(), "CARD", {"CORES": 1}) for _ in range(2))
    whole = core.compile_model(network(), "CARD")
    # The whole card comes free once both halves are; those that came later do not overtake it.
    requests = [*started(half, 2), *started(other, 1)]
    for model in (whole, other):
        core.clock.run(core.clock.now() + MILLISECOND)  # type: ignore[attr-defined]
        requests += started(model, 1)
    assert latencies(requests) == [5, 10, 5, 14, 18]


def test_who_waits_for_the_device_may_leave(core: Core):
    models = [
        core.compile_model(network(), "CARD", {"MODEL_PRIORITY": each})
        for each in ("LOW", "HIGH", "LOW")
    ]
    requests = [request for model in models for request in started(model, 1)]
    requests[1].cancel()
    models[1].close()
    assert latencies([requests[0], requests[2]]) == [5, 10]
