"""Runs a machine compiled by numba: under 1 µs an instruction, once numba is installed and has compiled it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numba
import numpy as np

from ..streams.streams import ENGINE_COUNT
from . import (
    compiled_machine,
    engine_states,
    machine,
    machine_state,
    sharing,
    timeline,
    transfers,
    translation,
)
from .machine_state import HEAP_COLUMNS, SCALARS
from .machine_tables import FirstState
from .translation import ALL_TABLES, HEAP_BEGIN, HEAP_SIZE, PLACES

_COMPILED = (machine, engine_states, transfers, sharing, compiled_machine)
"""The modules whose functions are compiled."""
_CONSTANTS = (machine_state, timeline, translation)
"""The modules whose constants become part of the machine code."""


def is_compiled() -> bool:
    """Return whether machine code of the present sources is on disk, so that starting it takes no compilation."""
    return _marker().exists()


def _cache_folder() -> Path:
    """Return where numba keeps the machine code."""
    return Path(compiled_machine.advance.stats.cache_path)


def _stem(module: object) -> str:
    return Path(getattr(module, "__file__", "")).stem


def _marker() -> Path:
    """Return the path of the file whose existence says that numba has kept machine code of the present sources.

    numba only checks the file of a compiled function, not the functions that it calls, nor the constants of other
    modules that are part of its machine code.
    """
    digest = hashlib.sha256(f"{numba.__version__} {ENGINE_COUNT}".encode())
    for module in (*_COMPILED, *_CONSTANTS):
        digest.update(Path(module.__file__ or "").read_bytes())
    return _cache_folder() / f"{_stem(compiled_machine)}.{digest.hexdigest()[:16]}.compiled"


def _forget_other_sources() -> None:
    """Remove the machine code that numba has kept of this machine."""
    for module in _COMPILED:
        for file in _cache_folder().glob(f"{_stem(module)}.*"):
            if file.suffix in (".nbi", ".nbc", ".compiled"):
                file.unlink(missing_ok=True)


class CompiledRun:
    """A machine whose numbers and tables are one array; `translation.py` says where each is."""

    def __init__(self, state: FirstState) -> None:
        """Make the machine. Raises OverflowError if a transfer is too large for 64 bits."""
        tables = dict(state.tables)
        if tables["work"].dtype == object:
            raise OverflowError("a transfer is too large to be counted in 64 bits")
        heaps = 1 + state.scalars["classes"]
        events = state.most_events + state.scalars["signal_limit"]
        flow_words = state.most_moving * HEAP_COLUMNS
        tables[HEAP_SIZE] = np.zeros(heaps, np.int64)
        tables[HEAP_BEGIN] = np.zeros(heaps, np.int64)
        sizes = [len(tables[name]) for name in ALL_TABLES]
        begins = len(PLACES) + np.cumsum([0, *sizes])
        # After the tables come the transfers of each class, then the events, which may need more
        # room.
        flows = begins[-1] + flow_words * np.arange(heaps)
        tables[HEAP_BEGIN][:] = np.roll(flows, 1)
        scalars = np.array([state.scalars[name] for name in SCALARS], np.int64)
        rows = np.zeros(flow_words * (heaps - 1) + events * HEAP_COLUMNS, np.int64)
        parts = [tables[name] for name in ALL_TABLES]
        self._memory = np.concatenate([scalars, begins[:-1], *parts, rows], dtype=np.int64)
        self._lengths = dict(zip(ALL_TABLES, sizes, strict=True))
        self._is_marked = is_compiled()

    def begin(self) -> None:
        """Do the same as `machine.begin`; if that has to be compiled first, remove code of other sources from disk."""
        if not self._is_marked:
            _forget_other_sources()
        compiled_machine.begin(self._memory)

    def advance(self) -> int:
        """Do the same as `machine.advance`."""
        ending = compiled_machine.advance(self._memory)
        if not self._is_marked:
            # Machine code of both functions is on disk now.
            _marker().touch()
            self._is_marked = True
        return ending

    def scalar(self, name: str) -> int:
        """Return the value of a field that is a number."""
        return int(self._memory[PLACES[name]])

    def table(self, name: str, length: int | None = None) -> np.ndarray:
        """Return a copy of a field that is a list, or of its first entries, int64."""
        begin = self.scalar(name)
        length = self._lengths[name] if length is None else length
        return self._memory[begin : begin + length].copy()

    def make_room(self) -> None:
        """Empty the logs, and make room for twice as many signals if there is too little."""
        memory, limit = self._memory, self.scalar("signal_limit")
        memory[PLACES["stalls"]] = memory[PLACES["loads"]] = 0
        if self.scalar("signals") + self.scalar("signal_room") > limit:
            self._memory = np.concatenate([memory, np.zeros(limit * HEAP_COLUMNS, np.int64)])
            self._memory[PLACES["signal_limit"]] = 2 * limit
