"""Methods that compare a tensor's distribution with what quantization leaves of it: kl and entropy.

Zeros are left out, as every grid has them: after a ReLU they would outweigh all that is to be told apart.
"""

from __future__ import annotations

import numpy as np

from .histogram import Histogram
from .statistics import Clip, Statistics, within

BINS = 2048
"""The bins of magnitudes that are looked at, as TensorRT does."""
LEVELS = 128
"""The levels that 8 bits have for magnitudes."""
_STEP = 8
"""Thresholds are tried at the end of every eighth bin: the divergence is smooth, and 240 of them are quick."""
_LEAST = 1e-4
"""What all probabilities of 0 together become at least: with one of them the divergence would be infinite."""


def kl(statistics: Statistics) -> Clip:
    """Saturate where the Kullback-Leibler divergence of the magnitudes from what 128 levels leave of them is least.

    S. Migacz, 8-bit Inference with TensorRT, GTC 2017.
    """
    largest = statistics.largest
    if not largest:
        return within(statistics, largest)
    cumulated = _cumulated(statistics, np.linspace(-largest, largest, 2 * BINS + 1))
    both = np.diff(cumulated)
    counts = both[BINS:] + both[:BINS][::-1]
    ends = np.arange(LEVELS, BINS + 1, _STEP)
    losses = [_divergence(counts[:end], (0.0, counts[end:].sum()), LEVELS) for end in ends]
    return within(statistics, largest * int(ends[int(np.argmin(losses))]) / BINS)


def entropy(statistics: Statistics) -> Clip:
    """Saturate where the divergence of the numbers, with their signs, from what 256 levels leave of them is least.

    It is what ONNX Runtime's calibrator of this name does, with bins enough to choose from.
    """
    largest = statistics.largest
    if not largest:
        return within(statistics, largest)
    edges = BINS // 2
    counts = np.diff(_cumulated(statistics, np.linspace(-largest, largest, BINS + 1)))
    ends = np.arange(LEVELS, edges + 1, _STEP)
    losses = [
        _divergence(
            counts[edges - end : edges + end],
            (counts[: edges - end].sum(), counts[edges + end :].sum()),
            2 * LEVELS,
            both_ends=True,
        )
        for end in ends
    ]
    return within(statistics, largest * int(ends[int(np.argmin(losses))]) / edges)


def _cumulated(statistics: Statistics, edges: np.ndarray) -> np.ndarray:
    """Return how many numbers that are not 0 lie below each of `edges`, which reach over all of them; those of a bin
    are spread evenly over it.
    """
    histogram = statistics.histogram
    assert isinstance(histogram, Histogram)
    sums = np.append(0, np.cumsum(histogram.counts))
    found = np.interp(edges, histogram.edges, sums)
    found[-1] = sums[-1]  # the last edge is the largest number, which its bin reaches beyond
    return found


def _divergence(
    inside: np.ndarray, beyond: tuple[float, float], levels: int, *, both_ends: bool = False
) -> float:
    """Return the divergence of a distribution, what lies beyond it put into its first and its last bin, from the one
    that has the same counts in `levels` groups of bins, spread evenly over the bins of a group that are not empty.

    The last bin is a group of its own, and with `both_ends` the first one, too: a grid holds its ends exactly, where
    clips such as ReLU6 put many numbers.
    """
    reference = inside.astype(np.float64)
    reference[0] += beyond[0]
    reference[-1] += beyond[1]
    first, groups = int(both_ends), levels - 1 - both_ends
    starts = first + np.arange(groups + 1) * (inside.size - 1 - first) // groups
    starts = np.append(0, starts) if both_ends else starts
    sums = np.add.reduceat(inside, starts)
    filled = inside > 0
    numbers = np.add.reduceat(filled.astype(np.int64), starts)
    level = np.repeat(np.arange(levels), np.diff(np.append(starts, inside.size)))
    mean = sums / np.maximum(numbers, 1)
    quantized = np.where(filled, mean[level], 0.0)
    p, q = _smooth(reference), _smooth(quantized)
    return float(np.sum(p * np.log(p / q)))


def _smooth(counts: np.ndarray) -> np.ndarray:
    """Return probabilities without a 0."""
    total = counts.sum()
    if total == 0:
        return np.full(counts.size, 1 / counts.size)
    raised = np.maximum(counts / total, _LEAST / counts.size)
    return raised / raised.sum()
