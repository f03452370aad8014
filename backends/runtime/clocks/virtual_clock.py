"""A clock that jumps from one action to the next: an hour of traffic passes in seconds, and always in the same way."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import TypeVar

from .clock import Action, Clock, Lane, Outcome, Timer, outcome_of

T = TypeVar("T")


class VirtualClock(Clock):
    """Keeps time by the actions that it runs: `run` to go through them, or wait for an event.

    `computes`: whether lanes do the work that they are given, at the moment when it would be ready; otherwise they only
    take its time. It belongs to one thread. An error in an action comes out of the `run` or wait that it happened in.
    """

    def __init__(self, *, computes: bool = False) -> None:
        self.computes = computes
        self._now = 0
        self._asked = 0
        self._coming: list[tuple[int, int, Timer]] = []
        self._is_closed = False

    def now(self) -> int:
        """Return the time of the action that runs, or of the last one."""
        return self._now

    def call_at(self, time: int, action: Action) -> Timer:
        """Call an action at a time, at the present one if it is past."""
        timer = Timer(action)
        if not self._is_closed:
            heapq.heappush(self._coming, (max(time, self._now), self._asked, timer))
            self._asked += 1
        return timer

    def event(self) -> VirtualEvent:
        """Return an event; who waits for it lets time pass."""
        return VirtualEvent(self)

    def lane(self, name: str, *, always: bool = False) -> VirtualLane:
        """Return a lane that takes exactly the time that its work is said to take."""
        return VirtualLane(self, computes=self.computes or always)

    def ask(self, question: Callable[[], T]) -> T:
        """Call the function now: there is but one thread, and it is in no action or in the one that asks."""
        if self._is_closed:
            raise RuntimeError("the clock is closed")
        return question()

    def beside(self, work: Callable[[], T], done: Callable[[Outcome[T]], None]) -> None:
        """Do the work in an action of the present; it may wait for events, and takes no time."""
        self.call_soon(lambda: done(outcome_of(work)))

    def close(self) -> None:
        """Forget the actions that are to come."""
        self._is_closed = True
        self._coming.clear()

    def run(self, until: int | None = None) -> None:
        """Run all actions up to a time, and let that be the time; or until there are none left."""
        while self.step(until):
            pass
        if until is not None:
            self._now = max(self._now, until)

    def step(self, until: int | None = None) -> bool:
        """Run the next action; tell whether there was one, not later than `until`."""
        while self._coming:
            time, _, timer = self._coming[0]
            if until is not None and time > until:
                return False
            heapq.heappop(self._coming)
            if timer.action is not None:
                self._now, action = time, timer.action
                timer.action = None
                action()
                return True
        return False


class VirtualEvent:
    """Something that happens once in virtual time."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._has_happened = False

    def set(self) -> None:
        """Let it have happened."""
        self._has_happened = True

    def is_set(self) -> bool:
        """Tell whether it has happened."""
        return self._has_happened

    def wait(self, nanoseconds: int | None = None) -> bool:
        """Run actions until it has happened, or until so much time has passed; tell whether it has happened.

        Without a limit it returns False if no action is left that could let it happen.
        """
        until = None if nanoseconds is None else self._clock.now() + nanoseconds
        while not self._has_happened and self._clock.step(until):
            pass
        if not self._has_happened and until is not None:
            self._clock.run(until)
        return self._has_happened

    async def wait_async(self) -> bool:
        """Run actions until it has happened; the loop's other tasks have their turn before each."""
        while not self._has_happened:
            await asyncio.sleep(0)
            if not self._has_happened and not self._clock.step():
                break
        return self._has_happened


class VirtualLane(Lane):
    """Takes the time of its work, one piece after the other."""

    def __init__(self, clock: VirtualClock, *, computes: bool) -> None:
        self._clock, self._computes = clock, computes
        self._free = 0

    def do(
        self,
        work: Callable[[], T] | None,
        nanoseconds: int,
        done: Callable[[Outcome[T]], None],
    ) -> None:
        """Call `done` when the pieces before this one, and its own time, are over."""
        self._free = max(self._free, self._clock.now()) + nanoseconds
        if work is None or not self._computes:
            self._clock.call_at(self._free, lambda: done(Outcome()))
        else:
            self._clock.call_at(self._free, lambda: done(outcome_of(work)))

    def close(self) -> None:
        """Nothing is held."""
