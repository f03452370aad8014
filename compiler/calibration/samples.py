"""Gets the samples that a network is calibrated on: read from a file or made at random, and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeGuard

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.interpreter.samples import count_samples, input_tensors, main_function, stored
from ...backends.numerics.storage import dtype_of
from ...passes.top.calibration_grammar import read_table
from ...passes.top.calibration_table import Range
from ..inputs.arrays import read_npy, read_npz
from ..inputs.random_inputs import input_ranges, random_input
from .doubtful_data import doubt_of_name, doubt_of_number, doubts

RANDOM_SAMPLES = 8
"""How many samples "random:SEED" makes."""


def load_calibration_data(
    source: str | Path | Mapping[str, np.ndarray],
    module: ModuleOp,
    warn: Callable[[Diagnostic], None] = lambda diagnostic: None,
) -> dict[str, np.ndarray]:
    """Return checked example inputs for a module, by input name.

    They are arrays [S · declared axis 0, ...] in their declared types, all with the same number S of samples.

    Args:
        source: arrays by input name; or the path of an .npz file of them (for a network with
            one input, an .npz with one array of any name will do, or an .npy); or "random:SEED" for random numbers,
            always the same for an input's name and shape: over the calibrated range of an input that has one, else
            normally distributed; or the path of a calibration table for random numbers over its ranges.
        module: the network, whose declared inputs the data must fit.
        warn: called with each doubt whether the data are what the network is fed in use (`doubts`).

    Raises:
        DiagnosticError: if there is no such file, an input has no data, or the data have a wrong shape or type, hold
            a NaN or an infinity, or have no samples.
    """
    tensors = input_tensors(main_function(module))
    declared = {name: shape for name, (shape, _) in tensors.items()}
    known = input_ranges(main_function(module))
    if is_table(source):
        return _random_data(0, tensors, {**known, **read_table(source).ranges})
    if is_random(source):
        return _random_data(seed_of(source), tensors, known)
    place = place_of_data(source)
    if isinstance(source, str | Path):
        read = read_npy if Path(source).suffix.lower() == ".npy" else read_npz
        arrays = _of_inputs(read(source), declared, place, warn)
    else:
        arrays = {name: np.asarray(value) for name, value in source.items()}
    data = {name: _checked(name, arrays, *tensor, place) for name, tensor in tensors.items()}
    counts = {
        name: count_samples(name, data[name].shape, shape) for name, shape in declared.items()
    }
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"'{name}': {count}" for name, count in counts.items())
        raise DiagnosticError(f"the inputs have different numbers of samples: {listed}", place)
    for doubt in doubts(module, data, place):
        warn(doubt)
    return data


def few_samples(
    source: str | Path | Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]
) -> Diagnostic | None:
    """Return a warning if `data`, which were loaded from `source`, are few samples to quantize a network by; None if
    there are enough, or if they are random.
    """
    if is_table(source) or is_random(source):
        return None
    return doubt_of_number(data, place_of_data(source))


def unused_calibration(source: str | Path | Mapping[str, np.ndarray], quantize: str) -> Diagnostic:
    """Return the warning for a source of ranges that is given where numbers are stored as `quantize`, a float type."""
    return Diagnostic(
        "warning",
        f"the calibration is not used: quantize={quantize} needs no ranges",
        place_of_data(source),
    )


def place_of_data(source: str | Path | Mapping[str, np.ndarray]) -> Place:
    """Return where a diagnostic about a source of calibration points."""
    if isinstance(source, str | Path):
        return Place(file=str(source))
    return Place(name="calibration data")


def told_in_tables(source: str | Path | Mapping[str, np.ndarray]) -> str:
    """Return what a calibration table says about the data that it was made of."""
    return f"data: {source if is_random(source) else place_of_data(source)}"


def is_random(source: object) -> TypeGuard[str]:
    """Tell whether a source of inputs asks for random ones: "random:SEED"."""
    return isinstance(source, str) and source.startswith("random:")


def is_table(source: object) -> TypeGuard[str | Path]:
    """Tell whether a source of calibration is the path of a table: of a file that is neither .npz nor .npy."""
    if not isinstance(source, str | Path) or is_random(source):
        return False
    return Path(source).suffix.lower() not in (".npz", ".npy")


def seed_of(source: str) -> int:
    """Return the seed of "random:SEED". Raises DiagnosticError if it is no whole number."""
    text = source.removeprefix("random:")
    if not (text.isascii() and text.isdigit()):
        raise DiagnosticError(
            f"'{source}' has no seed", hint="write random:0, or another whole number"
        )
    return int(text)


def _random_data(
    seed: int,
    declared: Mapping[str, tuple[tuple[int, ...], str]],
    ranges: Mapping[str, Range],
) -> dict[str, np.ndarray]:
    data = {}
    for name, (shape, storage) in declared.items():
        lead = (shape[0] * RANDOM_SAMPLES, *shape[1:]) if shape else shape
        if name in ranges:
            data[name] = random_input(name, lead, dtype_of(storage), seed, ranges[name])
        else:
            normal = random_input(name, lead, np.dtype(np.float32), seed)
            data[name] = normal > 0 if storage == "bool" else normal
    return data


def _of_inputs(
    arrays: dict[str, np.ndarray],
    declared: Mapping[str, tuple[int, ...]],
    place: Place,
    warn: Callable[[Diagnostic], None],
) -> dict[str, np.ndarray]:
    """Return the arrays of a file by input name; a file's only array, of any name, belongs to a network's only
    input.
    """
    if len(arrays) == 1 and len(declared) == 1:
        ((name, array),) = zip(declared, arrays, strict=True)
        doubt = doubt_of_name(array, name, place)
        if doubt is not None:
            warn(doubt)
        return {name: arrays[array]}
    for name in declared:
        if name not in arrays:
            found = ", ".join(f"'{known}'" for known in arrays) or "none"
            raise DiagnosticError(
                f"the file has no array for input '{name}'",
                place,
                [f"its arrays: {found}"],
                f"save it with numpy.savez(path, **{{{name!r}: array}}), as the model expects it",
            )
    return arrays


def _checked(
    name: str,
    arrays: Mapping[str, np.ndarray],
    shape: tuple[int, ...],
    storage: str,
    place: Place,
) -> np.ndarray:
    """Return the array of one input, checked, in its declared storage type."""
    if name not in arrays:
        raise DiagnosticError(
            f"there is no data for input '{name}'", place, hint=f"give an array of {list(shape)}"
        )
    array = arrays[name]
    try:
        count_samples(name, array.shape, shape)
        array = stored(name, array, storage)
    except DiagnosticError as error:
        raise DiagnosticError(error.message, place, hint=error.hint) from error
    finite = np.isfinite(array)
    if not finite.all():
        where = np.argwhere(~finite)[0].tolist()
        raise DiagnosticError(
            f"input '{name}' holds NaN or infinity, first at {where}",
            place,
            hint="remove these samples, or correct their preprocessing",
        )
    return array
