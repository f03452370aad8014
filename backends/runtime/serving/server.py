"""One loaded model in service: a line of inferences, a policy of batching, and instances that run what is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

from ...diagnostics.diagnostic import DiagnosticError
from ..batching.batch_policy import BatchPolicy
from ..batching.cheapest_runs import cheapest_runs
from ..clocks.clock import Clock, Outcome, Timer
from ..requests.deadlines import Deadlines, TooLate
from ..requests.inference import Arrays, Inference, State
from ..requests.waiting_line import WaitingLine
from .instance import Instance
from .shared_device import SharedDevice

Failed = Callable[[Inference, BaseException], None]


class QueueFull(Exception):
    """No more inferences may wait."""


class Server:
    """Starts what is due on instances that are free, oldest instances first. All methods are called in actions.

    `capacity`: how many inferences keep it busy; `batch`: how many run together at most. `most_waiting`: how many
    inferences may wait, None for any number.
    `shared`: the device, if other models may be on it too, who wait with this one by `priority`, the highest first.
    `deadlines`: what becomes of late ones, None if deadlines are not looked at. `on_failure` gets an inference that
    failed on the device, by itself, and may have it served elsewhere; `on_refusal` one that does not fit the device.
    """

    def __init__(
        self,
        clock: Clock,
        device: str,
        instances: Sequence[Instance],
        policy: BatchPolicy,
        *,
        most_waiting: int | None = None,
        shared: SharedDevice | None = None,
        priority: int = 0,
        deadlines: Deadlines | None = None,
        on_failure: Failed | None = None,
        on_refusal: Failed | None = None,
    ) -> None:
        self.policy, self.priority = policy, priority
        self._clock, self._device, self._instances = clock, device, instances
        self._most_waiting, self._deadlines = most_waiting, deadlines
        self._on_failure = on_failure or (lambda each, error: each.fail(error, clock.now()))
        self._on_refusal = on_refusal or (lambda each, error: each.fail(error, clock.now()))
        self._line = WaitingLine()
        self._wake: int | None = None
        self._timer: Timer | None = None
        self._flushed = -1
        self._model = model = instances[0].model
        self._shared = SharedDevice() if shared is None else shared
        self._part = Fraction(0) if shared is None else model.share
        self._times = {batch: model.times(batch, first=False).total for batch in model.batches}
        self._runs: dict[int, list[int]] = {}

        self._running = 0
        self._is_retired = False
        self.loaded_from_cache = model.loaded_from_cache
        self.batch = max(model.batches)
        self.capacity = self.batch * sum(each.set_size for each in instances)

    @property
    def rank(self) -> tuple[float, float]:
        """What orders it among the servers of the device: its priority, and how long its first inference waits."""
        return -self.priority, self._line.oldest if self._line else float("inf")

    @property
    def has_room(self) -> bool:
        """Whether one more inference may wait."""
        return self._most_waiting is None or self.waiting < self._most_waiting

    @property
    def waiting(self) -> int:
        """How many inferences wait."""
        return len(self._line)

    @property
    def under_way(self) -> int:
        """How many inferences wait or run."""
        return len(self._line) + self._running

    def submit(self, inference: Inference, *, accepted: bool = False) -> None:
        """Let an inference wait for its start. Raises QueueFull, unless it has been `accepted` elsewhere before."""
        if self._is_retired:
            raise RuntimeError(f"{self._device} serves no more")
        if not accepted and not self.has_room:
            raise QueueFull(f"{self.waiting} inferences wait, and no more may")
        inference.state = State.WAITING
        if inference.inputs is not None:
            try:
                self._model.check(inference.inputs)
            except DiagnosticError as error:
                self._on_refusal(inference, error)
                return
        self._line.add(inference)
        if self._deadlines is not None:
            self._deadlines.watch(inference)
        self.pump()

    def cancel(self, inference: Inference) -> None:
        """End an inference; what a device makes of it is dropped."""
        self._line.remove(inference)
        inference.cancel(self._clock.now())
        self.pump()

    def flush(self, until: int | None = None) -> None:
        """Let all be due that have arrived until a time, now if it is None: their callers wait, and send no more."""
        self._flushed = self._clock.now() if until is None else until
        self.pump()

    def take_back(self) -> list[Inference]:
        """Take out all that wait, to be served elsewhere."""
        taken = self._line.take(len(self._line))
        self.pump()
        return taken

    def pump(self) -> None:
        """Start all that is due, as far as instances are free, and come back when more is. To be called too when the
        policy has changed.
        """
        now = self._clock.now()
        if self._deadlines is not None:
            for late in self._deadlines.apply(self._line, now):
                late.fail(TooLate("the deadline can no longer be met"), now)
        waited, wake = self._shared.leave(self), None
        while self._line and (instance := self._free_instance()) is not None:
            due = self._due(now)
            if due > now:
                wake = due
                break
            if not self._take(instance):
                break
            self._start(instance, self._taken(), now)
        self._wake_at(wake)
        if waited and not self._shared.waits(self):
            self._shared.pump()
        if self._is_retired and not self.under_way:
            for instance in self._instances:
                instance.close()

    def retire(self) -> None:
        """Free the instances once nothing is under way. Nothing more may be submitted."""
        self._is_retired = True
        self.flush()

    def _free_instance(self) -> Instance | None:
        return next((each for each in self._instances if each.is_free), None)

    def _take(self, instance: Instance) -> bool:
        """Take an instance's part of the device, unless it has it; tell whether it is its turn."""
        return self._shared.take(self, self._part if instance.is_idle else Fraction(0))

    def _due(self, now: int) -> int:
        return now if self._line.oldest <= self._flushed else self.policy.due(self._line, now)

    def _taken(self) -> list[Inference]:
        """Take those that start together out of the line."""
        taken = self._line.take(self.policy.size(self._line))
        singles = [place for place, each in enumerate(taken) if each.is_single]
        if singles and len(taken) > 1:
            kept = max(singles[0], 1)
            self._line.put_back(taken[kept:])
            return taken[:kept]
        return taken

    def _start(self, instance: Instance | None, inferences: list[Inference], now: int) -> None:
        """Run inferences that are due, in the compiled batches that take the least time for so many, each on an
        instance that is free; those for which there is none go back and are due.
        """
        count = len(inferences)
        if count not in self._runs:
            self._runs[count] = cheapest_runs(count, self._times)
        for batch in self._runs[count]:
            if instance is None:
                self._flushed = max(self._flushed, *(each.arrived for each in inferences))
                self._line.put_back(inferences)
                return
            part, inferences = inferences[:batch], inferences[batch:]
            self._running += len(part)
            for each in part:
                each.start(now, self._device, count)
            instance.run(part, batch, partial(self._ended, instance))
            if inferences:
                instance = self._free_instance()
                if instance is not None and not self._take(instance):
                    instance = None

    def _ended(
        self,
        instance: Instance,
        inferences: Sequence[Inference],
        outcome: Outcome[Sequence[Arrays]],
    ) -> None:
        now = self._clock.now()
        self._running -= len(inferences)
        if instance.is_idle:
            self._shared.give_back(self._part)
        if outcome.error is not None:
            self._heed_failure([each for each in inferences if not each.state.is_end], outcome)
        else:
            outputs = [None] * len(inferences) if outcome.value is None else outcome.value
            for each, given in zip(inferences, outputs, strict=True):
                each.late = outcome.late
                each.finish(given, now)
        self.pump()
        self._shared.pump()

    def _heed_failure(
        self, inferences: list[Inference], outcome: Outcome[Sequence[Arrays]]
    ) -> None:
        """Run those of a batch that failed one by one, as the fault may be that of one of them."""
        assert outcome.error is not None
        for each in inferences:
            if len(inferences) > 1:
                each.is_single, each.state = True, State.WAITING
                self._flushed = max(self._flushed, each.arrived)
                self._line.add(each)
            else:
                self._on_failure(each, outcome.error)

    def _wake_at(self, time: int | None) -> None:
        """Come back at a time, and when the next deadline passes."""
        if self._line and self._deadlines is not None and self._deadlines.next is not None:
            time = self._deadlines.next if time is None else min(time, self._deadlines.next)
        if time == self._wake:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wake = time
        self._timer = None if time is None else self._clock.call_at(time, self._woken)

    def _woken(self) -> None:
        self._wake = self._timer = None
        self.pump()
