"""Quantizes weights with a scale for each group of input channels.

Beside integers the scales of an output channel are whole multiples of a step, so that what a unit makes of the weights
on their way is i8, and sums are exact: two levels of scales, as in QServe (Lin et al., 2024,
https://arxiv.org/abs/2405.04532, section 4.1). Beside floats they are any numbers of the inputs' type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ....backends.numerics.device.group_scales import most_factor
from ....backends.numerics.quantization import quantize
from ....backends.numerics.rounding_up import ceil_div
from ....backends.numerics.storage import integer_range, saturate_to
from ....dialects import top
from ....dialects.network.traits import SumsProducts
from ....dialects.quant import UniformQuantizedType
from ....dialects.quant.element_type import shape_of
from ....dialects.quant.scale_groups import ScaleGroups
from ..precision.schemes import Scheme

_TRIED = 4
"""How many scales are tried for a group: the least by which no weight saturates, and those below."""
_LESS = 1 / 12
"""By which share of it a tried scale is less than the one before."""


@dataclass(frozen=True)
class WeightGroups:
    """Groups of `size` indices along `depth_axis`, that of input channels, for each index of `channel_axis`."""

    size: int
    depth_axis: int
    channel_axis: int

    @staticmethod
    def of(op: top.TopOp, weight: top.WeightOp, scheme: Scheme) -> WeightGroups | None:
        """Return the groups of the constant weights of a product by a scheme; None if the scheme has none, if there is
        one group only, or if the weights are several matrices.
        """
        channels, shape = SumsProducts.of(op), shape_of(weight.output)
        size = scheme.weight_scales
        if channels is None or not isinstance(size, int):
            return None
        axis = channels.weight_axis % len(shape)
        depth_axis = 1 if axis == 0 else axis - 1
        if shape[depth_axis] <= size or (axis and len(shape) != 2):
            return None
        return WeightGroups(size, depth_axis, axis)

    def element(self, scales: np.ndarray, rank: int, storage: str) -> UniformQuantizedType:
        """Return the type of weights of `rank` axes with these scales [groups, output channels]."""
        return ScaleGroups.element(
            storage, self.size, self.depth_axis, self.channel_axis, rank, scales
        )

    def needed(self, weights: np.ndarray, storage: str) -> np.ndarray:
        """Return the scales f64 [groups, output channels] by which no weights [any shape] saturate in a storage type; 0
        where all are 0. Raises ValueError if a weight is not finite.
        """
        if not np.all(np.isfinite(weights)):
            raise ValueError("weights must be finite")
        least, most = integer_range(storage)
        slices = self._split(weights.astype(np.float64))
        return np.maximum(slices.max(axis=(1, 3)) / most, slices.min(axis=(1, 3)) / least)

    def spread(self, scales: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return scales [groups, output channels] as an array that broadcasts to the weights."""
        each = np.repeat(scales, self.size, axis=0)[: weights.shape[self.depth_axis]]
        order = (self.depth_axis, self.channel_axis)
        along = [1] * weights.ndim
        along[self.depth_axis], along[self.channel_axis] = each.shape
        return (each if order[0] < order[1] else each.T).reshape(along)

    def errors(self, weights: np.ndarray, rounded: np.ndarray) -> np.ndarray:
        """Return the sums of squared differences f64 [groups, output channels]."""
        return (self._split(weights - rounded) ** 2).sum(axis=(1, 3))

    def _split(self, weights: np.ndarray) -> np.ndarray:
        """Return weights as [groups, size, output channels, rest], filled with zeros."""
        rows = np.moveaxis(weights, (self.depth_axis, self.channel_axis), (0, 1))
        depth, channels = rows.shape[:2]
        count = ceil_div(depth, self.size)
        filled = np.zeros((count * self.size, channels, rows[0, 0].size), np.float64)
        filled[:depth] = rows.reshape(depth, channels, -1)
        return filled.reshape(count, self.size, channels, -1)


def whole_scales(
    weights: np.ndarray, groups: WeightGroups, storage: str, least_steps: np.ndarray | float
) -> np.ndarray:
    """Return scales f64 [groups, output channels] that are whole multiples of a step of each output channel, no less
    than `least_steps`; of those near the one by which no weight saturates that with which the least is lost. Raises
    ValueError if a weight is not finite.
    """
    needed, most = groups.needed(weights, storage), most_factor(storage)
    steps = np.maximum(needed.max(axis=0) / most, least_steps)
    steps = np.nextafter(steps.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    steps[steps < np.finfo(np.float32).tiny] = 1.0
    enough = np.clip(np.ceil(needed / steps), 1, most)
    tried = (np.maximum(enough - fewer, 1) * steps for fewer in range(_TRIED))
    return _best(weights, groups, storage, tried)


def float_scales(weights: np.ndarray, groups: WeightGroups, storage: str, input: str) -> np.ndarray:
    """Return scales f64 [groups, output channels] that are numbers of a float type; of those near the one by which no
    weight saturates that with which the least is lost. Raises ValueError if a weight is not finite.
    """
    needed = groups.needed(weights, storage)
    needed = np.where(needed == 0, 1.0, needed)
    shares = (1 - fewer * _LESS for fewer in range(_TRIED))
    stored = (saturate_to((needed * share).astype(np.float32), input)[0] for share in shares)
    return _best(weights, groups, storage, (each.astype(np.float64) for each in stored))


def _best(
    weights: np.ndarray, groups: WeightGroups, storage: str, tried: Iterable[np.ndarray]
) -> np.ndarray:
    """Return, for each group, that of several scales [groups, output channels] with which rounding loses the least."""
    least: np.ndarray | None = None
    best = np.empty(0)
    for scales in tried:
        spread = groups.spread(scales, weights)
        rounded = quantize(weights / spread, 1.0, 0, storage).astype(np.float64) * spread
        error = groups.errors(weights, rounded)
        if least is None:
            least, best = error, scales
        best = np.where(error < least, scales, best)
        least = np.minimum(error, least)
    return best


def quantize_grouped(
    weights: np.ndarray, scales: np.ndarray, groups: WeightGroups, storage: str
) -> np.ndarray:
    """Return weights as integers of a storage type, by the scales [groups, output channels]."""
    return quantize(weights / groups.spread(scales, weights), 1.0, 0, storage)
