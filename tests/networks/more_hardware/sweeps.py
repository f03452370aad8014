"""Targets with more and more of one kind of hardware, and how many cycles a layer takes on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import Target, load_target, reference_to
from smalti.compiler.compilation.compilation import Compilation, start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.passes.top_to_tpu.precision.schemes import Quantize

from .layers import LAYERS

FORMATS: tuple[Quantize, ...] = ("int8", "f32")
_TARGET = "default-8c"


def _with(part: str, **fields: Any) -> Target:
    """The default target with other values of some fields of a part of it."""
    base = load_target(_TARGET)
    changed = getattr(base, part).model_copy(update=fields)
    return base.model_copy(update={part: changed})


def _with_cores(cores: float) -> Target:
    return load_target(_TARGET).model_copy(update={"cores": int(cores)})


def _with_lanes(factor: float) -> Target:
    lanes = load_target(_TARGET).vector.lanes
    return _with("vector", lanes={name: int(count * factor) for name, count in lanes.items()})


def _with_bandwidth(factor: float) -> Target:
    base = load_target(_TARGET).global_memory.gigabytes_per_second
    return _with("global_memory", gigabytes_per_second=base * factor)


def _with_local_memory(factor: float) -> Target:
    base = load_target(_TARGET).local_memory.size_bytes
    return _with("local_memory", size_bytes=int(base * factor))


@dataclass(frozen=True)
class Axis:
    """A kind of hardware: the target with each of `values` of it, ascending, and by which share a layer may take more
    cycles with the next value. `few` are the values of a quick sweep.
    """

    values: tuple[float, ...]
    few: tuple[float, ...]
    target: Callable[[float], Target]
    tolerance: float = 0.02


AXES: Mapping[str, Axis] = {
    "cores": Axis((1, 2, 3, 4, 5, 6, 7, 8), (4, 5, 8), _with_cores),
    "lanes": Axis((0.25, 0.5, 1, 2), (1, 2), _with_lanes),
    "bandwidth": Axis((0.5, 1, 2, 4), (1, 2), _with_bandwidth),
    "local_memory": Axis((0.25, 0.5, 1, 2), (0.5, 1), _with_local_memory),
    "queues": Axis((1, 2, 4), (1, 2), lambda count: _with("dma", queues=int(count)), 0.05),
    "outstanding": Axis(
        (2, 4, 8, 16), (4, 8), lambda count: _with("dma", outstanding=int(count)), 0.05
    ),
}


@dataclass(frozen=True, order=True)
class Sweep:
    """A layer in a format, on targets along an axis."""

    layer: str
    quantize: Quantize
    axis: str

    def __str__(self) -> str:
        return f"{self.layer}-{self.quantize}-{self.axis}"


@dataclass(frozen=True)
class Swept:
    """The cycles that a layer takes with each of some values of an axis."""

    sweep: Sweep
    values: tuple[float, ...]
    cycles: tuple[int, ...]

    @property
    def steps(self) -> Iterator[tuple[float, float]]:
        """The value of the axis after each step, and by which share more cycles it takes than the one before."""
        for value, before, after in zip(
            self.values[1:], self.cycles[:-1], self.cycles[1:], strict=True
        ):
            yield value, after / before - 1

    @property
    def violations(self) -> list[tuple[float, float]]:
        """The steps that make the layer slower than the axis tolerates."""
        tolerance = AXES[self.sweep.axis].tolerance
        return [(value, slower) for value, slower in self.steps if slower > tolerance]


class Sweeper:
    """Compiles a layer in a format, imported and calibrated once, for one target after the other."""

    def __init__(self, layer: str, quantize: Quantize) -> None:
        self.layer, self.quantize = layer, quantize
        found = LAYERS[layer]
        calibration = found.calibration() if quantize == "int8" else None
        options = CompileOptions(None, None, quantize, calibration)
        self._start = start_from_model(found.model(layer), options)
        self._start.lower_to("top")
        self._cycles: dict[str, int] = {}

    def sweep(self, axis: str, is_quick: bool = False) -> Swept:
        """The cycles of the layer along an axis; with few of its values if that is to be quick."""
        chosen = AXES[axis]
        values = chosen.few if is_quick else chosen.values
        cycles = tuple(self.cycles(chosen.target(value)) for value in values)
        return Swept(Sweep(self.layer, self.quantize, axis), values, cycles)

    def cycles(self, target: Target) -> int:
        """The cycles of the layer on a target; what is known of an equal one is not measured again."""
        known = self._cycles.get(target.content_hash)
        if known is None:
            start = self._start
            options = replace(start.options, target=reference_to(target), calibration=None)
            module, ctx = start.module.clone(), start.ctx.fork()
            compilation = Compilation(module, ctx, options, verify_each=False, keep_levels=False)
            timing = simulate(compilation.assemble(), mode="timing").timing
            assert timing is not None
            known = self._cycles[target.content_hash] = timing.cycles
        return known
