"""Samples that traffic asks for: random ones, or those of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError, did_you_mean
from ..devices.served_model import ServedPort


def random_sample(ports: Sequence[ServedPort], seed: int) -> dict[str, np.ndarray]:
    """Return a sample of normally distributed floats, integers 0 and 1, and switches; sizes that are open are 1."""
    chance = np.random.default_rng(seed)
    found: dict[str, np.ndarray] = {}
    for port in ports:
        shape = tuple(1 if size is None else size for size in port.shape)
        is_float = port.dtype.kind not in "iub"
        drawn = chance.standard_normal(shape) if is_float else chance.integers(0, 2, shape)
        found[port.name] = drawn.astype(port.dtype)
    return found


def samples_in(
    arrays: Mapping[str, np.ndarray], ports: Sequence[ServedPort]
) -> list[dict[str, np.ndarray]]:
    """Return the samples that lie one after the other along axis 0 of arrays.

    Raises DiagnosticError if an input has none or a wrong one, if there are others, or if inputs have different numbers
    of them.
    """
    for name in arrays:
        if name not in {port.name for port in ports}:
            known = [port.name for port in ports]
            raise DiagnosticError(
                f"there is no input '{name}'",
                hint=did_you_mean(name, known) or f"there are {', '.join(known)}",
            )
    counts: dict[str, int] = {}
    for port in ports:
        if port.name not in arrays:
            raise DiagnosticError(f"there is no array for input '{port.name}'")
        size = (port.shape[0] or 1) if port.shape else 1
        rows = arrays[port.name].shape[0] if arrays[port.name].ndim else 1
        counts[port.name] = rows // size if port.shape else 1
        if port.shape and (rows % size or not rows):
            raise DiagnosticError(f"input '{port.name}' has {rows} rows, a sample has {size}")
    count = max(counts.values(), default=1)
    if any(each not in (1, count) for each in counts.values()):
        told = ", ".join(f"{name}: {each}" for name, each in counts.items())
        raise DiagnosticError(f"inputs have different numbers of samples ({told})")
    parts = {
        port.name: [arrays[port.name]] * count
        if counts[port.name] == 1
        else np.split(arrays[port.name], count)
        for port in ports
    }
    return [
        {port.name: port.check(parts[port.name][number]) for port in ports}
        for number in range(count)
    ]
