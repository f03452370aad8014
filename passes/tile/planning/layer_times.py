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

    @property
    def terms(self) -> Terms:
        """What `step` needs of them, whatever is before the layer."""
        matrix, vector, hidden, bus, parts = self
        total, longest = matrix + vector, np.maximum(matrix, vector)
        shortest = np.minimum(matrix, vector)
        lead = np.minimum(1.0, np.maximum(_LEAST_LEAD, _LEAD_CYCLES / np.maximum(total, 1)))
        return Terms(
            matrix,
            matrix > 0,
            vector,
            vector > 0,
            hidden,
            bus,
            bus > 0,
            (1 - lead) * bus,
            longest,
            lead * shortest,
            lead * longest,
            lead * total,
            longest + EXPOSED * shortest,
            parts,
        )


class Terms(NamedTuple):
    """What the times of a layer are sums of, whatever is before it, [options]: computed once for many steps.

    Of the `bus` cycles those `beside` follow the layer's begin. `overlapped` is the part of the shorter unit's cycles
    that the `longest` do not hide, `after_last` what the layer takes at least once all that it reads is there, and
    `first_tile` what its first tile takes.
    """

    matrix: np.ndarray
    has_matrix: np.ndarray
    vector: np.ndarray
    has_vector: np.ndarray
    hidden: np.ndarray
    bus: np.ndarray
    has_bus: np.ndarray
    beside: np.ndarray
    longest: np.ndarray
    overlapped: np.ndarray
    after_last: np.ndarray
    first_tile: np.ndarray
    work: np.ndarray
    parts: np.ndarray

    def only(self, option: int) -> Terms:
        """Return those of one option, [1]."""
        return Terms(*(each[option : option + 1] for each in self))


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

    @property
    def score(self) -> Any:
        """What a search makes small."""
        # Where loads take all the time, less work is better nevertheless, and earlier loads leave room for others.
        return self.done + (self.worked + self.loaded) / 16


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
        return self.after.score


def step(
    own: Terms,
    arrivals: Sequence[Arrival],
    exchange: np.ndarray,
    room: np.ndarray,
    before: Times,
) -> Step:
    """Return what options of a layer take after the times `before` (the formulas of the module). `exchange` are the
    cycles in the ports, and at `room` memory has room for the layer's weights. All arrays are broadcast: for several
    states before, `before` is [states, 1].
    """
    loaded = np.where(own.has_bus, np.maximum(before.loaded, room) + own.bus, before.loaded)
    begin = np.maximum(loaded - own.beside, 0.0)
    least, is_sent = loaded, np.zeros(1, np.bool_)
    for each in arrivals:
        ready = each.done + SENDING * each.is_sent + EXPOSED * exchange
        ready = np.maximum(ready, each.first + exchange)
        begin = np.maximum(begin, each.first + each.share**_LATENESS * (ready - each.first))
        least, is_sent = np.maximum(least, each.done), is_sent | each.is_sent
    matrix_end = np.where(
        own.has_matrix, np.maximum(before.matrix, begin) + own.matrix - own.hidden, before.matrix
    )
    vector_end = np.where(
        own.has_vector, np.maximum(before.vector, begin) + own.vector, before.vector
    )
    alone = begin + own.longest + own.overlapped
    last = np.maximum(np.maximum(matrix_end, vector_end), alone) + own.parts
    last = np.maximum(last, least + own.after_last)
    sending = SENDING * is_sent
    work = np.maximum(own.work, exchange) + EXPOSED * np.minimum(own.work, exchange)
    work = work + own.parts + sending
    done = np.maximum(before.done, last)
    after = Times(done, loaded, before.worked + work, matrix_end, vector_end)
    waiting = np.maximum(loaded - before.done, 0.0)
    first = begin + own.first_tile + own.parts
    return Step(exchange, sending, waiting, done - before.done, first, last, after)
