"""Priorities, deadlines and bounds of the line of those that wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.runtime.batching.adaptive import Adaptive
from smalti.backends.runtime.batching.fixed_size import FixedSize
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.requests.deadlines import Deadlines, LateAction, TooLate
from smalti.backends.runtime.requests.inference import Inference, State
from smalti.backends.runtime.requests.waiting_line import WaitingLine
from smalti.backends.runtime.serving.instance import Instance
from smalti.backends.runtime.serving.server import QueueFull, Server

from .timed_model import TimedModel, traffic


def waiting(arrived: int = 0, priority: int = 1) -> Inference:
    return Inference(None, arrived, lambda _: None, priority)


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.booleans()), max_size=30))
def test_the_line_is_sorted_by_priority_and_arrival(given):
    line, kept = WaitingLine(), []
    for number, (priority, leaves, last) in enumerate(given):
        each = waiting(number, priority)
        line.add(each, last=last)
        if leaves:
            assert line.remove(each) and not line.remove(each)
        else:
            kept.append((99 if last else priority, number, each))
    order = [each for _, _, each in sorted(kept, key=lambda entry: entry[:2])]
    assert list(line) == order and len(line) == len(order)
    if order:
        assert line.oldest == min(each.arrived for each in order)
    assert line.take(2) == order[:2]
    assert list(line) == order[2:]


def test_the_more_urgent_start_first():
    found = traffic(Adaptive(1), {1: 10}, [])
    for time, priority in ((0, 2), (1, 2), (2, 2), (3, 1)):
        found.arrive(time, priority=priority)
    found.clock.run()
    assert [each.started for each in found.inferences] == [0, 20, 30, 10]


def test_late_inferences_are_rejected_as_soon_as_that_is_certain():
    found = traffic(Adaptive(1), {1: 10}, [], deadlines=Deadlines(LateAction.REJECT, least_time=10))
    for deadline in (None, 15, 20, 40):
        found.arrive(0, deadline=deadline)
    found.clock.run()
    assert [each.state for each in found.inferences] == [
        State.DONE, State.FAILED, State.DONE, State.DONE,
    ]  # fmt: skip
    rejected = found.inferences[1]
    assert isinstance(rejected.error, TooLate) and rejected.ended == 6


def test_late_inferences_are_delayed_behind_all_others():
    found = traffic(Adaptive(1), {1: 10}, [], deadlines=Deadlines(LateAction.DELAY, least_time=10))
    found.arrive(0)
    found.arrive(1, deadline=12)
    for time in (2, 3):
        found.arrive(time)
    found.clock.run()
    assert [each.started for each in found.inferences] == [0, 30, 10, 20]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 60)), min_size=1, max_size=30),
    st.sampled_from(LateAction),
)
def test_what_is_not_rejected_meets_its_deadline_or_was_delayed(arrivals, action):
    found = traffic(Adaptive(1), {1: 10}, [], deadlines=Deadlines(action, least_time=10))
    for time, slack in arrivals:
        found.arrive(time, deadline=time + slack)
    found.clock.run()
    assert len(found.ended) == len(arrivals)
    for each in found.inferences:
        assert each.ended is not None and each.deadline is not None
        if each.state is State.DONE and action is LateAction.REJECT:
            assert each.ended <= each.deadline
        if action is LateAction.DELAY:
            assert each.state is State.DONE


def test_a_full_line_takes_no_more():
    clock = VirtualClock()
    server = Server(
        clock, "D", [Instance(TimedModel({1: 10}), clock, "i")], Adaptive(1), most_waiting=2
    )
    for _ in range(3):  # one of them runs
        server.submit(waiting())
    with pytest.raises(QueueFull, match="2 inferences wait, and no more may"):
        server.submit(waiting())
    clock.run()
    assert server.under_way == 0
    server.submit(waiting())


def test_canceled_inferences_end_at_once_whatever_the_device_does():
    found = traffic(FixedSize(2, 100), {1: 10, 2: 12}, [])
    for time in (0, 1, 2):
        found.arrive(time)
    for time, number in ((5, 0), (6, 2)):
        found.clock.call_at(
            time, lambda number=number: found.server.cancel(found.inferences[number])
        )
    found.clock.run()
    assert [each.state for each in found.inferences] == [
        State.CANCELED, State.DONE, State.CANCELED,
    ]  # fmt: skip
    assert [each.ended for each in found.inferences] == [5, 13, 6]


def test_an_error_of_the_device_reaches_those_that_it_belongs_to():
    clock = VirtualClock(computes=True)
    model = TimedModel({1: 10, 2: 12})
    model.failures = 1
    server = Server(clock, "D", [Instance(model, clock, "i")], Adaptive(2))
    inferences = [Inference({}, 0, lambda _: None) for _ in range(3)]
    for each in inferences:
        server.submit(each)
    clock.run()
    assert [each.state for each in inferences] == [State.FAILED, State.DONE, State.DONE]
    assert str(inferences[0].error) == "the device failed"
