"""Items on their way through steps, which work on different items at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...diagnostics.diagnostic import DiagnosticError
from ..clocks.clock import Clock, Event, Outcome
from ..serving.server import QueueFull
from .steps import HostStep, Stage, Step


class Item:
    """What was given to a pipeline, and what becomes of it."""

    def __init__(self, event: Event, arrived: int) -> None:
        self._event = event
        self.arrived, self.ended = arrived, -1
        self.outcome: Outcome[Any] | None = None

    @property
    def latency(self) -> int:
        """The nanoseconds from its start to its end; -1 before that."""
        return -1 if self.ended < 0 else self.ended - self.arrived

    def result(self) -> Any:
        """Wait for the end and return what the last step gave: a list if a split was not joined. Raises what a step
        raised.
        """
        self._event.wait()
        if self.outcome is None:
            raise RuntimeError("the clock was closed before the item ended")
        if self.outcome.error is not None:
            raise self.outcome.error
        return self.outcome.value


@dataclass(eq=False)
class _Part:
    """A value on its way: number `place` of those that one value was split into, or the item itself."""

    item: Item
    whole: _Split | None = None
    place: int = 0


@dataclass(eq=False)
class _Split:
    """The values that came of a part, as far as they have come to the join, or to the end."""

    part: _Part
    values: list[Any] = field(default_factory=list)
    missing: int = 0


class Pipeline:
    """Takes items through `steps`. Of at most `most` items that are under way each step works on another one.

    An error in a step ends the item that it happened with, and no other. Raises DiagnosticError if there are no steps,
    or a join has no split before it.
    """

    def __init__(self, clock: Clock, steps: Sequence[Step], most: int = 64) -> None:
        _check(steps)
        self._clock, self._most = clock, most
        self._stages = [Stage(step, clock, f"pipeline-{place}") for place, step in enumerate(steps)]
        self._under_way: set[Item] = set()
        self._freed: Event | None = None

    def start(self, value: Any) -> Item:
        """Give an item to the first step. Raises QueueFull if no more may be under way."""

        def begin() -> Item:
            if len(self._under_way) >= self._most:
                raise QueueFull(f"{self._most} items are under way, and no more may be")
            item = Item(self._clock.event(), self._clock.now())
            self._under_way.add(item)
            self._go(_Part(item), 0, value)
            return item

        return self._clock.ask(begin)

    def map(self, values: Iterable[Any]) -> list[Any]:
        """Return what comes of values, in their order; waits for room where `most` are under way. Raises the first
        error.
        """
        items: list[Item] = []
        for value in values:
            while len(self._under_way) >= self._most:
                self._freed = self._clock.event()
                if len(self._under_way) >= self._most:
                    self._freed.wait()
            items.append(self.start(value))
        return [item.result() for item in items]

    def close(self) -> None:
        """Let the host's lanes end after the work that they have."""
        self._clock.ask(lambda: [stage.close() for stage in self._stages])

    def _go(self, part: _Part, place: int, value: Any) -> None:
        """Take a value to a step, or to its end."""
        if place == len(self._stages):
            self._end(part, value)
            return
        stage = self._stages[place]
        if isinstance(stage.step, HostStep) and stage.step.joins:
            whole = part.whole
            assert whole is not None
            whole.values[part.place] = value
            whole.missing -= 1
            if whole.missing:
                return
            part, value = whole.part, whole.values
        stage.do(value, lambda outcome: self._done(part, place, outcome))

    def _done(self, part: _Part, place: int, outcome: Outcome[Any]) -> None:
        if part.item not in self._under_way:
            return  # another part of it has failed
        step = self._stages[place].step
        if outcome.error is not None:
            self._finish(part.item, Outcome(error=outcome.error))
        elif isinstance(step, HostStep) and step.splits:
            self._split(part, place, list(outcome.value or ()))
        else:
            self._go(part, place + 1, outcome.value)

    def _split(self, part: _Part, place: int, values: list[Any]) -> None:
        whole = _Split(part, [None] * len(values), len(values))
        if not values:
            self._go_on_without(part, place)
        for number, value in enumerate(values):
            self._go(_Part(part.item, whole, number), place + 1, value)

    def _go_on_without(self, part: _Part, place: int) -> None:
        """Go on where a split gave nothing: with the join, which gets an empty list, or to the end."""
        depth = 0
        for later in range(place + 1, len(self._stages)):
            step = self._stages[later].step
            if isinstance(step, HostStep) and step.joins:
                if not depth:
                    self._stages[later].do(
                        [], lambda outcome, at=later: self._done(part, at, outcome)
                    )
                    return
                depth -= 1
            if isinstance(step, HostStep) and step.splits:
                depth += 1
        self._end(part, [])

    def _end(self, part: _Part, value: Any) -> None:
        """Note what comes of a part; with the last one the whole is done."""
        whole = part.whole
        if whole is None:
            self._finish(part.item, Outcome(value))
            return
        whole.values[part.place] = value
        whole.missing -= 1
        if not whole.missing:
            self._end(whole.part, whole.values)

    def _finish(self, item: Item, outcome: Outcome[Any]) -> None:
        item.outcome, item.ended = outcome, self._clock.now()
        self._under_way.discard(item)
        item._event.set()
        if self._freed is not None:
            self._freed.set()


def _check(steps: Sequence[Step]) -> None:
    if not steps:
        raise DiagnosticError("a pipeline has at least one step")
    depth = 0
    for place, step in enumerate(steps):
        if isinstance(step, HostStep):
            depth -= step.joins
            if depth < 0:
                raise DiagnosticError(f"step {place} joins what no step before it has split")
            depth += step.splits
