"""Asks a compiled model for inferences, and records what becomes of them; in real and in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..clocks.clock import Clock, Event
from ..requests.inference import Arrays, Inference
from ..serving.server import QueueFull
from .arrivals import Arrivals, Interval, Pool
from .record import Record

Progress = Callable[[int], None]
"""Gets how many inferences have ended."""


class Asked(Protocol):
    """What traffic needs of a compiled model."""

    clock: Clock

    def start(self, inputs: Arrays, on_end: Callable[[Inference], None]) -> Inference:
        """Give an inference to the devices. Raises QueueFull."""
        ...

    def through(self, inference: Inference) -> None:
        """Note, in an action, that an inference is through."""
        ...

    def flush(self) -> None:
        """Let incomplete batches start: no more is sent."""
        ...


@dataclass(frozen=True)
class Limit:
    """When no more inferences are asked for: after so many, or so many nanoseconds after the first one."""

    count: int | None = None
    nanoseconds: int | None = None


def drive(
    model: Asked,
    samples: Sequence[Arrays],
    arrivals: Arrivals,
    limit: Limit,
    progress: Progress | None = None,
) -> list[Record]:
    """Ask for inferences of the samples, one after the other and again from the first, until the limit; return, once
    all have ended, what became of them, in the order of their arrival.

    Those for which the queue has no room are recorded as failed. Raises ValueError if the limit says nothing.
    """
    if limit.count is None and limit.nanoseconds is None:
        raise ValueError("traffic without a limit never ends")
    traffic = _Traffic(model, samples, arrivals, limit, progress or _silent, model.clock.event())
    model.clock.call_soon(traffic.begin)
    traffic.ended.wait()
    return sorted(traffic.records, key=lambda record: record.number)


def _silent(count: int) -> None:
    """Say nothing."""


@dataclass
class _Traffic:
    """Inferences that are under way. All methods are called in actions."""

    model: Asked
    samples: Sequence[Arrays]
    arrivals: Arrivals
    limit: Limit
    progress: Progress
    ended: Event
    records: list[Record] = field(default_factory=list)
    sent: int = 0
    began: int = 0
    held: Iterator[int] | None = None
    """The gaps to go on with once a request is free."""

    def begin(self) -> None:
        self.began = self.model.clock.now()
        if isinstance(self.arrivals, Pool):
            while self.sent < self.arrivals.size and not self.is_over:
                self.send_next()
        else:
            self.arrive(self.began, self.arrivals.gaps())
        self.end_if_all()

    @property
    def is_over(self) -> bool:
        """Whether no more is sent."""
        count, nanoseconds = self.limit.count, self.limit.nanoseconds
        passed = self.model.clock.now() - self.began
        is_late = nanoseconds is not None and passed >= nanoseconds
        return is_late or (count is not None and self.sent >= count)

    def arrive(self, due: int, gaps: Iterator[int]) -> None:
        """Send an inference, and come back when the next one is due: times do not add up their delays."""
        if self.is_over:
            self.end_if_all()
            return
        most = self.arrivals.most if isinstance(self.arrivals, Interval) else None
        if most is not None and self.sent - len(self.records) >= most:
            self.held = gaps
            return
        self.send_next()
        due += next(gaps)
        self.model.clock.call_at(due, lambda: self.arrive(due, gaps))

    def send_next(self) -> None:
        if self.is_over:
            return
        number, self.sent = self.sent, self.sent + 1
        now = self.model.clock.now()
        try:
            self.model.start(
                self.samples[number % len(self.samples)],
                lambda inference: self.note(number, inference),
            )
        except QueueFull as error:
            refused = Record(number, now, now, now, now, now, "", 0, 0, str(error))
            self.records.append(refused)
            self.model.clock.call_soon(self.go_on)

    def note(self, number: int, inference: Inference) -> None:
        """Record what became of an inference, then go on."""
        self.records.append(Record.of(number, inference))

        def through() -> None:
            self.model.through(inference)
            self.go_on()

        # Not within the action that ends it: the devices are free for the next one only after that.
        self.model.clock.call_soon(through)

    def go_on(self) -> None:
        self.progress(len(self.records))
        if isinstance(self.arrivals, Pool):
            self.send_next()
        if self.held is not None:
            gaps, self.held = self.held, None
            self.arrive(self.model.clock.now(), gaps)
        self.end_if_all()

    def end_if_all(self) -> None:
        """Let the caller go once all is through; let those that wait start once no more comes."""
        if not self.is_over:
            return
        if len(self.records) >= self.sent:
            self.ended.set()
        else:
            self.model.flush()
