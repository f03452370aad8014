"""Normalizations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.onnx_fuzz.draw import Draw


def positive(draw: Draw, size: int) -> str:
    """Return a vector of positive floats."""
    return draw.new(draw.rng.uniform(0.5, 2, size).astype(draw.precision.dtype))


def batch(draw: Draw) -> None:
    """With statistics of before."""
    operand = draw.operand(None, (2, 5))
    channels = draw.arrays[operand].shape[1]
    scale, shift, mean = (draw.operand(None, shape=(channels,)) for _ in range(3))
    draw.node(
        "BatchNormalization",
        [operand, scale, shift, mean, positive(draw, channels)],
        epsilon=draw.choice((None, 1e-3)),
    )


def instance(draw: Draw) -> None:
    """Each channel of each sample."""
    operand = draw.operand(None, (3, 5), lambda array: array[0, 0].size > 2)
    channels = draw.arrays[operand].shape[1]
    draw.node(
        "InstanceNormalization",
        [operand, *(draw.operand(None, shape=(channels,)) for _ in range(2))],
        epsilon=draw.choice((None, 1e-2)),
    )


def layer(draw: Draw) -> None:
    """Along the last axes, with mean and deviation as further results sometimes."""
    if draw.opset < 17:
        return
    operand = draw.operand(None, (1, 4), lambda array: array.shape[-1] > 1)
    array = draw.arrays[operand]
    axis = draw.axis(operand)
    sizes = array.shape[axis:]
    inputs = [operand, draw.operand(None, shape=sizes)]
    if draw.chance(0.6):
        inputs.append(draw.operand(None, shape=sizes))
    draw.node(
        "LayerNormalization",
        inputs,
        outputs=draw.choice((1, 1, 1, 3)),
        axis=axis,
        epsilon=draw.choice((None, 1e-3)),
    )


def root_mean_square(draw: Draw) -> None:
    """Along the last axes."""
    if draw.opset < 23:
        return
    operand = draw.operand(None, (1, 4))
    axis = draw.axis(operand)
    scale = draw.operand(None, shape=draw.arrays[operand].shape[axis:])
    draw.node("RMSNormalization", [operand, scale], axis=axis, epsilon=draw.choice((None, 1e-3)))


def group(draw: Draw) -> None:
    """Groups of channels; scale and shift are of channels from opset 21 on."""
    if draw.opset < 21:
        return
    groups, each = draw.integer(1, 3), draw.integer(1, 2)
    operand = draw.operand(None, shape=(draw.integer(1, 2), groups * each, *draw.shape((1, 2))))
    parameters = [draw.operand(None, shape=(groups * each,)) for _ in range(2)]
    draw.node("GroupNormalization", [operand, *parameters], num_groups=groups)


def local_response(draw: Draw) -> None:
    """Over neighboring channels."""
    draw.node(
        "LRN",
        [draw.operand(np.float32, (4, 4))],
        size=draw.choice((1, 3, 5)),
        alpha=draw.choice((None, 0.05)),
        beta=draw.choice((None, 0.5)),
        bias=draw.choice((None, 2.0)),
    )


def mean_variance(draw: Draw) -> None:
    """Over given axes."""
    operand = draw.operand(None, (4, 4), lambda array: array[:, 0].size > 2)
    draw.node("MeanVarianceNormalization", [operand], axes=draw.choice((None, [0, 2, 3])))


DRAWS: dict[str, Callable[[Draw], None]] = {
    "BatchNormalization": batch,
    "GroupNormalization": group,
    "InstanceNormalization": instance,
    "LRN": local_response,
    "LayerNormalization": layer,
    "MeanVarianceNormalization": mean_variance,
    "RMSNormalization": root_mean_square,
}
