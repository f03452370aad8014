"""Batching in virtual time: batches are due when they should be, and nobody waits longer than promised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.runtime.batching.adaptive import Adaptive
from smalti.backends.runtime.batching.cheapest_runs import cheapest_runs
from smalti.backends.runtime.batching.fixed_size import FixedSize
from smalti.backends.runtime.clocks.clock import MILLISECOND
from smalti.backends.runtime.requests.inference import State

from .timed_model import traffic

TIMES = {1: 10, 2: 12, 4: 16}
ARRIVALS = st.lists(st.integers(0, 60), min_size=1, max_size=40).map(
    lambda gaps: [sum(gaps[: end + 1]) for end in range(len(gaps))]
)


@pytest.mark.parametrize("phase", [0, 1, 37, 99])
def test_a_lone_inference_waits_for_the_timeout_whenever_it_comes(phase: int):
    """A timer that runs free of the arrivals (OpenVINO's) would let it wait for anything up to the timeout."""
    found = traffic(FixedSize(4, 100), TIMES, [phase, phase + 1000])
    assert found.latencies == [110, 110]


@pytest.mark.parametrize("batch", [2, 4])
def test_a_full_batch_never_waits_for_the_timer(batch: int):
    """OpenVINO's can miss its wake-up: 2 of 400 waited for the timer."""
    arrivals = [100 * (number // batch) for number in range(400 * batch)]
    found = traffic(FixedSize(batch, 1000 * MILLISECOND), TIMES, arrivals)
    assert set(found.latencies) == {TIMES[batch]}


def test_the_timeout_counts_from_the_first_arrival():
    found = traffic(FixedSize(4, 100), TIMES, [0, 60, 90])
    assert found.latencies == [116, 56, 26]
    assert [each.batch for each in found.inferences] == [3, 3, 3]


def test_a_due_batch_takes_all_that_wait_when_the_device_is_free():
    found = traffic(FixedSize(4, 5), TIMES, [0, 6, 8, 14])
    # The first starts at 5 and ends at 15; the second would be due at 11, and takes the others along.
    assert found.latencies == [15, 25, 23, 17]


def test_what_waits_is_due_once_its_callers_send_no_more():
    found = traffic(FixedSize(4, 1000), TIMES, [])
    for time in (0, 1, 2):
        found.arrive(time)
    found.clock.call_at(3, found.server.flush)
    found.arrive(4)
    found.clock.run()
    assert found.latencies == [19, 18, 17, 1010]


@pytest.mark.parametrize(
    ("count", "times", "runs"),
    [
        (1, {4: 16}, [4]),
        (3, TIMES, [4]),
        (3, {1: 10, 2: 12, 4: 40}, [2, 1]),
        (3, {1: 1, 4: 16}, [1, 1, 1]),
        (9, {1: 10, 2: 12, 4: 16}, [4, 4, 1]),
        (2, {1: 8, 4: 16}, [4]),
    ],
)
def test_an_incomplete_batch_runs_as_what_is_cheapest(count, times, runs):
    """Padded, as a smaller batch, or one by one; of equal times the fewest runs."""
    assert cheapest_runs(count, times) == runs


@given(
    st.integers(1, 20),
    st.dictionaries(st.integers(1, 8), st.integers(1, 50), min_size=1, max_size=4),
)
def test_cheapest_runs_hold_all_and_no_single_size_is_cheaper(count, times):
    runs = cheapest_runs(count, times)
    assert sum(runs) >= count
    took = sum(times[batch] for batch in runs)
    assert all(took <= -(-count // batch) * time for batch, time in times.items())


@given(ARRIVALS, st.integers(1, 4), st.integers(0, 200), st.data())
def test_nobody_waits_longer_than_promised(arrivals, batch, timeout, data):
    """Latency is at most the timeout, the work ahead when the batch is due, and the inference itself, also if the
    timeout changes on the way; nothing is lost.
    """
    policy = FixedSize(batch, timeout)
    longest = max(TIMES.values())
    found = traffic(policy, TIMES, [])
    for time in arrivals:
        found.arrive(time)
    changes = data.draw(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 200)), max_size=3))
    for time, changed in changes:
        found.clock.call_at(time, lambda changed=changed: change(changed))

    def change(changed: int) -> None:
        policy.timeout = changed
        found.server.pump()

    found.clock.run()
    assert len(found.ended) == len(found.inferences) == len(arrivals)
    assert all(each.state is State.DONE for each in found.inferences)
    most = max([timeout, *(changed for _, changed in changes)])
    for number, each in enumerate(found.inferences):
        assert each.started is not None and each.ended is not None
        due = each.arrived + most
        ahead = [
            other for other in found.inferences[:number] if (other.started or 0) < each.started
        ]
        unfinished = {other.started: other.ended for other in ahead if (other.ended or 0) > due}
        assert each.ended <= due + longest * len(unfinished) + longest
        assert each.batch <= batch


@given(ARRIVALS, st.integers(1, 4), st.integers(0, 200))
def test_sparse_traffic_waits_for_no_one(arrivals, batch, timeout):
    """Latency is at most max(timeout, S) + S if no window as long as an inference, S, has more than a batch of
    arrivals.
    """
    service = TIMES[4]
    times = dict.fromkeys(range(1, batch + 1), service)
    crowded = any(
        sum(start <= other <= start + service for other in arrivals) > batch for start in arrivals
    )
    found = traffic(FixedSize(batch, timeout), times, arrivals)
    if not crowded:
        assert max(found.latencies) <= max(timeout, service) + service


@given(ARRIVALS, st.integers(1, 4))
def test_an_adaptive_device_is_never_idle_while_something_waits(arrivals, batch):
    found = traffic(Adaptive(batch), TIMES, arrivals)
    runs = sorted({(each.started or 0, each.ended or 0) for each in found.inferences})
    for each in found.inferences:
        assert each.started is not None and 1 <= each.batch <= batch
        free = max((end for start, end in runs if start < each.started), default=0)
        assert each.started == max(each.arrived, free) or each.started == free


@given(ARRIVALS, st.integers(1, 3), st.integers(1, 3))
def test_the_same_traffic_always_takes_the_same_course(arrivals, instances, set_size):
    courses = [
        [
            (each.started, each.ended, each.batch)
            for each in traffic(
                FixedSize(4, 20), TIMES, arrivals, instances=instances, set_size=set_size, host=3
            ).inferences
        ]
        for _ in range(2)
    ]
    assert courses[0] == courses[1]


def test_the_hosts_time_hides_behind_the_devices():
    """With a set of one the stages add up; with two the device is always busy."""
    alone = traffic(Adaptive(1), {1: 10}, [0] * 20, host=4)
    hidden = traffic(Adaptive(1), {1: 10}, [0] * 20, host=4, set_size=2)
    assert max(alone.latencies) == 20 * 18
    assert max(hidden.latencies) == 20 * 10 + 2 * 4
