"""Pipelines: steps work on different items at once, items are split and joined, errors stay with theirs."""

import time

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.runtime.api.core import Core
from smalti.backends.runtime.clocks.clock import MILLISECOND
from smalti.backends.runtime.clocks.real_clock import RealClock
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.devices.cpu_device import CpuDevice
from smalti.backends.runtime.pipelines.pipeline import Pipeline
from smalti.backends.runtime.pipelines.steps import HostStep, ModelStep
from smalti.backends.runtime.serving.server import QueueFull

from .served_network import network, sample


def host(work, milliseconds: int = 0, **more: bool) -> HostStep:
    return HostStep(work, milliseconds * MILLISECOND, **more)


def test_steps_work_on_different_items_at_once():
    clock = VirtualClock()
    pipeline = Pipeline(clock, [host(lambda x: x + 1, 2), host(lambda x: x * 10, 3), host(str, 1)])
    assert pipeline.map(range(10)) == [str(10 * (x + 1)) for x in range(10)]
    # The first item takes all steps; then the slowest step sets the pace.
    assert clock.now() == (2 + 3 + 1 + 9 * 3) * MILLISECOND


def test_parts_go_on_by_themselves_and_come_together_in_order():
    clock = VirtualClock()
    steps = [
        host(lambda n: list(range(n)), splits=True),
        host(lambda x: x * x, 1),
        host(sum, joins=True),
    ]
    assert Pipeline(clock, steps).map([4, 0, 1]) == [0 + 1 + 4 + 9, 0, 0]
    assert Pipeline(clock, steps[:2]).map([3, 0]) == [[0, 1, 4], []]


def test_splits_in_splits():
    steps = [
        host(lambda n: [range(k) for k in range(n)], splits=True),
        host(list, splits=True),
        host(lambda x: x + 1, 1),
        host(tuple, joins=True),
        host(list, joins=True),
    ]
    assert Pipeline(VirtualClock(), steps).map([3, 0]) == [[(), (1,), (1, 2)], []]


@pytest.mark.parametrize("clock", [VirtualClock, RealClock])
def test_models_between_work_of_the_host(clock):
    options = {"computes": True} if clock is VirtualClock else {}
    with Core([CpuDevice(2 * MILLISECOND)], clock(**options)) as core:
        model = core.compile_model(network(), "CPU")
        pipeline = Pipeline(
            core.clock,
            [
                host(lambda count: [sample(seed) for seed in range(count)], splits=True),
                ModelStep(model, lambda x: {"x": x}, lambda x, arrays: arrays["y"].sum()),
                host(sum, joins=True),
            ],
        )
        expected = [sum(model({"x": sample(s)})[0].sum() for s in range(n)) for n in (3, 1)]
        np.testing.assert_allclose(pipeline.map([3, 1]), expected, rtol=1e-6)
        pipeline.close()


def test_an_error_ends_its_item_and_no_other():
    def check(x: int) -> int:
        if x == 2:
            raise ValueError("two")
        return x

    clock = VirtualClock()
    steps = [host(lambda n: [n, n + 1], splits=True), host(check, 1), host(sum, joins=True)]
    pipeline = Pipeline(clock, steps)
    items = [pipeline.start(n) for n in range(4)]
    assert items[0].result() == 1 and items[3].result() == 7
    for item in items[1:3]:
        with pytest.raises(ValueError, match="two"):
            item.result()
    assert items[3].latency > 0


def test_no_more_than_so_many_are_under_way():
    clock = VirtualClock()
    pipeline = Pipeline(clock, [host(lambda x: x, 1)], most=2)
    first = [pipeline.start(n) for n in range(2)]
    with pytest.raises(QueueFull, match="2 items are under way"):
        pipeline.start(2)
    assert [item.result() for item in first] == [0, 1]
    assert pipeline.map(range(50)) == list(range(50))


def test_map_waits_for_room_in_real_time():
    clock = RealClock()
    pipeline = Pipeline(clock, [host(lambda x: (time.sleep(0.001), x)[1])], most=2)
    assert pipeline.map(range(20)) == list(range(20))
    pipeline.close()
    clock.close()


def test_mistakes():
    with pytest.raises(DiagnosticError, match="at least one step"):
        Pipeline(VirtualClock(), [])
    with pytest.raises(DiagnosticError, match="step 1 joins what no step"):
        Pipeline(VirtualClock(), [host(list), host(sum, joins=True)])
