"""The play of tiles on both units: worked by hand, and what must hold always."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from smalti.passes.tile.planning.tile_times import LEAST_EXCHANGE, Tile, Timeline, Wait, play

DRAIN = 126
START = Timeline()


def multiplied(products: float, vector: float) -> Tile:
    return Tile(0, (products,), vector)


def ends_of(
    tiles: Sequence[Tile],
    waits: Sequence[tuple[Wait, Sequence[float]]] = (),
    *,
    before: Timeline = START,
    accumulators: int = 8,
) -> list[float]:
    return play(before, tiles, waits, accumulators, DRAIN)[0]


def test_a_tile_passes_the_matrix_unit_and_then_the_vector_unit() -> None:
    assert ends_of([multiplied(100, 50)]) == [100 + DRAIN + 50]


def test_the_next_tile_is_multiplied_beside_the_first_one() -> None:
    """Products take 0-100 and 100-200, the vector unit 226-376 and 376-526."""
    assert ends_of([multiplied(100, 150)] * 2) == [376, 526]


def test_a_tile_waits_for_room_in_the_accumulator_memory() -> None:
    assert ends_of([multiplied(100, 150)] * 2, accumulators=1) == [376, 376 + 376]


def test_loads_follow_each_other_and_run_ahead() -> None:
    """Loads are there at 80 and 160, the vector unit works from 80 to 180 and to 280."""
    assert ends_of([Tile(80, (), 100)] * 2) == [180, 280]


def test_stores_follow_each_other_and_are_awaited_by_nothing_but_the_end() -> None:
    """The first store ends at 10 + 80, the second one 80 cycles later; a layer that reads neither need not wait."""
    ends, after = play(START, [Tile(0, (), 10, store=80)] * 2, (), 8, DRAIN)
    assert ends == [10, 20]
    assert after.done == 10 + 80 + 80
    ends, after = play(after, [Tile(0, (), 30)], (), 8, DRAIN)
    assert ends == [50]
    assert after.done == 170


def test_a_layer_starts_with_the_first_tile_of_the_one_that_it_reads() -> None:
    """The vector unit has the tiles of the other one from 226 to 246 and from 326 to 346."""
    ends, after = play(START, [multiplied(100, 20)] * 2, (), 8, DRAIN)
    wait = Wait(own=[0, 1], others=[-1, -1], port=0)
    assert ends_of([Tile(0, (), 60)] * 2, [(wait, ends)], before=after) == [306, 406]


def test_a_part_of_the_depth_is_multiplied_while_the_rest_is_computed() -> None:
    """Tiles of the first layer are done at 246 and 446: products take 246-296 and 446-496."""
    ends, after = play(START, [multiplied(100, 20), multiplied(200, 20)], (), 8, DRAIN)
    assert ends == [246, 446]
    wait = Wait(own=[0, 1, -1], others=[-1] * 3, port=0)
    tile = Tile(0, (50, 50), 10)
    assert ends_of([tile], [(wait, ends)], before=after) == [496 + DRAIN + 10]


def test_what_other_cores_send_passes_the_port_and_takes_its_time() -> None:
    """Of 40 cycles in the port each of two tiles takes half."""
    wait = Wait(own=[-1], others=[1], port=40)
    assert ends_of([Tile(0, (), 10)], [(wait, [100, 110])]) == [
        100 + 20 + 20 + LEAST_EXCHANGE.latency + 10
    ]


def test_a_step_goes_before_an_earlier_layer_that_waits() -> None:
    late = Wait(own=[0], others=[-1], port=0)
    ends, after = play(START, [Tile(0, (), 30)], [(late, [500])], 8, DRAIN)
    assert ends == [530]
    assert ends_of([Tile(0, (), 100)], before=after) == [100]
    assert ends_of([Tile(0, (), 600)], before=after) == [530 + 600]


TILES = st.lists(
    st.builds(
        Tile,
        st.sampled_from([0.0, 40.0]),
        st.lists(st.floats(1, 500), max_size=3).map(tuple),
        st.floats(1, 500),
        st.sampled_from([0.0, 40.0]),
    ),
    min_size=1,
    max_size=6,
)


@given(st.lists(TILES, min_size=1, max_size=5), st.integers(1, 4))
def test_units_do_one_step_at_a_time_and_tiles_are_done_in_order(
    layers: Sequence[Sequence[Tile]], accumulators: int
) -> None:
    times, matrix, vector = START, 0.0, 0.0
    before: list[float] = []
    stores = 0.0
    for tiles in layers:
        steps = sum(len(tile.products) + 1 for tile in tiles)
        wait = Wait([len(before) - 1] * steps, [-1] * steps, 0)
        ends, times = play(times, tiles, [(wait, before)] if before else (), accumulators, DRAIN)
        assert ends == sorted(ends)
        assert not before or ends[0] > before[-1]
        matrix += sum(sum(tile.products) for tile in tiles)
        vector += sum(tile.vector for tile in tiles)
        stores += sum(tile.store for tile in tiles)
        before = ends
    assert max(before) <= times.done <= max(before) + stores + 1e-6
    assert times.done >= max(matrix, vector) - 1e-6
    for gaps in (times.matrix, times.vector):
        assert all(low < high for low, high in gaps)
        assert all(high <= low for (_, high), (low, _) in pairwise(gaps))
