"""A model on the CPU, run by ONNX Runtime."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...cpu.session import OnnxSession
from ..requests.inference import Arrays
from .loaded_model import LoadedModel, StageTimes


@dataclass
class CpuModel(LoadedModel):
    """A session of ONNX Runtime, which takes inferences one by one.

    `nanoseconds`: how long an inference takes in virtual time; 0 in real time, where it takes as long as it takes.
    """

    most_instances = sys.maxsize
    """Any number: ONNX Runtime takes runs of one session from several threads."""

    session: OnnxSession
    nanoseconds: int = 0

    @property
    def batches(self) -> Sequence[int]:
        """Only single ones: ONNX Runtime uses all cores for each."""
        return (1,)

    def times(self, batch: int, *, first: bool) -> StageTimes:
        """Return that all time is the device's."""
        return StageTimes(0, self.nanoseconds, 0)

    def prepare(self, samples: Sequence[Arrays], batch: int) -> Any:
        """Return the sample as it is."""
        return samples[0]

    def execute(self, prepared: Any, batch: int) -> Any:
        """Run the session. Raises DiagnosticError if ONNX Runtime cannot."""
        return self.session.run(prepared)

    def collect(self, results: Any, batch: int, count: int) -> Sequence[Arrays]:
        """Return the outputs of the sample."""
        return [results]
