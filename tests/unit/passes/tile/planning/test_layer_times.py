"""The timeline of layers: worked by hand, and what must hold always."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.passes.tile.planning.layer_times import SENDING, Arrival, Cycles, Step, Times, step
from smalti.passes.tiling.cost import EXPOSED

NOTHING = np.zeros(1)


def cycles(
    matrix: float = 0, vector: float = 0, hidden: float = 0, bus: float = 0, parts: float = 0
) -> Cycles:
    """One option."""
    return Cycles(*(np.array([each], float) for each in (matrix, vector, hidden, bus, parts)))


def arrival(first: float, done: float, share: float) -> Arrival:
    return Arrival(first, done, np.array([share]), np.array([share > 0]))


def after(
    own: Cycles, *arrivals: Arrival, before: Times | None = None, exchange: float = 0
) -> Step:
    return step(own.terms, arrivals, np.array([exchange], float), NOTHING, before or Times())


def test_a_layer_alone_takes_its_longer_unit_and_the_lead_of_the_other() -> None:
    """The lead of 8000 cycles is 0.15 of them."""
    found = after(cycles(matrix=6000, vector=2000))
    assert found.first == pytest.approx(0.15 * 8000)
    assert found.last == pytest.approx(6000 + 0.15 * 2000)
    assert (found.after.matrix, found.after.vector) == (6000, 2000)


def test_a_short_layer_is_one_tile() -> None:
    found = after(cycles(matrix=300, vector=100))
    assert found.first == found.last == 400


def test_a_layer_runs_beside_the_one_whose_output_it_finds_where_it_computes() -> None:
    """The vector unit begins with the first tile of the matrix unit, and ends 0.15 of its time after the last."""
    first = after(cycles(matrix=10000))
    second = after(cycles(vector=9000), arrival(1500, 10000, 0), before=first.after)
    assert second.last == pytest.approx(10000 + 0.15 * 9000)


def test_a_layer_that_needs_all_of_others_waits_for_them() -> None:
    first = after(cycles(matrix=10000))
    second = after(cycles(vector=9000), arrival(1500, 10000, 1), before=first.after, exchange=500)
    assert second.last == pytest.approx(10000 + SENDING + EXPOSED * 500 + 9000)
    assert second.sending == SENDING


def test_one_unit_does_one_layer_after_the_other() -> None:
    """But for what an instruction behind another hides."""
    first = after(cycles(matrix=5000, hidden=190))
    second = after(cycles(matrix=5000, hidden=190), arrival(800, 5000, 0), before=first.after)
    assert second.after.matrix == 2 * (5000 - 190)


def test_tiles_wait_for_their_own_loads_only() -> None:
    found = after(cycles(matrix=10000, bus=20000))
    assert found.after.loaded == 20000
    assert found.last == pytest.approx(20000 + 0.15 * 10000)


counts = st.integers(0, 10**6).map(float)


@given(*[counts] * 8, st.floats(0, 1))
def test_nothing_ends_before_it_can(
    matrix: float, vector: float, bus: float, exchange: float, first: float, rest: float,
    done: float, free: float, share: float,
) -> None:  # fmt: skip
    before = Times(done, free, 0.0, free, done)
    found = after(
        cycles(matrix, vector, 0, bus, 24),
        arrival(first, first + rest, share),
        before=before,
        exchange=exchange,
    )
    begin = first + share * (rest if share == 1 else 0)
    assert found.last >= max(begin + max(matrix, vector), first + rest)
    assert found.first >= begin and found.after.done >= done and found.work >= 0
    assert found.after.loaded == free + bus
    assert found.after.matrix >= before.matrix + matrix
