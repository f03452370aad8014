"""The rules of the machine: a discrete-event simulation of engines and memories, without tensor data.

**Engines.** Each of a core's engines takes its next instruction, in order, when the instruction's
waits are met, and retires in order. The vector unit runs one instruction at a time, for the cycles
of its formula. A DMA engine issues a transfer (`issue_cycles`), which then takes the memory's
latency before its first byte moves; the next may be issued meanwhile, as long as no more than
`outstanding` are under way. Data move in the order of issue, `queues` transfers of an engine at a
time. A fill or sync takes its place in that order. So a load alone takes issue + latency + bytes /
bandwidth, and a train of loads only the last term.

**Multicasts.** The members of a group are one transfer. It starts when all of them are ready: issued,
latency over, and next in the order of their engines. Loads of different cores meet like that, each
in its own engine. The stores of a group stand one behind the other in one engine, which issues
them one by one: the first in the cycles of its formula, each further one in `issue_cycles` only
(`cycles.further_store_issue_cycles`). Together they count as one of the transfers that may be under
way, and as one of those that move data.

**Folds.** The matrix unit streams the folds of one instruction after the other through its array
(`targets/systolic.py`); with `overlap` this goes on from one instruction to the next. Of instruction j, let
L be the load of its first fold, T the length of its last one, I = max(T, rows) the interval from one
fold to the next, n its folds and D its drain. It leaves its queue at W(j), all waits met, but not
before the last fold of the instruction before it begins, B(j-1). Then its first fold begins at
F(j) = max(B(j-1) + I(j-1), W(j) + L(j)), its last one at B(j) = F(j) + (n - 1) I(j), and it completes
at E(j) = max(E(j-1), B(j) + T(j) + D(j)). A sync, which stands for a further wait of the instruction
behind it, leaves the queue like one that streams folds and takes its cycle there, while the array
goes on; it completes after those before it. An instruction without these parts (or without
`overlap`) starts when the one before it is complete, and lets the next one start when it is
complete itself.

**Shared bandwidth** is max-min fair among the transfers that move data at the moment
(`sharing.py`, `transfers.py`): of global memory, of the interconnect, and of the port of every local
memory, which all transfers that read or write it share, those of other cores included.

**Between cores.** A signal reaches its own core at once and others after the interconnect's
latency.

**Repetition.** With `repeat` the program runs several times over; a core starts again when all its
engines are done, with counters and buffers in global memory of its own (programs are relocatable).
If a core reaches into another's local memory, which no counter protects beyond the end of the
program, it starts again when all cores of its program are done. Programs beside each other on one
card (`program/side_by_side.py`) do not wait for each other; they share its buses.

Time is an integer number of ticks (`costs.TICKS_PER_CYCLE`); events at the same time happen in the
order in which they were scheduled. So the result depends on nothing but the program.

The rules are written once. They run as they stand on the lists of `machine_state.Machine`; for
long programs numba compiles a translation of them (`translation.py`, which says what they may
contain). In all of them `m` is the machine, `e` an engine, `i` an instruction, `c` a class of transfers and `r` a
resource.
"""

from __future__ import annotations

from ..streams.streams import ENGINE_COUNT
from .engine_states import end_drain, note
from .event_heap import EVENTS, first_key, first_number, pop, push
from .machine_state import LARGEST, NEVER, NONE, PASSES, Machine
from .timeline import COUNTER, FINISHED, REPETITION
from .transfers import join, leave, share

DONE, FULL, OVERFLOW = range(3)
"""How `advance` ends: all is done; a log or the heap of events is full; or time is too large."""

_END, _ISSUED, _READY, _SIGNAL, _LAST_FOLD = range(5)


def begin(m: Machine) -> None:
    """Let every engine take its first instruction."""
    for e in range(m.engines):
        take(m, e, NONE)


def advance(m: Machine) -> int:
    """Run until all is `DONE`, a log or heap is `FULL`, or time would `OVERFLOW`, and return which."""
    while True:
        if (
            m.stalls + m.engines > m.log_rows
            or m.loads == m.log_rows
            or m.signals + m.signal_room > m.signal_limit
        ):
            return FULL
        # The earliest event; of equal times the one scheduled first.
        time = first_key(m, EVENTS)
        is_flow = m.flow_time < time or (
            m.flow_time == time and m.flow_number < first_number(m, EVENTS)
        )
        if is_flow:
            time = m.flow_time
        if time > m.now:
            if m.changed:
                share(m)
                continue
            if time == NEVER:
                return DONE
            if time > LARGEST:
                return OVERFLOW
            m.now = time
        if is_flow:
            m.flow_time = NEVER
            for place in range(leave(m)):
                end_flow(m, m.done[place])
        else:
            _, _, kind, place, occurrence = pop(m, EVENTS)
            handle(m, kind, place, occurrence)


def handle(m: Machine, kind: int, place: int, occurrence: int) -> None:
    """Let one event happen; `place` is an engine, or the counter that a signal is for."""
    if kind == _END:
        if m.is_dma[place]:
            m.moving[place] -= 1
            finish_move(m, place, occurrence)
        else:
            complete(m, place, occurrence)
    elif kind == _LAST_FOLD:
        m.issuing[place] = 0
        go_on(m, place, occurrence)
    elif kind == _ISSUED:
        m.issuing[place] = 0
        push(m, EVENTS, m.now + m.latency[occurrence % m.size], _READY, place, occurrence)
        go_on(m, place, occurrence)
    elif kind == _READY:
        m.ready[occurrence] = 1
        begin_moves(m, place, NONE)
    else:
        m.signals -= 1
        signal(m, place, occurrence)


# Taking instructions


def take(m: Machine, e: int, cause: int) -> None:
    """Start the next instruction of an engine if it can; `cause` is the occurrence whose end made that possible."""
    position = m.head[e]
    m.blocked[e] = FINISHED
    if position < m.total[e]:
        occurrence = m.queue[m.first[e] + position]
        i = occurrence % m.size
        under_way = position - m.retired[e] - m.following[e]
        if m.is_dma[e]:
            room = under_way < m.outstanding or m.follows[i] > 0
        else:
            room = under_way == 0 or m.interval[i] != 0
        if room and not m.issuing[e] and may_start(m, e, occurrence):
            launch(m, e, occurrence, cause)
    note(m, e)


def go_on(m: Machine, e: int, cause: int) -> None:
    """Do the same as `take`, unless the next instruction waits for something that will wake the engine."""
    if m.blocked[e] == FINISHED:
        take(m, e, cause)


def may_start(m: Machine, e: int, occurrence: int) -> bool:
    """Return whether an instruction's waits are met; if not, put the engine into the line of what it waits for."""
    repetition, i = occurrence // m.size, occurrence % m.size
    if repetition and m.position[i] == 0 and not may_repeat(m, e, repetition):
        return False
    for wait in range(m.wait_begin[i], m.wait_begin[i + 1]):
        other = m.wait_engine[wait]
        count = m.wait_count[wait] + repetition * m.length[other]
        if m.retired[other] < count:
            block(m, e, other, count, other % ENGINE_COUNT)
            return False
    value = m.wait_value[i]
    if value:
        counter = repetition * m.waited + m.wait_counter[i]
        if m.counter[counter] < value:
            block(m, e, m.engines + counter, value, COUNTER)
            return False
    return True


def may_repeat(m: Machine, e: int, repetition: int) -> bool:
    """Return whether the repetition before is over, so that an engine may begin with this one."""
    for other in range(m.round_begin[e], m.round_end[e]):
        count = repetition * m.length[other]
        if m.retired[other] < count:
            block(m, e, other, count, REPETITION)
            return False
    return True


def block(m: Machine, e: int, line: int, count: int, state: int) -> None:
    """Let an engine wait in a line until the engine or counter of the line has come to `count`."""
    m.need[e] = count
    m.blocked[e] = state
    queue_up(m, e, line)


def queue_up(m: Machine, e: int, line: int) -> None:
    """Put an engine at the end of a line."""
    m.next_waiter[e] = NONE
    if m.line_first[line] == NONE:
        m.line_first[line] = e
    else:
        m.next_waiter[m.line_last[line]] = e
    m.line_last[line] = e


def launch(m: Machine, e: int, occurrence: int, cause: int) -> None:
    """Let an instruction leave the queue now."""
    m.head[e] += 1
    m.start[occurrence] = m.now
    m.cause[occurrence] = cause
    i = occurrence % m.size
    m.following[e] += m.follows[i]
    m.issuing[e] = 1
    if not m.is_dma[e]:
        compute(m, e, occurrence, i)
        return
    issue = m.ticks[i] if m.flow_class[i] >= 0 else 0
    push(m, EVENTS, m.now + issue, _ISSUED, e, occurrence)


# Matrix and vector


def compute(m: Machine, e: int, occurrence: int, i: int) -> None:
    """Let the matrix or vector unit begin an instruction; see "Folds" above."""
    end_drain(m, e)
    if m.interval[i] == PASSES:
        pass_through(m, e, occurrence, i)
        return
    first_fold = m.now + m.fill[i]
    if m.next_fold[e] > first_fold:
        first_fold = m.next_fold[e]
        m.cause[occurrence] = m.streaming[e]
    tail = m.stream[i] + m.drain[i]
    last_fold = first_fold + m.ticks[i] - m.fill[i] - tail
    # What streams is the instruction before, until this one's load is no longer hidden.
    m.move[occurrence] = max(m.now, m.work_end[e])
    m.streaming[e] = occurrence
    m.next_fold[e] = last_fold + m.interval[i]
    m.work_end[e] = m.worked[occurrence] = last_fold + m.stream[i]
    m.last_end[e] = m.end[occurrence] = max(m.last_end[e], last_fold + tail)
    if tail:
        push(m, EVENTS, last_fold, _LAST_FOLD, e, occurrence)
    if m.head[e] == m.retired[e] + 1:
        push(m, EVENTS, m.end[occurrence], _END, e, occurrence)


def pass_through(m: Machine, e: int, occurrence: int, i: int) -> None:
    """Let a sync go through the queue of a matrix unit, whose array goes on meanwhile."""
    taken = m.now + m.ticks[i]
    m.move[occurrence] = max(m.now, m.work_end[e])
    m.work_end[e] = m.worked[occurrence] = max(taken, m.work_end[e])
    m.last_end[e] = m.end[occurrence] = max(taken, m.last_end[e])
    push(m, EVENTS, taken, _LAST_FOLD, e, occurrence)
    if m.head[e] == m.retired[e] + 1:
        push(m, EVENTS, m.end[occurrence], _END, e, occurrence)


def complete(m: Machine, e: int, occurrence: int) -> None:
    """End the oldest instruction of a matrix or vector unit, and let the next one end, or start, in its turn."""
    has_next = m.head[e] > m.retired[e] + 1
    if not has_next:
        m.issuing[e] = 0
    retire(m, e, occurrence)
    if has_next:
        following = m.queue[m.first[e] + m.retired[e]]
        push(m, EVENTS, m.end[following], _END, e, following)
    go_on(m, e, occurrence)
    note(m, e)


# Data of DMA engines


def begin_moves(m: Machine, e: int, cause: int) -> None:
    """Let the transfers whose latency is over move data, in order, as far as the queues go."""
    while m.begun[e] < m.head[e]:
        occurrence = m.queue[m.first[e] + m.begun[e]]
        i = occurrence % m.size
        room = m.moving[e] < m.slots or m.follows[i] > 0
        if not room or not m.ready[occurrence]:
            break
        m.begun[e] += 1
        if cause >= 0:
            m.cause[occurrence] = cause
        m.moving[e] += 1 - m.follows[i]
        if m.flow_class[i] < 0:
            m.move[occurrence] = m.now
            push(m, EVENTS, m.now + m.ticks[i], _END, e, occurrence)
        elif m.group[i] >= 0:
            meet(m, e, occurrence, i)
        else:
            begin_flow(m, occurrence, i)
    note(m, e)


def meet(m: Machine, e: int, occurrence: int, i: int) -> None:
    """Note that a member of a multicast group is ready; the last one starts the transfer for all.

    Of stores, one may have left the queue only because the one before it did: then that one's cause is the cause of
    both.
    """
    repetition, group = occurrence // m.size, m.group[i]
    first = repetition * m.members + m.met_begin[group]
    arrived = repetition * m.groups + group
    m.met[first + m.arrived[arrived]] = occurrence
    m.arrived[arrived] += 1
    m.rendezvous[e] += 1 - m.follows[i]
    if m.arrived[arrived] < m.arrivals[group]:
        return
    cause = m.cause[occurrence]
    while cause >= 0 and m.group[cause % m.size] == group and cause // m.size == repetition:
        cause = m.cause[cause]
    m.cause[occurrence] = cause
    for place in range(first, first + m.arrivals[group]):
        member = m.met[place]
        other = m.engine[member % m.size]
        m.rendezvous[other] -= 1 - m.follows[member % m.size]
        if member != occurrence:
            m.cause[member] = occurrence
            m.move[member] = m.now
            note(m, other)
    begin_flow(m, occurrence, i)


def begin_flow(m: Machine, occurrence: int, i: int) -> None:
    """Let a transfer share bandwidth from now on."""
    m.move[occurrence] = m.now
    join(m, m.flow_class[i], m.work[i], occurrence)


def end_flow(m: Machine, occurrence: int) -> None:
    """End a transfer that has moved all its bytes.

    In a multicast group the member that arrived last stands for all, and its engine ends it first.
    """
    group = m.group[occurrence % m.size]
    if group < 0:
        end_part(m, occurrence)
        return
    first = occurrence // m.size * m.members + m.met_begin[group]
    for place in range(first, first + m.arrivals[group]):
        m.moved[m.met[place]] = 1
    end_part(m, occurrence)
    e = m.engine[occurrence % m.size]
    for place in range(first, first + m.arrivals[group]):
        if m.engine[m.met[place] % m.size] != e:
            end_part(m, m.met[place])


def end_part(m: Machine, occurrence: int) -> None:
    """End the part that one engine has in a transfer; of the stores of a multicast any may stand for all."""
    e = m.engine[occurrence % m.size]
    m.moving[e] -= 1
    finish_move(m, e, occurrence)


def finish_move(m: Machine, e: int, occurrence: int) -> None:
    """Retire the transfers that are done, in order, and let the next ones move data."""
    m.moved[occurrence] = 1
    previous = before = NONE
    while m.retired[e] < m.head[e]:
        done = m.queue[m.first[e] + m.retired[e]]
        if not m.moved[done]:
            break
        # What kept the first store of a multicast kept them all.
        if not m.follows[done % m.size]:
            before = previous
        if before >= 0:
            m.cause[done] = before
        retire(m, e, done)
        previous = done
    begin_moves(m, e, occurrence)
    go_on(m, e, occurrence)


# Completion


def retire(m: Machine, e: int, occurrence: int) -> None:
    """Complete an instruction: send its signals, and wake the engines that waited for it."""
    i = occurrence % m.size
    m.retired[e] += 1
    m.following[e] -= m.follows[i]
    m.end[occurrence] = m.now
    if m.is_dma[e]:
        m.worked[occurrence] = m.now
    for place in range(m.signal_begin[i], m.signal_begin[i + 1]):
        counter = m.signal_counter[place]
        if counter >= 0:
            counter += occurrence // m.size * m.waited
        if m.signal_own[place] or not m.hop:
            signal(m, counter, occurrence)
        else:
            m.signals += 1
            push(m, EVENTS, m.now + m.hop, _SIGNAL, counter, occurrence)
    if m.line_first[e] != NONE:
        wake(m, e, m.retired[e], occurrence)


def signal(m: Machine, counter: int, occurrence: int) -> None:
    """Let a counter grow by one, if anybody ever waits for it."""
    if counter < 0:
        return
    m.counter[counter] += 1
    line = m.engines + counter
    if m.line_first[line] != NONE:
        wake(m, line, m.counter[counter], occurrence)


def wake(m: Machine, line: int, count: int, occurrence: int) -> None:
    """Wake engines of a line: those that need no more than `count` leave it, and then take their next instructions.

    The others stay in the line, in order.
    """
    e, woken, woken_last = m.line_first[line], NONE, NONE
    m.line_first[line] = NONE
    while e != NONE:
        after = m.next_waiter[e]
        if m.need[e] > count:
            queue_up(m, e, line)
        else:
            m.next_waiter[e] = NONE
            if woken == NONE:
                woken = e
            else:
                m.next_waiter[woken_last] = e
            woken_last = e
        e = after
    while woken != NONE:
        after = m.next_waiter[woken]
        take(m, woken, occurrence)
        woken = after
