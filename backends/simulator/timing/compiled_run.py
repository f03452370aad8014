"""Runs `compiled_machine.py` from the first instruction to the last."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numba
import numpy as np

from ..deadlock import deadlock_error
from ..streams import Streams
from . import compiled_machine, timeline
from . import machine_tables as at
from .costs import Costs
from .machine_tables import make_memory, with_larger_ring
from .timeline import Timeline

_CACHE_NAME = Path(compiled_machine.__file__).stem


def is_compiled() -> bool:
    """Whether the machine code is on disk, made of the present sources: starting it then takes no
    compilation.
    """
    return _marker().exists()


def _cache_folder() -> Path:
    """Where numba keeps the machine code."""
    return Path(compiled_machine.advance.stats.cache_path or "")


def _marker() -> Path:
    """The file that says that numba has kept machine code of the present sources.

    numba looks at the file of a function only, not at the constants of other modules that are part
    of it.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for module in (compiled_machine, at, timeline):
        digest.update(Path(module.__file__ or "").read_bytes())
    return _cache_folder() / f"{_CACHE_NAME}.{digest.hexdigest()[:16]}.compiled"


def _begin(memory: np.ndarray) -> int:
    """Starts the machine and returns what `advance` does; where its code has to be compiled, leaves none of
    other sources on disk.
    """
    marker = _marker()
    if not marker.exists():
        for old in marker.parent.glob(f"{_CACHE_NAME}.*"):
            if old.suffix in (".nbi", ".nbc", ".compiled"):
                old.unlink(missing_ok=True)
    compiled_machine.begin(memory)
    ending = compiled_machine.advance(memory)
    marker.touch()
    return ending


def run_compiled(
    streams: Streams, costs: Costs, repeat: int, signal_latency: int
) -> Timeline | None:
    """As `machine.run_machine`; None where a number does not fit 64 bits, which Python's integers
    do.
    """
    memory = make_memory(streams, costs, repeat, signal_latency)
    if memory is None:
        return None
    stalls, loads = [], []
    ending = _begin(memory)
    while ending == at.FULL:
        stalls.append(_take_log(memory, at.STALLS))
        loads.append(_take_log(memory, at.LOADS))
        if memory[at.SIGNALS] + memory[at.SIGNAL_ROOM] > memory[at.RING_SIZE]:
            memory = with_larger_ring(memory)
        ending = compiled_machine.advance(memory)
    if ending == at.OVERFLOW:
        return None
    engines = _table(memory, at.ENGINE_TABLE, int(memory[at.ENGINES]), at.ENGINE_COLUMNS)
    if (engines[:, at.RETIRED] < engines[:, at.TOTAL]).any():
        raise _deadlock(streams, memory, engines)
    start, move, end, cause = (
        _table(memory, table, len(streams) * repeat, 1)[:, 0].copy()
        for table in (at.START, at.MOVE, at.END, at.CAUSE)
    )
    spent = _table(memory, at.SPENT, len(engines), at.STATES).copy()
    now = max(int(end.max(initial=0)), int(memory[at.NOW]))
    spent[np.arange(len(engines)), engines[:, at.STATE]] += now - engines[:, at.SINCE]
    stalls.append(_take_log(memory, at.STALLS))
    loads.append(_take_log(memory, at.LOADS))
    load = np.concatenate(loads)
    return Timeline(
        start, move, end, cause, spent, np.concatenate(stalls), load[:, 0], load[:, 1:],
        len(streams), repeat,
    )  # fmt: skip


def _table(memory: np.ndarray, name: int, rows: int, columns: int) -> np.ndarray:
    first = int(memory[name])
    return memory[first : first + rows * columns].reshape(rows, columns)


def _take_log(memory: np.ndarray, count: int) -> np.ndarray:
    """The stalls or loads noted since the last time, which are thereby taken."""
    rows, memory[count] = int(memory[count]), 0
    if count == at.STALLS:
        return _table(memory, at.STALL_LOG, rows, at.STALL_COLUMNS).copy()
    return _table(memory, at.LOAD_LOG, rows, 1 + int(memory[at.RESOURCES])).copy()


def _deadlock(streams: Streams, memory: np.ndarray, engines: np.ndarray) -> Exception:
    """The report of a run that cannot go on."""
    retired, total = (engines[:, column].tolist() for column in (at.RETIRED, at.TOTAL))
    pairs = zip(streams.queues, retired, total, strict=True)
    heads = [queue[done % len(queue)] for queue, done, all_ in pairs if done < all_]
    waited = sorted({wait[0] for wait in streams.counter_wait if wait is not None})
    repeat = int(memory[at.REPEAT])
    counters = _table(memory, at.COUNTER_TABLE, repeat * len(waited), at.COUNTER_COLUMNS)
    values = counters[:, at.VALUE].reshape(repeat, len(waited))

    def value(counter: int) -> int:
        last, first = values[[-1, 0], waited.index(counter)].tolist()
        return last or first

    return deadlock_error(streams, heads, retired, value)
