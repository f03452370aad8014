"""Traffic in virtual time: what is asked for when, and what is recorded of it."""

from itertools import islice

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.runtime.api.core import Core
from smalti.backends.runtime.clocks.clock import MILLISECOND, SECOND
from smalti.backends.runtime.clocks.virtual_clock import VirtualClock
from smalti.backends.runtime.devices.cpu_device import CpuDevice
from smalti.backends.runtime.devices.served_model import ServedPort
from smalti.backends.runtime.traffic.arrivals import Arrivals, Interval, Poisson, Pool
from smalti.backends.runtime.traffic.drive import Limit, drive
from smalti.backends.runtime.traffic.record import Record, Spread, per_second
from smalti.backends.runtime.traffic.report import Report, traffic_trace
from smalti.backends.runtime.traffic.samples import random_sample, samples_in

from .served_network import network, sample

TAKES = 2 * MILLISECOND


def records(arrivals: Arrivals, limit: Limit, **properties: object) -> list[Record]:
    """Of a device that takes 2 ms for each inference, one after the other."""
    with Core([CpuDevice(TAKES)], VirtualClock()) as core:
        compiled = core.compile_model(network(), "CPU", properties)
        return drive(compiled, [{"x": sample(1)}, {"x": sample(2)}], arrivals, limit)


def test_equal_intervals():
    found = records(Interval(5 * MILLISECOND), Limit(count=4))
    assert [each.arrived for each in found] == [5 * MILLISECOND * n for n in range(4)]
    assert [each.latency for each in found] == [TAKES] * 4
    assert {(each.device, each.batch, each.late, each.error) for each in found} == {
        ("CPU", 1, 0, "")
    }


def test_those_that_come_too_fast_wait():
    found = records(Interval(MILLISECOND), Limit(count=3))
    assert [each.latency for each in found] == [TAKES, 3 * MILLISECOND, 4 * MILLISECOND]
    waits = [each.stages["wait"] for each in found]
    assert waits == [0, MILLISECOND, 2 * MILLISECOND]
    assert all(sum(each.stages.values()) == each.latency for each in found)


def test_a_pool_keeps_so_many_under_way():
    found = records(Pool(3), Limit(count=9))
    assert [each.number for each in found] == list(range(9))
    assert [each.latency for each in found[3:]] == [3 * TAKES] * 6
    assert per_second(found) == SECOND / TAKES


def test_by_chance_and_always_the_same():
    gaps = list(islice(Poisson(200, 3).gaps(), 20_000))
    assert gaps == list(islice(Poisson(200, 3).gaps(), 20_000))
    assert gaps[:5] != list(islice(Poisson(200, 4).gaps(), 5))
    assert np.mean(gaps) == pytest.approx(SECOND / 200, rel=0.03)
    assert np.std(gaps) == pytest.approx(SECOND / 200, rel=0.05)


@pytest.mark.parametrize("arrivals", [Interval(3 * MILLISECOND), Poisson(300), Pool(2)], ids=repr)
def test_a_minute_ends_in_time(arrivals: Arrivals):
    found = records(arrivals, Limit(nanoseconds=60 * SECOND))
    assert all(each.arrived < 60 * SECOND for each in found)
    assert len(found) > 10_000 and found[-1].arrived > 59 * SECOND


def test_more_than_can_be_asked_for():
    """Neither arrivals without end at one moment nor a pool beyond the limit keep time from going on."""
    assert min(islice(Poisson(1e30).gaps(), 9)) == 1
    assert len(records(Pool(10**9), Limit(count=5))) == 5


def test_the_first_of_both_limits_counts():
    assert len(records(Pool(1), Limit(count=3, nanoseconds=SECOND))) == 3
    assert len(records(Pool(1), Limit(count=300, nanoseconds=10 * MILLISECOND))) == 5
    with pytest.raises(ValueError, match="never ends"):
        records(Pool(1), Limit())


def test_what_finds_no_room_is_recorded():
    found = records(Interval(MILLISECOND // 2), Limit(count=8), MAX_QUEUE=2)
    report = Report(found)
    assert len(found) == 8 and report.failed == 8 - len(report.done) > 0
    assert "no more may" in next(iter(report.errors))
    assert records(Pool(8), Limit(count=20), MAX_QUEUE=2)[-1].number == 19


def test_spreads():
    spread = Spread.of(n * MILLISECOND for n in range(1, 101))
    assert (spread.least, spread.median, spread.p90, spread.p99, spread.most) == (
        1,
        50,
        90,
        99,
        100,
    )
    assert spread.mean == 50.5
    assert Spread.of([]) == Spread(0, 0, 0, 0, 0, 0)
    assert Spread.of([MILLISECOND]) == Spread(1, 1, 1, 1, 1, 1)


def test_a_report_says_it_all():
    report = Report(records(Interval(MILLISECOND), Limit(count=5)), samples=4)
    told = report.to_json()
    assert told["count"] == 5 and told["failed"] == 0
    assert told["duration_s"] == 5 * TAKES / SECOND
    assert told["inferences_per_second"] == 4 * SECOND / TAKES
    assert told["first_inference_ms"] == 2 and told["batches"] == {"1": 5}
    assert told["devices"]["CPU"]["latency"] == told["latency"]
    assert Report([]).to_json()["inferences_per_second"] == 0


def test_a_trace_has_every_stage():
    found = records(Interval(MILLISECOND), Limit(count=3))
    events = traffic_trace(found)["traceEvents"]
    slices = [each for each in events if each["ph"] == "X" and each["tid"] % 1000]
    assert [each["dur"] for each in events if each["name"] == "batch of 1"] == [TAKES / 1000] * 3
    whole = sum(each.latency for each in found) / 1000
    assert sum(each["dur"] for each in slices) == whole
    by_thread: dict[int, float] = {}
    for each in slices:  # on a thread they follow each other
        assert each["ts"] >= by_thread.get(each["tid"], 0)
        by_thread[each["tid"]] = each["ts"] + each["dur"]


PORTS = [
    ServedPort("x", (None, 2), np.dtype(np.float32)),
    ServedPort("n", (), np.dtype(np.int64)),
]


def test_samples_of_a_file_and_random_ones():
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    found = samples_in({"x": x, "n": np.int64(4)[...]}, PORTS)
    assert [each["x"].tolist() for each in found] == x.reshape(3, 1, 2).tolist()
    drawn = random_sample(PORTS, 0)
    assert drawn["x"].shape == (1, 2) and drawn["n"].shape == () and drawn["n"] in (0, 1)
    with pytest.raises(DiagnosticError, match="no array for input 'n'"):
        samples_in({"x": x}, PORTS)
    with pytest.raises(DiagnosticError, match="3 rows, a sample has 2"):
        samples_in({"x": x}, [ServedPort("x", (2, 2), np.dtype(np.float32))])


def test_who_finds_no_request_free_waits_for_one():
    found = records(Interval(MILLISECOND, most=2), Limit(count=6))
    assert [each.latency for each in found][:2] == [TAKES, 3 * MILLISECOND]
    for place, each in enumerate(found):
        under_way = [e for e in found[:place] if e.ended > each.arrived]
        assert len(under_way) < 2
