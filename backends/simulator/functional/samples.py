"""Converts the inputs and outputs of a run between arrays of one or several samples and the bytes of each sample."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ...numerics.storage import dtype_of
from ...program.program import Port


def samples_of(
    ports: list[Port], inputs: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], int]:
    """Return inputs in the ports' types as u8 [S, bytes], and S, the number of samples.

    An input is an array of its port's shape, or with S times its axis 0. Raises DiagnosticError if an input is missing,
    unknown, or does not fit.
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
        array = np.asarray(inputs[port.name])
        counts[port.name] = _samples(port, array)
        typed = np.ascontiguousarray(_typed(port, array))
        result[port.name] = typed.reshape(counts[port.name], -1).view(np.uint8)
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"'{name}': {count}" for name, count in counts.items())
        raise DiagnosticError(f"the inputs hold different numbers of samples ({shown})")
    return result, next(iter(counts.values()), 1)


def _samples(port: Port, array: np.ndarray) -> int:
    """Return how many samples an array holds for a port."""
    shape = tuple(port.shape)
    if array.shape == shape:
        return 1
    if array.ndim == len(shape) and shape and array.shape[1:] == shape[1:] and shape[0]:
        samples, rest = divmod(array.shape[0], shape[0])
        if samples and not rest:
            return samples
    raise DiagnosticError(
        f"input '{port.name}' has shape {list(array.shape)}, expected {list(shape)}",
        hint="for several samples at once, a multiple of the first size" if shape else None,
    )


def _typed(port: Port, array: np.ndarray) -> np.ndarray:
    """Convert an array to the port's storage type. Raises DiagnosticError if that could change integers."""
    dtype = dtype_of(port.storage)
    if array.dtype == dtype:
        return array
    possible = array.dtype.kind in "fiub" and (dtype.kind not in "iub" or array.dtype.kind in "iub")
    if possible:
        with np.errstate(over="ignore", invalid="ignore"):
            converted = array.astype(dtype)
        if dtype.kind not in "iub" or np.array_equal(converted, array):
            return converted
    raise DiagnosticError(f"input '{port.name}' has type {array.dtype}, expected {dtype}")


def joined(
    ports: list[Port], outputs: Mapping[str, np.ndarray], samples: int
) -> dict[str, np.ndarray]:
    """Convert outputs u8 [S, bytes] to arrays of the ports' types, with the samples joined along axis 0."""
    return {port.name: _joined(port, outputs[port.name], samples) for port in ports}


def _joined(port: Port, data: np.ndarray, samples: int) -> np.ndarray:
    # The samples of a constant are one row that is seen several times.
    typed = np.ascontiguousarray(data).view(dtype_of(port.storage))
    shape = tuple(port.shape)
    if samples == 1:
        return typed.reshape(shape)
    return typed.reshape((samples * shape[0], *shape[1:]) if shape else (samples,))
