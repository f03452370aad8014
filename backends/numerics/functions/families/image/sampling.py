"""Images sampled at the places that a grid names (ONNX, GridSample)."""

from __future__ import annotations

import numpy as np

from ....storage import name_of
from ...function import (
    ANY,
    FLOATS,
    NUMBERS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_rank,
    check_storage,
    stored,
    taken,
)
from .interpolation import TAPS, none_beside, sampled


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    x, grid = taken(operands, "x", "grid")
    check_storage("x", x, ANY if attributes["mode"] == "nearest" else NUMBERS)
    check_storage("grid", grid, FLOATS)
    rank = len(x.shape) - 2
    if rank < 1:
        raise FunctionError(f"x must have three axes at least, got shape {list(x.shape)}")
    check_rank("grid", grid, rank + 2)
    if grid.shape[0] != x.shape[0] or grid.shape[-1] != rank:
        raise FunctionError(
            f"grid must have shape [{x.shape[0]}, …, {rank}] for images {list(x.shape)}, got {list(grid.shape)}"
        )
    if 0 in x.shape[2:]:
        raise FunctionError(f"x {list(x.shape)} has no pixels")
    return [TensorKind((*x.shape[:2], *grid.shape[1:-1]), x.storage)]


def _grid_sample(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Sample each image at its places. The coordinates, x first, are from -1 to 1 in the image; pixels are found in the
    precision of the grid, f32 at least, as ONNX Runtime does, since a place in the middle goes to one or the other.
    """
    x, grid = arrays
    n, *shape, rank = grid.shape
    precise = grid.astype(np.float64 if grid.dtype == np.float64 else np.float32)
    places = []
    for axis, size in enumerate(x.shape[2:]):
        given = precise[..., rank - 1 - axis].reshape(n, -1)
        if attributes["align_corners"]:
            place = (given + 1) / 2 * (size - 1)
        else:
            place = ((given + 1) * size - 1) / 2
        places.append(_brought_in(place, size, attributes))

    def resolve(taps: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        if attributes["padding"] == "zeros":
            return none_beside(taps, size)
        if attributes["padding"] == "reflection":
            low, high = _borders(size, attributes)
            taps = np.trunc(_reflected(taps.astype(np.float64), low, high)).astype(np.int64)
        return np.clip(taps, 0, size - 1), np.ones(taps.shape, np.bool_)

    values = sampled(x, places, attributes["mode"], resolve)
    values = values if attributes["mode"] == "nearest" else stored(values, name_of(x.dtype))
    return [values.reshape(*x.shape[:2], *shape)]


def _borders(size: int, attributes: Attributes) -> tuple[float, float]:
    """Return where the image ends: at the middle of its outer pixels, or at their outer edges."""
    return (0.0, size - 1.0) if attributes["align_corners"] else (-0.5, size - 0.5)


def _brought_in(place: np.ndarray, size: int, attributes: Attributes) -> np.ndarray:
    """Return places with those beside the image brought into it, as the padding says; a border goes on for each of the
    four pixels of a cubic by itself, as in ONNX Runtime and PyTorch.
    """
    if attributes["mode"] == "nearest":
        place = np.rint(place)
    low, high = _borders(size, attributes)
    outside = (place < low) | (place > high)
    if attributes["padding"] == "border" and attributes["mode"] != "cubic":
        return np.where(outside, np.clip(place, 0, size - 1), place)
    if attributes["padding"] == "reflection":
        return np.where(outside, _reflected(place, low, high), place)
    return place


def _reflected(place: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return places reflected at both ends until they lie between them."""
    if low == high:
        return np.full_like(place, low)
    span = place.dtype.type(high - low)
    distance = np.where(place < low, low - place, place - high)
    times = np.trunc(distance / span)
    rest = distance - times * span
    even = times % 2 == 0
    below = np.where(even, low + rest, high - rest)
    above = np.where(even, high - rest, low + rest)
    return np.where(place < low, below, np.where(place > high, above, place))


FUNCTIONS = (
    Function(
        "grid_sample",
        "The images x [N, C, spatial...] at the places of grid [N, ..., axes], whose last axis has coordinates from -1 "
        "to 1, the last spatial axis first.",
        _infer,
        _grid_sample,
        {
            "mode": Parameter(str, "linear", tuple(TAPS)),
            "padding": Parameter(str, "zeros", ("zeros", "border", "reflection")),
            "align_corners": Parameter(bool, False),
        },
        example=((TensorKind((1, 3, 8, 8), "f32"), TensorKind((1, 4, 4, 2), "f32")), {}),
    ),
)
"""The functions of this family."""
