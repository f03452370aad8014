"""Max-min fair shares: hand-worked cases, and the definition itself on random networks."""

from types import SimpleNamespace
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.simulator.timing import sharing
from smalti.backends.simulator.timing.machine_state import NEVER, Machine
from smalti.backends.simulator.timing.machine_tables import flow_tables
from smalti.backends.simulator.timing.sharing import FlowClass, FlowClasses
from smalti.backends.simulator.timing.transfers import join, leave, share

ONE = ((0, 1),)


def machine_of(classes: list[FlowClass], capacities: list[int]) -> Machine:
    """What a machine knows of transfers, and a log that has room."""
    flow_classes = FlowClasses(capacities)
    flow_classes.classes.extend(classes)
    tables = {name: table.tolist() for name, table in flow_tables(flow_classes, 100).items()}
    machine = SimpleNamespace(
        **tables, classes=len(classes), resources=len(capacities), rate_row=0, rate_rows=256, mix=0,
        now=0, served_until=0, pushed=0, changed=0, flow_time=NEVER, flow_number=0, loads=0, actives=0,
        load_log=[0] * 1000, heaps=[[] for _ in range(1 + len(classes))],
    )  # fmt: skip
    return cast(Machine, machine)


def fair_rates(classes: list[FlowClass], counts: list[int], capacities: list[int]) -> list[int]:
    """The rates of `counts[c]` transfers in class c."""
    machine = machine_of(classes, capacities)
    machine.count = counts
    machine.active = [c for c, count in enumerate(counts) if count]
    machine.actives = len(machine.active)
    sharing.fair_rates(machine)
    return machine.rate[: len(classes)]


def test_a_transfer_alone_has_what_fair_shares_give_it():
    for flow_class in (FlowClass(1000, ONE), FlowClass(10, ONE), FlowClass(9, ((0, 2), (1, 3)))):
        flow_classes = FlowClasses([100, 10])
        rate = flow_classes.lone_rate(flow_classes.number(flow_class))
        assert [rate] == fair_rates([flow_class], [1], [100, 10])


def test_equal_transfers_get_equal_shares():
    assert fair_rates([FlowClass(1000, ONE)], [4], [100]) == [25]


def test_what_a_limited_transfer_leaves_goes_to_the_others():
    assert fair_rates([FlowClass(10, ONE), FlowClass(1000, ONE)], [1, 2], [100]) == [10, 45]


def test_a_transfer_over_two_resources_is_bound_by_the_fuller():
    classes = [FlowClass(1000, ONE), FlowClass(1000, ((1, 1),)), FlowClass(1000, ((0, 1), (1, 2)))]
    # Resource 1: one unit for the second class and two for the third, 30 / 3; resource 0 gives the
    # rest to the first.
    assert fair_rates(classes, [1, 1, 1], [100, 30]) == [90, 10, 10]


def test_a_transfer_without_resources_moves_at_its_limit():
    assert fair_rates([FlowClass(7, ())], [3], [100]) == [7]
    assert fair_rates([FlowClass(7, ONE)], [0], [100]) == [0]


@st.composite
def networks(draw):
    resources = draw(st.integers(1, 3))
    use = st.lists(
        st.tuples(st.integers(0, resources - 1), st.integers(1, 3)),
        max_size=3,
        unique_by=lambda u: u[0],
    )
    classes = draw(
        st.lists(
            st.builds(FlowClass, st.integers(10**6, 10**9), use.map(tuple)), min_size=1, max_size=5
        )
    )
    counts = draw(st.lists(st.integers(0, 6), min_size=len(classes), max_size=len(classes)))
    capacities = draw(st.lists(st.integers(10**6, 10**9), min_size=resources, max_size=resources))
    return classes, counts, capacities


@settings(max_examples=50)
@given(networks())
def test_shares_are_feasible_and_none_can_grow(network):
    classes, counts, capacities = network
    rates = fair_rates(classes, counts, capacities)
    used = [0] * len(capacities)
    for flow, count, rate in zip(classes, counts, rates, strict=True):
        assert rate <= flow.limit and (rate > 0) == (count > 0)
        for resource, weight in flow.uses:
            used[resource] += weight * count * rate
    assert all(u <= c for u, c in zip(used, capacities, strict=True))
    for flow, count, rate in zip(classes, counts, rates, strict=True):
        if not count or rate == flow.limit:
            continue
        # Bertsekas and Gallager: each transfer has a bottleneck, a full resource where nobody has a
        # larger share.
        assert any(
            capacities[r] - used[r] < 200
            and rate + 200
            >= max(
                other
                for c, n, other in zip(classes, counts, rates, strict=True)
                if n and any(x == r for x, _ in c.uses)
            )
            for r, _ in flow.uses
        )


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 400)), min_size=1, max_size=8))
def test_the_network_moves_all_the_work_at_full_rate(arrivals):
    """One resource of one unit per tick: it is never idle while there is work, and nobody is served
    twice.
    """
    machine = machine_of([FlowClass(840, ONE)], [840])
    arrivals.sort()
    busy_until = 0
    for time, work in arrivals:
        busy_until = max(busy_until, time) + work
    pending, done = list(enumerate(arrivals)), []
    while pending or len(done) < len(arrivals):
        share(machine)
        # What is over has to leave before rates are shared anew, as in the machine.
        if pending and pending[0][1][0] < machine.flow_time:
            token, (machine.now, work) = pending.pop(0)
            join(machine, 0, 840 * work, token)
            continue
        assert machine.now <= machine.flow_time < NEVER
        machine.now = machine.flow_time
        done += machine.done[: leave(machine)]
    assert sorted(done) == list(range(len(arrivals)))
    assert busy_until <= machine.now <= busy_until + 2 * len(arrivals)
