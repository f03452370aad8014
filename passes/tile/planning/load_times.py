"""Estimates when the loads of layers end that run one after the other: one bus, and memories with room for some bytes,
no IR.

Weights are loaded in the order in which they are used first, each as early as the bus is free and as memories have room
for it until it is used. For a fixed order of steps no other order of loads is faster:

    load(k) = max(load(k − 1), the time from which on all memories have room for it)

Inputs in global memory are loaded, and outputs stored, in between: as soon as they are there and the bus has time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from .tile_times import Gaps, start_in_gap

_GAPS = 32
"""In how many gaps of the bus a later transfer may take place."""


@dataclass
class _Memory:
    """The bytes in use of a memory of `capacity` bytes, by the times at which they change."""

    capacity: float
    changes: list[tuple[float, float]] = field(default_factory=list)

    def room(self, size_bytes: float) -> float:
        """Return the time from which on so many bytes more are free, or at which the last ones are given back if they
        are not then either.
        """
        used, since = sum(size for _, size in self.changes), inf
        for time, size in sorted(self.changes, reverse=True):
            if used + size_bytes > self.capacity:
                return time if since == inf else since
            since, used = time, used - size
        return 0.0


@dataclass(frozen=True)
class Weights:
    """Weights that are loaded together: for so many `cycles` the bus carries them, they take `sizes` of the memories of
    cores, and the step number `last` of their layer is the last one that uses them.
    """

    cycles: float
    sizes: Mapping[int, float]
    last: int


@dataclass
class Supply:
    """The bus of global memory, which delivers `latency` cycles later, and the local memories of the cores."""

    latency: float
    memories: Sequence[_Memory]
    bus: Gaps = field(default_factory=lambda: [(0.0, inf)])
    ordered: float = 0.0
    """When the last load of weights started."""

    @staticmethod
    def of(latency: float, cores: int, capacity: float) -> Supply:
        """Return the supply of so many cores, with `capacity` bytes in each memory."""
        return Supply(latency, [_Memory(capacity) for _ in range(cores)])

    def transfer(self, ready: float, cycles: float) -> float:
        """Return when a transfer has arrived that can start at `ready`."""
        return self._start(ready, cycles) + cycles + self.latency

    def load(self, weights: Weights) -> float:
        """Return when weights are there."""
        rooms = [self.memories[core].room(size) for core, size in weights.sizes.items()]
        start = self._start(max(self.ordered, *rooms), weights.cycles)
        self.ordered = max(self.ordered, start)
        self.take(weights.sizes, start)
        return start + weights.cycles + self.latency

    def take(self, sizes: Mapping[int, float], time: float) -> None:
        """Note that so many bytes of the memories of cores are in use from some time on."""
        for core, size in sizes.items():
            self.memories[core].changes.append((time, size))

    def free(self, sizes: Mapping[int, float], time: float) -> None:
        """Note that so many bytes of the memories of cores are free from some time on."""
        self.take({core: -size for core, size in sizes.items()}, time)

    def _start(self, ready: float, cycles: float) -> float:
        start = start_in_gap(self.bus, ready, cycles)
        del self.bus[:-_GAPS]
        return start


@dataclass
class LayerLoads:
    """What the steps of a layer load: `weights` by the number of the first step that uses them; `inputs`, the cycles on
    the bus of what comes from global memory, where it is at `ready`; and `outputs`, those of what goes there.
    """

    supply: Supply
    weights: Mapping[int, Weights]
    inputs: Mapping[int, float]
    outputs: Mapping[int, float]
    ready: float
    begin: float = inf
    """When the first step runs."""
    stored: float = 0.0
    """When the outputs are in global memory."""
    _used: dict[int, list[Weights]] = field(default_factory=lambda: defaultdict(list))

    def arrival(self, step: int) -> float:
        """Return when all is there that a step loads."""
        there = 0.0
        if step in self.inputs:
            there = self.supply.transfer(self.ready, self.inputs[step])
        if step in self.weights:
            weights = self.weights[step]
            there = max(there, self.supply.load(weights))
            self._used[weights.last].append(weights)
        return there

    def ran(self, step: int, start: float, end: float) -> None:
        """Note when a step runs."""
        self.begin = min(self.begin, start)
        for weights in self._used.pop(step, ()):
            self.supply.free(weights.sizes, end)
        if step in self.outputs:
            self.stored = max(self.stored, self.supply.transfer(end, self.outputs[step]))
