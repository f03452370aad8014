"""In which order list scheduling starts steps, as far as memory has room for what passes others."""

from __future__ import annotations

from smalti.dialects.tile.buffer import MemoryPlace
from smalti.passes.tile.ordering.engine_times import StepTime
from smalti.passes.tile.ordering.list_scheduling import HeldBuffer, list_scheduled
from smalti.passes.tile.ordering.load_order import PlayedStep
from smalti.passes.tile.ordering.step_graph import StepGraph

TILES = 5
ACCUMULATORS: MemoryPlace = ("acc", 0)


def tiles_of_a_layer(late_cycles: float) -> tuple[list[PlayedStep], StepGraph]:
    """Return the steps of a layer of some tiles, each a product and an epilogue, of which the first reads what takes
    `late_cycles` to come.
    """
    late = StepTime("dma_in", late_cycles)
    steps = [PlayedStep(0, 0, late)]
    graph = StepGraph([1], [[0]], [[]], [-1], [range(1)])
    for tile in range(TILES):
        for engine in ("matrix", "vector"):
            number = len(steps)
            steps.append(PlayedStep(0, 0, StepTime(engine, 100.0)))
            before = len(graph.members) - 1
            is_product = engine == "matrix"
            graph.waits.append([before] if not is_product else [] if tile else [0])
            graph.joins.append([len(graph.members)])
            graph.members.append(1)
            graph.behind.append(-1)
            graph.events.append(range(number, number + 1))
    return steps, graph


def ordered(accumulator_bytes: int, capacity: int) -> list[int]:
    """Return the order of the steps of these tiles, whose sums take so many bytes of so many."""
    steps, graph = tiles_of_a_layer(10_000.0)
    held: list[list[HeldBuffer]] = [[]]
    for _ in range(TILES):
        sums = HeldBuffer(ACCUMULATORS, accumulator_bytes, users=2)
        held += [[sums], [sums]]
    return list_scheduled(steps, graph, held, {"local": 0, "acc": capacity}, 1.0)


def test_all_tiles_pass_one_that_waits_if_there_is_room_for_some() -> None:
    """Sums that passed the first tile's and are done leave their room to the next."""
    assert ordered(60, 200) == [0, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2]


def test_no_tile_passes_one_that_waits_if_there_is_room_for_one() -> None:
    assert ordered(60, 100)[:3] == [0, 1, 2]
