"""The world's clock: one thread runs the actions, and each lane has a thread of its own."""

from __future__ import annotations

import asyncio
import heapq
import queue
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from .clock import Action, Clock, Lane, Outcome, Timer, outcome_of

T = TypeVar("T")

_CALLBACKS = 1000
"""How many pieces of work may go on beside each other; threads are started only when all others are busy."""


class RealClock(Clock):
    """Counts the nanoseconds since it was made.

    An error in an action is printed as an error of a thread is (`threading.excepthook`), and harms no other action.
    """

    def __init__(self) -> None:
        self._start = time.monotonic_ns()
        self._asked = 0
        self._coming: list[tuple[int, int, Timer]] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._events: weakref.WeakSet[RealEvent] = weakref.WeakSet()
        self._questions: set[queue.SimpleQueue] = set()
        self._beside = ThreadPoolExecutor(_CALLBACKS, "smalti-callback")
        self._thread = threading.Thread(target=self._serve, name="smalti-clock", daemon=True)
        self._thread.start()

    def now(self) -> int:
        """Return the time."""
        return time.monotonic_ns() - self._start

    def call_at(self, time: int, action: Action) -> Timer:
        """Call an action at a time, at once if it is past, on the clock's thread."""
        timer = Timer(action)
        with self._changed:
            if not self._is_closed:
                heapq.heappush(self._coming, (time, self._asked, timer))
                self._asked += 1
                self._changed.notify()
        return timer

    def event(self) -> RealEvent:
        """Return an event that threads wait for; it ends their wait when the clock is closed."""
        event = RealEvent()
        with self._changed:
            self._events.add(event)
            if self._is_closed:
                event.give_up()
        return event

    def lane(self, name: str, *, always: bool = False) -> RealLane:
        """Return a lane, which is a thread of that name; it does all its work."""
        return RealLane(self, name)

    def ask(self, question: Callable[[], T]) -> T:
        """Wait for the clock's thread to call the function; on that thread itself call it."""
        if threading.current_thread() is self._thread:
            return question()
        answers: queue.SimpleQueue[Outcome[T] | None] = queue.SimpleQueue()
        with self._changed:
            if self._is_closed:
                raise RuntimeError("the clock is closed")
            self._questions.add(answers)
        self.call_soon(lambda: answers.put(outcome_of(question)))
        answer = answers.get()
        with self._changed:
            self._questions.discard(answers)
        if answer is None:
            raise RuntimeError("the clock is closed")
        if answer.error is not None:
            raise answer.error
        return cast(T, answer.value)

    def beside(self, work: Callable[[], T], done: Callable[[Outcome[T]], None]) -> None:
        """Do the work on a thread that is idle, or on a new one."""

        def serve() -> None:
            outcome = outcome_of(work)
            self.call_soon(lambda: done(outcome))

        self._beside.submit(serve)

    def close(self) -> None:
        """Let the action that runs be the last one; end the waits for events and answers."""
        with self._changed:
            self._is_closed = True
            self._coming.clear()
            self._changed.notify()
            for answers in self._questions:
                answers.put(None)
            for event in list(self._events):
                event.give_up()
        self._beside.shutdown(wait=False)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _serve(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except BaseException:
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))
            del action  # it may hold a model that nobody else has any more

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
                    self._changed.wait(_possible(wait))
        return None


class RealEvent:
    """Something that happens once in real time."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._has_happened = False
        self._loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    def set(self) -> None:
        """Let it have happened."""
        self._has_happened = True
        self.give_up()

    def give_up(self) -> None:
        """End all waits, also if it has not happened."""
        with self._lock:
            self._event.set()
            loops, self._loops = self._loops, []
        for loop, through in loops:
            if not loop.is_closed():
                loop.call_soon_threadsafe(through.set)

    def is_set(self) -> bool:
        """Tell whether it has happened."""
        return self._has_happened

    def wait(self, nanoseconds: int | None = None) -> bool:
        """Block until it has happened, or for so much time; tell whether it has happened."""
        self._event.wait(_possible(None if nanoseconds is None else nanoseconds / 1e9))
        return self._has_happened

    async def wait_async(self) -> bool:
        """Wait until it has happened while the loop's other tasks go on."""
        through = asyncio.Event()
        with self._lock:
            if not self._event.is_set():
                self._loops.append((asyncio.get_running_loop(), through))
            else:
                through.set()
        await through.wait()
        return self._has_happened


class RealLane(Lane):
    """A thread that does its work, and does not end a piece before its time is over.

    The times of pieces that were given while others were under way follow each other: an oversleep is not added up.
    """

    def __init__(self, clock: RealClock, name: str) -> None:
        self._clock = clock
        self._free = 0
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
        asked = self._clock.now()
        self._pieces.put(lambda: self._do(work, asked, nanoseconds, done))

    def close(self) -> None:
        """End the thread after the work that it has."""
        self._pieces.put(None)

    def _do(
        self,
        work: Callable[[], T] | None,
        asked: int,
        nanoseconds: int,
        done: Callable[[Outcome[T]], None],
    ) -> None:
        due = max(self._free, asked) + nanoseconds
        outcome: Outcome[T] = Outcome() if work is None else outcome_of(work)
        ready = self._clock.now()
        if ready < due:
            time.sleep((due - ready) / 1e9)
        self._free = max(due, ready)
        ended = Outcome(outcome.value, outcome.error, max(ready - due, 0))
        self._clock.call_soon(lambda: done(ended))

    def _serve(self) -> None:
        while (piece := self._pieces.get()) is not None:
            piece()
            del piece  # it may hold a model that nobody else has any more


def _possible(seconds: float | None) -> float | None:
    """Return a time that a thread can wait for."""
    return None if seconds is None else min(max(seconds, 0.0), threading.TIMEOUT_MAX)
