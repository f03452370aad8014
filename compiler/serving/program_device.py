"""A card that has one program, which was compiled before, and runs nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.program.program import Program
from ...backends.runtime.api.property_values import Values
from ...backends.runtime.devices.device import Device
from ...backends.runtime.devices.loaded_model import LoadedModel
from ...backends.runtime.devices.served_model import ServedModel
from ...backends.runtime.devices.simulated_model import SimulatedModel


class ProgramDevice(Device):
    """The simulated card of a program: the model is what its ports say."""

    def __init__(self, program: Program, name: str = "TPU.0") -> None:
        self.name, self._program = name, program

    @property
    def full_name(self) -> str:
        """What it is."""
        return f"{self._program.target.name} with the program '{self._program.name}'"

    def supported_nodes(self, model: ServedModel, settings: Mapping[str, Any]) -> Collection[str]:
        """Return all nodes: they are in the program."""
        return model.nodes

    def load(
        self, model: ServedModel, batches: Sequence[int], settings: Mapping[str, Any]
    ) -> LoadedModel:
        """Return the program, ready to run.

        Raises DiagnosticError if a batch is asked for, or values that only the model could give.
        """
        if max(batches) > 1:
            raise DiagnosticError(
                "a program has the batch that it was compiled for",
                hint="leave the batch out, or give the ONNX model",
            )
        if settings["VALUES"] is Values.CPU:
            raise DiagnosticError(
                "a program has no model that the CPU could run", hint="VALUES is SIMULATOR or NONE"
            )
        return SimulatedModel(
            {1: self._program},
            _nothing if settings["VALUES"] is Values.NONE else None,
            settings["TIME_SCALE"],
            instances=settings["INSTANCES"],
            host_gigabytes_per_second=settings["HOST_GIGABYTES_PER_SECOND"],
        )


def _nothing(sample: object) -> None:
    """Compute no values: only the time matters."""
