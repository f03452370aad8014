"""Chooses the parts of all layers of a network together, so that layers find their inputs where they need them.

When the layers of a way to divide them run is estimated by a timeline (`layer_times.py`), in which layers overlap
that find their inputs where they compute; what a core reads of a tensor in another core's memory passes the ports of
both. So whether anything is sent, and how long a layer waits for it, depends on the options of the layers whose outputs
it reads. The search goes through the layers in their order and keeps, of all ways to divide those before, the best for
each way in which the tensors that are still to be read are divided, and of these the `_KEPT` best.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ....backends.numerics.storage import bytes_of
from ...tiling.cost import EXPOSED, CostModel, Work, split_cycles
from ...tiling.windows import Window, along_all_axes
from ..tiler_bases.layer import Buffer
from ..tiler_bases.tiler import Tiler
from .layer_parts import Parts
from .layer_times import Arrival, Cycles, Step, Terms, Times, step

_KEPT = 24
"""How many ways to divide the layers so far are kept."""

_OPTIONS = 16
"""How many ways to divide a layer are considered: those with the fewest cycles by itself."""

_AROUND = 32
"""Over how many layers a change of one is followed."""

_LEAST_GAIN = 0.003
"""By which share of its time the network must gain for a choice to be changed: the estimate is no better. Found with
the simulator on ResNet-50, which gains 1%; with 0, SqueezeNet and a layer of BERT lose as much.
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
    choices = _improved(layers, _best_state(layers))
    if considered is not None:
        considered += _considered(layers, choices)
    return [layer.options[choice] for layer, choice in zip(layers, choices, strict=True)]


def _best_state(layers: Sequence[_Layer]) -> _State:
    """Return the best way to divide the layers that is found from one to the next."""
    states = [_State(np.zeros(0), np.zeros(0))]
    live: list[int] = []
    for number, layer in enumerate(layers):
        live = [i for i in (*live, number) if layers[i].last_reader > number]
        states = _advance(states, live, number, layer)
    return states[0]


def _improved(layers: Sequence[_Layer], found: _State) -> tuple[int, ...]:
    """Return the choices of a state, but of each layer, one after the other, what is best with those of the layers
    around it, if the network gains enough.
    """
    choices = found.choices
    state = _State(np.zeros(0), np.zeros(0))
    for number, layer in enumerate(layers):
        if len(layer.options) > 1:
            scores = _changed(layers[: number + _AROUND], choices, number, state)[-1].score
            best = int(np.argmin(scores))
            if scores[best] < scores[choices[number]] - found.score * _LEAST_GAIN:
                choices = (*choices[:number], best, *choices[number + 1 :])
        state = _after(state, layer, choices[number])
    return choices


def _after(state: _State, layer: _Layer, choice: int) -> _State:
    """Return the state in which a layer has an option, after one of the layers before it."""
    return _taken(state, layer, _steps([state], layer), 0, choice)


_Traffic = tuple[np.ndarray, np.ndarray, np.ndarray]
"""What an edge says besides the layer that is read."""


@dataclass
class _Edge:
    """What layer `source` writes and a layer reads: bytes through the port of each core, [options of the source,
    options of the layer, cores], those between two memories, and the most that a core does not find where it computes,
    as a share of what it reads, [options of the source, options of the layer].
    """

    source: int
    port_bytes: np.ndarray
    moved_bytes: np.ndarray
    share: np.ndarray


@dataclass
class _Layer:
    """A layer with its options; the arrays have an element for each."""

    tiler: Tiler
    options: list[Parts]
    works: list[list[Work]]
    cycles: Cycles
    held: np.ndarray
    """Bytes of weights that wait in the memory of a core."""
    owners: np.ndarray
    """1 where a part is on a core, [options, parts, cores]."""
    edges: list[_Edge] = field(default_factory=list)
    last_reader: int = -1
    _single: dict[int, Terms] = field(default_factory=dict)

    @cached_property
    def terms(self) -> Terms:
        """What the times of the layer are sums of."""
        return self.cycles.terms

    def terms_of(self, option: int) -> Terms:
        """Return what the times of the layer with one option are sums of."""
        found = self._single.get(option)
        if found is None:
            found = self._single[option] = self.terms.only(option)
        return found

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
        cycles = _cycles_of(tiler, works)
        compute = np.array([max(_computing(work) for work in each) for each in works])
        alone = np.maximum(compute, cycles.bus) + EXPOSED * np.minimum(compute, cycles.bus)
        chosen = np.argsort(alone + cycles.parts, kind="stable")[:_OPTIONS]
        if tiler.aliases():
            # What is copied is counted for each way to divide the layers that it comes from: perhaps it is there.
            nothing = np.zeros(len(options))
            cycles = cycles._replace(matrix=nothing, vector=nothing, hidden=nothing)
        kept = [options[i] for i in chosen]
        held = np.array([max(map(_load_bytes, each)) for each in works], np.float64)
        own = [works[i] for i in chosen]
        return _Layer(tiler, kept, own, cycles.of(chosen), held[chosen], _owners(kept, costs.cores))


def _cycles_of(tiler: Tiler, works: Sequence[Sequence[Work]]) -> Cycles:
    """Return what the options of a layer take whose parts do the `works`."""
    costs, layer = tiler.costs, tiler.layer
    matrix, vector = (
        np.array([max(getattr(work, name) for work in each) for each in works], np.float64)
        * tiler.slices
        for name in ("matrix_cycles", "vector_cycles")
    )
    hidden = np.zeros(len(works))
    if matrix.any():
        hidden = np.minimum(matrix, costs.hidden_matrix_cycles(layer.elements[0].storage))
    # What a core moves passes its own DMA engines and port, whatever the others do.
    dma = np.array([max(map(costs.dma_cycles, each)) for each in works])
    bus = np.array([_bus_bytes(each) for each in works]) / costs.bytes_per_cycle
    parts = costs.part_cycles * tiler.slices * np.array([len(each) for each in works], np.float64)
    return Cycles(matrix, vector, hidden, np.maximum(bus, dma), parts)


def _load_bytes(work: Work) -> int:
    return work.load_bytes + work.shared_load_bytes


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
    known: dict[Hashable, _Traffic] = {}
    for number, layer in enumerate(layers):
        for index, buffer in enumerate(layer.tiler.layer.inputs):
            found = writers.get(buffer.value, ())
            if buffer.is_kept and len(found) == 1:
                (source,) = found
                traffic = _traffic(layers[source], layer, index, buffer, known)
                if traffic is not None:
                    layer.edges.append(_Edge(source, *traffic))
                    layers[source].last_reader = number
        writers.setdefault(layer.tiler.layer.output.value, []).append(number)


def _traffic(
    writer: _Layer, reader: _Layer, index: int, buffer: Buffer, known: dict[Hashable, _Traffic]
) -> _Traffic | None:
    """Return what an edge says of a layer that reads another's output, which is its input `index`; None if that is not
    known. Edges between layers that stand several times are computed once; `known` are those so far.
    """
    read = [[dict(work.boxes).get(index) for work in works] for works in reader.works]
    output = writer.tiler.layer.output
    written = _boxes([parts.windows for parts in writer.options], output.layout.shape)
    wanted = _boxes(read, buffer.layout.shape)
    if written.shape[2] != wanted.shape[2]:
        return None
    tiler, arrays = reader.tiler, (written, wanted, writer.owners, reader.owners)
    key = (
        buffer.layout,
        buffer.storage,
        1.0 if index else reader.works[0][0].density,
        _reads_in_place(reader, index),
        tiler.slices,
        *((each.shape, each.tobytes()) for each in arrays),
    )
    if key in known:
        return known[key]
    found = _computed_traffic(*arrays, reader, index, buffer)
    # What lies in place depends on more for a layer that joins tensors or takes them apart.
    if not tiler.aliases():
        known[key] = found
    return found


def _computed_traffic(
    written: np.ndarray,
    wanted: np.ndarray,
    owners: np.ndarray,
    reader_owners: np.ndarray,
    reader: _Layer,
    index: int,
    buffer: Buffer,
) -> _Traffic:
    """Return what an edge says of windows that the parts of a writer's options write, and that those of a reader's
    want, [options, parts, axes, 2], on the cores that own them, [options, parts, cores].
    """
    # Axes: options of the writer, options of the reader, parts of the writer, parts of the reader, axes.
    a, b = written[:, None, :, None], wanted[None, :, None, :]
    sizes = np.maximum(np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0]), 0)
    costs = reader.tiler.costs
    charged = _charged_bytes(sizes, buffer, costs) * (1.0 if index else reader.works[0][0].density)
    same = np.einsum("iac,jbc->ijab", owners, reader_owners)
    is_in_place = _are_in_place(a, b, buffer) & _reads_in_place(reader, index)
    is_in_place |= _are_aliases(a, b, reader.tiler, buffer)
    sent = charged * (1 - same)
    copied = charged * same * ~is_in_place
    port, wanted_bytes = (
        np.einsum("ijab,jbc->ijc", each, reader_owners) for each in (sent + copied, charged)
    )
    share = (port / np.maximum(wanted_bytes, 1)).max(axis=2)
    # What several cores need is read once if it is sent to them at once, and else for each of them.
    leaving, read = sent.sum(axis=3), (sent + copied).sum(axis=3)
    if costs.multicasts_activations:
        own = _charged_bytes(written[..., 1] - written[..., 0], buffer, costs)[:, None]
        leaving, read = np.minimum(leaving, own), np.minimum(read, own)
    port = port + np.einsum("ija,iac->ijc", read, owners)
    slices = reader.tiler.slices
    return port * slices, leaving.sum(axis=2) * slices, share


def _reads_in_place(reader: _Layer, index: int) -> bool:
    """Tell whether the tiles of a layer can be views of what a core keeps of input `index`."""
    return reader.tiler.loads(index) or reader.works[0][0].density < 1


def _are_aliases(own: np.ndarray, read: np.ndarray, tiler: Tiler, buffer: Buffer) -> np.ndarray:
    """Tell for windows of a tensor that cores compute, and boxes of it that a layer puts into its output, [..., axes,
    2], whether the former lie where the output does, or the output where they do.
    """
    for alias in tiler.aliases():
        if alias.is_joined and alias.inner.value is buffer.value:
            return along_all_axes((read[..., 0] <= own[..., 0]) & (own[..., 1] <= read[..., 1]))
        if not alias.is_joined and alias.outer.value is buffer.value:
            return along_all_axes((own[..., 0] <= read[..., 0]) & (read[..., 1] <= own[..., 1]))
    return np.zeros((), np.bool_)


def _are_in_place(own: np.ndarray, read: np.ndarray, buffer: Buffer) -> np.ndarray:
    """Tell for windows of a tensor that cores compute, and boxes that they read, [..., axes, 2], whether the slab of a
    core holds both, so that nothing of the former is copied.
    """
    inside = along_all_axes((own[..., 0] <= read[..., 0]) & (read[..., 1] <= own[..., 1]))
    order = [axis for axis in buffer.layout.order if buffer.layout.shape[axis] > 1]
    if not order:
        return inside
    # The slab may be larger than the window along the outermost axis and along the last one.
    larger = [sorted(order).index(axis) for axis in {order[0], order[-1]}]
    same = (own[..., 0] == read[..., 0]) & (own[..., 1] == read[..., 1])
    beside = (own[..., 0] <= read[..., 1]) & (read[..., 0] <= own[..., 1])
    within = (read[..., 0] <= own[..., 0]) & (own[..., 1] <= read[..., 1])
    is_box = along_all_axes(beside[..., larger])
    if len(larger) > 1:
        # What both cover is a box only if they differ along one axis at most.
        is_box &= same[..., larger[0]] | same[..., larger[1]]
    is_box |= along_all_axes(within[..., larger])
    return inside | (along_all_axes(np.delete(same, larger, axis=-1)) & is_box)


def _charged_bytes(sizes: np.ndarray, buffer: Buffer, costs: CostModel) -> np.ndarray:
    """Return how many bytes a port carries for boxes of `sizes`, [..., axes]: whole widths for each run along the
    contiguous axis.
    """
    elements = _product(sizes)
    axes = [axis for axis, size in enumerate(buffer.layout.shape) if size > 1]
    last = buffer.layout.last_axis
    if last not in axes:
        return elements * bytes_of(1, buffer.storage)
    run = sizes[..., axes.index(last)]
    width = int(costs.port_bytes_per_cycle)
    run_bytes = -(-run * bytes_of(8, buffer.storage) // 8)
    return elements // np.maximum(run, 1) * -(-run_bytes // width) * width


def _product(sizes: np.ndarray) -> np.ndarray:
    """Return the products of sizes, int64 [..., axes]."""
    found = np.ones(sizes.shape[:-1], np.int64)
    for axis in range(sizes.shape[-1]):
        found *= sizes[..., axis]
    return found


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
    """A way to divide the layers so far, when the first and the last tile of each are done, and when all up to it are.
    `held` are the bytes of weights of all before and with each, on the core that holds most. Of two states that with
    the lower `score` is better.
    """

    ends: np.ndarray
    held: np.ndarray
    times: Times = field(default_factory=Times)
    firsts: tuple[float, ...] = ()
    lasts: tuple[float, ...] = ()
    choices: tuple[int, ...] = ()
    score: float = 0.0


def _taken(state: _State, layer: _Layer, steps: Step, row: int, option: int) -> _State:
    """Return the state to which an option of a layer leads after `state`, of which `steps` have row `row`."""
    before = state.held[-1] if len(state.held) else 0.0
    times = Times(*(float(each[row, option]) for each in steps.after))
    return _State(
        np.append(state.ends, times.done),
        np.append(state.held, before + layer.held[option]),
        times,
        (*state.firsts, float(steps.first[row, option])),
        (*state.lasts, float(steps.last[row, option])),
        (*state.choices, option),
        times.score,
    )


def _advance(
    states: Sequence[_State], live: Sequence[int], number: int, layer: _Layer
) -> list[_State]:
    """Return the best states with layer `number`, the best first; `live` are the layers up to it that later ones read,
    in whose options any two of the states differ.
    """
    steps = _steps(states, layer)
    is_live = bool(live) and live[-1] == number
    before = live[:-1] if is_live else live
    best: dict[tuple[int, ...], tuple[float, int, int]] = {}
    for row, (state, scores) in enumerate(zip(states, steps.score.tolist(), strict=True)):
        chosen = tuple(state.choices[i] for i in before)
        for option, score in enumerate(scores):
            key = (*chosen, option) if is_live else chosen
            known = best.get(key)
            if known is None or score < known[0]:
                best[key] = score, row, option
    ways = sorted(best.values(), key=itemgetter(0))[:_KEPT]
    return [_taken(states[row], layer, steps, row, option) for _, row, option in ways]


def _steps(states: Sequence[_State], layer: _Layer) -> Step:
    """Return what the options of a layer take after each of some states, [states, options]."""
    costs, count = layer.tiler.costs, len(layer.options)
    port, moved = np.zeros(1), np.zeros(1)
    arrivals: list[Arrival] = []
    for edge in layer.edges:
        chosen = [state.choices[edge.source] for state in states]
        moved_bytes = edge.moved_bytes[chosen]
        arrivals.append(
            Arrival(
                np.array([[state.firsts[edge.source]] for state in states]),
                np.array([[state.lasts[edge.source]] for state in states]),
                edge.share[chosen],
                moved_bytes > 0,
            )
        )
        port, moved = port + edge.port_bytes[chosen], moved + moved_bytes
    exchange = _exchange(costs, port, moved) if arrivals else np.zeros(count)
    most = costs.local_bytes * _AHEAD
    room = np.stack([_room(state, layer.held, most) for state in states])
    before = Times(*np.array([state.times for state in states], np.float64).T[..., None])
    return step(layer.terms, arrivals, exchange, room, before)


def _exchange(costs: CostModel, port: Any, moved: Any) -> np.ndarray:
    """Return the cycles in which so many bytes pass the port of each core, [..., options, cores], and so many lie
    between memories, [..., options].
    """
    return np.maximum(
        port.max(axis=-1) / costs.port_bytes_per_cycle, moved / costs.interconnect_bytes_per_cycle
    )


def _room(state: _State, held: np.ndarray, most: float) -> np.ndarray:
    """Return when memory has room for so many bytes of weights more: when the layers are done whose weights must go."""
    if not len(state.ends):
        return np.zeros(len(held))
    needed = state.held[-1] + held - most
    if not (needed > 0).any():
        return np.zeros(len(held))
    last = np.searchsorted(state.held, needed)
    return np.where(needed > 0, state.ends[np.minimum(last, len(state.ends) - 1)], 0.0)


@dataclass(frozen=True)
class Considered:
    """An option of a layer and its cycles, if all other layers stay as they are chosen. `done` is when the last tile of
    the layer is done, `network` what the search minimizes; both are None if layers were not divided together.
    """

    parts: Parts
    works: Sequence[Work]
    exchange: float
    overhead: float
    sending: float
    waiting: float
    layer: float
    done: float | None
    network: float | None


def _considered(layers: Sequence[_Layer], choices: Sequence[int]) -> Iterator[list[Considered]]:
    """Return what was considered for each layer."""
    state = _State(np.zeros(0), np.zeros(0))
    for number, layer in enumerate(layers):
        yield _alternatives(layers, choices, number, state)
        state = _after(state, layer, choices[number])


def _changed(
    layers: Sequence[_Layer], choices: Sequence[int], changed: int, state: _State
) -> list[Step]:
    """Return the steps of layer `changed` and of all after it, for each option of it; `state` is that of the layers
    before.
    """
    count, most = len(layers[changed].options), layers[changed].tiler.costs.local_bytes * _AHEAD
    times = Times(*(np.full(count, at) for at in state.times))
    firsts, lasts = list[Any](state.firsts), list[Any](state.lasts)
    ends, sums = np.empty((2, count, len(layers)))
    ends[:, :changed], sums[:, :changed] = state.ends, state.held
    steps: list[Step] = []
    for number, layer in enumerate(layers[changed:], changed):
        # What does not depend on the changed layer is the same for all of its options.
        own = slice(None) if number == changed else slice(choices[number], choices[number] + 1)
        port, moved = np.zeros((1, layer.tiler.costs.cores)), np.zeros(1)
        arrivals: list[Arrival] = []
        for edge in layer.edges:
            choice = choices[edge.source]
            source = slice(None) if edge.source == changed else slice(choice, choice + 1)
            port = port + _both(edge.port_bytes, source, own)
            bytes_ = _both(edge.moved_bytes, source, own)
            share = _both(edge.share, source, own)
            arrivals.append(Arrival(firsts[edge.source], lasts[edge.source], share, bytes_ > 0))
            moved = moved + bytes_
        held = layer.held[own]
        room = _rooms(ends[:, :number], sums[:, :number], held, most)
        exchange = _exchange(layer.tiler.costs, port, moved)
        terms = layer.terms if number == changed else layer.terms_of(choices[number])
        steps.append(step(terms, arrivals, exchange, room, times))
        times = steps[-1].after
        firsts.append(steps[-1].first)
        lasts.append(steps[-1].last)
        ends[:, number] = times.done
        sums[:, number] = (sums[:, number - 1] if number else 0.0) + held
    return steps


def _both(values: np.ndarray, source: slice, own: slice) -> np.ndarray:
    """Return what is said of options of a layer that is read, and of one that reads it, [options, ...]; all options are
    given of one of them at most.
    """
    found = values[source, own]
    return np.ascontiguousarray(found.reshape(-1, *found.shape[2:]))


def _alternatives(
    layers: Sequence[_Layer], choices: Sequence[int], changed: int, state: _State
) -> list[Considered]:
    """Return the options of layer `changed` with what each takes; `state` is that of the layers before it."""
    steps = _changed(layers, choices, changed, state)
    layer, first, last = layers[changed], steps[0], steps[-1]
    exchange, sending = (
        np.broadcast_to(each, len(layer.options)) for each in (first.exchange, first.sending)
    )
    return [
        Considered(
            layer.options[i],
            layer.works[i],
            exchange[i],
            layer.cycles.parts[i],
            sending[i],
            first.waiting[i],
            first.work[i],
            first.last[i],
            last.score[i],
        )
        for i in range(len(layer.options))
    ]


def _rooms(ends: np.ndarray, sums: np.ndarray, held: np.ndarray, most: float) -> np.ndarray:
    """Return what `_room` does for several states, [states, layers]."""
    if not ends.shape[1]:
        return np.zeros(len(held))
    needed = sums[:, -1] + held - most
    if not (needed > 0).any():
        return np.zeros(len(held))
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
        overhead, cycles = costs.part_cycles * len(works), split_cycles(costs, works)
        found.append(Considered(parts, works, exchange, overhead, 0, 0, cycles, None, None))
    return found
