"""Waits: any execution that respects them gives the bytes of program order; none is missing, none
is implied by others.
"""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.instructions.instruction_set import Access
from smalti.passes.tile_to_isa.waits import Step, WaitPlan, derive_waits

CORES, ENGINES, BYTES = 3, 4, 96


def interval(space, address, size, *, write=False, core=None):
    return Access(space, core, 0, address, size, write=write)


@st.composite
def accesses(draw):
    space = draw(st.sampled_from(["local", "global", "acc"]))
    unit = draw(st.sampled_from([1, 8, 8, 8]))
    address = unit * draw(st.integers(0, BYTES // unit // 2))
    run = unit * draw(st.integers(1, max(1, 16 // unit)))
    count = draw(st.integers(1, 3))
    stride = unit * draw(st.integers(0, max(1, 12 // unit)))
    peer = draw(st.sampled_from([None, None, None, 0, 1])) if space == "local" else None
    return Access(space, peer, 0, address, run, (count,), (stride,), write=draw(st.booleans()))


programs = st.lists(
    st.builds(
        Step,
        core=st.integers(0, CORES - 1),
        engine=st.integers(0, ENGINES - 1),
        accesses=st.lists(accesses(), min_size=0, max_size=3).map(tuple),
    ),
    max_size=40,
)


def bytes_of(step, access):
    """The addresses of an access, one by one: an independent reading of its definition."""
    place = ("global", access.segment)
    if access.space != "global":
        place = (access.space, step.core if access.core is None else access.core)
    starts = {access.address}
    for count, stride in zip(access.counts, access.strides, strict=True):
        starts = {s + i * stride for s in starts for i in range(count)}
    return {(*place, s + b) for s in starts for b in range(access.run_bytes)}


def execute(steps, order):
    """Memory after executing in `order`: each step writes a hash of itself and of what it reads."""
    memory = {}
    for index in order:
        step = steps[index]
        read = sorted(
            (b, memory.get(b, 0)) for a in step.accesses if not a.write for b in bytes_of(step, a)
        )
        for access in step.accesses:
            if access.write:
                for byte in bytes_of(step, access):
                    memory[byte] = hash((index, byte, tuple(read)))
    return memory


def random_order(steps, plan: WaitPlan, generator):
    """An execution as the machine may do it: queues start in order when waits are met, retire in
    order, overlap freely.

    Values move when a step retires; DMA queues may have several steps in flight.
    """
    queues = {}
    for index, step in enumerate(steps):
        queues.setdefault((step.core, step.engine), []).append(index)
    started = dict.fromkeys(queues, 0)
    retired = dict.fromkeys(queues, 0)
    done = set()
    counters = np.zeros((CORES, max(1, plan.counters)), dtype=int)
    order = []
    while len(order) < len(steps):
        moves = []
        for queue, members in queues.items():
            if retired[queue] < started[queue]:
                moves.append((queue, "retire"))
            if started[queue] < len(members) and started[queue] - retired[queue] < 3:
                waits = plan.waits[members[started[queue]]]
                if all(a in done for a in waits.after) and all(
                    counters[queue[0], c] >= v for c, v in waits.counters
                ):
                    moves.append((queue, "start"))
        assert moves, "deadlock"
        queue, move = generator.choice(moves)
        if move == "start":
            started[queue] += 1
            continue
        index = queues[queue][retired[queue]]
        retired[queue] += 1
        done.add(index)
        order.append(index)
        waits = plan.waits[index]
        for core in range(CORES):
            if waits.signal_cores >> core & 1:
                counters[core, waits.signal_counter] += 1
    return order


@settings(max_examples=50)
@given(programs, st.integers(0, 1 << 30))
def test_every_permitted_execution_gives_the_bytes_of_program_order(steps, seed):
    plan = derive_waits(steps)
    expected = execute(steps, range(len(steps)))
    generator = random.Random(seed)
    for _ in range(6):
        order = random_order(steps, plan, generator)
        assert execute(steps, order) == expected


def conflicting_pairs(steps):
    """All ordered pairs of steps of different queues that share a byte, one writing it."""
    touched = [
        (
            set().union(*(bytes_of(s, a) for a in s.accesses if a.write)),
            set().union(*(bytes_of(s, a) for a in s.accesses)),
        )
        for s in steps
    ]
    for j in range(len(steps)):
        for i in range(j):
            same = (steps[i].core, steps[i].engine) == (steps[j].core, steps[j].engine)
            if not same and (touched[i][0] & touched[j][1] or touched[i][1] & touched[j][0]):
                yield i, j


def ordered(steps, plan: WaitPlan):
    """Which steps have completed before each step starts, from queue order and waits alone, as a
    set per step.
    """
    signals, before, queues = {}, [], {}
    for index, waits in enumerate(plan.waits):
        queue = (steps[index].core, steps[index].engine)
        earlier = queues.setdefault(queue, [])
        known = set().union(*(before[i] for i in earlier[-1:])) if earlier else set()
        for a in waits.after:
            known |= before[a] | {i for i in range(a + 1) if same_queue(steps, i, a)}
        for counter, value in waits.counters:
            a = signals[steps[index].core, counter][value - 1]
            known |= before[a] | {i for i in range(a + 1) if same_queue(steps, i, a)}
        before.append(known)
        earlier.append(index)
        for core in range(CORES):
            if waits.signal_cores >> core & 1:
                signals.setdefault((core, waits.signal_counter), []).append(index)
    return before


def same_queue(steps, i, j):
    return (steps[i].core, steps[i].engine) == (steps[j].core, steps[j].engine)


@settings(max_examples=50)
@given(programs)
def test_every_conflict_is_ordered(steps):
    before = ordered(steps, derive_waits(steps))
    for i, j in conflicting_pairs(steps):
        assert i in before[j]


@settings(max_examples=50)
@given(programs)
def test_no_wait_is_implied_by_the_others(steps):
    plan = derive_waits(steps)
    before = ordered(steps, plan)
    for index, waits in enumerate(plan.waits):
        for a in waits.after:
            others = [b for b in waits.after if b != a]
            assert all(a not in before[b] for b in others)
            assert steps[a].core == steps[index].core
            assert steps[a].engine != steps[index].engine


def test_read_after_write_write_after_read_write_after_write():
    steps = [
        Step(0, 0, (interval("local", 0, 64, write=True),)),
        Step(0, 2, (interval("local", 0, 64), interval("acc", 0, 64, write=True))),
        Step(0, 3, (interval("acc", 0, 64), interval("local", 64, 64, write=True))),
        Step(0, 0, (interval("local", 0, 64, write=True),)),
        Step(0, 1, (interval("local", 64, 64),)),
        Step(0, 3, (interval("local", 64, 64, write=True),)),
    ]
    assert [w.after for w in derive_waits(steps).waits] == [(), (0,), (1,), (1,), (2,), (4,)]


def test_what_is_implied_by_another_wait_is_left_out():
    # The store waits for the vector unit, which waited for the matrix unit, and that for the load.
    steps = [
        Step(0, 0, (interval("local", 0, 64, write=True),)),
        Step(0, 2, (interval("local", 0, 64), interval("acc", 0, 64, write=True))),
        Step(0, 3, (interval("acc", 0, 64), interval("local", 64, 64, write=True))),
        Step(0, 1, (interval("local", 0, 128), interval("acc", 0, 64))),
    ]
    assert derive_waits(steps).waits[3].after == (2,)


def test_between_cores_a_counter_counts_signals():
    steps = [
        Step(0, 1, (interval("global", 0, 64, write=True),)),
        Step(1, 1, (interval("global", 64, 64, write=True),)),
        Step(0, 1, (interval("global", 128, 64, write=True),)),
        Step(2, 0, (interval("global", 0, 192),)),
        Step(1, 0, (interval("global", 0, 64),)),
    ]
    plan = derive_waits(steps)
    assert plan.counters == 2
    assert [w.signal_cores for w in plan.waits] == [0b10, 0b100, 0b100, 0, 0]
    assert plan.waits[3].counters == ((0, 1), (1, 1))
    assert plan.waits[4].counters == ((0, 1),)


def test_columns_of_the_same_rows_do_not_meet():
    left = Access("global", None, 0, 0, 16, (8,), (64,), write=True)
    right = Access("global", None, 0, 16, 48, (8,), (64,))
    plan = derive_waits([Step(0, 1, (left,)), Step(1, 0, (right,))])
    assert plan.counters == 0 and plan.waits[1].counters == ()
