"""Calibration: the range of every tensor of a network over example inputs, from the top interpreter
(max calibration).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from zlib import crc32

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import write_text
from ...backends.interpreter.function import samples_per_chunk
from ...backends.interpreter.samples import (
    count_samples,
    declared_inputs,
    input_tensors,
    main_function,
    stored,
)
from ...backends.interpreter.top import run_top
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.quant.element_type import is_float
from ...passes.top_to_tpu.float_results import float_results
from ..arrays import read_npz
from ..compilation.progress import Progress, silent

RANDOM_SAMPLES = 8
"""How many samples "random:SEED" makes."""

TABLE_FORMAT = 1
"""The version of the table's file format, in its field "format"."""


def load_calibration_data(
    source: str | Path | Mapping[str, np.ndarray], module: ModuleOp
) -> dict[str, np.ndarray]:
    """Example inputs for a module, checked: arrays [S · declared axis 0, ...] by input name, in their
    declared types, all of S samples.

    Args:
        source: arrays by input name; or the path of an .npz file of them; where the network has one
            input, an .npz with one array of any name will do. "random:SEED" makes normal random
            numbers, reproducible for each input's name and shape.
        module: the network; what it declares is what the data must fit.

    Raises:
        DiagnosticError: no such file, an input without data, a wrong shape or type, NaN or
            infinity, no samples.
    """
    tensors = input_tensors(main_function(module))
    declared = {name: shape for name, (shape, _) in tensors.items()}
    if isinstance(source, str) and source.startswith("random:"):
        return _random_data(source, tensors)
    if isinstance(source, str | Path):
        place = Place(file=str(source))
        arrays = _of_inputs(read_npz(source), declared, place)
    else:
        place = Place(name="calibration data")
        arrays = {name: np.asarray(value) for name, value in source.items()}
    data = {name: _checked(name, arrays, *tensor, place) for name, tensor in tensors.items()}
    counts = {name: _samples(name, data, shape) for name, shape in declared.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"'{name}': {count}" for name, count in counts.items())
        raise DiagnosticError(f"the inputs have different numbers of samples: {listed}", place)
    return data


def _samples(name: str, data: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> int:
    return count_samples(name, data[name].shape, shape)


def seed_of(source: str) -> int:
    """The seed of "random:SEED"; DiagnosticError where it is no whole number."""
    text = source.removeprefix("random:")
    if not (text.isascii() and text.isdigit()):
        raise DiagnosticError(
            f"'{source}' has no seed", hint="write random:0, or another whole number"
        )
    return int(text)


def _random_data(
    source: str, declared: Mapping[str, tuple[tuple[int, ...], str]]
) -> dict[str, np.ndarray]:
    seed = seed_of(source)
    data = {}
    for name, (shape, storage) in declared.items():
        lead = (shape[0] * RANDOM_SAMPLES, *shape[1:]) if shape else shape
        generator = np.random.default_rng([seed, crc32(name.encode())])
        normal = generator.standard_normal(lead).astype(np.float32)
        data[name] = normal > 0 if storage == "bool" else normal
    return data


def _of_inputs(
    arrays: dict[str, np.ndarray], declared: Mapping[str, tuple[int, ...]], place: Place
) -> dict[str, np.ndarray]:
    """The arrays of a file by input name; a file's only array is that of a network's only input."""
    if len(arrays) == 1 and len(declared) == 1:
        return dict(zip(declared, arrays.values(), strict=True))
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
    """The array of one input in its declared storage type."""
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


def calibrate(
    module: ModuleOp,
    weights: WeightStore,
    data: Mapping[str, np.ndarray],
    *,
    progress: Progress | None = None,
) -> dict[str, tuple[float, float]]:
    """The least and the greatest value of every input and op's result over `data`, by name; bools
    have none.

    Args:
        module: a network of top ops.
        weights: the store that holds its weights.
        data: f32 arrays by input name, S samples one after the other along axis 0 (as
            `load_calibration_data` gives them).
        progress: told how many samples are done.

    Samples run in chunks of bounded memory; only the ranges are kept. Of what only softmaxes and
    comparisons read, where masks put infinities, the range is that of the finite elements (none: it
    has no range).

    Raises:
        DiagnosticError: the inputs do not fit the network, or a tensor becomes NaN or, elsewhere,
            infinite.
    """
    report = progress or silent
    declared = declared_inputs(module)
    sizes = {name: shape[0] if shape else 0 for name, shape in declared.items()}
    counts = {_samples(name, data, shape) for name, shape in declared.items() if name in data}
    samples = min(counts, default=1)
    function = main_function(module)
    chunk = samples_per_chunk(function)
    masked = _names(float_results(function.body.block.ops))
    without_range = _names(op.results[0] for op in function.body.block.ops if _has_no_range(op))
    ranges: dict[str, tuple[float, float]] = {}

    def observe(name: str, value: np.ndarray) -> None:
        if name in masked:
            value = value[~np.isinf(value)]
        if name not in without_range and (value.size or name not in masked):
            ranges[name] = _widened(ranges.get(name), name, value)

    for start in range(0, samples, chunk):
        stop = min(start + chunk, samples)
        report("calibrate", start, samples)
        part = {
            name: array[start * sizes.get(name, 0) : stop * sizes.get(name, 0)]
            if sizes.get(name)
            else array
            for name, array in data.items()
        }
        run_top(module, weights, part, observe=observe)
    report("calibrate", samples, samples)
    return ranges


def _names(results: Iterable[SSAValue]) -> set[str]:
    """The names of the top ops that make `results`."""
    return {value.owner.result_name.data for value in results if isinstance(value.owner, top.TopOp)}


def _has_no_range(op: Operation) -> bool:
    """Whether an op gives bools or positions."""
    return isinstance(op, top.TopOp) and not is_float(op.results[0].type)


def _widened(
    known: tuple[float, float] | None, name: str, value: np.ndarray
) -> tuple[float, float]:
    low, high = float(value.min(initial=np.inf)), float(value.max(initial=-np.inf))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DiagnosticError(
            f"tensor '{name}' becomes NaN or infinite on the calibration data",
            hint="check the preprocessing of the data, and the model itself, on ONNX Runtime",
        )
    return (low, high) if known is None else (min(low, known[0]), max(high, known[1]))


def save_ranges(ranges: Mapping[str, tuple[float, float]], path: str | Path) -> None:
    """Writes a calibration table: JSON {"format": 1, "ranges": {name: [low, high]}}, whole or not
    at all.

    Raises:
        DiagnosticError: the file cannot be written.
    """
    table = {
        "format": TABLE_FORMAT,
        "ranges": {name: [float(low), float(high)] for name, (low, high) in ranges.items()},
    }
    text = json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, text)
