"""Samples of images at places between pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

Resolve = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]
"""Returns which pixels of an axis the given numbers name, which may lie beside it, and whether there are such."""
_FAR = 2.0**40
"""Coordinates are kept below it, so that they are whole numbers of 64 bits; no image reaches so far."""


def none_beside(places: np.ndarray, pixel: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places along an axis of some pixels, and whether they are in the image: beside it are zeros."""
    inside = (places >= 0) & (places < pixel)
    return np.where(inside, places, 0), inside


def nearest_taps(place: np.ndarray) -> list[tuple[np.ndarray, np.ndarray | float]]:
    """Return the one pixel next to each place, of two the even one; and its weight."""
    return [(np.rint(place), 1.0)]


def linear_taps(place: np.ndarray) -> list[tuple[np.ndarray, np.ndarray | float]]:
    """Return the two pixels around each place, and their weights."""
    first = np.floor(place)
    rest = place - first
    return [(first, 1 - rest), (first + 1, rest)]


def cubic_taps(place: np.ndarray) -> list[tuple[np.ndarray, np.ndarray | float]]:
    """Return the four pixels around each place, and their weights: R. Keys, "Cubic convolution interpolation for
    digital image processing" (1981), equation 15, with a = -0.75.
    """
    a, first = -0.75, np.floor(place)
    rest = place - first

    def near(x: np.ndarray) -> np.ndarray:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: np.ndarray) -> np.ndarray:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [
        (first - 1, far(rest + 1)),
        (first, near(rest)),
        (first + 1, near(1 - rest)),
        (first + 2, far(2 - rest)),
    ]


TAPS = {"nearest": nearest_taps, "linear": linear_taps, "cubic": cubic_taps}
"""Which pixels a sample is of, by the mode of interpolation."""


def sampled(
    image: np.ndarray, places: Sequence[np.ndarray], mode: str, resolve: Resolve
) -> np.ndarray:
    """Sample images [N, C, spatial...] at places [N, points], one array of coordinates in pixels for each spatial axis.

    Returns [N, C, points] in f64, or for `nearest` the pixels as they are. `resolve` says what is beside an image.
    """
    n, c, *sizes = image.shape
    flat = image.reshape(n, c, -1)
    axes = [
        [
            (*resolve(tap.astype(np.int64), size), weight)
            for tap, weight in TAPS[mode](_limited(place))
        ]
        for place, size in zip(places, sizes, strict=True)
    ]
    total = None
    for taps in product(*axes):
        index = np.zeros(places[0].shape, np.int64)
        inside = np.ones(places[0].shape, np.bool_)
        weight: np.ndarray | float = 1.0
        for (pixel, there, share), size in zip(taps, sizes, strict=True):
            index = index * size + pixel
            inside = inside & there
            weight = weight * share
        pixels = np.take_along_axis(flat, index[:, None, :], 2)
        pixels = np.where(inside[:, None, :], pixels, np.zeros((), image.dtype))
        if mode == "nearest":
            return pixels
        part = pixels.astype(np.float64) * np.asarray(weight, np.float64)[:, None, :]
        total = part if total is None else total + part
    assert total is not None
    return total


def _limited(place: np.ndarray) -> np.ndarray:
    """Return coordinates that are whole numbers of 64 bits when rounded; NaN is far to the left."""
    return np.clip(np.where(np.isnan(place), -_FAR, place.astype(np.float64)), -_FAR, _FAR)
