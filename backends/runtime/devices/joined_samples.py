"""Samples of several callers as one batch, along axis 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..requests.inference import Arrays


def join_samples(samples: Sequence[Arrays], batch: int) -> dict[str, np.ndarray]:
    """Return arrays of `batch` samples by name, joined along axis 0; where there are fewer, the last one fills up."""
    filled = [*samples, *[samples[-1]] * (batch - len(samples))]
    if len(filled) == 1:
        return dict(filled[0])
    return {name: np.concatenate([each[name] for each in filled]) for name in samples[0]}


def split_samples(
    arrays: Mapping[str, np.ndarray], batch: int, count: int
) -> list[dict[str, np.ndarray]]:
    """Return the first `count` of `batch` samples that lie along axis 0 of arrays."""
    if batch == 1:
        return [dict(arrays)]
    parts = {name: np.split(array, batch) for name, array in arrays.items()}
    return [{name: part[number] for name, part in parts.items()} for number in range(count)]
