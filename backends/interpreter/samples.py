"""The sample axis: S independent sets of inputs run through a function together, as arrays [S, declared shape...]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp

from ...dialects.ir.location import place_of
from ...dialects.network.ports import Side, network_ports, port_names
from ..diagnostics.diagnostic import DiagnosticError
from ..numerics.ports.port_format import PortFormat
from ..numerics.ports.small_numbers import ROUND_BEFORE, as_small, no_small_number
from ..numerics.storage import SMALL_NAMES, dtype_of, is_float, round_to

MAX_LIVE_BYTES = 256 * 2**20
"""Samples are run in chunks whose tensors take about this much memory at once (one sample may take
more).
"""


def main_function(module: ModuleOp) -> func.FuncOp:
    """Return the function `main`, or the only function.

    Raises DiagnosticError if there is no such function, or if its body is not a single block.
    """
    functions = [op for op in module.ops if isinstance(op, func.FuncOp)]
    named = [op for op in functions if op.sym_name.data == "main"] or functions
    if len(named) != 1:
        raise DiagnosticError(
            f"expected one function 'main' in the module, found {len(named)} functions",
            place_of(named[1] if named else module),
            hint="give a module with one func.func @main",
        )
    if len(named[0].body.blocks) != 1:
        message = "the function 'main' must have a body of one block"
        raise DiagnosticError(message, place_of(named[0]))
    return named[0]


def input_names(function: func.FuncOp) -> list[str]:
    """Return the names of the function's arguments: `smalti.inputs`, or "input0", "input1" … if the IR does not say."""
    return port_names(function, "input")


def declared_inputs(module: ModuleOp) -> dict[str, tuple[int, ...]]:
    """Return the declared shape of each input of the module's function, by name."""
    return {name: shape for name, (shape, _) in input_tensors(main_function(module)).items()}


def input_tensors(function: func.FuncOp) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and storage type of the model's own tensor for each input, by name."""
    return {
        name: each.array_type(raw=False) for name, each in formats_of(function, "input").items()
    }


def formats_of(function: func.FuncOp, side: Side) -> dict[str, PortFormat]:
    """Return how the inputs or outputs of a function hold the model's tensors, by name, in order."""
    return {port.name: port.format for port in network_ports(function, side)}


def stored_samples(
    formats: Mapping[str, PortFormat], inputs: Mapping[str, np.ndarray], raw_io: bool = False
) -> tuple[dict[str, np.ndarray], int]:
    """Return the inputs as arrays [S, the model's shape] in the elements of their ports, in order, and S.

    They are the model's values; with `raw_io` they are what the ports hold, in layout and type.

    Raises DiagnosticError as `stack_samples` does.
    """
    if raw_io:
        inputs = {
            name: _raw(name, np.asarray(array), formats[name]) if name in formats else array
            for name, array in inputs.items()
        }
    declared = {name: each.array_type(raw_io) for name, each in formats.items()}
    hints = {name: each.raw_hint(raw_io) for name, each in formats.items()}
    stacked, samples = stack_samples(declared, inputs, hints)
    return {name: formats[name].stored(each, raw_io) for name, each in stacked.items()}, samples


def _raw(name: str, array: np.ndarray, format: PortFormat) -> np.ndarray:
    try:
        return format.raw_array(array)
    except ValueError as error:
        raise DiagnosticError(
            f"input '{name}' does not fit: {error}", hint=format.raw_hint(raw=True)
        ) from None


def stack_samples(
    declared: Mapping[str, tuple[Sequence[int], str]],
    inputs: Mapping[str, np.ndarray],
    hints: Mapping[str, str | None] | None = None,
) -> tuple[dict[str, np.ndarray], int]:
    """Return the inputs as arrays [S, declared shape...] of the declared storage types, in order, and S.

    `declared` maps each input's name to its shape and storage type, `hints` to what to say if an array does not fit.

    How many samples an array holds `count_samples` says. Numbers of other types are converted to a declared float type.

    Raises:
        DiagnosticError: if an input is missing, unknown, or of the wrong shape or type, or if the inputs differ in S.
    """
    for name in inputs:
        if name not in declared:
            known = ", ".join(f"'{k}'" for k in declared) or "none"
            raise DiagnosticError(f"there is no input '{name}'", hint=f"the inputs are: {known}")
    stacked: dict[str, np.ndarray] = {}
    for name, (shape, storage) in declared.items():
        if name not in inputs:
            raise DiagnosticError(
                f"input '{name}' is missing", hint=f"give an array of shape {list(shape)}"
            )
        array = stored(name, np.asarray(inputs[name]), storage)
        samples = count_samples(name, array.shape, shape, (hints or {}).get(name))
        stacked[name] = array.reshape(samples, *shape)
    counts = {name: len(array) for name, array in stacked.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"'{name}': {count}" for name, count in counts.items())
        raise DiagnosticError(f"the inputs have different numbers of samples: {listed}")
    return stacked, next(iter(counts.values()), 1)


def count_samples(
    name: str, shape: Sequence[int], declared: Sequence[int], hint: str | None = None
) -> int:
    """Return how many samples an array of `shape` holds for an input of shape `declared`.

    An array of exactly the declared shape is one sample. S samples lie one after the other along axis 0, which is S
    times as long, or along one more axis in front: a scalar input takes numbers [S].

    Raises:
        DiagnosticError: if `shape` is none of these.
    """
    if tuple(shape) == tuple(declared):
        return 1
    if len(shape) == len(declared) + 1 and tuple(shape[1:]) == tuple(declared) and shape[0] > 0:
        return shape[0]
    same_rest = len(shape) == len(declared) > 0 and tuple(shape[1:]) == tuple(declared[1:])
    if same_rest and declared[0] > 0 and shape[0] > 0 and shape[0] % declared[0] == 0:
        return shape[0] // declared[0]
    raise DiagnosticError(
        f"input '{name}' has shape {list(shape)}, expected {list(declared)}",
        hint=hint
        or "several samples lie one after the other along axis 0, a multiple of what is declared, or along one more "
        "axis in front",
    )


def stored(name: str, array: np.ndarray, storage: str) -> np.ndarray:
    """Return `array` in the storage type: for a float type numbers are converted, for small elements if they are the
    same numbers, for others nothing is.

    Raises:
        DiagnosticError: if the elements are not numbers, or not of a declared integer type, or no small numbers.
    """
    dtype = dtype_of(storage)
    if array.dtype == dtype:
        return array
    if storage in SMALL_NAMES:
        small = as_small(array, storage)
        if small is None:
            raise DiagnosticError(no_small_number(name, array, storage), hint=ROUND_BEFORE)
        return small
    if is_float(storage) and array.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # numbers that are too large become infinite
            exact = np.float64 if storage == "f64" else np.float32
            return round_to(array.astype(exact), storage)
    raise DiagnosticError(
        f"input '{name}' has elements of type {array.dtype}, expected {storage}",
        hint="convert the array before",
    )


def joined(value: np.ndarray, samples: int) -> np.ndarray:
    """Join a value's samples [S or 1, shape...] along the value's own axis 0; scalars along a new axis.

    A value that does not depend on the inputs has a sample axis of 1 and is repeated. A single scalar stays a scalar.
    """
    if len(value) != samples:
        value = np.broadcast_to(value, (samples, *value.shape[1:]))
    if value.ndim == 1:
        return value.reshape(()) if samples == 1 else value
    return value.reshape(samples * value.shape[1], *value.shape[2:])
