"""Scales of weights in groups: one for so many input channels of each output channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...backends.numerics.device.group_scales import most_factor, multiplied, scale_type
from ...backends.numerics.storage import is_float, saturate_to
from .uniform_type import UniformQuantizedType, uniform_with

_SAME = 1e-5
"""By how much a scale in f32 may differ from a whole multiple of a step, in steps."""


@dataclass(frozen=True, eq=False)
class ScaleGroups:
    """The scales f64 [groups, output channels] of weights of `rank` axes that are stored as `storage`: one for `size`
    indices of `depth_axis`, the axis of input channels, and each index of `channel_axis`.
    """

    storage: str
    rank: int
    size: int
    depth_axis: int
    channel_axis: int
    scales: np.ndarray

    @staticmethod
    def of(element: UniformQuantizedType) -> ScaleGroups | None:
        """Return the groups of a type whose blocks are one index of an axis times several of another; None for any
        other type, or if there are zero points.
        """
        sizes, axes = element.block_sizes.get_values(), element.axes.get_values()
        if (
            sorted(sizes)[:1] != [1]
            or len(sizes) != 2
            or max(sizes) == 1
            or any(element.zero_points)
        ):
            return None
        depth_axis, channel_axis = (axes[sizes.index(each)] for each in (max(sizes), 1))
        grid = element.grid.get_values()
        if any(n != 1 for axis, n in enumerate(grid) if axis not in axes):
            return None
        scales = np.asarray(element.scales, np.float64).reshape(grid)
        scales = np.moveaxis(scales, (depth_axis, channel_axis), (0, 1))
        scales = scales.reshape(grid[depth_axis], grid[channel_axis])
        return ScaleGroups(
            element.storage_name, len(grid), max(sizes), depth_axis, channel_axis, scales
        )

    @staticmethod
    def element(
        storage: str, size: int, depth_axis: int, channel_axis: int, rank: int, scales: np.ndarray
    ) -> UniformQuantizedType:
        """Return the type of weights of `rank` axes with these scales [groups, output channels], rounded to f32."""
        grid = [1] * rank
        grid[depth_axis], grid[channel_axis] = scales.shape
        own = scales.T if channel_axis < depth_axis else scales
        pairs = sorted([(depth_axis, size), (channel_axis, 1)])
        flat = own.astype(np.float32).reshape(-1).tolist()
        return uniform_with(storage, flat, [0] * len(flat), *zip(*pairs, strict=True), grid=grid)

    @cached_property
    def steps(self) -> np.ndarray:
        """The greatest step f64 [output channels] of each channel of which its scales are whole multiples. Raises
        ValueError if a channel has none, as `check_steps` does.
        """
        self.check_steps()
        return self._steps

    @cached_property
    def _steps(self) -> np.ndarray:
        """The steps f64 [output channels]; 0 of a channel that has none."""
        greatest, steps = self.scales.max(axis=0), np.zeros(self.scales.shape[1])
        for factor in range(1, most_factor(self.storage) + 1):
            found = greatest / factor
            ratios = self.scales / found
            fits = (np.abs(ratios - np.rint(ratios)) < _SAME).all(axis=0)
            steps = np.where((steps == 0) & fits, found, steps)
        return steps

    def check_steps(self) -> None:
        """Raise ValueError if the scales of a channel are no whole multiples of a step, up to what the weights' type
        allows beside integers.
        """
        if not self.has_steps:
            channel = int(np.argmin(self._steps != 0))
            raise ValueError(
                f"beside integers the scales of an output channel must be whole multiples, up to "
                f"{most_factor(self.storage)}, of one step, those of channel {channel} are not"
            )

    @cached_property
    def has_steps(self) -> bool:
        """Whether each channel has a step, so that the weights may meet integers."""
        return bool(self._steps.all())

    @cached_property
    def factors(self) -> np.ndarray:
        """The scales in steps: u8 [groups, output channels]. Raises ValueError if there are no steps."""
        return np.rint(self.scales / self.steps).astype(np.uint8)

    def stored(self, input: str) -> np.ndarray:
        """Return the scales [groups, output channels] as a unit multiplies weights by them beside inputs of a storage
        type: as whole numbers of steps, or as floats of that type.
        """
        if not is_float(input):
            return self.factors
        return saturate_to(self.scales.astype(np.float32), scale_type(input))[0]

    def multiplied(self, weights: np.ndarray, input: str) -> np.ndarray:
        """Return weights [..., the axes of the type] times their scales, as numbers that inputs of a storage type are
        multiplied with.
        """
        return multiplied(weights, self._spread(weights.shape[-self.rank :], input), input)

    def _spread(self, shape: Sequence[int], input: str) -> np.ndarray:
        """Return the scales, as `stored` gives them, as an array that broadcasts to weights of this shape."""
        scales = np.repeat(self.stored(input), self.size, axis=0)[: shape[self.depth_axis]]
        along = [1] * len(shape)
        along[self.depth_axis], along[self.channel_axis] = scales.shape
        own = scales.T if self.channel_axis < self.depth_axis else scales
        return own.reshape(along)
