"""Seeded inputs that are like images: smooth, with detail at every size, of mean 0 and deviation about 1."""

from __future__ import annotations

import numpy as np


def smooth_images(samples: int, channels: int, height: int, width: int, seed: int) -> np.ndarray:
    """f32 [samples, channels, height, width] of random fields whose spectrum falls as 1/f, as that of photographs
    does (Field 1987), each of deviation 1 with an offset and a contrast of its own.
    """
    rng = np.random.default_rng([seed, samples, channels, height, width])
    noise = rng.standard_normal((samples, channels, height, width), dtype=np.float32)
    vertical, horizontal = np.fft.fftfreq(height), np.fft.rfftfreq(width)
    frequency = np.hypot(vertical[:, None], horizontal[None, :])
    frequency = np.maximum(frequency, 1 / max(height, width))
    fields = np.fft.irfft2(np.fft.rfft2(noise) / frequency, s=(height, width))
    fields -= fields.mean(axis=(2, 3), keepdims=True)
    fields /= fields.std(axis=(2, 3), keepdims=True) + 1e-6
    contrast = rng.uniform(0.5, 1.5, (samples, 1, 1, 1))
    offset = rng.normal(0, 0.3, (samples, channels, 1, 1))
    return (fields * contrast + offset).astype(np.float32)
