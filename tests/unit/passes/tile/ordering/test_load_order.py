"""How far loads run ahead: what passes a load that waits does not crowd the bus."""

from __future__ import annotations

import numpy as np
from smalti.passes.tile.ordering.engine_times import StepTime
from smalti.passes.tile.ordering.load_order import LoadsAhead, PlayedStep
from smalti.passes.tile.ordering.step_graph import StepGraph


def order(bus_cycles: float) -> list[int]:
    """Return the order of four steps: a transfer of core 1 that takes the bus so long; a step of core 0's vector unit,
    a load that waits for it, and a short load that waits for nothing.
    """
    steps = [
        PlayedStep(1, 1, StepTime("dma_in", 10.0, bus=bus_cycles)),
        PlayedStep(0, 0, StepTime("vector", 500.0)),
        PlayedStep(0, 0, StepTime("dma_in", 10.0, bus=10.0), is_ahead=True),
        PlayedStep(0, 0, StepTime("dma_in", 10.0, bus=10.0), is_ahead=True),
    ]
    events = [range(number, number + 1) for number in range(len(steps))]
    graph = StepGraph([1], [[], [0], [], []], [[], [], [0], []], [-1] * len(steps), events)
    live = {core: np.zeros(4, np.int64) for core in (0, 1)}
    loads = LoadsAhead(steps, graph, live, dict.fromkeys(live, 1e6), 64)
    keys = loads.run()
    return np.lexsort((keys[:, 1], keys[:, 0])).tolist()


def test_a_load_passes_one_that_waits_while_the_bus_is_free() -> None:
    assert order(100.0) == [0, 1, 3, 2]


def test_a_load_does_not_pass_one_that_waits_while_the_bus_is_busy() -> None:
    assert order(1000.0) == [0, 1, 2, 3]
