"""Gets the samples that a network is calibrated on: read from a file or made at random, and checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...backends.interpreter.samples import input_tensors, main_function
from ...backends.numerics.storage import dtype_of
from ...passes.top.calibration_grammar import read_table
from ...passes.top.calibration_table import Range
from ..inputs.array_stream import ArrayStream, open_arrays
from ..inputs.random_inputs import input_ranges, random_input
from .doubtful_data import InputSummary, doubt_of_count, doubt_of_name, doubts
from .sample_source import ArraySamples

RANDOM_SAMPLES = 8
"""How many samples "random:SEED" makes."""
_CHECKED_ELEMENTS = 1 << 20
"""So many elements of an input are checked at a time."""


Source = str | Path | Mapping[str, np.ndarray]
"""Arrays by input name; or the path of an .npz file of them (for a network with one input, an .npz with one array of
any name will do, or an .npy); or "random:SEED" for random numbers, always the same for an input's name and shape: over
the calibrated range of an input that has one, else normally distributed; or the path of a calibration table for random
numbers over its ranges.
"""


def load_calibration_data(
    source: Source,
    module: ModuleOp,
    warn: Callable[[Diagnostic], None] = lambda diagnostic: None,
) -> dict[str, np.ndarray]:
    """Return checked example inputs for a module, by input name: all that `calibration_samples` gives, at once.

    They are arrays [S · declared axis 0, ...] in their declared types, [S] for a scalar, all with the same number S of
    samples. Raises what `calibration_samples` raises.
    """
    return calibration_samples(source, module, warn).whole()


def calibration_samples(
    source: Source,
    module: ModuleOp,
    warn: Callable[[Diagnostic], None] = lambda diagnostic: None,
) -> ArraySamples:
    """Return checked samples for a module. Those in files are read a few at a time, once here to check them, and again
    by whoever takes them.

    Args:
        source: where they come from.
        module: the network, whose declared inputs the data must fit.
        warn: called with each doubt whether the data are what the network is fed in use (`doubts`).

    Raises:
        DiagnosticError: if there is no such file, an input has no data, or the data have a wrong shape or type, hold
            a NaN or an infinity, or have no samples.
    """
    tensors = input_tensors(main_function(module))
    known = input_ranges(main_function(module))
    if is_table(source):
        data = _random_data(0, tensors, {**known, **read_table(source).ranges})
        return ArraySamples(module, data)
    if is_random(source):
        return ArraySamples(module, _random_data(seed_of(source), tensors, known))
    place = place_of_data(source)
    arrays: Mapping[str, np.ndarray | ArrayStream]
    if isinstance(source, str | Path):
        arrays = _of_inputs(open_arrays(source), list(tensors), place, warn)
    else:
        arrays = {name: np.asarray(value) for name, value in source.items()}
    for name, (shape, _) in tensors.items():
        if name not in arrays:
            raise DiagnosticError(
                f"there is no data for input '{name}'",
                place,
                hint=f"give an array of {list(shape)}",
            )
    try:
        samples = ArraySamples(module, arrays)
        summaries = {name: _summary(samples, name) for name in tensors}
    except DiagnosticError as error:
        raise DiagnosticError(error.message, error.place or place, hint=error.hint) from error
    for doubt in doubts(module, summaries, place):
        warn(doubt)
    return samples


def few_samples(source: Source, samples: ArraySamples) -> Diagnostic | None:
    """Return a warning if `samples`, which come from `source`, are few to quantize a network by; None if there are
    enough, or if they are random.
    """
    if is_table(source) or is_random(source):
        return None
    named = [
        name
        for name, (shape, storage) in samples.declared.items()
        if storage != "bool" and 0 not in shape
    ]
    return doubt_of_count(len(samples), named, place_of_data(source))


def unused_calibration(source: Source, quantize: str) -> Diagnostic:
    """Return the warning for a source of ranges that is given where numbers are stored as `quantize`, a float type."""
    return Diagnostic(
        "warning",
        f"the calibration is not used: quantize={quantize} needs no ranges",
        place_of_data(source),
    )


def place_of_data(source: Source) -> Place:
    """Return where a diagnostic about a source of calibration points."""
    if isinstance(source, str | Path):
        return Place(file=str(source))
    return Place(name="calibration data")


def told_in_tables(source: Source) -> str:
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
        lead = (shape[0] * RANDOM_SAMPLES, *shape[1:]) if shape else (RANDOM_SAMPLES,)
        if name in ranges:
            data[name] = random_input(name, lead, dtype_of(storage), seed, ranges[name])
        else:
            normal = random_input(name, lead, np.dtype(np.float32), seed)
            data[name] = normal > 0 if storage == "bool" else normal
    return data


def _of_inputs(
    arrays: dict[str, ArrayStream],
    declared: Sequence[str],
    place: Place,
    warn: Callable[[Diagnostic], None],
) -> dict[str, ArrayStream]:
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


def _summary(samples: ArraySamples, name: str) -> InputSummary:
    """Return what is known of the data of an input. Raises DiagnosticError if some number is NaN or infinite."""
    summary = InputSummary()
    shape, _ = samples.declared[name]
    at_once = max(1, _CHECKED_ELEMENTS // max(1, math.prod(shape)))
    done = 0
    for part in samples.samples_of(name, at_once):
        finite = np.isfinite(part)
        if not finite.all():
            sample, *place = np.argwhere(~finite)[0].tolist()
            raise DiagnosticError(
                f"input '{name}' holds NaN or infinity, first at {place} of sample {done + sample}",
                hint="remove these samples, or correct their preprocessing",
            )
        summary.add(part)
        done += len(part)
    return summary
