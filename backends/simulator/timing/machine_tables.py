"""Makes the state of a machine before the first instruction, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..streams.streams import ENGINE_COUNT, WAIT_FIELDS, Streams
from .costs import WORK_PER_BYTE, Costs
from .machine_state import LARGEST, NEVER, NONE, SCALARS, STALL_COLUMNS
from .sharing import FlowClasses
from .timeline import FINISHED, STATES

Tables = dict[str, np.ndarray]

_MOST_BUS_BYTES = LARGEST // WORK_PER_BYTE
_LOG_ROWS = 1 << 14
_RATE_ROWS = 256
_SIGNALS = 1 << 10
_COMPUTE_EVENTS = 2
"""Events that a matrix or vector engine may have to come: it can take an instruction, and its oldest one ends."""


@dataclass(frozen=True, eq=False)
class FirstState:
    """What the fields of `machine_state.Machine` hold at first, except for `heaps`.

    `tables` are int64; `work` has Python's integers (dtype object) where a transfer is too large for 64 bits.
    """

    scalars: dict[str, int]
    tables: Tables
    most_events: int
    """Events that all engines together may have to come, apart from signals."""
    most_moving: int
    """Transfers that may move data at a time."""


def first_state(
    streams: Streams, costs: Costs, repeat: int | Sequence[int], signal_latency: int
) -> FirstState:
    """Make the state for a program that runs `repeat` times, or for programs beside each other that run as often as
    `repeat` says of each; a signal takes `signal_latency` ticks to another core.
    """
    repeats = _repeats(streams, repeat)
    repeat = int(repeats.max(initial=1))
    dma, size = streams.program.target.dma, len(streams)
    queues = streams.program.queues
    waited, waits = _waits(streams)
    signals = _signals(streams, waited)
    groups, members, multicasts = _multicasts(streams, repeat)
    engines = _engines(streams, repeats) | _rounds(streams, costs)
    count, lines = len(engines["length"]), len(engines["length"]) + repeat * len(waited)
    most = np.where(engines["is_dma"], dma.outstanding, _COMPUTE_EVENTS)
    moving = int(np.minimum(engines["total"], np.minimum(most, queues)).sum())
    events = int(np.minimum(engines["total"], most * _largest_start(streams)).sum())
    longest = int(np.diff(signals["signal_begin"]).max(initial=0))
    remote = int((signals["signal_own"] == 0).sum()) * repeat
    room = min(longest * events, remote)
    log = min(_LOG_ROWS, size * repeat) + count
    resources = len(costs.flow_classes.capacities)
    tables: Tables = {
        "ticks": costs.ticks, "latency": costs.latency, "flow_class": costs.transfer,
        "fill": costs.fill, "stream": costs.stream, "drain": costs.drain, "interval": costs.interval,
        "work": _work(costs), "engine": streams.engine_numbers, "position": streams.positions,
        **waits, **signals, **_occurrences(streams, repeats), **engines,
        "line_first": _filled(lines, NONE), "line_last": _filled(lines, NONE),
        "counter": _filled(repeat * len(waited)), **multicasts,
        **flow_tables(costs.flow_classes, moving),
        "stall_log": _filled(log * STALL_COLUMNS), "load_log": _filled(log * (1 + resources)),
    }  # fmt: skip
    scalars = dict.fromkeys(SCALARS, 0) | {
        "size": size, "engines": count, "outstanding": dma.outstanding, "slots": queues,
        "hop": signal_latency, "waited": len(waited), "groups": groups,
        "members": members, "signal_room": room, "signal_limit": room + _SIGNALS,
        "classes": len(costs.flow_classes.classes), "resources": resources,
        "rate_rows": _RATE_ROWS, "flow_time": NEVER, "log_rows": log,
    }  # fmt: skip
    return FirstState(scalars, tables, events, moving)


def waited_counters(streams: Streams) -> np.ndarray:
    """Return the counters that somebody waits for, ascending: the order of the tables of counters and their lines."""
    own = streams.core_numbers * streams.program.counters + streams.words["wait_counter"]
    return np.unique(own[streams.words["wait_value"] != 0])


def flow_tables(flow_classes: FlowClasses, most_moving: int) -> Tables:
    """Return the tables by class of transfers and by resource."""
    classes, resources = len(flow_classes.classes), len(flow_classes.capacities)
    uses = [flow_class.uses for flow_class in flow_classes.classes]
    every = np.array([use for each in uses for use in each], np.int64).reshape(-1, 2)
    multipliers = [pow(most_moving + 1, number, 1 << 31) for number in range(classes)]
    return {
        "limit": np.array([flow_class.limit for flow_class in flow_classes.classes], np.int64),
        "count": _filled(classes), "served": _filled(classes),
        "multiplier": np.array(multipliers, np.int64),
        "use_begin": np.cumsum([0, *map(len, uses)]), "use_resource": every[:, 0].copy(),
        "use_weight": every[:, 1].copy(), "reached": _filled(classes), "active": _filled(classes),
        "rate_actives": _filled(_RATE_ROWS), "rate_count": _filled(_RATE_ROWS * classes),
        "rate": _filled(_RATE_ROWS * classes),
        "capacity": np.array(flow_classes.capacities, np.int64),
        "left": _filled(resources), "demand": _filled(resources),
        "done": _filled(most_moving), "done_number": _filled(most_moving),
    }  # fmt: skip


def _filled(size: int, value: int = 0) -> np.ndarray:
    return np.full(size, value, np.int64)


def _work(costs: Costs) -> np.ndarray:
    fits = costs.bus_bytes.max(initial=0) <= _MOST_BUS_BYTES
    return costs.bus_bytes.astype(np.int64 if fits else object) * WORK_PER_BYTE


def _waits(streams: Streams) -> tuple[np.ndarray, Tables]:
    """Return the counters that somebody waits for, and what each instruction waits for."""
    words, size = streams.words, len(streams)
    counts = np.stack([words[name].astype(np.int64) for name in WAIT_FIELDS], axis=1)
    numbers, kinds = np.nonzero(counts)
    own = streams.core_numbers * streams.program.counters + words["wait_counter"]
    waited = waited_counters(streams)
    values = words["wait_value"].astype(np.int64)
    return waited, {
        "wait_begin": np.searchsorted(numbers, np.arange(size + 1)),
        "wait_engine": ENGINE_COUNT * streams.core_numbers[numbers] + kinds,
        "wait_count": counts[numbers, kinds],
        "wait_value": values,
        "wait_counter": np.where(values != 0, np.searchsorted(waited, own), NONE),
    }


def _signals(streams: Streams, waited: np.ndarray) -> Tables:
    """Return the signals by instruction and core."""
    words, cores = streams.words, streams.core_numbers
    numbers, targets = [_filled(0)], [_filled(0)]
    for core in range(streams.cores):
        found = np.flatnonzero(words["signal_cores"] >> np.uint64(core) & np.uint64(1))
        numbers.append(found)
        targets.append(_filled(len(found), core))
    number, target = np.concatenate(numbers), np.concatenate(targets)
    order = np.argsort(number, kind="stable")
    number, target = number[order], target[order]
    counter = target * streams.program.counters + words["signal_counter"][number]
    row = np.searchsorted(waited, counter)
    return {
        "signal_begin": np.searchsorted(number, np.arange(len(streams) + 1)),
        "signal_counter": np.where(np.append(waited, NONE)[row] == counter, row, NONE),
        "signal_own": (target == cores[number]).astype(np.int64),
    }


def _largest_start(streams: Streams) -> np.ndarray:
    """Return how many instructions an engine starts as one at most, int64 [engines]: the stores of its largest
    multicast, or 1.
    """
    result = np.ones(len(streams.queue_lengths), np.int64)
    number = np.flatnonzero(streams.follows)
    _, which, sizes = np.unique(
        streams.group_numbers[number], return_inverse=True, return_counts=True
    )
    np.maximum.at(result, streams.engine_numbers[number], 1 + sizes[which])
    return result


def _multicasts(streams: Streams, repeat: int) -> tuple[int, int, Tables]:
    """Return the number of multicast groups, the number of members of all of them, and their tables."""
    members = np.flatnonzero(streams.group_numbers)
    _, which, sizes = np.unique(
        streams.group_numbers[members], return_inverse=True, return_counts=True
    )
    group = _filled(len(streams), NONE)
    group[members] = which
    tables = {
        "group": group,
        "follows": streams.follows.astype(np.int64),
        "arrivals": sizes,
        "met_begin": np.cumsum(sizes) - sizes,
        "arrived": _filled(repeat * len(sizes)),
        "met": _filled(repeat * len(members)),
    }
    return len(sizes), len(members), tables


def _repeats(streams: Streams, repeat: int | Sequence[int]) -> np.ndarray:
    """Return how often each engine goes through its queue, int64 [engines]."""
    if isinstance(repeat, int):
        return _filled(streams.cores * ENGINE_COUNT, repeat)
    cores = np.array(streams.program.parts or (streams.cores,), np.int64)
    return np.repeat(np.array(repeat, np.int64), cores * ENGINE_COUNT)


def _occurrences(streams: Streams, repeats: np.ndarray) -> Tables:
    """Return the tables by occurrence: the queues of all repetitions, and times that are still empty."""
    size, lengths, repeat = len(streams), streams.queue_lengths, int(repeats.max(initial=1))
    total = lengths * repeats
    queue = np.empty(total.sum(), np.int64)
    engine_length, engine_repeats = np.repeat(lengths, lengths), np.repeat(repeats, lengths)
    before = np.cumsum(total) - total - (np.cumsum(lengths) - lengths)
    first_places = np.arange(size) + np.repeat(before, lengths)
    for repetition in range(repeat):
        runs = engine_repeats > repetition
        places = (first_places + repetition * engine_length)[runs]
        queue[places] = streams.by_engine[runs] + repetition * size
    times = {
        name: _filled(size * repeat, -1) for name in ("start", "move", "worked", "end", "cause")
    }
    flags = {name: _filled(size * repeat) for name in ("ready", "moved")}
    return {"queue": queue, **times, **flags}


def _rounds(streams: Streams, costs: Costs) -> Tables:
    """Return, by engine, the range of those that must be done before it repeats: those of its core, or of all cores of
    its program if a transfer of that reaches into another core without its taking part.
    """
    begins, ends = np.zeros(streams.cores, np.int64), np.zeros(streams.cores, np.int64)
    first = 0
    reaching = np.bincount(streams.core_numbers, costs.reaches, streams.cores)
    for count in streams.program.parts or (streams.cores,):
        own = slice(first, first + count)
        cores = np.arange(first, first + count)
        together = bool(reaching[own].any())
        begins[own] = first if together else cores
        ends[own] = first + count if together else cores + 1
        first += count
    return {
        "round_begin": np.repeat(begins, ENGINE_COUNT) * ENGINE_COUNT,
        "round_end": np.repeat(ends, ENGINE_COUNT) * ENGINE_COUNT,
    }


def _engines(streams: Streams, repeats: np.ndarray) -> Tables:
    lengths = streams.queue_lengths
    count, total = len(lengths), lengths * repeats
    zeros = (
        "head",
        "retired",
        "begun",
        "issuing",
        "moving",
        "rendezvous",
        "following",
        "need",
        "since",
    )
    zeros += ("next_fold", "work_end", "last_end")
    return {
        "first": np.cumsum(total) - total,
        "length": lengths,
        "total": total,
        "is_dma": (np.arange(count) % ENGINE_COUNT < 2).astype(np.int64),
        **{name: _filled(count) for name in zeros},
        "blocked": _filled(count, FINISHED),
        "state": _filled(count, FINISHED),
        "streaming": _filled(count, NONE),
        "delayed": _filled(count, NONE),
        "next_waiter": _filled(count, NONE),
        "spent": _filled(count * STATES),
    }
