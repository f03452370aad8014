"""The world's clock: one thread runs the actions, and each lane has a thread of its own."""

from __future__ import annotations

import heapq
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar, cast

from .clock import Action, Clock, Lane, Outcome
from .virtual_clock import VirtualTimer, outcome_of

T = TypeVar("T")


class RealClock(Clock):
    """Counts the nanoseconds since it was made.

    An error in an action is printed as an error of a thread is (`threading.excepthook`), and harms no other action.
    """

    def __init__(self) -> None:
        self._start = time.monotonic_ns()
        self._asked = 0
        self._coming: list[tuple[int, int, VirtualTimer]] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._questions: set[queue.SimpleQueue] = set()
        self._thread = threading.Thread(target=self._serve, name="smalti-clock", daemon=True)
        self._thread.start()

    def now(self) -> int:
        """Return the time."""
        return time.monotonic_ns() - self._start

    def call_at(self, time: int, action: Action) -> VirtualTimer:
        """Call an action at a time, at once if it is past, on the clock's thread."""
        timer = VirtualTimer(action)
        with self._changed:
            if not self._is_closed:
                heapq.heappush(self._coming, (time, self._asked, timer))
                self._asked += 1
                self._changed.notify()
        return timer

    def event(self) -> RealEvent:
        """Return an event that threads wait for."""
        return RealEvent()

    def lane(self, name: str, *, always: bool = False) -> RealLane:
        """Return a lane, which is a thread of that name; it does all its work."""
        return RealLane(self, name)

    def ask(self, question: Callable[[], T]) -> T:
        """Wait for the clock's thread to call the function; on that thread itself call it."""
        if threading.current_thread() is self._thread:
            return question()
        answers: queue.SimpleQueue[Outcome[T] | None] = queue.SimpleQueue()
        with self._changed:
            if not self._is_closed:
                self._questions.add(answers)
        if answers not in self._questions:
            raise RuntimeError("the clock is closed")
        self.call_soon(lambda: answers.put(outcome_of(question)))
        answer = answers.get()
        self._questions.discard(answers)
        if answer is None:
            raise RuntimeError("the clock is closed")
        if answer.error is not None:
            raise answer.error
        return cast(T, answer.value)

    def close(self) -> None:
        """Let the action that runs be the last one."""
        with self._changed:
            self._is_closed = True
            self._coming.clear()
            self._changed.notify()
            for answers in self._questions:
                answers.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _serve(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except BaseException:
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))

    def _next(self) -> Action | None:
        """Return the next action once its time has come; None if the clock is closed."""
        with self._changed:
            while not self._is_closed:
                wait = (self._coming[0][0] - self.now()) / 1e9 if self._coming else None
                if wait is not None and wait <= 0:
                    timer = heapq.heappop(self._coming)[2]
                    action, timer.action = timer.action, None
                    if action is not None:
                        return action
                else:
                    self._changed.wait(wait)
        return None


class RealEvent:
    """Something that happens once in real time."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Let it have happened."""
        self._event.set()

    def is_set(self) -> bool:
        """Tell whether it has happened."""
        return self._event.is_set()

    def wait(self, nanoseconds: int | None = None) -> bool:
        """Block until it has happened, or for so much time; tell whether it has happened."""
        return self._event.wait(None if nanoseconds is None else nanoseconds / 1e9)


class RealLane(Lane):
    """A thread that does its work, and does not end a piece before its time is over."""

    def __init__(self, clock: RealClock, name: str) -> None:
        self._clock = clock
        self._pieces: queue.SimpleQueue[Action | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def do(
        self,
        work: Callable[[], T] | None,
        nanoseconds: int,
        done: Callable[[Outcome[T]], None],
    ) -> None:
        """Do the work on the lane's thread; `done` is called at the later of its time and its being ready."""
        self._pieces.put(lambda: self._do(work, nanoseconds, done))

    def close(self) -> None:
        """End the thread after the work that it has."""
        self._pieces.put(None)

    def _do(
        self,
        work: Callable[[], T] | None,
        nanoseconds: int,
        done: Callable[[Outcome[T]], None],
    ) -> None:
        due = self._clock.now() + nanoseconds
        outcome: Outcome[T] = Outcome() if work is None else outcome_of(work)
        late = self._clock.now() - due
        if late < 0:
            time.sleep(-late / 1e9)
        ended = Outcome(outcome.value, outcome.error, max(late, 0))
        self._clock.call_soon(lambda: done(ended))

    def _serve(self) -> None:
        while (piece := self._pieces.get()) is not None:
            piece()
