"""The two clocks: actions in order, work on lanes, waits; and the same course of things on both."""

import threading
import time

import pytest
from smalti.backends.runtime.batching.fixed_size import FixedSize
from smalti.backends.runtime.clocks.clock import MILLISECOND, SECOND, Outcome
from smalti.backends.runtime.clocks.real_clock import RealClock
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.requests.inference import Inference, State
from smalti.backends.runtime.serving.instance import Instance
from smalti.backends.runtime.serving.server import Server

from .timed_model import TimedModel


@pytest.fixture
def real():
    clock = RealClock()
    yield clock
    clock.close()


@pytest.mark.parametrize("kind", [RealClock, VirtualClock])
def test_actions_run_in_the_order_of_their_times(kind):
    clock, order = kind(), []
    last = clock.event()

    def begin() -> None:
        clock.call_soon(lambda: order.append("now"))
        soon = clock.now() + MILLISECOND
        for name, when in (("c", 20), ("a", 10), ("d", 20), ("never", 15)):
            timer = clock.call_at(soon + when, lambda name=name: order.append(name))
            if name == "never":
                timer.cancel()
        clock.call_at(soon + 30, last.set)

    clock.call_soon(begin)
    assert last.wait(SECOND)
    assert order == ["now", "a", "c", "d"]
    clock.close()
    clock.call_at(0, lambda: order.append("closed"))
    assert not clock.event().wait(MILLISECOND)
    assert order[-1] == "d"


@pytest.mark.parametrize("kind", [RealClock, VirtualClock])
def test_lanes_do_one_piece_after_the_other(kind):
    clock, ended = kind(), []
    last = clock.event()
    lane = clock.lane("lane", always=True)

    def fail() -> None:
        raise ValueError("no")

    def begin() -> None:
        lane.do(lambda: "first", 10 * MILLISECOND, lambda outcome: note(outcome))
        lane.do(fail, 5 * MILLISECOND, lambda outcome: note(outcome))
        lane.do(None, MILLISECOND, lambda outcome: (note(outcome), last.set()))

    def note(outcome: Outcome) -> None:
        ended.append((clock.now() // MILLISECOND, outcome.value, str(outcome.error)))

    clock.call_soon(begin)
    assert last.wait(SECOND)
    assert [entry[1:] for entry in ended] == [("first", "None"), (None, "no"), (None, "None")]
    assert [entry[0] >= least for entry, least in zip(ended, (10, 15, 16), strict=True)] == [
        True
    ] * 3
    lane.close()
    clock.close()


def test_virtual_time_passes_at_once_and_computes_nothing_unless_asked():
    clock, began = VirtualClock(), time.perf_counter()
    done = clock.event()
    clock.lane("lane").do(lambda: 1 / 0, 3600 * SECOND, lambda outcome: done.set())
    assert done.wait() and clock.now() == 3600 * SECOND
    assert time.perf_counter() - began < 60
    assert not clock.event().wait(), "nothing is left that could let it happen"
    assert not clock.event().wait(5) and clock.now() == 3600 * SECOND + 5


def test_an_action_that_raises_harms_no_other(real, monkeypatch):
    told, done = [], real.event()
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(str(args.exc_value)))
    real.call_soon(lambda: {}["lost"])
    real.call_soon(done.set)
    assert done.wait(SECOND) and told == ["'lost'"]


def test_work_that_takes_longer_than_its_time_is_late(real):
    done, late = real.event(), []
    real.lane("lane").do(
        lambda: time.sleep(0.02),
        MILLISECOND,
        lambda outcome: (late.append(outcome.late), done.set()),
    )
    assert done.wait(SECOND) and late[0] >= 15 * MILLISECOND


@pytest.mark.parametrize("kind", [RealClock, VirtualClock])
def test_the_same_policies_serve_in_both_times(kind):
    """Three inferences of one batch and a lone one, with their values."""
    clock = kind(computes=True) if kind is VirtualClock else kind()
    model = TimedModel({1: 5 * MILLISECOND, 4: 8 * MILLISECOND}, host=MILLISECOND)
    server = Server(clock, "D", [Instance(model, clock, "i")], FixedSize(4, 400 * MILLISECOND))
    inferences, last = [], clock.event()

    def ended(inference: Inference) -> None:
        if sum(each.state is State.DONE for each in inferences) == 4:
            last.set()

    def submit() -> None:
        inferences.append(Inference({"x": len(inferences)}, clock.now(), ended))
        server.submit(inferences[-1])

    for when in (0, 10, 20, 900):
        clock.call_at(when * MILLISECOND, submit)
    assert last.wait(5 * SECOND)
    assert [each.outputs for each in inferences] == [{"x": number} for number in range(4)]
    assert [each.batch for each in inferences] == [3, 3, 3, 1]
    least = [410, 400, 390, 407]
    for each, expected in zip(inferences, least, strict=True):
        latency = ((each.ended or 0) - each.arrived) / MILLISECOND
        assert latency >= expected - 0.1
        assert kind is RealClock or latency == expected
    clock.close()
