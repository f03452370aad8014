"""Finds the inputs that IR of any level declares, and makes arrays for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.interpreter.samples import count_samples, input_tensors, main_function
from ...backends.numerics.storage import dtype_of
from ...dialects import isa, tile
from ...dialects.level import NETWORK_LEVELS
from ...passes.top.calibration_table import Range
from ..calibration.samples import is_random, seed_of
from ..compilation.pipelines import level_of
from ..inputs.arrays import read_npz
from ..inputs.random_inputs import input_ranges, random_input


@dataclass(frozen=True)
class InputSource:
    """Where a tool takes inputs from: arrays by name, and random numbers for what they do not have.

    Args:
        known: arrays by name, of inputs or of any value that becomes an input when a part is cut out.
        seed: of the random numbers.
        is_strict: pass all known arrays on, so that the interpreter refuses wrong names and shapes.
    """

    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    seed: int = 0
    is_strict: bool = False

    @staticmethod
    def of(source: str | Path | Mapping[str, np.ndarray]) -> InputSource:
        """Return the source that is named "random:SEED" or by the path of an .npz, or that has these arrays.

        Raises DiagnosticError if the file cannot be read, or the seed is no whole number.
        """
        if is_random(source):
            return InputSource(seed=seed_of(source))
        return InputSource(read_npz(source) if isinstance(source, str | Path) else source)

    def arrays(self, module: ModuleOp) -> dict[str, np.ndarray]:
        """Return an array for each input: the known one of its name and shape, else random numbers of its type.

        Random numbers fill the range of an input that has one (`input_ranges`). Known arrays may hold several samples
        one after the other along axis 0, if all of them hold the same number.
        """
        ports, ranges = declared_ports(module), ranges_of(module)
        fitting = {
            name: count
            for name, (shape, _) in ports.items()
            if (count := _samples(self.known.get(name), shape))
        }
        samples = min(fitting.values(), default=1)
        inputs: dict[str, np.ndarray] = {}
        for name, (shape, dtype) in ports.items():
            if fitting.get(name) == samples:
                inputs[name] = self.known[name].astype(dtype)
            else:
                lead = (shape[0] * samples, *shape[1:]) if shape else shape
                inputs[name] = random_input(name, lead, dtype, self.seed, ranges.get(name))
        return {**inputs, **self.known} if self.is_strict else inputs


def _samples(array: np.ndarray | None, shape: tuple[int, ...]) -> int:
    """Return how many samples of `shape` an array holds; 0 if there is none, or it does not fit."""
    if array is None:
        return 0
    try:
        return count_samples("", array.shape, shape)
    except DiagnosticError:
        return 0


def ranges_of(module: ModuleOp) -> dict[str, Range]:
    """Return the range of each input that has one, by name; tile and isa IR know none."""
    known = level_of(module) in NETWORK_LEVELS
    return input_ranges(main_function(module)) if known else {}


def declared_ports(module: ModuleOp) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Return shape and type of the model's own tensor for each input, by name, at any level."""
    level = level_of(module)
    if level in NETWORK_LEVELS:
        tensors = input_tensors(main_function(module))
        return {name: (shape, dtype_of(storage)) for name, (shape, storage) in tensors.items()}
    if level == "tile":
        return {
            op.buffer_name.data: (op.format.shape, dtype_of(op.format.model))
            for op in module.walk()
            if isinstance(op, tile.GlobalOp) and op.segment.data == "input"
        }
    return {
        port.port_name.data: (port.format.shape, dtype_of(port.format.model))
        for op in module.walk()
        if isinstance(op, isa.ProgramOp)
        for port in op.inputs
    }
