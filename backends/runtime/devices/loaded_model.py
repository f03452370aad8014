"""The device: all that policies know of the hardware that inferences run on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..requests.inference import Arrays


@dataclass(frozen=True)
class StageTimes:
    """How many nanoseconds a run takes in each stage: the host before the device, the device, the host after it."""

    host_in: int
    device: int
    host_out: int

    @property
    def total(self) -> int:
        """The time of a run that waits for nobody."""
        return self.host_in + self.device + self.host_out


class LoadedModel(ABC):
    """A model, compiled for one or several sizes of batches, on a device that it is ready to run on."""

    most_instances: int = 1
    """How many instances of it may run side by side."""
    loaded_from_cache: bool = False
    """Whether nothing was compiled for it: a cache had all its programs."""

    @property
    def share(self) -> Fraction:
        """The part of the device that an instance has for itself while it runs."""
        return Fraction(1, self.most_instances)

    def check(self, sample: Arrays) -> None:  # noqa: B027 (a device may take any sample)
        """Raise DiagnosticError if a sample does not fit, so that it never comes into a batch with others."""

    @property
    @abstractmethod
    def batches(self) -> Sequence[int]:
        """The sizes of batches that it is compiled for, ascending."""

    @abstractmethod
    def times(self, batch: int, *, first: bool) -> StageTimes:
        """Return the times of a run of a compiled batch; the `first` run on an instance may take longer."""

    @abstractmethod
    def prepare(self, samples: Sequence[Arrays], batch: int) -> Any:
        """Return what the device takes of samples, which may be fewer than the batch. The host's part."""

    @abstractmethod
    def execute(self, prepared: Any, batch: int) -> Any:
        """Return what the device makes of what was prepared. Raises whatever the device does when it fails."""

    @abstractmethod
    def collect(self, results: Any, batch: int, count: int) -> Sequence[Arrays]:
        """Return the outputs of the first `count` samples of a batch. The host's part."""
