"""The simulated card as a device: the target that it is, programs for it, and their simulated times."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ...backends.cpu.session import OnnxSession
from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError
from ...backends.runtime.api.property_values import Values
from ...backends.runtime.devices.device import Device
from ...backends.runtime.devices.loaded_model import LoadedModel
from ...backends.runtime.devices.mixed_samples import mixes_samples
from ...backends.runtime.devices.served_model import ServedModel
from ...backends.runtime.devices.simulated_model import SimulatedModel
from ...backends.runtime.requests.inference import Arrays
from ...backends.targets.target import load_target
from ..cache.entry_of import CacheOptions, entry_of
from ..cache.program_cache import CachedProgram
from ..compilation.compile_options import CompileOptions
from .compile_job import compile_apart

if TYPE_CHECKING:
    from ...backends.program.program import Program

LARGEST_BATCH = 32
"""The largest batch that is tried when the best one is looked for."""
_GAIN = 1.05
"""The best batch is the smallest whose throughput this factor does not beat."""


class TpuDevice(Device):
    """A card with a simulated accelerator. `load_nanoseconds`: how long it takes in virtual time to load a model."""

    def __init__(self, name: str = "TPU.0", load_nanoseconds: int = 0) -> None:
        self.name = name
        self._load_nanoseconds = load_nanoseconds
        self._compiled: WeakKeyDictionary[ServedModel, dict[str, _Made]] = WeakKeyDictionary()
        """Programs of models that are not loaded yet, by their options as JSON."""

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
        """Return the nodes of a model that the import takes: those too that become calls of the host, which are part of
        the card's program. None if something else is wrong with the model, or what it refuses is within a function.
        """
        from ...dialects.context import make_context
        from ..onnx_import.importer import import_onnx
        from ..onnx_import.problems import RefusedNodesError

        try:
            import_onnx(model.source, make_context(), **_sizes(model, 1))
        except RefusedNodesError as error:
            if error.nodes <= set(model.nodes):
                return [node for node in model.nodes if node not in error.nodes]
            return ()
        except DiagnosticError:
            return ()
        return model.nodes

    @property
    def largest_batch(self) -> int:
        """The largest batch that is tried."""
        return LARGEST_BATCH

    def most_instances(self, settings: Mapping[str, Any]) -> int:
        """Return how many cores the target has."""
        return load_target(settings["TARGET"]).cores

    def optimal_batch(self, model: ServedModel, settings: Mapping[str, Any]) -> int:
        """Return the smallest batch whose simulated throughput is within 5% of the best, among powers of two; 1 if the
        model cannot be batched.
        """
        if model.whole_ports:
            return 1
        rates: dict[int, float] = {}
        batch = 1
        while batch <= LARGEST_BATCH:
            try:
                program = self._program(model, batch, settings).program
                loaded = SimulatedModel({batch: program}, instances=settings["INSTANCES"])
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
        """Return programs for the batches, or for single inferences of a model that cannot be batched, or that mixes
        samples, with a warning.

        Raises DiagnosticError as `compile_model` does.
        """
        if model.whole_ports and max(batches) > 1:
            port = model.whole_ports[0]
            warnings.warn(
                f"'{model.name}' is served singly: axis 0 of '{port.name}', of shape "
                f"{list(port.shape)}, is neither open nor 1",
                stacklevel=2,
            )
        sizes = [1] if model.whole_ports else batches
        programs = {batch: self._program(model, batch, settings) for batch in sizes}
        kept = self._compiled.pop(model, {})
        largest = max(programs)
        plain = {batch: each.program for batch, each in programs.items()}
        if largest > 1 and 1 in plain and mixes_samples(plain, largest):
            warnings.warn(
                f"'{model.name}' is served singly: it mixes the samples of a batch", stacklevel=2
            )
            plain = {1: plain[1]}
        compute = None
        if settings["VALUES"] is Values.CPU:
            compute = OnnxSession(model.source).run
        elif settings["VALUES"] is Values.NONE:
            compute = _nothing
        loaded = SimulatedModel(
            plain,
            compute,
            settings["TIME_SCALE"],
            instances=settings["INSTANCES"],
            host_gigabytes_per_second=settings["HOST_GIGABYTES_PER_SECOND"],
        )
        loaded.loaded_from_cache = all(each.is_from_cache for each in kept.values())
        return loaded

    def _program(self, model: ServedModel, batch: int, settings: Mapping[str, Any]) -> _Made:
        """Return the program for a batch, compiled unless it was since the model was loaded last, or is in a cache."""
        options, sizes = _options(settings), _sizes(model, batch)
        key = json.dumps({**options, **sizes}, default=str)
        kept = self._compiled.setdefault(model, {})
        if key not in kept:
            folder = settings["CACHE_DIR"]
            cache = CacheOptions(Path(folder), settings["CACHE_SIZE"]) if folder else None
            with entry_of(model.source, CompileOptions(**options), sizes, cache, _warn_of) as entry:
                if entry.found is not None:
                    kept[key] = _Made(entry.found.program, True)
                else:
                    kept[key] = _Made(compile_apart(model.source, {**options, **sizes}), False)
                    entry.put(CachedProgram(kept[key].program))
        return kept[key]


@dataclass(frozen=True)
class _Made:
    """A program, and whether it is from a cache."""

    program: Program
    is_from_cache: bool


def _warn_of(diagnostic: Diagnostic) -> None:
    """Pass on what a cache tells, but that another process compiles the same."""
    if diagnostic.severity == "warning":
        warnings.warn(str(diagnostic), stacklevel=2)


def _sizes(model: ServedModel, batch: int) -> dict[str, Any]:
    """Return the options of the import that set axis 0 to `batch`, or to 1 where only some inputs leave it open."""
    if not model.whole_ports:
        return {"batch": batch}
    is_open = {each.name: each.shape for each in model.inputs if each.shape[:1] == (None,)}
    if len(is_open) == len(model.inputs):
        return {"batch": 1}
    shapes = {name: [1, *shape[1:]] for name, shape in is_open.items() if None not in shape[1:]}
    return {"input_shapes": shapes} if shapes else {}


def _nothing(sample: Arrays) -> None:
    """Compute no values: only the time matters."""


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `compile_model` that settings say."""
    calibration = settings["CALIBRATION"] or None
    quantize = settings["QUANTIZE"] or ("f16" if calibration is None else "int8")
    options: dict[str, Any] = {
        "target": settings["TARGET"],
        "quantize": quantize,
        "calibration": calibration,
    }
    instances, cores = settings["INSTANCES"], settings["CORES"]
    available = load_target(settings["TARGET"]).cores
    if cores:
        options["cores"] = cores
    elif instances > 1:
        options["cores"] = max(1, available // instances)
    return options
