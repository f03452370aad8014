"""Spreads the scales and zero points of a quantized type over the shape of a tensor, for any kind of the type: one for
the tensor, one for each index of an axis, or one for each block.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import f32
from xdsl.ir import Attribute

from .uniform_type import UniformQuantizedType, uniform_with


def spread_parameters(
    element: UniformQuantizedType, shape: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scales (f32) and the zero points (i64) of a tensor of this shape: arrays that broadcast to it.

    Raises ValueError if the type's axes or blocks do not fit the shape.
    """
    scales = np.asarray(element.scales, np.float32)
    points = np.asarray(element.zero_points, np.int64)
    if element.is_per_tensor:
        return scales.reshape(()), points.reshape(())
    rank = len(shape)
    if element.is_per_axis:
        axis = element.axis
        if axis >= rank or shape[axis] != len(scales):
            raise ValueError(f"{len(scales)} scales along axis {axis} do not fit {list(shape)}")
        along = [len(scales) if each == axis else 1 for each in range(rank)]
        return scales.reshape(along), points.reshape(along)
    grid = element.grid.get_values()
    sizes = dict(zip(element.axes.get_values(), element.block_sizes.get_values(), strict=True))
    blocks = [sizes.get(axis, size) for axis, size in enumerate(shape)]
    wanted = tuple(-(-size // max(block, 1)) for size, block in zip(shape, blocks, strict=True))
    if max(sizes, default=0) >= rank or grid != wanted:
        raise ValueError(f"a grid of {list(grid)} scales does not fit {list(shape)}")
    return _repeated(scales.reshape(grid), blocks, shape), _repeated(
        points.reshape(grid), blocks, shape
    )


def _repeated(values: np.ndarray, blocks: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """Repeat the value of each block along every axis, up to the end of the shape."""
    for axis, (block, size) in enumerate(zip(blocks, shape, strict=True)):
        if values.shape[axis] > 1:
            values = np.repeat(values, block, axis).take(range(size), axis)
    return values


def element_of_parameters(
    storage: str,
    scales: np.ndarray,
    zero_points: np.ndarray,
    axis: int = 0,
    block: int = 0,
    expressed: Attribute = f32,
) -> UniformQuantizedType:
    """Return the quantized type with these parameters.

    Args:
        storage: the name of the storage type.
        scales: one number (of any rank), [n] along `axis`, or a grid with blocks of `block` elements along `axis`.
        zero_points: integers of the same shape.
        axis: not negative.
        block: 0 if there are no blocks.
        expressed: the float type that the integers stand for.

    Raises VerifyException if a scale is not positive or a zero point is outside the storage type.
    """
    points = [int(point) for point in zero_points.reshape(-1)]
    flat = [float(scale) for scale in scales.reshape(-1)]
    if block:
        blocks = [block if each == axis else 1 for each in range(scales.ndim)]
        axes = range(scales.ndim)
        return uniform_with(storage, flat, points, axes, blocks, scales.shape, expressed)
    axes = [axis] if scales.size != 1 else []
    return uniform_with(storage, flat, points, axes, expressed=expressed)
