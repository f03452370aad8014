"""Weights that turn a spectrum into bins of the mel scale (ONNX, MelWeightMatrix)."""

from __future__ import annotations

import numpy as np

_BREAK_HERTZ = 700.0
_FACTOR = 2595.0
"""mel = 2595 · log10(1 + hertz / 700)."""


def mel_weight_matrix(
    bins: int, dft_length: int, sample_rate: int, lower_hertz: float, upper_hertz: float
) -> np.ndarray:
    """Return the weights [dft_length / 2 + 1, bins] in f64: of each bin a triangle between the centers of the bins
    beside it, which lie evenly on the mel scale between the edges and are rounded down to places of the spectrum.

    Raises ValueError if a bin lies outside the spectrum.
    """
    low, high = (
        _FACTOR * np.log10(1 + hertz / _BREAK_HERTZ) for hertz in (lower_hertz, upper_hertz)
    )
    mel = low + np.arange(bins + 2) * (high - low) / (bins + 2)
    hertz = _BREAK_HERTZ * (10 ** (mel / _FACTOR) - 1)
    places = np.floor((dft_length + 1) * hertz / sample_rate).astype(np.int64)
    length = dft_length // 2 + 1
    if bins and not (places.min() >= 0 and places.max() <= length):
        raise ValueError(
            f"bins from {lower_hertz:g} to {upper_hertz:g} Hz lie outside a spectrum up to {sample_rate / 2:g} Hz"
        )
    start, center, end = places[:-2], places[1:-1], places[2:]
    at = np.arange(length)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = np.where((at >= start) & (at <= center), (at - start) / (center - start), 0.0)
        falling = np.where((at >= center) & (at < end), (end - at) / (end - center), 0.0)
    rising = np.where((start == center) & (at == center), 1.0, rising)
    falls = (at >= center) & (at < end)
    return np.where(falls, falling, rising)
