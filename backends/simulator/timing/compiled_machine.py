"""The machine of `machine.py` and the network of `network.py`, compiled by numba for long programs.

Function for function the same as there; a property test holds that every time is equal. What differs: all
state is in one array `m` (`machine_tables.py`), in which `e` is where an engine's row begins, `i` an instruction's and
`c` a class's; an engine waits for one thing at a time, so those that wait for the same are a list linked through
the engines' rows; an engine's instructions under way are those between `RETIRED` and `HEAD` of
its queue; signals to other cores all take the same time, so they wait in a ring; and of the events
"the next transfer ends" only the last one scheduled is kept. Numbers stay below 2^62: a run that
goes beyond stops (`OVERFLOW`).

numba keeps the machine code on disk; `compiled_run.py` sees to it that it is of the present sources.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from ..streams import ENGINE_COUNT
from . import machine_tables as at
from .timeline import BUSY, COUNTER, FINISHED, LATENCY, MULTICAST, REPETITION

_END, _ISSUED, _READY = 0, 1, 2
_NONE = -1
Memory = Any
"""An int64 array [n], whose elements are plain integers here."""

_compiled = njit(cache=True, error_model="numpy", nogil=True)


@_compiled
def begin(m: Memory) -> None:
    """Lets every engine take its first instruction."""
    for engine in range(m[at.ENGINES]):
        _take(m, _engine(m, engine), _NONE)


@_compiled
def advance(m: Memory) -> int:
    """Goes on until all is `DONE`, a table is `FULL`, or time would `OVERFLOW`."""
    while True:
        if (
            m[at.STALLS] + m[at.ENGINES] > m[at.LOG_SIZE]
            or m[at.LOADS] == m[at.LOG_SIZE]
            or m[at.SIGNALS] + m[at.SIGNAL_ROOM] > m[at.RING_SIZE]
        ):
            return at.FULL
        # The earliest event; of equal times the one scheduled first.
        source, time, number = _NONE, 0, 0
        if m[at.HEAP_SIZE]:
            source, time, number = 0, m[m[at.HEAP]], m[m[at.HEAP] + 1]
        if m[at.SIGNALS]:
            row = m[at.RING] + m[at.SIGNAL_FIRST] * at.RING_COLUMNS
            if source == _NONE or m[row] < time or (m[row] == time and m[row + 1] < number):
                source, time, number = 1, m[row], m[row + 1]
        flow = m[at.FLOW_TIME]
        if flow >= 0 and (
            source == _NONE or flow < time or (flow == time and m[at.FLOW_NUMBER] < number)
        ):
            source, time = 2, flow
        if source == _NONE or time > m[at.NOW]:
            if m[at.CHANGED]:
                _share_anew(m)
                continue
            if source == _NONE:
                m[at.NOW] = max(m[at.NOW], m[at.LAST_FLOW])
                return at.DONE
            if time > at.LARGEST:
                return at.OVERFLOW
            m[at.NOW] = time
        if source == 0:
            _handle(m)
        elif source == 1:
            _arrive(m)
        else:
            m[at.FLOW_TIME] = _NONE
            for place in range(_finished(m)):
                _end_flow(m, m[m[at.FINISHED_FLOWS] + 2 * place + 1])


@_compiled
def _handle(m: Memory) -> None:
    """The next event of the heap."""
    kind, occurrence = m[m[at.HEAP] + 2], m[m[at.HEAP] + 3]
    _remove_first(m, m[at.HEAP], m[at.HEAP_SIZE], at.EVENT_COLUMNS)
    m[at.HEAP_SIZE] -= 1
    i = _instruction(m, occurrence)
    e = _engine(m, m[i + at.ENGINE])
    if kind == _END:
        if m[e + at.IS_DMA]:
            m[e + at.MOVING] -= 1
            _finish_move(m, e, occurrence)
        else:
            _retire(m, e, occurrence)
            _take(m, e, occurrence)
    elif kind == _ISSUED:
        m[e + at.ISSUING] = 0
        _schedule(m, m[at.NOW] + m[i + at.LATENCY_TICKS], _READY, occurrence)
        _go_on(m, e, occurrence)
    else:
        m[m[at.READY] + occurrence] = 1
        _begin_moves(m, e, _NONE)


@_compiled
def _arrive(m: Memory) -> None:
    """The next signal from another core arrives."""
    row = m[at.RING] + m[at.SIGNAL_FIRST] * at.RING_COLUMNS
    m[at.SIGNAL_FIRST] += 1
    if m[at.SIGNAL_FIRST] == m[at.RING_SIZE]:
        m[at.SIGNAL_FIRST] = 0
    m[at.SIGNALS] -= 1
    _signal(m, m[row + 2], m[row + 3])


# Rows and heaps


@_compiled
def _engine(m: Memory, number: int) -> int:
    return m[at.ENGINE_TABLE] + number * at.ENGINE_COLUMNS


@_compiled
def _instruction(m: Memory, occurrence: int) -> int:
    return m[at.TABLE] + occurrence % m[at.SIZE] * at.TABLE_COLUMNS


@_compiled
def _class(m: Memory, number: int) -> int:
    return m[at.CLASS_TABLE] + number * at.CLASS_COLUMNS


@_compiled
def _occurrence(m: Memory, e: int, position: int) -> int:
    """The occurrence at a position of an engine's queue, repetitions one after the other."""
    repetition, place = 0, position
    if position >= m[e + at.LENGTH]:
        repetition = position // m[e + at.LENGTH]
        place = position - repetition * m[e + at.LENGTH]
    return repetition * m[at.SIZE] + m[m[at.QUEUE] + m[e + at.FIRST_PLACE] + place]


@_compiled
def _under_way(m: Memory, e: int) -> int:
    return m[e + at.HEAD] - m[e + at.RETIRED]


@_compiled
def _copy(m: Memory, target: int, source: int, columns: int) -> None:
    for column in range(columns):
        m[target + column] = m[source + column]


@_compiled
def _before(m: Memory, a: int, b: int) -> bool:
    """Whether row a comes before row b: by its first number, then by its second."""
    return m[a] < m[b] or (m[a] == m[b] and m[a + 1] < m[b + 1])


@_compiled
def _added(m: Memory, heap: int, size: int, columns: int, key: int) -> int:
    """Makes room in a heap of `size` rows for one of `key`, and of a larger second number than all: where it begins."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if m[heap + parent * columns] <= key:
            break
        _copy(m, heap + place * columns, heap + parent * columns, columns)
        place = parent
    return heap + place * columns


@_compiled
def _remove_first(m: Memory, heap: int, size: int, columns: int) -> None:
    """Takes the first row off a heap of `size` rows."""
    last, place = heap + (size - 1) * columns, 0
    while True:
        child = 2 * place + 1
        if child >= size - 1:
            break
        row = heap + child * columns
        if child + 1 < size - 1 and _before(m, row + columns, row):
            child, row = child + 1, row + columns
        if not _before(m, row, last):
            break
        _copy(m, heap + place * columns, row, columns)
        place = child
    _copy(m, heap + place * columns, last, columns)


@_compiled
def _schedule(m: Memory, time: int, kind: int, occurrence: int) -> None:
    m[at.SCHEDULED] += 1
    row = _added(m, m[at.HEAP], m[at.HEAP_SIZE], at.EVENT_COLUMNS, time)
    m[at.HEAP_SIZE] += 1
    m[row], m[row + 1], m[row + 2], m[row + 3] = time, m[at.SCHEDULED], kind, occurrence


# Taking instructions


@_compiled
def _take(m: Memory, e: int, cause: int) -> None:
    position = m[e + at.HEAD]
    m[e + at.BLOCKED] = _NONE
    if position < m[e + at.TOTAL]:
        under_way = _under_way(m, e)
        busy = m[e + at.ISSUING] if m[e + at.IS_DMA] else under_way
        if not busy and under_way < m[at.OUTSTANDING]:
            occurrence = _occurrence(m, e, position)
            if _may_start(m, e, occurrence):
                _launch(m, e, occurrence, cause)
    _note(m, e)


@_compiled
def _go_on(m: Memory, e: int, cause: int) -> None:
    if m[e + at.BLOCKED] == _NONE:
        _take(m, e, cause)


@_compiled
def _may_start(m: Memory, e: int, occurrence: int) -> bool:
    repetition = occurrence // m[at.SIZE]
    i = m[at.TABLE] + (occurrence - repetition * m[at.SIZE]) * at.TABLE_COLUMNS
    if repetition and m[i + at.POSITION] == 0 and not _may_repeat(m, e, repetition):
        return False
    first = _engine(m, m[e + at.CORE] * ENGINE_COUNT)
    for kind in range(ENGINE_COUNT):
        count = m[i + at.WAITS + kind]
        if count:
            other = first + kind * at.ENGINE_COLUMNS
            count += repetition * m[other + at.LENGTH]
            if m[other + at.RETIRED] < count:
                _block(m, e, other, count, kind)
                return False
    if m[i + at.WAIT_VALUE]:
        row = repetition * m[at.WAITED] + m[i + at.WAIT_COUNTER]
        counter = m[at.COUNTER_TABLE] + row * at.COUNTER_COLUMNS
        if m[counter + at.VALUE] < m[i + at.WAIT_VALUE]:
            _queue_up(m, e, counter + at.FIRST_WAITING, counter + at.LAST_WAITING)
            m[e + at.NEED] = m[i + at.WAIT_VALUE]
            m[e + at.BLOCKED] = COUNTER
            return False
    return True


@_compiled
def _may_repeat(m: Memory, e: int, repetition: int) -> bool:
    first, last = 0, m[at.ENGINES]
    if not m[at.PEER]:
        first = m[e + at.CORE] * ENGINE_COUNT
        last = first + ENGINE_COUNT
    for number in range(first, last):
        other = _engine(m, number)
        count = repetition * m[other + at.LENGTH]
        if m[other + at.RETIRED] < count:
            _block(m, e, other, count, REPETITION)
            return False
    return True


@_compiled
def _block(m: Memory, e: int, other: int, count: int, state: int) -> None:
    _queue_up(m, e, other + at.FIRST_WAITER, other + at.LAST_WAITER)
    m[e + at.NEED] = count
    m[e + at.BLOCKED] = state


@_compiled
def _queue_up(m: Memory, e: int, first: int, last: int) -> None:
    """Adds an engine to the list whose ends are at `first` and `last`."""
    m[e + at.NEXT_WAITER] = _NONE
    if m[first] == _NONE:
        m[first] = e
    else:
        m[m[last] + at.NEXT_WAITER] = e
    m[last] = e


@_compiled
def _launch(m: Memory, e: int, occurrence: int, cause: int) -> None:
    now, i = m[at.NOW], _instruction(m, occurrence)
    m[e + at.HEAD] += 1
    m[m[at.START] + occurrence] = now
    m[m[at.CAUSE] + occurrence] = cause
    if not m[e + at.IS_DMA]:
        m[m[at.MOVE] + occurrence] = now
        _schedule(m, now + m[i + at.TICKS], _END, occurrence)
        return
    m[e + at.ISSUING] = 1
    issue = m[i + at.TICKS] if m[i + at.CLASS] >= 0 else 0
    _schedule(m, now + issue, _ISSUED, occurrence)


# Data of DMA engines


@_compiled
def _begin_moves(m: Memory, e: int, cause: int) -> None:
    while m[e + at.BEGUN] < m[e + at.HEAD] and m[e + at.MOVING] < m[at.SLOTS]:
        occurrence = _occurrence(m, e, m[e + at.BEGUN])
        if not m[m[at.READY] + occurrence]:
            break
        m[e + at.BEGUN] += 1
        if cause >= 0:
            m[m[at.CAUSE] + occurrence] = cause
        m[e + at.MOVING] += 1
        i = _instruction(m, occurrence)
        if m[i + at.CLASS] < 0:
            m[m[at.MOVE] + occurrence] = m[at.NOW]
            _schedule(m, m[at.NOW] + m[i + at.TICKS], _END, occurrence)
        elif m[i + at.GROUP] >= 0:
            _meet(m, e, occurrence, m[i + at.GROUP])
        else:
            _begin_flow(m, occurrence)
    _note(m, e)


@_compiled
def _first_met(m: Memory, occurrence: int, group: int) -> int:
    """Where the members of a group stand that have arrived in the repetition of an occurrence."""
    before = occurrence // m[at.SIZE] * m[at.MEMBERS]
    return m[at.MET] + before + m[m[at.GROUP_TABLE] + group * at.GROUP_COLUMNS + at.FIRST_MET]


@_compiled
def _meet(m: Memory, e: int, occurrence: int, group: int) -> None:
    first = _first_met(m, occurrence, group)
    arrived = m[at.ARRIVED] + occurrence // m[at.SIZE] * m[at.GROUPS] + group
    m[first + m[arrived]] = occurrence
    m[arrived] += 1
    m[e + at.RENDEZVOUS] += 1
    if m[arrived] < m[m[at.GROUP_TABLE] + group * at.GROUP_COLUMNS + at.ARRIVALS]:
        return
    for place in range(first, first + m[arrived]):
        member = m[place]
        other = _engine(m, m[_instruction(m, member) + at.ENGINE])
        m[other + at.RENDEZVOUS] -= 1
        if member != occurrence:
            m[m[at.CAUSE] + member] = occurrence
            m[m[at.MOVE] + member] = m[at.NOW]
            _note(m, other)
    _begin_flow(m, occurrence)


@_compiled
def _begin_flow(m: Memory, occurrence: int) -> None:
    i = _instruction(m, occurrence)
    m[m[at.MOVE] + occurrence] = m[at.NOW]
    _join(m, m[i + at.CLASS], m[i + at.WORK], occurrence)


@_compiled
def _end_flow(m: Memory, occurrence: int) -> None:
    i = _instruction(m, occurrence)
    _end_member(m, occurrence)
    group = m[i + at.GROUP]
    if group >= 0:
        first = _first_met(m, occurrence, group)
        count = m[m[at.GROUP_TABLE] + group * at.GROUP_COLUMNS + at.ARRIVALS]
        for place in range(first, first + count):
            if m[place] != occurrence:
                _end_member(m, m[place])


@_compiled
def _end_member(m: Memory, occurrence: int) -> None:
    e = _engine(m, m[_instruction(m, occurrence) + at.ENGINE])
    m[e + at.MOVING] -= 1
    _finish_move(m, e, occurrence)


@_compiled
def _finish_move(m: Memory, e: int, occurrence: int) -> None:
    m[m[at.MOVED] + occurrence] = 1
    previous = _NONE
    while _under_way(m, e):
        done = _occurrence(m, e, m[e + at.RETIRED])
        if not m[m[at.MOVED] + done]:
            break
        if previous >= 0:
            m[m[at.CAUSE] + done] = previous
        _retire(m, e, done)
        previous = done
    _begin_moves(m, e, occurrence)
    _go_on(m, e, occurrence)


# Completion


@_compiled
def _retire(m: Memory, e: int, occurrence: int) -> None:
    m[e + at.RETIRED] += 1
    m[m[at.END] + occurrence] = m[at.NOW]
    i = _instruction(m, occurrence)
    for number in range(m[i + at.SIGNAL_BEGIN], m[i + at.SIGNAL_END]):
        signal = m[at.SIGNAL_TABLE] + number * at.SIGNAL_COLUMNS
        counter = m[signal + at.COUNTER_ROW]
        if counter >= 0:
            counter += occurrence // m[at.SIZE] * m[at.WAITED]
        if m[signal + at.OWN] or not m[at.HOP]:
            _signal(m, counter, occurrence)
        else:
            place = m[at.SIGNAL_FIRST] + m[at.SIGNALS]
            if place >= m[at.RING_SIZE]:
                place -= m[at.RING_SIZE]
            m[at.SIGNALS] += 1
            m[at.SCHEDULED] += 1
            row = m[at.RING] + place * at.RING_COLUMNS
            m[row], m[row + 1] = m[at.NOW] + m[at.HOP], m[at.SCHEDULED]
            m[row + 2], m[row + 3] = counter, occurrence
    if m[e + at.FIRST_WAITER] != _NONE:
        _wake(m, e + at.FIRST_WAITER, e + at.LAST_WAITER, m[e + at.RETIRED], occurrence)


@_compiled
def _signal(m: Memory, counter: int, occurrence: int) -> None:
    if counter < 0:
        return  # nobody ever waits for it
    row = m[at.COUNTER_TABLE] + counter * at.COUNTER_COLUMNS
    m[row + at.VALUE] += 1
    if m[row + at.FIRST_WAITING] != _NONE:
        value = m[row + at.VALUE]
        _wake(m, row + at.FIRST_WAITING, row + at.LAST_WAITING, value, occurrence)


@_compiled
def _wake(m: Memory, first: int, last: int, count: int, occurrence: int) -> None:
    """Parts the list whose ends are at `first` and `last`: those that need no more than `count` leave it, and then
    take their next instructions; the others stay, in order.
    """
    e, woken, woken_last = m[first], _NONE, _NONE
    m[first] = _NONE
    while e != _NONE:
        after = m[e + at.NEXT_WAITER]
        if m[e + at.NEED] > count:
            _queue_up(m, e, first, last)
        else:
            m[e + at.NEXT_WAITER] = _NONE
            if woken == _NONE:
                woken = e
            else:
                m[woken_last + at.NEXT_WAITER] = e
            woken_last = e
        e = after
    while woken != _NONE:
        after = m[woken + at.NEXT_WAITER]
        _take(m, woken, occurrence)
        woken = after


@_compiled
def _note(m: Memory, e: int) -> None:
    under_way = _under_way(m, e)
    state = m[e + at.BLOCKED]
    if not m[e + at.IS_DMA]:
        if under_way:
            state = BUSY
    elif m[e + at.MOVING] > m[e + at.RENDEZVOUS]:
        state = BUSY
    elif m[e + at.RENDEZVOUS]:
        state = MULTICAST
    elif under_way:
        state = LATENCY
    if state == _NONE:
        state = FINISHED
    before, since, now = m[e + at.STATE], m[e + at.SINCE], m[at.NOW]
    if state == before:
        return
    number = (e - m[at.ENGINE_TABLE]) // at.ENGINE_COLUMNS
    m[m[at.SPENT] + number * at.STATES + before] += now - since
    if before < BUSY and since < now:
        row = m[at.STALL_LOG] + m[at.STALLS] * at.STALL_COLUMNS
        m[row], m[row + 1], m[row + 2] = number, before, m[e + at.DELAYED]
        m[row + 3], m[row + 4] = since, now
        m[at.STALLS] += 1
    m[e + at.STATE], m[e + at.SINCE] = state, now
    if state < BUSY:
        position = m[e + at.RETIRED] if under_way else m[e + at.HEAD]
        m[e + at.DELAYED] = _occurrence(m, e, position)


# The network


@_compiled
def _flows(m: Memory, number: int) -> int:
    """Where the transfers in progress of a class are, a heap."""
    return m[at.FLOWS] + number * m[at.FLOW_ROWS] * at.FLOW_COLUMNS


@_compiled
def _serve(m: Memory) -> None:
    """Counts what transfers in progress have been served up to now."""
    elapsed = m[at.NOW] - m[at.NETWORK_NOW]
    if not elapsed:
        return
    for number in range(m[at.CLASSES]):
        c = _class(m, number)
        if m[c + at.COUNT]:
            m[c + at.SERVED] += elapsed * m[c + at.RATE]
            if m[c + at.SERVED] > at.LARGEST:
                # Only differences count: begin again at 0.
                flows = _flows(m, number)
                for place in range(m[c + at.COUNT]):
                    m[flows + place * at.FLOW_COLUMNS] -= m[c + at.SERVED]
                m[c + at.SERVED] = 0
    m[at.NETWORK_NOW] = m[at.NOW]


@_compiled
def _join(m: Memory, number: int, work: int, occurrence: int) -> None:
    _serve(m)
    c = _class(m, number)
    if not m[c + at.COUNT]:
        m[c + at.SERVED] = 0
    end = m[c + at.SERVED] + work
    row = _added(m, _flows(m, number), m[c + at.COUNT], at.FLOW_COLUMNS, end)
    m[c + at.COUNT] += 1
    m[at.JOINED] += 1
    m[row], m[row + 1], m[row + 2] = end, m[at.JOINED], occurrence
    m[at.CHANGED] = 1


@_compiled
def _finished(m: Memory) -> int:
    """Takes out the transfers that are done, in the order in which they joined; how many."""
    count = 0
    _serve(m)
    for number in range(m[at.CLASSES]):
        c, flows = _class(m, number), _flows(m, number)
        while m[c + at.COUNT] and m[flows] <= m[c + at.SERVED]:
            joined, occurrence = m[flows + 1], m[flows + 2]
            _remove_first(m, flows, m[c + at.COUNT], at.FLOW_COLUMNS)
            m[c + at.COUNT] -= 1
            row = m[at.FINISHED_FLOWS] + 2 * count
            while row > m[at.FINISHED_FLOWS] and m[row - 2] > joined:
                _copy(m, row, row - 2, 2)
                row -= 2
            m[row], m[row + 1] = joined, occurrence
            count += 1
    if count:
        m[at.CHANGED] = 1
    return count


@_compiled
def _share_anew(m: Memory) -> None:
    """Shares the bandwidths among the transfers in progress, notes the loads, and when the next ends."""
    m[at.CHANGED] = 0
    m[at.FLOW_TIME] = _NONE
    _fair_rates(m)
    resources = m[at.RESOURCES]
    loads = m[at.LOAD_LOG] + m[at.LOADS] * (1 + resources)
    for column in range(1 + resources):
        m[loads + column] = 0
    for number in range(m[at.CLASSES]):
        c = _class(m, number)
        count, rate = m[c + at.COUNT], m[c + at.RATE]
        if count:
            left = m[_flows(m, number)] - m[c + at.SERVED]
            end = m[at.NETWORK_NOW] - (-left) // rate
            if m[at.FLOW_TIME] == _NONE or end < m[at.FLOW_TIME]:
                m[at.FLOW_TIME] = end
            weights = m[at.WEIGHTS] + number * resources
            for resource in range(resources):
                m[loads + 1 + resource] += count * rate * m[weights + resource]
    if m[at.FLOW_TIME] != _NONE:
        m[at.SCHEDULED] += 1
        m[at.FLOW_NUMBER] = m[at.SCHEDULED]
        m[at.LAST_FLOW] = max(m[at.LAST_FLOW], m[at.FLOW_TIME])
    m[loads] = m[at.NOW]
    m[at.LOADS] += 1


@_compiled
def _fair_rates(m: Memory) -> None:
    """`sharing.fair_rates` of the classes that have transfers."""
    resources, still_open = m[at.RESOURCES], 0
    for resource in range(resources):
        m[m[at.LEFT] + resource] = m[m[at.CAPACITIES] + resource]
    for number in range(m[at.CLASSES]):
        c = _class(m, number)
        m[c + at.RATE] = 0
        if m[c + at.COUNT]:
            m[c + at.RATE] = _NONE
            still_open += 1
    while still_open:
        lowest = _reached_levels(m)
        for number in range(m[at.CLASSES]):
            c, weights = _class(m, number), m[at.WEIGHTS] + number * resources
            if m[c + at.RATE] == _NONE and m[m[at.REACHED] + number] == lowest:
                m[c + at.RATE] = max(lowest, 1)
                still_open -= 1
                for resource in range(resources):
                    taken = m[c + at.RATE] * m[weights + resource] * m[c + at.COUNT]
                    m[m[at.LEFT] + resource] -= taken
        for resource in range(resources):
            m[m[at.LEFT] + resource] = max(m[m[at.LEFT] + resource], 0)


@_compiled
def _reached_levels(m: Memory) -> int:
    """Up to where the rate of each open class (`RATE` is -1) can grow; the lowest of them."""
    resources, lowest = m[at.RESOURCES], at.LARGEST
    for resource in range(resources):
        m[m[at.DEMAND] + resource] = 0
    for number in range(m[at.CLASSES]):
        c, weights = _class(m, number), m[at.WEIGHTS] + number * resources
        if m[c + at.RATE] == _NONE:
            for resource in range(resources):
                m[m[at.DEMAND] + resource] += m[weights + resource] * m[c + at.COUNT]
    for number in range(m[at.CLASSES]):
        c, weights = _class(m, number), m[at.WEIGHTS] + number * resources
        if m[c + at.RATE] == _NONE:
            reached = m[c + at.LIMIT]
            for resource in range(resources):
                if m[weights + resource] and m[m[at.DEMAND] + resource]:
                    level = m[m[at.LEFT] + resource] // m[m[at.DEMAND] + resource]
                    reached = min(reached, level)
            m[m[at.REACHED] + number] = reached
            lowest = min(lowest, reached)
    return lowest
