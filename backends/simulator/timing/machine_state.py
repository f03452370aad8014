"""The state of a timing simulation, which consists of numbers and lists of numbers only.

The rules (`machine.py`, `engine_states.py`, `transfers.py`, `sharing.py`) run on this class in
plain Python, and on one int64 array when they are translated (`translation.py`). So every field of
`Machine` but `heaps` is an `int` or a `list[int]`; a table of several dimensions is one list, row
after row.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

NONE = -1
"""Stands for no instruction, engine, class or counter."""
PASSES = -1
"""Stands for the interval between the folds of a sync, which passes through the unit beside them."""
NEVER = 1 << 61
"""A time that is never reached."""
LARGEST = 1 << 60
"""The largest time or work allowed: the sum of two still fits 64 bits."""
STALL_COLUMNS = HEAP_COLUMNS = 5

EventRow = tuple[int, int, int, int, int]
"""A row of a heap: the key and the running number that order rows; then a kind, a place, an occurrence."""


@dataclass(slots=True, eq=False)
class Machine:
    """The whole state of a simulation.

    Instructions are numbered as in `streams.Streams`, occurrences as in `timeline.Timeline`.
    """

    # What is simulated.
    size: int  # instructions
    engines: int
    outstanding: int  # transfers that an engine may have under way
    slots: int  # transfers of an engine that move data at a time
    hop: int  # ticks that a signal takes to another core
    waited: int  # counters that somebody waits for
    groups: int  # multicast groups, and the members of all of them
    members: int

    # Time, and what is under way.
    now: int
    pushed: int  # rows that heaps have been given
    signals: int  # signals on their way to other cores
    signal_room: int  # signals that one event may send
    signal_limit: int  # signals that there is room for

    # Transfers.
    classes: int
    resources: int
    actives: int  # classes in `active`
    rate_rows: int  # combinations of counts whose rates are remembered
    rate_row: int  # where the rates in force begin in `rate`
    mix: int  # of the counts: says where their rates are remembered
    changed: int  # 1 if transfers joined or left since bandwidth was shared
    served_until: int  # the time that `served` is of
    flow_time: int  # when the next transfer ends, NEVER if none moves data
    flow_number: int  # its place among events of that time

    # Logs.
    stalls: int  # rows in use
    loads: int
    log_rows: int  # rows that there is room for

    # By instruction.
    ticks: list[int]
    latency: list[int]
    fill: list[int]  # of `ticks`: until the first fold streams
    stream: list[int]  # of `ticks`: the last fold
    drain: list[int]  # of `ticks`: after it
    interval: list[int]  # from one fold to the next; 0 if it is alone in the engine, or PASSES
    flow_class: list[int]  # NONE for what is no transfer
    work: list[int]
    group: list[int]  # NONE outside of multicasts
    follows: list[int]  # 1 for a store of a multicast but the first: its data are the first one's
    engine: list[int]
    position: list[int]  # in the engine's queue
    wait_begin: list[int]  # its waits for engines: from here to where the next one's begin
    signal_begin: list[int]
    wait_value: list[int]  # 0 if it waits for no counter
    wait_counter: list[int]
    # By wait for an engine.
    wait_engine: list[int]
    wait_count: list[int]
    # By signal.
    signal_counter: list[int]  # NONE if nobody waits for it
    signal_own: list[int]  # 1 if the counter is the own core's
    # By occurrence.
    queue: list[int]  # the queues of all engines, one after the other
    start: list[int]
    move: list[int]
    worked: list[int]
    end: list[int]
    cause: list[int]
    ready: list[int]  # 1 when its latency is over
    moved: list[int]  # 1 when all its data have moved

    # By engine.
    first: list[int]  # where its queue begins in `queue`
    length: list[int]  # instructions of one repetition, and of all
    total: list[int]
    round_begin: list[int]  # the engines that must be done before it repeats: from here
    round_end: list[int]  # to before here
    is_dma: list[int]
    head: list[int]  # occurrences taken, retired, and of which data have begun to move
    retired: list[int]
    begun: list[int]
    issuing: list[int]  # 1 if it can take no further instruction yet
    moving: list[int]  # transfers past their latency, and those of them that wait in a multicast
    rendezvous: list[int]
    following: list[int]  # stores under way whose `follows` is 1: they take no place of their own
    streaming: list[int]  # the last occurrence whose folds stream
    next_fold: list[int]  # when the first fold of the next instruction may stream
    work_end: list[int]  # when the last instruction taken streams no longer, and when it ends
    last_end: list[int]
    blocked: list[int]  # the state that a wait puts it in, FINISHED if it does not wait
    need: list[int]  # the count or value that it waits for
    state: list[int]
    since: list[int]
    delayed: list[int]  # the occurrence that a stalled engine could not go on with
    next_waiter: list[int]  # the engine behind it in the same line
    spent: list[int]  # [engines, states]
    # Lines of waiting engines: one for each engine, then one for each counter.
    line_first: list[int]
    line_last: list[int]
    # By counter, one set for each repetition.
    counter: list[int]
    # By multicast group; `arrived` and `met` have a set for each repetition.
    arrivals: list[int]  # members
    met_begin: list[int]  # where its members begin in `met`
    arrived: list[int]  # members that have arrived
    met: list[int]  # which ones

    # By class of transfers.
    limit: list[int]
    count: list[int]  # transfers that move data
    served: list[int]  # work that one transfer has been served since some origin
    multiplier: list[int]  # its weight in `mix`
    use_begin: list[int]  # its uses of resources: from here to where the next class's begin
    reached: list[int]
    active: list[int]  # the classes with transfers that move data, in no order
    rate_actives: list[int]  # [rate_rows]: classes whose count is not 0
    rate_count: list[int]  # [rate_rows, classes]: counts, and the rates that go with them
    rate: list[int]
    # By use of a resource.
    use_resource: list[int]
    use_weight: list[int]  # how many times its rate a transfer takes
    # By resource.
    capacity: list[int]
    left: list[int]
    demand: list[int]
    # Transfers that end now, and their running numbers.
    done: list[int]
    done_number: list[int]

    # Logs: rows as in `timeline.Timeline`.
    stall_log: list[int]
    load_log: list[int]  # the time, then the load of each resource

    heaps: list[list[EventRow]]  # events, then the transfers of each class


SCALARS = tuple(field.name for field in fields(Machine) if field.type == "int")
"""The fields of `Machine` that are numbers."""
TABLES = tuple(field.name for field in fields(Machine) if field.type == "list[int]")
"""The fields of `Machine` that are lists of numbers."""
