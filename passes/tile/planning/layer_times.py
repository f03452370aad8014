"""Estimates when the layers of a network run: a timeline of the busiest core of each, as arrays, no IR.

A layer i keeps the matrix unit for m cycles, of which an instruction after another hides h, and the vector unit for v;
its first tile is done after the `lead` of both. It reads what layers s compute, and of what a core reads of it, the
share a comes from other cores or is copied, which keeps the ports of memories busy for x cycles. Weights are loaded in
b cycles, ahead of the layers that use them and in their order, as far as memory allows:

    lead = min(1, max(0.15, 800 / (m + v)))
    loaded(i) = max(loaded(i − 1), when memory has room) + b
    ready(s) = max(done(s) + sending + exposed · x, first(s) + x)
    begin(i) = max(loaded(i) − (1 − lead) · b, first(s) + a^0.7 · (ready(s) − first(s)), …)
    first(i) = begin(i) + lead · (m + v) + parts
    matrix(i) = max(matrix(i − 1), begin(i)) + m − h
    vector(i) = max(vector(i − 1), begin(i)) + v
    done(i) = max(matrix(i), vector(i), begin(i) + max(m, v) + lead · min(m, v)) + parts,
              at least lead · max(m, v) later than loaded(i) and done(s), …

So layers that find their inputs where they compute overlap, tile by tile, as far as both units have time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...tiling.cost import EXPOSED

SENDING = 200
"""The cycles that a layer waits for what other cores send it, besides those in which it passes the ports: the latency
of the interconnect. Found with the simulator: with 0, MobileNetV2 takes 5% more cycles.
"""

_LEAST_LEAD = 0.15
_LEAD_CYCLES = 800
"""A tile takes so much of a layer, or so many cycles, at least. Found with the simulator: with 400 cycles MobileNetV2
takes 5% more, and with 600 that for CIFAR-10 4%.
"""

_LATENESS = 0.7
"""The exponent of the share of its input for which a layer waits: a few rows of others hold up more than their share of
the tiles. Found with the simulator: with 1 Inception v1 takes 2% more cycles, and with 0.5 ResNet-50.
"""


class Cycles(NamedTuple):
    """What a layer takes for each of some options, f64 [options]: cycles of the units of the busiest core, those of
    the matrix unit that its neighbors hide, those of loads and stores, and what its parts cost.
    """

    matrix: np.ndarray
    vector: np.ndarray
    hidden: np.ndarray
    bus: np.ndarray
    parts: np.ndarray

    def of(self, options: np.ndarray) -> Cycles:
        """Return those of some options."""
        return Cycles(*(each[options] for each in self))


@dataclass
class Arrival:
    """What a layer reads of another one, whose first tile is done at `first` and the last at `done`: the `share` that
    is copied or comes from other cores, and whether anything does, [options].
    """

    first: Any
    done: Any
    share: np.ndarray
    is_sent: np.ndarray


class Times(NamedTuple):
    """When all layers so far are done, when what they load is there, the cycles that they work, and when both units are
    free.
    """

    done: Any = 0.0
    loaded: Any = 0.0
    worked: Any = 0.0
    matrix: Any = 0.0
    vector: Any = 0.0


class Step(NamedTuple):
    """What a layer takes for each of some options, f64 [options], when its first tile and its last are done, and the
    times after it.
    """

    exchange: np.ndarray
    sending: np.ndarray
    waiting: np.ndarray
    work: np.ndarray
    first: np.ndarray
    last: np.ndarray
    after: Times

    @property
    def score(self) -> np.ndarray:
        """What a search makes small."""
        # Where loads take all the time, less work is better nevertheless, and earlier loads leave room for others.
        return self.after.done + (self.after.worked + self.after.loaded) / 16


def step(
    cycles: Cycles,
    arrivals: Sequence[Arrival],
    exchange: np.ndarray,
    room: np.ndarray,
    before: Times,
) -> Step:
    """Return what options of a layer take after the times `before` (the formulas of the module). `exchange` are the
    cycles in the ports, and at `room` memory has room for the layer's weights.
    """
    matrix, vector, hidden, bus, parts = cycles
    total, longest, shortest = (
        matrix + vector,
        np.maximum(matrix, vector),
        np.minimum(matrix, vector),
    )
    lead = np.minimum(1.0, np.maximum(_LEAST_LEAD, _LEAD_CYCLES / np.maximum(total, 1)))
    loaded = np.where(bus > 0, np.maximum(before.loaded, room) + bus, before.loaded)
    begin = np.maximum(loaded - (1 - lead) * bus, 0.0)
    least, is_sent = loaded, np.zeros(len(total), np.bool_)
    for each in arrivals:
        ready = each.done + SENDING * each.is_sent + EXPOSED * exchange
        ready = np.maximum(ready, each.first + exchange)
        begin = np.maximum(begin, each.first + each.share**_LATENESS * (ready - each.first))
        least, is_sent = np.maximum(least, each.done), is_sent | each.is_sent
    matrix_end = np.where(
        matrix > 0, np.maximum(before.matrix, begin) + matrix - hidden, before.matrix
    )
    vector_end = np.where(vector > 0, np.maximum(before.vector, begin) + vector, before.vector)
    alone = begin + longest + lead * shortest
    last = np.maximum(np.maximum(matrix_end, vector_end), alone) + parts
    last = np.maximum(last, least + lead * longest)
    sending = SENDING * is_sent
    work = longest + EXPOSED * shortest
    work = np.maximum(work, exchange) + EXPOSED * np.minimum(work, exchange) + parts + sending
    done = np.maximum(before.done, last)
    after = Times(done, loaded, before.worked + work, matrix_end, vector_end)
    waiting = np.maximum(loaded - before.done, 0.0)
    first = begin + lead * total + parts
    return Step(exchange, sending, waiting, done - before.done, first, last, after)
