"""Records how every engine spends its time: in which state it is, and what it stands still for."""

from __future__ import annotations

from .machine_state import STALL_COLUMNS, Machine
from .timeline import BUSY, DRAIN, LATENCY, MULTICAST, STATES


def note(m: Machine, e: int) -> None:
    """Record how an engine spent the time since its state last changed."""
    under_way = m.head[e] - m.retired[e]
    state = m.blocked[e]
    if under_way:
        if not m.is_dma[e] or m.moving[e] > m.rendezvous[e]:
            state = BUSY
        elif m.rendezvous[e]:
            state = MULTICAST
        else:
            state = LATENCY
    before = m.state[e]
    if state == before:
        return
    end_drain(m, e)
    since, now = m.since[e], m.now
    m.spent[e * STATES + before] += now - since
    if before < BUSY and since < now:
        log_stall(m, e, before, m.delayed[e], since)
    m.state[e] = state
    m.since[e] = now
    if state < BUSY:
        position = m.retired[e] if under_way else m.head[e]
        m.delayed[e] = m.queue[m.first[e] + position]


def log_stall(m: Machine, e: int, state: int, occurrence: int, since: int) -> None:
    """Log that an engine stood still from `since` until now, and the occurrence that it could not go on with."""
    row = m.stalls * STALL_COLUMNS
    m.stalls += 1
    m.stall_log[row] = e
    m.stall_log[row + 1] = state
    m.stall_log[row + 2] = occurrence
    m.stall_log[row + 3] = since
    m.stall_log[row + 4] = m.now


def end_drain(m: Machine, e: int) -> None:
    """Record the time since a matrix unit streamed for the last time, if it has been draining since then."""
    since, now = m.work_end[e], m.now
    if m.state[e] == BUSY and not m.is_dma[e] and since < now:
        m.spent[e * STATES + BUSY] += since - m.since[e]
        m.spent[e * STATES + DRAIN] += now - since
        log_stall(m, e, DRAIN, m.queue[m.first[e] + m.head[e] - 1], since)
        m.since[e] = now
