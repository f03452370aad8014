"""The simulated card as a device: the target that it is, programs for it, and their simulated times."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...backends.cpu.session import OnnxSession
from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.runtime.api.property_values import Values
from ...backends.runtime.devices.device import Device
from ...backends.runtime.devices.loaded_model import LoadedModel
from ...backends.runtime.devices.served_model import ServedModel
from ...backends.runtime.devices.simulated_model import SimulatedModel
from ...backends.runtime.requests.inference import Arrays
from ...backends.targets.target import load_target
from .compile_job import compile_apart

LARGEST_BATCH = 32
"""The largest batch that is tried when the best one is looked for."""
_GAIN = 1.05
"""The best batch is the smallest whose throughput this factor does not beat."""


class TpuDevice(Device):
    """A card with a simulated accelerator. `load_nanoseconds`: how long it takes in virtual time to load a model."""

    def __init__(self, name: str = "TPU.0", load_nanoseconds: int = 0) -> None:
        self.name = name
        self._load_nanoseconds = load_nanoseconds

    @property
    def full_name(self) -> str:
        """What it is; the property TARGET says which machine it simulates."""
        return "Smalti's simulated accelerator"

    @property
    def capabilities(self) -> Sequence[str]:
        """The types of numbers that it computes in."""
        return ("FP32", "FP16", "BF16", "INT8", "INT4")

    def load_nanoseconds(self) -> int:
        """Return how long it takes in virtual time to load a model."""
        return self._load_nanoseconds

    def supported_nodes(self, model: ServedModel, settings: Mapping[str, Any]) -> Collection[str]:
        """Return all nodes of a model that the import takes, and none of another."""
        from ...dialects.context import make_context
        from ..onnx_import.importer import import_onnx

        try:
            import_onnx(model.source, make_context(), batch=1)
        except DiagnosticError:
            return ()
        return model.nodes

    def optimal_batch(self, model: ServedModel, settings: Mapping[str, Any]) -> int:
        """Return the smallest batch whose simulated throughput is within 5% of the best, among powers of two."""
        rates: dict[int, float] = {}
        batch = 1
        while batch <= LARGEST_BATCH:
            try:
                loaded = self.load(model, [batch], settings)
            except DiagnosticError:
                if not rates:
                    raise
                break  # this many do not fit
            rates[batch] = batch / loaded.times(batch, first=False).device
            if batch > 1 and rates[batch] < rates[batch // 2]:
                break
            batch *= 2
        best = max(rates.values())
        return min(batch for batch, rate in rates.items() if rate * _GAIN >= best)

    def load(
        self, model: ServedModel, batches: Sequence[int], settings: Mapping[str, Any]
    ) -> LoadedModel:
        """Return programs for the batches. Raises DiagnosticError as `compile_model` does."""
        programs = {
            batch: compile_apart(model.source, _options(settings, batch)) for batch in batches
        }
        compute = None
        if settings["VALUES"] is Values.CPU:
            compute = OnnxSession(model.source).run
        elif settings["VALUES"] is Values.NONE:
            compute = _nothing
        return SimulatedModel(programs, compute, settings["TIME_SCALE"])


def _nothing(sample: Arrays) -> None:
    """Compute no values: only the time matters."""


def _options(settings: Mapping[str, Any], batch: int) -> dict[str, Any]:
    """Return the options of `compile_model` for a batch."""
    calibration = settings["CALIBRATION"] or None
    quantize = settings["QUANTIZE"] or ("f16" if calibration is None else "int8")
    options: dict[str, Any] = {
        "target": settings["TARGET"],
        "quantize": quantize,
        "calibration": calibration,
        "batch": batch,
    }
    instances, cores = settings["INSTANCES"], settings["CORES"]
    available = load_target(settings["TARGET"]).cores
    if cores:
        options["cores"] = cores
    elif instances > 1:
        options["cores"] = max(1, available // instances)
    return options
