"""Chooses the parts of all layers of a network together, so that layers find their inputs where they need them.

The layers run one after the other, each for the cycles of its busiest core; what a core reads of a tensor in another
core's memory passes the ports of both. Loads from global memory run ahead of the layers that use them, in their order,
as far as memory allows. For options `o` of layer i with computation p, transfers over the bus b, and ports busy for x
cycles:

    loaded(i) = max(loaded(i − 1), when memory has room) + b(o)
    done(i) = max(done(i − 1), loaded(i)) + max(p(o), x) + exposed · min(p(o), x) + part cycles · parts + sending

where x, and whether anything is sent at all, depend on the options of the layers whose outputs layer i reads. The
search goes through the layers in their order and keeps, of all ways to divide those before, the best for each way in
which the tensors that are still to be read are divided, and of these the `_KEPT` best.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from xdsl.ir import SSAValue

from ...backends.numerics.storage import bytes_of
from ..tiling.cost import EXPOSED, PART_CYCLES, CostModel, Work, split_cycles
from ..tiling.windows import Window
from .layer_parts import Parts
from .tiler_bases.layer import Buffer
from .tiler_bases.slabs import GROWTH
from .tiler_bases.tiler import Tiler

_KEPT = 24
"""How many ways to divide the layers so far are kept."""

_OPTIONS = 16
"""How many ways to divide a layer are considered: those with the fewest cycles by itself."""

_SENDING = 200
"""The cycles that a layer waits for what other cores send it, besides those in which it passes the ports: the latency
of the interconnect, and what the first tile and the last one cannot hide. Found with the simulator: with 0, MobileNetV2
takes 5% more cycles.
"""

_AHEAD = 0.75
"""The share of local memory that loads ahead may fill."""


def choose_parts(
    tilers: Sequence[Tiler],
    options: Sequence[Sequence[Parts]],
    considered: list[list[Considered]] | None = None,
) -> list[Parts]:
    """Return one of the options of each layer, in the order of the layers of a program.

    What was considered for each layer, with what it takes if all others stay as they are chosen, is appended to
    `considered`, if that is given.
    """
    if not tilers:
        return []
    layers = [_Layer.of(*each) for each in zip(tilers, options, strict=True)]
    _connect(layers)
    states = [_State(np.zeros(0), np.zeros(0))]
    for number, layer in enumerate(layers):
        states = _advance(states, layers, number, layer)
    best = states[0]
    if considered is not None:
        considered += _considered(layers, best.choices)
    return [layer.options[choice] for layer, choice in zip(layers, best.choices, strict=True)]


@dataclass
class _Edge:
    """What layer `source` writes and a layer reads: bytes through the port of each core, [options of the source,
    options of the layer, cores], and those between two memories, [options of the source, options of the layer].
    """

    source: int
    port_bytes: np.ndarray
    moved_bytes: np.ndarray


@dataclass
class _Layer:
    """A layer with its options; the arrays have an element for each."""

    tiler: Tiler
    options: list[Parts]
    works: list[list[Work]]
    compute: np.ndarray
    bus: np.ndarray
    """Cycles of loads and stores over the bus of global memory."""
    held: np.ndarray
    """Bytes of weights that wait in the memory of a core."""
    loads: np.ndarray
    """Bytes that each core loads, [options, cores]."""
    overhead: np.ndarray
    owners: np.ndarray
    """1 where a part is on a core, [options, parts, cores]."""
    edges: list[_Edge] = field(default_factory=list)
    last_reader: int = -1

    @staticmethod
    def of(tiler: Tiler, options: Sequence[Parts]) -> _Layer:
        """Return the layer with its most promising options."""
        costs = tiler.costs
        known: dict[Window, Work] = {}
        works: list[list[Work]] = []
        for parts in options:
            for window in parts.windows:
                if window not in known:
                    known[window] = tiler.work(window)
            works.append([known[window] for window in parts.windows])
        compute = np.array([max(_computing(work) for work in each) for each in works])
        bus = np.array([_bus_bytes(each) for each in works]) / costs.bytes_per_cycle
        overhead = PART_CYCLES * np.array([len(each) for each in works])
        alone = np.maximum(compute, bus) + EXPOSED * np.minimum(compute, bus) + overhead
        chosen = np.argsort(alone, kind="stable")[:_OPTIONS]
        if tiler.aliases():
            # What is copied is counted for each way to divide the layers that it comes from: perhaps it is there.
            compute = np.zeros(len(options))
        kept = [options[i] for i in chosen]
        owners = _owners(kept, costs.cores)
        loads = np.zeros(owners.shape[::2])
        for option, i in enumerate(chosen):
            for part, work in enumerate(works[i]):
                loads[option] += (work.load_bytes + work.shared_load_bytes) * owners[option, part]
        return _Layer(
            tiler, kept, [works[i] for i in chosen], compute[chosen], bus[chosen],
            loads.max(axis=1), loads, overhead[chosen], owners,
        )  # fmt: skip


def _computing(work: Work) -> float:
    units = work.matrix_cycles, work.vector_cycles
    return max(units) + EXPOSED * min(units)


def _bus_bytes(works: Sequence[Work]) -> int:
    shared = {work.shared: work.shared_load_bytes for work in works}
    return sum(work.load_bytes + work.store_bytes for work in works) + sum(shared.values())


def _owners(options: Sequence[Parts], cores: int) -> np.ndarray:
    result = np.zeros((len(options), max(len(parts.cores) for parts in options), cores))
    for option, parts in enumerate(options):
        result[option, np.arange(len(parts.cores)), parts.cores] = 1
    return result


def _connect(layers: Sequence[_Layer]) -> None:
    """Note in each layer what it reads of others in local memories."""
    writers: dict[SSAValue, list[int]] = {}
    for number, layer in enumerate(layers):
        for index, buffer in enumerate(layer.tiler.layer.inputs):
            found = writers.get(buffer.value, ())
            if buffer.is_kept and len(found) == 1:
                (source,) = found
                edge = _edge(source, layers[source], layer, index, buffer)
                if edge is not None:
                    layer.edges.append(edge)
                    layers[source].last_reader = number
        writers.setdefault(layer.tiler.layer.output.value, []).append(number)


def _edge(source: int, writer: _Layer, reader: _Layer, index: int, buffer: Buffer) -> _Edge | None:
    """Return what a layer reads of another's output, which is its input `index`; None if that is not known."""
    read = [[dict(work.boxes).get(index) for work in works] for works in reader.works]
    output = writer.tiler.layer.output
    written = _boxes([parts.windows for parts in writer.options], output.layout.shape)
    wanted = _boxes(read, buffer.layout.shape)
    if written.shape[2] != wanted.shape[2]:
        return None
    # Axes: options of the writer, options of the reader, parts of the writer, parts of the reader, axes.
    a, b = written[:, None, :, None], wanted[None, :, None, :]
    sizes = np.maximum(np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0]), 0)
    costs = reader.tiler.costs
    charged = _charged_bytes(sizes, buffer, costs) * (1.0 if index else reader.works[0][0].density)
    same = np.einsum("iac,jbc->ijab", writer.owners, reader.owners)
    is_in_place = _are_in_place(a, b, buffer) & _reads_in_place(reader, index)
    is_in_place |= _are_aliases(a, b, reader.tiler, buffer)
    sent = charged * (1 - same)
    copied = charged * same * ~is_in_place
    port = np.einsum("ijab,jbc->ijc", sent + copied, reader.owners)
    # What several cores need is read once if it is sent to them at once, and else for each of them.
    leaving, read = sent.sum(axis=3), (sent + copied).sum(axis=3)
    if costs.multicasts_activations:
        own = _charged_bytes(written[..., 1] - written[..., 0], buffer, costs)[:, None]
        leaving, read = np.minimum(leaving, own), np.minimum(read, own)
    port = port + np.einsum("ija,iac->ijc", read, writer.owners)
    return _Edge(source, port, leaving.sum(axis=2))


def _reads_in_place(reader: _Layer, index: int) -> bool:
    """Tell whether the tiles of a layer can be views of what a core keeps of input `index`."""
    return reader.tiler.loads(index) or reader.works[0][0].density < 1


def _are_aliases(own: np.ndarray, read: np.ndarray, tiler: Tiler, buffer: Buffer) -> np.ndarray:
    """Tell for windows of a tensor that cores compute, and boxes of it that a layer puts into its output, [..., axes,
    2], whether the former lie where the output does, or the output where they do.
    """
    for alias in tiler.aliases():
        if alias.is_joined and alias.inner.value is buffer.value:
            inside = (read[..., 0] <= own[..., 0]) & (own[..., 1] <= read[..., 1])
            return np.asarray(inside.all(axis=-1))
        if not alias.is_joined and alias.outer.value is buffer.value:
            inside = (own[..., 0] <= read[..., 0]) & (read[..., 1] <= own[..., 1])
            return np.asarray(inside.all(axis=-1))
    return np.zeros((), np.bool_)


def _are_in_place(own: np.ndarray, read: np.ndarray, buffer: Buffer) -> np.ndarray:
    """Tell for windows of a tensor that cores compute, and boxes that they read, [..., axes, 2], whether the slab of a
    core holds both, so that nothing of the former is copied.
    """
    inside = ((own[..., 0] <= read[..., 0]) & (read[..., 1] <= own[..., 1])).all(axis=-1)
    axes = [axis for axis, size in enumerate(buffer.layout.shape) if size > 1]
    outermost = [axis for axis in buffer.layout.order if axis in axes][:1]
    alike = (own == read).all(axis=-1)
    overlap = (own[..., 0] <= read[..., 1]) & (read[..., 0] <= own[..., 1])
    low, high = np.minimum(own[..., 0], read[..., 0]), np.maximum(own[..., 1], read[..., 1])
    is_small = high - low <= GROWTH * (own[..., 1] - own[..., 0])
    for axis in outermost:
        alike[..., axes.index(axis)] = (overlap & is_small)[..., axes.index(axis)]
    return inside | alike.all(axis=-1)


def _charged_bytes(sizes: np.ndarray, buffer: Buffer, costs: CostModel) -> np.ndarray:
    """Return how many bytes a port carries for boxes of `sizes`, [..., axes]: whole widths for each run along the
    contiguous axis.
    """
    elements = np.prod(sizes, axis=-1)
    axes = [axis for axis, size in enumerate(buffer.layout.shape) if size > 1]
    last = buffer.layout.last_axis
    if last not in axes:
        return elements * bytes_of(1, buffer.storage)
    run = sizes[..., axes.index(last)]
    width = int(costs.port_bytes_per_cycle)
    run_bytes = -(-run * bytes_of(8, buffer.storage) // 8)
    return elements // np.maximum(run, 1) * -(-run_bytes // width) * width


def _boxes(windows: Sequence[Sequence[Window | None]], shape: Sequence[int]) -> np.ndarray:
    """Return windows of a tensor, one for each part of each option, as int64 [options, parts, axes, 2], empty where an
    option has fewer parts; without the axes along which the tensor has one element.
    """
    axes = [axis for axis, size in enumerate(shape) if size > 1]
    most = max(len(each) for each in windows)
    bounds = np.zeros((len(windows), most, len(axes), 2), np.int64)
    for option, each in enumerate(windows):
        for part, window in enumerate(each):
            if window is not None and axes:
                bounds[option, part] = [window[axis] for axis in axes]
    return bounds


@dataclass
class _State:
    """A way to divide the layers so far. `ends` are when each is done, and `held` the bytes of weights of all before
    and with each, on the core that holds most; of two states that with the lower `score` is better.
    """

    ends: np.ndarray
    held: np.ndarray
    choices: tuple[int, ...] = ()
    done: float = 0.0
    loaded: float = 0.0
    worked: float = 0.0
    score: float = 0.0


class _Way(NamedTuple):
    """An option of a layer after a state, and the figures of the state that it leads to."""

    score: float
    state: _State
    option: int
    done: float
    loaded: float
    worked: float

    def taken(self, held: float) -> _State:
        """Return the state that it leads to, if `held` bytes of weights wait on the core that holds most."""
        state = self.state
        before = state.held[-1] if len(state.held) else 0.0
        ends, sums = np.append(state.ends, self.done), np.append(state.held, before + held)
        choices = (*state.choices, self.option)
        return _State(ends, sums, choices, self.done, self.loaded, self.worked, self.score)


def _advance(
    states: Sequence[_State], layers: Sequence[_Layer], number: int, layer: _Layer
) -> list[_State]:
    """Return the best states with layer `number`, the best first."""
    live = [i for i in range(number + 1) if layers[i].last_reader > number]
    best: dict[tuple[int, ...], _Way] = {}
    for state in states:
        for way in _ways(state, layer):
            key = tuple(way.option if i == number else state.choices[i] for i in live)
            if key not in best or way.score < best[key].score:
                best[key] = way
    ways = sorted(best.values(), key=lambda way: way.score)[:_KEPT]
    return [way.taken(layer.held[way.option]) for way in ways]


def _ways(state: _State, layer: _Layer) -> Iterator[_Way]:
    """Return the options of a layer after a state."""
    port, moved = layer.loads.copy(), np.zeros(len(layer.options))
    for edge in layer.edges:
        port = port + edge.port_bytes[state.choices[edge.source]]
        moved = moved + edge.moved_bytes[state.choices[edge.source]]
    room = _room(state, layer.held, layer.tiler.costs.local_bytes * _AHEAD)
    step = _step(layer, _ALL, port, moved, room, _Times(state.done, state.loaded, state.worked))
    columns = (each.tolist() for each in (step.score, *step.after))
    for option, (score, *figures) in enumerate(zip(*columns, strict=True)):
        yield _Way(score, state, option, *figures)


_ALL = slice(None)


class _Times(NamedTuple):
    """When the layers so far are done, when all that they load is there, and the cycles that they work."""

    done: Any
    loaded: Any
    worked: Any


class _Step(NamedTuple):
    """What a layer takes for each of some options, f64 [options], and the times after it."""

    exchange: np.ndarray
    sending: np.ndarray
    waiting: np.ndarray
    work: np.ndarray
    after: _Times

    @property
    def score(self) -> np.ndarray:
        """What the search makes small."""
        # Where loads take all the time, less work is better nevertheless.
        return self.after.done + self.after.worked / 16


def _step(
    layer: _Layer,
    options: np.ndarray | slice,
    port: np.ndarray,
    moved: np.ndarray,
    room: np.ndarray,
    before: _Times,
) -> _Step:
    """Return what options of a layer take after the times `before`, of each option or of all (the formulas of the
    module).

    `port` are the bytes through the port of each core, [options, cores], `moved` those between memories. At `room`
    memory has room for the layer's weights.
    """
    costs, compute, bus = layer.tiler.costs, layer.compute[options], layer.bus[options]
    exchange = np.maximum(
        port.max(axis=1) / costs.port_bytes_per_cycle, moved / costs.interconnect_bytes_per_cycle
    )
    sending = _SENDING * (moved > 0)
    work = np.maximum(compute, exchange) + EXPOSED * np.minimum(compute, exchange)
    work = work + layer.overhead[options] + sending
    loaded = np.where(bus > 0, np.maximum(before.loaded, room) + bus, before.loaded)
    ready = np.maximum(before.done, loaded)
    after = _Times(ready + work, loaded, before.worked + work)
    return _Step(exchange, sending, ready - before.done, work, after)


def _room(state: _State, held: np.ndarray, most: float) -> np.ndarray:
    """Return when memory has room for so many bytes of weights more: when the layers are done whose weights must go."""
    if not len(state.ends):
        return np.zeros(len(held))
    needed = state.held[-1] + held - most
    last = np.searchsorted(state.held, needed)
    return np.where(needed > 0, state.ends[np.minimum(last, len(state.ends) - 1)], 0.0)


@dataclass(frozen=True)
class Considered:
    """An option of a layer and its cycles, if all other layers stay as they are chosen. `network` is what the search
    minimizes, None if layers were not divided together.
    """

    parts: Parts
    works: Sequence[Work]
    exchange: float
    overhead: float
    sending: float
    waiting: float
    layer: float
    network: float | None


def _considered(layers: Sequence[_Layer], choices: Sequence[int]) -> Iterator[list[Considered]]:
    """Return what was considered for each layer."""
    state = _State(np.zeros(0), np.zeros(0))
    for number, layer in enumerate(layers):
        yield _alternatives(layers, choices, number, state)
        way = next(way for way in _ways(state, layer) if way.option == choices[number])
        state = way.taken(layer.held[way.option])


def _alternatives(
    layers: Sequence[_Layer], choices: Sequence[int], changed: int, state: _State
) -> list[Considered]:
    """Return the options of layer `changed` with what each takes; `state` is that of the layers before it."""
    own = np.arange(len(layers[changed].options))
    times = _Times(*(np.full(len(own), at) for at in (state.done, state.loaded, state.worked)))
    ends, sums = (np.tile(each, (len(own), 1)) for each in (state.ends, state.held))
    steps: list[_Step] = []
    for number, layer in enumerate(layers[changed:], changed):
        option = own if number == changed else np.full(len(own), choices[number])
        port, moved = layer.loads[option], np.zeros(len(own))
        for edge in layer.edges:
            source = own if edge.source == changed else np.full(len(own), choices[edge.source])
            port = port + edge.port_bytes[source, option]
            moved = moved + edge.moved_bytes[source, option]
        held = layer.held[option]
        room = _rooms(ends, sums, held, layer.tiler.costs.local_bytes * _AHEAD)
        steps.append(_step(layer, option, port, moved, room, times))
        times = steps[-1].after
        before = sums[:, -1] if number else np.zeros(len(own))
        ends = np.column_stack([ends, times.done])
        sums = np.column_stack([sums, before + held])
    layer, first, last = layers[changed], steps[0], steps[-1]
    return [
        Considered(
            layer.options[i],
            layer.works[i],
            first.exchange[i],
            layer.overhead[i],
            first.sending[i],
            first.waiting[i],
            first.work[i],
            last.score[i],
        )
        for i in own
    ]


def _rooms(ends: np.ndarray, sums: np.ndarray, held: np.ndarray, most: float) -> np.ndarray:
    """Return what `_room` does for several states, [states, layers]."""
    if not ends.shape[1]:
        return np.zeros(len(held))
    needed = sums[:, -1] + held - most
    last = np.minimum((sums < needed[:, None]).sum(axis=1), ends.shape[1] - 1)
    return np.where(needed > 0, ends[np.arange(len(ends)), last], 0.0)


def considered_alone(tiler: Tiler, options: Sequence[Parts]) -> list[Considered]:
    """Return the options of a layer with what each takes by itself, by the estimate of `cheapest`."""
    costs, found = tiler.costs, list[Considered]()
    for parts in options:
        works = [tiler.work(window) for window in parts.windows]
        copied = [work.copied_bytes for work in works]
        exchange = max(
            2 * max(copied) / costs.port_bytes_per_cycle,
            sum(copied) / costs.interconnect_bytes_per_cycle,
        )
        overhead, cycles = PART_CYCLES * len(works), split_cycles(costs, works)
        found.append(Considered(parts, works, exchange, overhead, 0, 0, cycles, None))
    return found
