"""The CPU, on which ONNX Runtime computes in the model's own numbers."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from ...cpu.session import OnnxSession
from .cpu_model import CpuModel
from .device import Device
from .loaded_model import LoadedModel
from .served_model import ServedModel


class CpuDevice(Device):
    """`nanoseconds`: how long an inference takes, and `load`ing, in virtual time; 0 in real time, where they take as
    long as they take.
    """

    name = "CPU"

    def __init__(self, nanoseconds: int = 0, load_nanoseconds: int = 0) -> None:
        self._nanoseconds, self._load = nanoseconds, load_nanoseconds

    @property
    def full_name(self) -> str:
        """The processor's name."""
        return f"{platform.processor() or platform.machine()} (ONNX Runtime)"

    @property
    def helps_at_startup(self) -> bool:
        """It loads in milliseconds."""
        return True

    def load_nanoseconds(self) -> int:
        """Return how long it takes in virtual time to load a model."""
        return self._load

    def most_instances(self, settings: Mapping[str, Any]) -> int:
        """Return the number of processors: more make nothing faster."""
        return os.cpu_count() or 1

    def load(
        self, model: ServedModel, batches: Sequence[int], settings: Mapping[str, Any]
    ) -> LoadedModel:
        """Return a session of ONNX Runtime. Raises DiagnosticError if that rejects the model."""
        return CpuModel(OnnxSession(model.source), self._nanoseconds)
