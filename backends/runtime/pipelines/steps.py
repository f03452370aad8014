"""The steps of a pipeline: a model on its devices, or work of the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..clocks.clock import Clock, Lane, Outcome
from ..requests.inference import Arrays, Inference, State

Done = Callable[[Outcome[Any]], None]


class Serving(Protocol):
    """What a step needs of a compiled model."""

    def start(self, inputs: Arrays, on_end: Callable[[Inference], None]) -> Inference:
        """Give an inference to the devices. Raises QueueFull."""
        ...

    def through(self, inference: Inference) -> None:
        """Note, in an action, that an inference is through."""
        ...


@dataclass(frozen=True)
class ModelStep:
    """A compiled model: `inputs` makes arrays by name of a value, `outputs` a value of it and of the model's arrays."""

    model: Serving
    inputs: Callable[[Any], Mapping[str, np.ndarray]]
    outputs: Callable[[Any, Arrays], Any] = lambda value, arrays: arrays


@dataclass(frozen=True)
class HostStep:
    """Work of the host, one value after the other, which takes `nanoseconds` of virtual time.

    With `splits` it gives a list, whose values go on by themselves; with `joins` it takes the list of all that came of
    the last split, in its order.
    """

    work: Callable[[Any], Any]
    nanoseconds: int = 0
    splits: bool = False
    joins: bool = False


Step = ModelStep | HostStep


class Stage:
    """A step at work. All methods are called in actions."""

    def __init__(self, step: Step, clock: Clock, name: str) -> None:
        self.step, self._clock = step, clock
        self._lane: Lane | None = (
            clock.lane(name, always=True) if isinstance(step, HostStep) else None
        )

    def do(self, value: Any, done: Done) -> None:
        """Work on a value, then call `done`, in an action."""
        step = self.step
        if isinstance(step, HostStep):
            assert self._lane is not None
            self._lane.do(lambda: step.work(value), step.nanoseconds, done)
            return

        def ended(inference: Inference) -> None:
            self._clock.call_soon(lambda: collect(inference))

        def collect(inference: Inference) -> None:
            step.model.through(inference)
            done(_outcome(step, value, inference))

        try:
            step.model.start(step.inputs(value), ended)
        except Exception as error:  # a full queue, or a mistake in `inputs`: of this item only
            done(Outcome(error=error))

    def close(self) -> None:
        """Let the host's work end when it is through."""
        if self._lane is not None:
            self._lane.close()


def _outcome(step: ModelStep, value: Any, inference: Inference) -> Outcome[Any]:
    if inference.state is not State.DONE:
        return Outcome(
            error=inference.error or RuntimeError(f"the inference was {inference.state.value}")
        )
    try:
        return Outcome(step.outputs(value, inference.outputs or {}))
    except Exception as error:  # the caller's function, for this item
        return Outcome(error=error)
