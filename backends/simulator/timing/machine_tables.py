"""The state of a timing simulation in one int64 array, for `compiled_machine.py`.

First the scalars, among them where each table begins; then the tables, rows of columns one after
the other. The constants name scalars (places in the array) and columns (places in a row). One array, because numba
counts references to every array that a function gets, which would take most of the time.
"""

from __future__ import annotations

import numpy as np

from ..streams import ENGINE_COUNT, WAIT_FIELDS, Streams
from .costs import WORK_PER_BYTE, Costs
from .timeline import FINISHED, STATE_NAMES

DONE, FULL, OVERFLOW = 0, 1, 2
"""How a part of a simulation ends: all is done; a table is full; a number is too large."""
LARGEST = 1 << 60
"""What times and work may reach."""

# Scalars: what is given, what is simulated, where tables begin.
(SIZE, REPEAT, ENGINES, CLASSES, RESOURCES, OUTSTANDING, SLOTS, HOP, PEER, WAITED, GROUPS, MEMBERS,
 SIGNAL_ROOM, RING_SIZE, LOG_SIZE) = range(15)  # fmt: skip
(NOW, SCHEDULED, HEAP_SIZE, SIGNAL_FIRST, SIGNALS, FLOW_TIME, FLOW_NUMBER, LAST_FLOW, CHANGED,
 JOINED, NETWORK_NOW, STALLS, LOADS, FLOW_ROWS) = range(15, 29)  # fmt: skip
(TABLE, QUEUE, ENGINE_TABLE, SIGNAL_TABLE, COUNTER_TABLE, GROUP_TABLE, ARRIVED, MET, START, MOVE, END,
 CAUSE, READY, MOVED, HEAP, CLASS_TABLE, WEIGHTS, CAPACITIES, FLOWS, FINISHED_FLOWS, LEFT, DEMAND,
 REACHED, SPENT, STALL_LOG, LOAD_LOG, RING, _SCALARS) = range(29, 57)  # fmt: skip

# Columns of an instruction.
(TICKS, CLASS, WORK, LATENCY_TICKS, GROUP, ENGINE, POSITION, WAIT_COUNTER, WAIT_VALUE, SIGNAL_BEGIN,
 SIGNAL_END, WAITS) = range(12)  # fmt: skip
TABLE_COLUMNS = WAITS + ENGINE_COUNT
# Of an engine: its queue; instructions taken, retired, whose data have begun to move; what it waits for.
(FIRST_PLACE, LENGTH, TOTAL, IS_DMA, CORE, HEAD, RETIRED, BEGUN, ISSUING, MOVING, RENDEZVOUS, BLOCKED,
 NEED, STATE, SINCE, DELAYED, FIRST_WAITER, LAST_WAITER, NEXT_WAITER,
 ENGINE_COLUMNS) = range(20)  # fmt: skip
# Of a counter that somebody waits for; waiters as in an engine.
VALUE, FIRST_WAITING, LAST_WAITING, COUNTER_COLUMNS = range(4)
# Of a class of transfers.
LIMIT, COUNT, SERVED, RATE, CLASS_COLUMNS = range(5)
# Of a signal: row of `COUNTER_TABLE`, -1 if nobody waits for it; whether the counter is the own core's.
COUNTER_ROW, OWN, SIGNAL_COLUMNS = range(3)
# Of a multicast group: its first place in `MET`, its members.
FIRST_MET, ARRIVALS, GROUP_COLUMNS = range(3)
# Of an event in the heap, of a signal under way, of a transfer: what orders it, then what it is.
EVENT_COLUMNS = RING_COLUMNS = 4
FLOW_COLUMNS = 3
STALL_COLUMNS = 5
STATES = len(STATE_NAMES)

_MOST_BUS_BYTES = LARGEST // WORK_PER_BYTE
_LOG_ROWS = 1 << 14


def make_memory(
    streams: Streams, costs: Costs, repeat: int, signal_latency: int
) -> np.ndarray | None:
    """The state before the first instruction; None if a transfer is too large for 64 bits."""
    if costs.bus_bytes.max(initial=0) > _MOST_BUS_BYTES:
        return None
    network, dma = costs.network, streams.program.target.dma
    signals, waited, table = _signals(streams)
    groups, members = _groups(streams, table)
    _fill_table(table, streams, costs)
    engines = _engines(streams, repeat)
    most = np.minimum(engines[:, TOTAL], dma.outstanding)
    under_way, moving = int(most.sum()), int(np.minimum(most, dma.queues).sum()) + 1
    remote = int((signals[:, OWN] == 0).sum()) * repeat
    longest = int((table[:, SIGNAL_END] - table[:, SIGNAL_BEGIN]).max(initial=0))
    room = min(longest * under_way, remote)
    classes, weights = _classes(costs)
    counters = np.zeros((repeat * waited, COUNTER_COLUMNS), np.int64)
    counters[:, FIRST_WAITING] = -1
    never = np.full(len(streams) * repeat, -1)
    resources, occurrences = len(network.capacities), len(never)
    log = _LOG_ROWS + len(engines)

    def zeros(size: int) -> np.ndarray:
        return np.zeros(size, np.int64)

    tables = (
        table, streams.by_engine, engines, signals, counters, groups, zeros(repeat * len(groups)),
        zeros(repeat * members), never, never, never, never, zeros(occurrences), zeros(occurrences),
        zeros((under_way + len(engines)) * EVENT_COLUMNS), classes, weights,
        np.array(network.capacities, np.int64), zeros(len(classes) * moving * FLOW_COLUMNS),
        zeros(moving * 2), zeros(resources), zeros(resources), zeros(len(classes)),
        zeros(len(engines) * STATES), zeros(log * STALL_COLUMNS), zeros(log * (1 + resources)),
        zeros((room + 1024) * RING_COLUMNS),
    )  # fmt: skip
    scalars = zeros(_SCALARS)
    scalars[: LOG_SIZE + 1] = (
        len(streams), repeat, len(engines), len(classes), resources, dma.outstanding, dma.queues,
        signal_latency, costs.peer, waited, len(groups), members, room, room + 1024, log,
    )  # fmt: skip
    scalars[FLOW_TIME], scalars[FLOW_ROWS] = -1, moving
    scalars[TABLE:] = _SCALARS + np.cumsum([0, *(part.size for part in tables[:-1])])
    return np.concatenate([scalars, *(part.ravel() for part in tables)])


def with_larger_ring(memory: np.ndarray) -> np.ndarray:
    """The state with twice the room for signals under way, which are the last table: a ring, here unrolled."""
    ring = memory[memory[RING] :].reshape(-1, RING_COLUMNS)
    ring = np.roll(ring, -int(memory[SIGNAL_FIRST]), axis=0)
    grown = np.concatenate([memory[: memory[RING]], ring.ravel(), np.zeros_like(ring).ravel()])
    grown[SIGNAL_FIRST], grown[RING_SIZE] = 0, 2 * len(ring)
    return grown


def _fill_table(table: np.ndarray, streams: Streams, costs: Costs) -> None:
    table[:, TICKS] = costs.ticks
    table[:, CLASS] = costs.transfer
    table[:, WORK] = costs.bus_bytes * WORK_PER_BYTE
    table[:, LATENCY_TICKS] = costs.latency
    table[:, ENGINE] = streams.engine_numbers
    table[:, POSITION] = streams.positions
    for place, name in enumerate(WAIT_FIELDS):
        table[:, WAITS + place] = streams.words[name]


def _signals(streams: Streams) -> tuple[np.ndarray, int, np.ndarray]:
    """Signals by instruction and core, how many counters somebody waits for, and the instructions'
    table with what they wait for and signal.
    """
    words, counters, cores = streams.words, streams.program.counters, streams.core_numbers
    table = np.zeros((len(streams), TABLE_COLUMNS), np.int64)
    table[:, WAIT_VALUE] = words["wait_value"]
    waiting = words["wait_value"] != 0
    own = cores * counters + words["wait_counter"]
    waited, rows = np.unique(own[waiting], return_inverse=True)
    table[waiting, WAIT_COUNTER] = rows
    numbers, targets = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for core in range(streams.cores):
        found = np.flatnonzero(words["signal_cores"] >> np.uint64(core) & np.uint64(1))
        numbers.append(found)
        targets.append(np.full(len(found), core, np.int64))
    number, target = np.concatenate(numbers), np.concatenate(targets)
    order = np.argsort(number, kind="stable")
    number, target = number[order], target[order]
    counter = target * counters + words["signal_counter"][number]
    signals = np.zeros((len(number), SIGNAL_COLUMNS), np.int64)
    row = np.searchsorted(waited, counter)
    known = np.append(waited, -1)[row] == counter
    signals[:, COUNTER_ROW] = np.where(known, row, -1)
    signals[:, OWN] = target == cores[number]
    table[:, SIGNAL_BEGIN] = np.searchsorted(number, np.arange(len(streams)))
    table[:, SIGNAL_END] = np.searchsorted(number, np.arange(len(streams)), "right")
    return signals, len(waited), table


def _groups(streams: Streams, table: np.ndarray) -> tuple[np.ndarray, int]:
    """Multicast groups, and the members of all of them; sets the column GROUP."""
    table[:, GROUP] = -1
    members = np.flatnonzero(streams.group_numbers)
    _, which, sizes = np.unique(
        streams.group_numbers[members], return_inverse=True, return_counts=True
    )
    table[members, GROUP] = which
    return np.stack((np.cumsum(sizes) - sizes, sizes), axis=1).astype(np.int64), len(members)


def _engines(streams: Streams, repeat: int) -> np.ndarray:
    lengths = streams.queue_lengths
    engines = np.zeros((len(lengths), ENGINE_COLUMNS), np.int64)
    engines[:, FIRST_PLACE] = np.cumsum(lengths) - lengths
    engines[:, LENGTH] = lengths
    engines[:, TOTAL] = lengths * repeat
    engines[:, IS_DMA] = np.arange(len(lengths)) % ENGINE_COUNT < 2
    engines[:, CORE] = np.arange(len(lengths)) // ENGINE_COUNT
    engines[:, STATE] = FINISHED
    for column in (BLOCKED, DELAYED, FIRST_WAITER, LAST_WAITER, NEXT_WAITER):
        engines[:, column] = -1
    return engines


def _classes(costs: Costs) -> tuple[np.ndarray, np.ndarray]:
    """The classes of transfers, and [classes, resources] how much of each resource they take."""
    network = costs.network
    classes = np.zeros((len(network.classes), CLASS_COLUMNS), np.int64)
    weights = np.zeros((len(network.classes), len(network.capacities)), np.int64)
    for number, flow_class in enumerate(network.classes):
        classes[number, LIMIT] = flow_class.limit
        for resource, weight in flow_class.uses:
            weights[number, resource] = weight
    return classes, weights
