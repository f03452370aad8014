"""An instance: a loaded model on the cores that are its own, with its part of the host beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..clocks.clock import Clock, Outcome
from ..devices.loaded_model import LoadedModel
from ..requests.inference import Arrays, Inference

Ended = Callable[[Sequence[Inference], Outcome[Sequence[Arrays]]], None]


class Instance:
    """Runs inferences through three stages: the host prepares, the device computes, the host collects.

    Up to `set_size` runs are under way at once. Of these one is in the device at any time, and one with the host, so
    that from two on the host's time hides behind the device's.
    """

    def __init__(self, model: LoadedModel, clock: Clock, name: str, set_size: int = 1) -> None:
        self.model, self.set_size = model, set_size
        self._clock = clock
        self._host, self._device = clock.lane(f"{name}-host"), clock.lane(f"{name}-device")
        self._under_way = 0
        self._is_cold = True

    @property
    def is_free(self) -> bool:
        """Whether it takes another run."""
        return self._under_way < self.set_size

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs on it."""
        return not self._under_way

    def run(self, inferences: Sequence[Inference], batch: int, ended: Ended) -> None:
        """Run inferences together, by the compiled batch of that size; then call `ended`, in an action."""
        self._under_way += 1
        times, self._is_cold = self.model.times(batch, first=self._is_cold), False
        samples = [each.inputs for each in inferences if each.inputs is not None]
        work = _Work(self.model, samples, batch) if len(samples) == len(inferences) else None

        def collected(outcome: Outcome[Sequence[Arrays]]) -> None:
            self._under_way -= 1
            ended(inferences, outcome)

        def prepared(first: Outcome[None]) -> None:
            if first.error is not None:
                collected(Outcome(error=first.error))
            else:
                for each in inferences:
                    each.prepared = self._clock.now()
                self._device.do(
                    work and work.execute,
                    times.device,
                    lambda outcome: executed(outcome, first.late + outcome.late),
                )

        def executed(outcome: Outcome[None], late: int) -> None:
            if outcome.error is not None:
                collected(Outcome(error=outcome.error))
            else:
                for each in inferences:
                    each.executed = self._clock.now()
                self._host.do(
                    work and work.collect,
                    times.host_out,
                    lambda last: collected(Outcome(last.value, last.error, late + last.late)),
                )

        self._host.do(work and work.prepare, times.host_in, prepared)

    def close(self) -> None:
        """Let its lanes end when they are through."""
        self._host.close()
        self._device.close()


class _Work:
    """The values of a run, from stage to stage."""

    def __init__(self, model: LoadedModel, samples: Sequence[Arrays], batch: int) -> None:
        self._model, self._samples, self._batch = model, samples, batch
        self._values = None

    def prepare(self) -> None:
        self._values = self._model.prepare(self._samples, self._batch)

    def execute(self) -> None:
        self._values = self._model.execute(self._values, self._batch)

    def collect(self) -> Sequence[Arrays]:
        count = len(self._samples)
        outputs = self._model.collect(self._values, self._batch, count)
        if len(outputs) != count:
            raise RuntimeError(f"the device gave outputs of {len(outputs)} samples, not of {count}")
        return outputs
