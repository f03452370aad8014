"""Runs a machine in plain Python, which starts quickly and takes 10 µs an instruction."""

from __future__ import annotations

import numpy as np

from . import machine
from .machine_state import NEVER, Machine
from .machine_tables import FirstState


class PlainRun:
    """A machine whose tables are lists, which Python reads faster than arrays."""

    def __init__(self, state: FirstState) -> None:
        scalars = state.scalars | {"signal_limit": NEVER}
        tables = {name: table.tolist() for name, table in state.tables.items()}
        heaps = [[] for _ in range(1 + scalars["classes"])]
        self._machine = Machine(**scalars, **tables, heaps=heaps)

    def begin(self) -> None:
        """Do the same as `machine.begin`."""
        machine.begin(self._machine)

    def advance(self) -> int:
        """Do the same as `machine.advance`."""
        return machine.advance(self._machine)

    def scalar(self, name: str) -> int:
        """Return the value of a field that is a number."""
        return getattr(self._machine, name)

    def table(self, name: str, length: int | None = None) -> np.ndarray:
        """Return a copy of a field that is a list, or of its first entries, int64."""
        return np.array(getattr(self._machine, name)[:length], np.int64)

    def make_room(self) -> None:
        """Empty the logs."""
        self._machine.stalls = self._machine.loads = 0
