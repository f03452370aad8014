"""Finds models that mix the samples of a batch, whose callers would see each other's values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...program.program import Program
from ...simulator.simulate import simulate
from .joined_samples import join_samples, split_samples

_TOLERANCE = 0.02
"""By how much, in parts of the largest value, floats may differ that are computed in another order."""


def mixes_samples(programs: Mapping[int, Program], batch: int) -> bool:
    """Tell whether samples that run together, by the program of a batch, give something else than alone, by that of
    one. Tried with two random samples.
    """
    random = np.random.default_rng(0)
    samples = [
        {
            port.name: _random(random, *port.format.array_type(raw=False))
            for port in programs[1].inputs
        }
        for _ in range(2)
    ]
    together = _run(programs[batch], join_samples(samples, batch))
    alone = [_run(programs[1], sample) for sample in samples]
    pairs = zip(split_samples(together, batch, 2), alone, strict=True)
    return not all(_close(one[name], other[name]) for one, other in pairs for name in other)


def _random(random: np.random.Generator, shape: tuple[int, ...], storage: str) -> np.ndarray:
    """Return numbers that any model takes: floats, or integers of 0 and 1, which are indices, too."""
    if storage.startswith(("f", "bf")):
        return random.normal(size=shape).astype(np.float32)
    return random.integers(0, 2, shape).astype(np.int8)


def _run(program: Program, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    outputs = simulate(program, inputs).outputs
    assert outputs is not None
    return outputs


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype.kind in "iub":
        return np.array_equal(one, other)
    first, second = one.astype(np.float64), other.astype(np.float64)
    most = max(np.abs(second).max(initial=0), 1e-6)
    return np.allclose(first, second, rtol=0, atol=_TOLERANCE * most, equal_nan=True)
