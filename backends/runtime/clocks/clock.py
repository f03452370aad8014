"""The clock: all that policies know of time and threads.

Times are integers of nanoseconds since the clock began. Actions run one at a time, in the order of their times and, at
the same time, in the order in which they were asked for: code that only ever runs in actions needs no locks, and is the
same in real and in virtual time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
Action = Callable[[], None]

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000


class Timer:
    """An action that is to come; None once it has, or shall not."""

    __slots__ = ("action",)

    def __init__(self, action: Action) -> None:
        self.action: Action | None = action

    def cancel(self) -> None:
        """Let the action not happen; nothing if it has happened already."""
        self.action = None


class Event(Protocol):
    """Something that happens once, and that callers wait for."""

    def set(self) -> None:
        """Let it have happened."""
        ...

    def is_set(self) -> bool:
        """Tell whether it has happened."""
        ...

    def wait(self, nanoseconds: int | None = None) -> bool:
        """Return once it has happened, or when so much time has passed; tell whether it has happened. Without a limit
        that is False if it cannot happen any more, such as when the clock was closed.
        """
        ...

    async def wait_async(self) -> bool:
        """Wait as `wait` does without a limit, while the tasks of asyncio's loop go on."""
        ...


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What a piece of work gave: a value, None if nobody computed it, or an error; and how many nanoseconds later than
    it should have been at the clock's pace it was ready.
    """

    value: T | None = None
    error: BaseException | None = None
    late: int = 0


class Lane(ABC):
    """Does pieces of work one after the other, in the order in which they are given: an engine, or a thread."""

    @abstractmethod
    def do(
        self,
        work: Callable[[], T] | None,
        nanoseconds: int,
        done: Callable[[Outcome[T]], None],
    ) -> None:
        """Do a piece of work that takes so much time; then call `done`, in an action.

        Without `work` only the time passes. In real time the work may take longer than its nanoseconds, and ends when
        it is ready; in virtual time it takes them exactly. A lane is used in actions only.
        """

    @abstractmethod
    def close(self) -> None:
        """Take no more work; what was given is still done."""


class Clock(ABC):
    """Tells the time, calls actions at their times, and lends lanes that take time."""

    @abstractmethod
    def now(self) -> int:
        """Return the time."""

    @abstractmethod
    def call_at(self, time: int, action: Action) -> Timer:
        """Call an action at a time, at once if it is past. Any thread may ask for that."""

    @abstractmethod
    def event(self) -> Event:
        """Return something that callers, of any thread, wait for; never in an action."""

    @abstractmethod
    def lane(self, name: str, *, always: bool = False) -> Lane:
        """Return a new lane; its name is for people who look at threads. `always`: its work is done even where time is
        all that matters.
        """

    @abstractmethod
    def beside(self, work: Callable[[], T], done: Callable[[Outcome[T]], None]) -> None:
        """Do work beside everything else, which it may wait for; then call `done`, in an action."""

    @abstractmethod
    def close(self) -> None:
        """Let no more actions happen; who waits for an event waits no more."""

    @abstractmethod
    def ask(self, question: Callable[[], T]) -> T:
        """Return what a function gives in an action; what it raises comes out here. Any thread may ask, an action too.

        Raises RuntimeError if the clock is closed.
        """

    def call_soon(self, action: Action) -> None:
        """Call an action as soon as those that were asked for before are through."""
        self.call_at(self.now(), action)


def outcome_of(work: Callable[[], T]) -> Outcome[T]:
    """Do a piece of work and return what it gave, be it an error."""
    try:
        return Outcome(work())
    except (
        Exception,
        SystemExit,
    ) as error:  # whatever devices and callbacks raise belongs to their callers
        return Outcome(error=error)
