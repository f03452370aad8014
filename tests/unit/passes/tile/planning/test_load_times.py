"""Loads in order, as early as the bus and the memories allow."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.passes.tile.planning.load_times import LayerLoads, Supply, Weights

LATENCY = 10.0


def weights(cycles: float, size_bytes: float, last: int = 0) -> Weights:
    """Return weights for core 0."""
    return Weights(cycles, {0: size_bytes}, last)


def test_loads_follow_each_other_as_long_as_there_is_room():
    supply = Supply.of(LATENCY, 1, 100)
    assert [supply.load(weights(50, 40)) for _ in range(2)] == [60, 110]


def test_a_load_waits_for_room_until_it_is_used():
    supply = Supply.of(LATENCY, 1, 100)
    supply.take({0: 80}, 0)
    supply.free({0: 80}, 500)
    assert supply.load(weights(50, 20)) == 60
    assert supply.load(weights(50, 40)) == 560
    assert supply.load(weights(5, 10)) == 565, "none passes one before it"


def test_what_never_has_room_is_loaded_when_the_last_bytes_are_given_back():
    supply = Supply.of(LATENCY, 1, 100)
    supply.take({0: 80}, 0)
    supply.free({0: 30}, 300)
    assert supply.load(weights(50, 90)) == 360


def test_room_counts_only_where_it_lasts():
    supply = Supply.of(LATENCY, 1, 100)
    supply.take({0: 90}, 400)
    supply.free({0: 90}, 500)
    assert supply.load(weights(50, 20)) == 560


def test_each_memory_must_have_room():
    supply = Supply.of(LATENCY, 2, 100)
    supply.take({1: 90}, 0)
    supply.free({1: 90}, 700)
    assert supply.load(Weights(50, {0: 20, 1: 20}, 0)) == 760


def test_inputs_pass_weights_that_wait_for_room():
    supply = Supply.of(LATENCY, 1, 100)
    supply.take({0: 80}, 0)
    supply.free({0: 80}, 500)
    supply.load(weights(50, 40))
    assert supply.transfer(100, 60) == 170


def test_a_layer_gives_weights_back_after_the_last_step_that_uses_them():
    supply = Supply.of(LATENCY, 1, 100)
    loads = LayerLoads(supply, {0: weights(50, 90, last=1), 2: weights(50, 90, last=2)}, {}, {}, 0)
    assert loads.arrival(0) == 60
    loads.ran(0, 60, 70)
    loads.ran(1, 70, 200)
    assert loads.arrival(2) == 260
    assert loads.begin == 60


def test_a_layer_loads_inputs_once_they_are_there_and_stores_outputs():
    loads = LayerLoads(Supply.of(LATENCY, 1, 100), {}, {0: 20}, {1: 30}, 100)
    assert loads.arrival(0) == 130
    loads.ran(0, 130, 140)
    loads.ran(1, 140, 150)
    assert loads.stored == 190


@given(st.lists(st.tuples(st.integers(24, 300), st.integers(1, 60)), min_size=1, max_size=20))
def test_with_steps_in_order_the_loads_are_no_better_than_bus_and_memory_allow(
    steps: list[tuple[int, int]],
):
    """The recurrence is a lower bound of its resources: no load ends before the sum of all so far, and what is in
    memory at once has room.
    """
    supply, done = Supply.of(0, 1, 100), 0.0
    held: list[tuple[float, float, int]] = []
    sums = accumulate(cycles for cycles, _ in steps)
    for (cycles, size), least in zip(steps, sums, strict=True):
        there = supply.load(weights(cycles, size))
        assert there >= least
        done = max(done, there) + 200
        supply.free({0: size}, done)
        held.append((there - cycles, done, size))
    for start, _, _ in held:
        inside = sum(size for low, high, size in held if low <= start < high)
        assert inside == pytest.approx(min(inside, 100))
