"""Converts the inputs and outputs of a run between arrays of one or several samples and the bytes of each sample."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ...numerics.ports.small_numbers import ROUND_BEFORE, as_small, no_small_number
from ...numerics.storage import SMALL_NAMES, dtype_of
from ...program.program import Port


def samples_of(
    ports: list[Port], inputs: Mapping[str, np.ndarray], raw_io: bool = False
) -> tuple[dict[str, np.ndarray], int]:
    """Return inputs as the ports hold them, as u8 [S, bytes], and S, the number of samples.

    An input is an array of the model's shape and numbers (with `raw_io` of the port's shape and elements), or with S
    times its axis 0. Raises DiagnosticError if an input is missing, unknown, or does not fit.
    """
    names = [port.name for port in ports]
    for name in inputs:
        if name not in names:
            raise DiagnosticError(
                f"there is no input '{name}'", hint=f"the inputs are {', '.join(names) or 'none'}"
            )
    result: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    for port in ports:
        if port.name not in inputs:
            raise DiagnosticError(
                f"input '{port.name}' is missing", hint=f"the inputs are {', '.join(names)}"
            )
        array, form = np.asarray(inputs[port.name]), port.format
        shape, storage = form.array_type(raw_io)
        samples = counts[port.name] = _samples(port, array, raw_io)
        typed = _raw(port, array) if raw_io else _typed(port.name, array, storage)
        held = form.in_order(form.stored(typed.reshape(samples, *shape), raw_io))
        result[port.name] = np.ascontiguousarray(held).reshape(samples, -1).view(np.uint8)
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"'{name}': {count}" for name, count in counts.items())
        raise DiagnosticError(f"the inputs hold different numbers of samples ({shown})")
    return result, next(iter(counts.values()), 1)


def _samples(port: Port, array: np.ndarray, raw_io: bool) -> int:
    """Return how many samples an array holds for a port."""
    shape, _ = port.format.array_type(raw_io)
    if array.shape == shape:
        return 1
    if array.ndim == len(shape) and shape and array.shape[1:] == shape[1:] and shape[0]:
        samples, rest = divmod(array.shape[0], shape[0])
        if samples and not rest:
            return samples
    several = "for several samples at once, a multiple of the first size" if shape else None
    raise DiagnosticError(
        f"input '{port.name}' has shape {list(array.shape)}, expected {list(shape)}",
        hint=port.format.raw_hint(raw_io) or several,
    )


def _raw(port: Port, array: np.ndarray) -> np.ndarray:
    try:
        return port.format.raw_array(array)
    except ValueError as error:
        raise DiagnosticError(
            f"input '{port.name}' does not fit: {error}", hint=port.format.raw_hint(raw=True)
        ) from None


def _typed(name: str, array: np.ndarray, storage: str) -> np.ndarray:
    """Convert an array to a storage type. Raises DiagnosticError if that could change integers or small numbers."""
    dtype = dtype_of(storage)
    if array.dtype == dtype:
        return array
    if storage in SMALL_NAMES:
        small = as_small(array, storage)
        if small is None:
            raise DiagnosticError(no_small_number(name, array, storage), hint=ROUND_BEFORE)
        return small
    possible = array.dtype.kind in "fiub" and (dtype.kind not in "iub" or array.dtype.kind in "iub")
    if possible:
        with np.errstate(over="ignore", invalid="ignore"):
            converted = array.astype(dtype)
        if dtype.kind not in "iub" or np.array_equal(converted, array):
            return converted
    raise DiagnosticError(f"input '{name}' has type {array.dtype}, expected {dtype}")


def joined(
    ports: list[Port], outputs: Mapping[str, np.ndarray], samples: int, raw_io: bool = False
) -> dict[str, np.ndarray]:
    """Convert outputs u8 [S, bytes] to arrays of the model's shapes and types (with `raw_io` of the ports'), with the
    samples joined along axis 0.
    """
    return {port.name: _joined(port, outputs[port.name], samples, raw_io) for port in ports}


def _joined(port: Port, data: np.ndarray, samples: int, raw_io: bool) -> np.ndarray:
    form = port.format
    # The samples of a constant are one row that is seen several times.
    held = np.ascontiguousarray(data).view(dtype_of(port.storage))
    stored = form.out_of_order(held.reshape(samples, *form.port_shape))
    typed = np.ascontiguousarray(form.given(stored, raw_io))
    shape = typed.shape[1:]
    if samples == 1:
        return typed.reshape(shape)
    return typed.reshape((samples * shape[0], *shape[1:]) if shape else (samples,))
