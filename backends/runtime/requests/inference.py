"""One inference that a caller asked for, from its arrival to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np

Arrays: TypeAlias = Mapping[str, np.ndarray]
"""Arrays by the name of an input or output: one sample."""


class State(Enum):
    """What has become of an inference."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_end(self) -> bool:
        """Whether nothing more becomes of it."""
        return self in (State.DONE, State.FAILED, State.CANCELED)


@dataclass(eq=False, slots=True)
class Inference:
    """Inputs on their way to outputs. It ends exactly once, and then calls `on_end`.

    Times are those of the clock, in nanoseconds: `arrived`, when a device `started` it, when the host had `prepared`
    it, when the device had `executed` it, when it `ended`; `deadline`, when the caller has no more use for it.
    `is_single`: whether it runs alone, since a batch that it was in failed. `priority`: the lower the number, the
    sooner it is started. `device` and `batch` tell who ran it last and with how many others, `late` how far the host
    was behind the device's time.
    """

    inputs: Arrays | None
    arrived: int
    on_end: Callable[[Inference], None]
    priority: int = 1
    deadline: int | None = None
    state: State = State.WAITING
    outputs: Arrays | None = None
    error: BaseException | None = None
    started: int | None = None
    prepared: int | None = None
    executed: int | None = None
    ended: int | None = None
    device: str = ""
    batch: int = 0
    late: int = 0
    is_single: bool = False

    def start(self, now: int, device: str, batch: int) -> None:
        """Note that a device runs it, in a batch of so many."""
        self.state = State.RUNNING
        self.started, self.device, self.batch = now, device, batch

    def finish(self, outputs: Arrays | None, now: int) -> None:
        """End it with what it gives; nothing if it was canceled meanwhile."""
        if not self.state.is_end:
            self.outputs = outputs
            self._end(State.DONE, now)

    def fail(self, error: BaseException, now: int) -> None:
        """End it with an error; nothing if it was canceled meanwhile."""
        if not self.state.is_end:
            self.error = error
            self._end(State.FAILED, now)

    def cancel(self, now: int) -> bool:
        """End it, whatever a device still makes of it; tell whether it had not ended."""
        if self.state.is_end:
            return False
        self._end(State.CANCELED, now)
        return True

    def _end(self, state: State, now: int) -> None:
        self.state, self.ended, self.inputs = state, now, None
        self.on_end(self)
