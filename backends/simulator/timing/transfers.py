"""Follows transfers in progress: how much each has moved, and which finishes next.

Transfers of a class always have the same rate, so the machine counts the work that *one* transfer
of the class has been served since some origin; a transfer that joins when that count is S with W to
move is done when the count is S + W. Joining and finishing then cost a heap operation, not a visit
to every transfer.
"""

from __future__ import annotations

from .event_heap import FLOWS, first_key, lower_keys, pop, push
from .machine_state import LARGEST, NEVER, Machine
from .sharing import fair_rates


def serve(m: Machine) -> None:
    """Bring the work that transfers have been served up to date."""
    elapsed = m.now - m.served_until
    if elapsed == 0:
        return
    m.served_until = m.now
    for k in range(m.actives):
        c = m.active[k]
        m.served[c] += elapsed * m.rate[m.rate_row + c]
        if m.served[c] > LARGEST:
            # Only differences matter, so count from 0 again.
            lower_keys(m, FLOWS + c, m.served[c])
            m.served[c] = 0


def join(m: Machine, c: int, work: int, occurrence: int) -> None:
    """Begin a transfer of class `c` with `work` units to move."""
    serve(m)
    if m.count[c] == 0:
        m.served[c] = 0
        m.active[m.actives] = c
        m.actives += 1
    push(m, FLOWS + c, m.served[c] + work, 0, c, occurrence)
    m.count[c] += 1
    m.mix += m.multiplier[c]
    m.changed = 1


def leave(m: Machine) -> int:
    """Move the transfers that are done to `done`, in the order in which they joined, and return how many there are."""
    serve(m)
    found = 0
    k = 0
    while k < m.actives:
        c = m.active[k]
        while first_key(m, FLOWS + c) <= m.served[c]:
            _, number, _, _, occurrence = pop(m, FLOWS + c)
            m.count[c] -= 1
            m.mix -= m.multiplier[c]
            place = found
            while place > 0 and m.done_number[place - 1] > number:
                m.done_number[place] = m.done_number[place - 1]
                m.done[place] = m.done[place - 1]
                place -= 1
            m.done_number[place] = number
            m.done[place] = occurrence
            found += 1
        if m.count[c]:
            k += 1
        else:
            m.actives -= 1
            m.active[k] = m.active[m.actives]
    if found:
        m.changed = 1
    return found


def share(m: Machine) -> None:
    """Share the capacities anew, log how much of each is taken, and note when the next transfer ends if none joins
    before.
    """
    m.changed = 0
    find_rates(m)
    log = m.loads * (1 + m.resources)
    m.loads += 1
    m.load_log[log] = m.now
    for r in range(m.resources):
        m.load_log[log + 1 + r] = 0
    m.flow_time = NEVER
    for k in range(m.actives):
        c = m.active[k]
        count, rate = m.count[c], m.rate[m.rate_row + c]
        end = m.served_until - (m.served[c] - first_key(m, FLOWS + c)) // rate
        if end < m.flow_time:
            m.flow_time = end
        for use in range(m.use_begin[c], m.use_begin[c + 1]):
            m.load_log[log + 1 + m.use_resource[use]] += count * rate * m.use_weight[use]
    if m.flow_time != NEVER:
        m.pushed += 1
        m.flow_number = m.pushed


def find_rates(m: Machine) -> None:
    """Point `rate_row` at the rates for the present counts.

    Rates depend on the counts only, so those of recent combinations are remembered.
    """
    place = m.mix % m.rate_rows
    m.rate_row = place * m.classes
    known = m.rate_actives[place] == m.actives
    for k in range(m.actives):
        c = m.active[k]
        known = known and m.rate_count[m.rate_row + c] == m.count[c]
    if not known:
        m.rate_actives[place] = m.actives
        fair_rates(m)
