"""Scales of groups of weights lose less than one for each channel, and are of the form that units take."""

import numpy as np
import pytest
from smalti.backends.numerics.quantization import quantize, weight_scales
from smalti.dialects.quant.scale_groups import ScaleGroups
from smalti.passes.top_to_tpu.builder.grouped_weights import (
    WeightGroups,
    float_scales,
    quantize_grouped,
    whole_scales,
)

SHAPES = [((70, 9), 0, 1), ((9, 70, 3, 3), 1, 0)]
"""Shapes of weights, with the axes of input and of output channels."""


def weights_of(shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.default_rng(1)
    return (random.standard_t(5, size=shape) / 10).astype(np.float32)


@pytest.mark.parametrize(("shape", "depth_axis", "channel_axis"), SHAPES)
@pytest.mark.parametrize("input", ["i8", "f16", "bf16", "f32"])
def test_errors(shape: tuple[int, ...], depth_axis: int, channel_axis: int, input: str):
    weights = weights_of(shape)
    groups = WeightGroups(32, depth_axis, channel_axis)
    if input == "i8":
        scales = whole_scales(weights, groups, "i4", 0.0)
    else:
        scales = float_scales(weights, groups, "i4", input)
    stored = quantize_grouped(weights, scales, groups, "i4")
    kept = ScaleGroups.of(groups.element(scales, weights.ndim, "i4"))
    assert kept is not None and kept.scales.shape == (3, 9)
    numbers = kept.multiplied(stored.astype(np.int8), input).astype(np.float64)
    if input == "i8":
        steps = kept.steps.reshape(
            [-1 if axis == channel_axis else 1 for axis in range(weights.ndim)]
        )
        assert kept.factors.max() <= 16
        numbers = numbers * steps
    single = weight_scales(weights, channel_axis, "i4")
    plain = quantize(weights, single, 0, "i4", axis=channel_axis).astype(np.float64)
    plain *= single.reshape([-1 if axis == channel_axis else 1 for axis in range(weights.ndim)])
    assert np.linalg.norm(numbers - weights) < 0.85 * np.linalg.norm(plain - weights)


def test_channels_of_zeros_and_biases():
    weights = weights_of((70, 9))
    weights[:, 4] = 0
    groups = WeightGroups(32, 0, 1)
    kept = ScaleGroups.of(groups.element(whole_scales(weights, groups, "i4", 2.0), 2, "i4"))
    assert kept is not None and (kept.steps >= 2.0 * (1 - 1e-6)).all()
    stored = quantize_grouped(weights, whole_scales(weights, groups, "i4", 0.0), groups, "i4")
    assert not stored[:, 4].any()


def test_weights_must_be_finite():
    weights = weights_of((70, 9))
    weights[0, 0] = np.inf
    with pytest.raises(ValueError, match="weights must be finite"):
        whole_scales(weights, WeightGroups(32, 0, 1), "i4", 0.0)
