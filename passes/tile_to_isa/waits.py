"""Derives from the bytes that instructions touch what each must wait for; knows no IR.

The program is a list in program order. Every pair of instructions that touch a common byte, one of
them writing it, must run in program order. Instructions of one queue (an engine of a core) run and
retire in order, so only dependences between queues need a wait: within a core on the completion of
an instruction of another engine, between cores on a counter that instruction signals. Waits that
others imply are left out (vector clocks: Fidge 1988, Mattern 1989).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

from ...backends.instructions.instruction_set import Access
from ...backends.numerics.rounding_up import ceil_div

Region = tuple[str, int]
"""A memory: its space and core (local, acc), or "global" and its segment."""

_MOST_BLOCKS = {"local": 1 << 17, "acc": 1 << 17, "global": 1 << 20}
"""A memory is tracked in at most this many blocks; larger memories get larger blocks."""


@dataclass(frozen=True)
class Step:
    """An instruction as far as waits are concerned: the core and the engine (0 to 3) that run it, and the bytes that it
    touches.
    """

    core: int
    engine: int
    accesses: tuple[Access, ...]


@dataclass
class Waits:
    """What an instruction waits for, and which counters it signals."""

    after: tuple[int, ...] = ()
    """Steps of the same core, at most one per other engine, that must have completed."""
    counters: tuple[tuple[int, int], ...] = ()
    """(counter of this core, value it must have reached), for steps of other cores."""
    signal_counter: int = 0
    signal_cores: int = 0
    """Bit mask of the cores whose counter `signal_counter` grows by one on completion."""


@dataclass(frozen=True)
class WaitPlan:
    """The waits of every step, and how many counters a core needs."""

    waits: list[Waits]
    counters: int


def derive_waits(steps: Sequence[Step], engines: int = 4) -> WaitPlan:
    """Return the waits that keep every execution of `steps` equivalent to program order.

    Dependences are found on blocks of bytes. If possible, the block size divides all addresses and extents of a memory;
    if not, more pairs may be ordered than needed, never fewer. Counter `core * engines + engine`, renumbered without
    gaps, counts on each core the signals that it got from that engine of that core.
    """
    queue_of = [step.core * engines + step.engine for step in steps]
    needed = _reduce(steps, queue_of, _dependences(steps, queue_of))
    plan = [Waits() for _ in steps]
    crossing: list[list[int]] = [[] for _ in steps]
    for index, producers in enumerate(needed):
        core = steps[index].core
        plan[index].after = tuple(p for p in producers if steps[p].core == core)
        crossing[index] = [p for p in producers if steps[p].core != core]
        for producer in crossing[index]:
            plan[producer].signal_cores |= 1 << core
    counter_of = {
        queue: number
        for number, queue in enumerate(sorted({queue_of[p] for c in crossing for p in c}))
    }
    value_at = _signal_values(plan, queue_of, counter_of)
    for index, producers in enumerate(crossing):
        core = steps[index].core
        plan[index].counters = tuple(
            (counter_of[queue_of[p]], value_at[p, core]) for p in producers
        )
    return WaitPlan(plan, len(counter_of))


def _signal_values(
    plan: Sequence[Waits], queue_of: Sequence[int], counter_of: dict[int, int]
) -> dict[tuple[int, int], int]:
    """Return, for each signaling step and receiving core, the least value of the counter after the signal."""
    value_at: dict[tuple[int, int], int] = {}
    sent: dict[tuple[int, int], int] = defaultdict(int)
    for index, waits in enumerate(plan):
        mask = waits.signal_cores
        if not mask:
            continue
        waits.signal_counter = counter_of[queue_of[index]]
        for core in range(mask.bit_length()):
            if mask >> core & 1:
                sent[queue_of[index], core] += 1
                value_at[index, core] = sent[queue_of[index], core]
    return value_at


def _reduce(
    steps: Sequence[Step], queue_of: Sequence[int], dependences: Iterable[Sequence[int]]
) -> list[list[int]]:
    """Drop every dependence that the order of the queues and the other dependences imply.

    clock[q] of a step: how many steps of queue q are certain to have completed when it has. A queue starts its steps in
    order, so what one has waited for holds for all that follow it; it retires them in order, so the last one's
    completion implies those before.
    """
    queues = {queue: number for number, queue in enumerate(dict.fromkeys(queue_of))}
    clock = np.zeros((len(steps), len(queues)), dtype=np.int64)
    known = np.zeros((len(queues), len(queues)), dtype=np.int64)
    position = np.zeros(len(steps), dtype=np.int64)
    issued = [0] * len(queues)
    result: list[list[int]] = []
    for index, producers in enumerate(dependences):
        queue = queues[queue_of[index]]
        kept: list[int] = []
        # A wait for a later producer can imply one for an earlier producer, never the reverse.
        for producer in sorted(producers, reverse=True):
            if known[queue, queues[queue_of[producer]]] >= position[producer]:
                continue
            kept.append(producer)
            np.maximum(known[queue], clock[producer], out=known[queue])
        issued[queue] += 1
        position[index] = issued[queue]
        clock[index] = known[queue]
        clock[index, queue] = issued[queue]
        result.append(kept)
    return result


def _dependences(steps: Sequence[Step], queue_of: Sequence[int]) -> Iterable[Sequence[int]]:
    """Return for each step the latest conflicting step of every other queue."""
    shadows = _shadows(steps, queue_of)
    for index, step in enumerate(steps):
        producers: dict[int, int] = {}
        queue = queue_of[index]
        for access in step.accesses:
            shadow = shadows.get(_region(step, access))
            if shadow is not None:
                shadow.touch(access, queue, index, producers)
        yield list(producers.values())


def _region(step: Step, access: Access) -> Region:
    if access.space == "global":
        return "global", access.segment
    return access.space, step.core if access.core is None else access.core


def _shadows(steps: Sequence[Step], queue_of: Sequence[int]) -> dict[Region, _Shadow]:
    """Return a shadow of every memory that some step writes; a memory that is only read needs no order."""
    extent: dict[Region, int] = defaultdict(int)
    grain: dict[Region, int] = defaultdict(int)
    readers: dict[Region, dict[int, None]] = defaultdict(dict)
    writers: dict[Region, dict[int, None]] = defaultdict(dict)
    for step, queue in zip(steps, queue_of, strict=True):
        for access in step.accesses:
            region = _region(step, access)
            end, common = access.address + access.run_bytes, gcd(access.address, access.run_bytes)
            for count, stride in zip(access.counts, access.strides, strict=True):
                if count > 1:
                    end += max(0, stride) * (count - 1)
                    common = gcd(common, stride)
            extent[region] = max(extent[region], end)
            grain[region] = gcd(grain[region], common)
            (writers if access.write else readers)[region][queue] = None
    return {
        region: _Shadow(
            extent[region],
            max(1, grain[region]),
            _MOST_BLOCKS[region[0]],
            list(own),
            list(readers[region]),
        )
        for region, own in writers.items()
    }


class _Shadow:
    """For one memory, the last step of each queue that read each block of bytes, and the last that wrote it."""

    def __init__(
        self,
        extent_bytes: int,
        block: int,
        most_blocks: int,
        writers: Sequence[int],
        readers: Sequence[int],
    ) -> None:
        while extent_bytes > block * most_blocks:
            block *= 2
        self.block = block
        blocks = ceil_div(extent_bytes, block)
        self._writes, self._reads = _LastSteps(writers, blocks), _LastSteps(readers, blocks)

    def touch(self, access: Access, queue: int, step: int, producers: dict[int, int]) -> None:
        """Add to `producers` the latest conflicting step of each other queue, then note this access of `step`."""
        if access.run_bytes <= 0 or 0 in access.counts:
            return
        selection = self._selection(access)
        self._writes.find(selection, queue, producers)
        if access.write:
            self._reads.find(selection, queue, producers)
        (self._writes if access.write else self._reads).note(selection, queue, step)

    def _selection(self, access: Access) -> _Blocks:
        block = self.block
        axes = [(n, s) for n, s in zip(access.counts, access.strides, strict=True) if n > 1 and s]
        low = access.address // block
        if not axes:
            high = ceil_div(access.address + access.run_bytes, block)
            return _Blocks(low, (high - low,), (1,))
        if access.address % block == 0 and all(s > 0 and s % block == 0 for _, s in axes):
            return _Blocks(
                low,
                (*(n for n, _ in axes), ceil_div(access.run_bytes, block)),
                (*(s // block for _, s in axes), 1),
            )
        runs = access.intervals()
        lows, highs = runs[:, 0] // block, ceil_div(runs[:, 1], block)
        lengths = highs - lows
        offsets = lows - np.concatenate(([0], np.cumsum(lengths)[:-1]))
        return _Blocks(0, (), (), np.repeat(offsets, lengths) + np.arange(lengths.sum()))


class _LastSteps:
    """The last step of each of some queues that touched each block of a memory; -1: none yet."""

    def __init__(self, queues: Sequence[int], blocks: int) -> None:
        self.queues = queues
        self._row_of = {queue: row for row, queue in enumerate(queues)}
        self._last = np.full((len(queues), blocks), -1, dtype=np.int32)

    def find(self, blocks: _Blocks, queue: int, producers: dict[int, int]) -> None:
        """Raise the entries in `producers` of all queues except `queue` to their last steps that touched one of the
        blocks.
        """
        if not self.queues:
            return
        for other, found in zip(self.queues, blocks.latest(self._last), strict=True):
            if other != queue and found > producers.get(other, -1):
                producers[other] = found

    def note(self, blocks: _Blocks, queue: int, step: int) -> None:
        """Note that `step` is now the last one of `queue` that touched the blocks."""
        blocks.assign(self._last[self._row_of[queue]], step)


@dataclass(frozen=True)
class _Blocks:
    """The blocks that an access touches: a regular box of them, or a list of their numbers."""

    first: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    numbers: np.ndarray | None = None

    def latest(self, last: np.ndarray) -> list[int]:
        """Return the greatest entry of each row of `last` (int32 [rows, blocks]) at these blocks."""
        if self.numbers is not None:
            return np.maximum.reduce(last[:, self.numbers], axis=1).tolist()
        if len(self.sizes) == 1:
            blocks = last[:, self.first : self.first + self.sizes[0]]
            return np.maximum.reduce(blocks, axis=1).tolist()
        item = last.itemsize
        box = np.ndarray(
            (len(last), *self.sizes),
            last.dtype,
            last,
            self.first * item,
            (last.strides[0], *(s * item for s in self.strides)),
        )
        return np.maximum.reduce(box, axis=tuple(range(1, box.ndim))).tolist()

    def assign(self, last: np.ndarray, step: int) -> None:
        """Set the entries of these blocks in `last` (int32 [blocks]) to `step`."""
        if self.numbers is not None:
            last[self.numbers] = step
        elif len(self.sizes) == 1:
            last[self.first : self.first + self.sizes[0]] = step
        else:
            item = last.itemsize
            strides = tuple(s * item for s in self.strides)
            np.ndarray(self.sizes, last.dtype, last, self.first * item, strides)[...] = step
