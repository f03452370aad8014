"""Computes the integer weights and bias of a convolution or matrix product, and chooses an accumulator that provably
holds the sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...backends.numerics.packing import in_whole_bytes
from ...backends.numerics.quantization import (
    SYMMETRIC_LIMIT,
    next_power_of_two,
    quantize,
    row_blocks,
    weight_scales,
)
from ...backends.numerics.storage import PACKED_NAMES, integer_range
from ...dialects.quant.scale_groups import ScaleGroups
from .builder.grouped_weights import WeightGroups, quantize_grouped, whole_scales
from .precision.schemes import Scheme

_MAX_BIAS = 2**30
"""Biases are kept to half of an i32, so that the input's zero point, folded in later, finds room
too."""


@dataclass(frozen=True)
class QuantizedProduct:
    """Integer weights of a product.

    `weight` is i8 in [-127, 127], or i4, of the float weights' shape; `scales` is f64 [channels] (each an f32 value),
    or, of groups of input channels, [groups, channels]; `steps` is f64 [channels], what the scales of a channel are
    multiples of; `bias` is i32 [channels] in units of input scale · steps[c], or None; `accumulator` is the type that
    holds every sum.
    """

    weight: np.ndarray
    scales: np.ndarray
    steps: np.ndarray
    bias: np.ndarray | None
    accumulator: Literal["i32", "i64"]


def quantize_product(
    weight: np.ndarray,
    axis: int,
    bias: np.ndarray | None,
    input_scale: float,
    zero_point: int,
    scheme: Scheme,
) -> QuantizedProduct:
    """Return the integers for f32 `weight` with output channels along `axis`, f32 `bias` [channels], and an input of
    the scheme's type.

    Scales are those by which no weight saturates, max|w| / 127 per channel in i8; 1 for a channel that is all
    zeros, and larger if the channel's bias would otherwise not fit i32 (then the bias is what matters). If the scheme
    has one scale for all weights, that is the largest; if its scales are powers of two, they are the next greater ones.
    Raises ValueError if a weight or bias is not finite.
    """
    is_packed = scheme.weights in PACKED_NAMES
    scales = weight_scales(weight, axis, scheme.weights)
    if bias is not None:
        if not np.all(np.isfinite(bias)):
            raise ValueError("biases must be finite")
        needed = np.abs(bias.astype(np.float64)) / (input_scale * _MAX_BIAS)
        # Rounding to f32 must not bring the bias over the limit again; one step up prevents that.
        raised = np.nextafter(needed.astype(np.float32), np.float32(np.inf)).astype(np.float64)
        scales = np.where(needed > scales, raised, scales)
    if scheme.weight_scales == "tensor":
        scales = np.full_like(scales, scales.max(initial=0.0))
    if scheme.power_of_two:
        scales = next_power_of_two(scales)
    quantized = quantize(weight, scales, 0, scheme.weights, axis=axis)
    if not is_packed:
        quantized = np.maximum(quantized, np.int8(-SYMMETRIC_LIMIT))
    integers = None if bias is None else quantize_bias(bias, input_scale * scales)
    return QuantizedProduct(
        quantized,
        scales,
        scales,
        integers,
        accumulator_for(quantized, axis, integers, zero_point, scheme.activations),
    )


def quantize_grouped_product(
    weight: np.ndarray,
    groups: WeightGroups,
    bias: np.ndarray | None,
    input_scale: float,
    zero_point: int,
    scheme: Scheme,
) -> QuantizedProduct:
    """Return the integers for f32 `weight` with whole scales for groups of input channels, as `quantize_product` does
    for one scale for each output channel.
    """
    storage, axis, least = scheme.weights, groups.channel_axis, 0.0
    if bias is not None:
        if not np.all(np.isfinite(bias)):
            raise ValueError("biases must be finite")
        least = np.abs(bias.astype(np.float64)) / (input_scale * _MAX_BIAS)
    scales = whole_scales(weight, groups, storage, least)
    quantized = quantize_grouped(weight, scales, groups, storage)
    kept = ScaleGroups.of(groups.element(scales, weight.ndim, storage))
    assert kept is not None
    integers = None if bias is None else quantize_bias(bias, input_scale * kept.steps)
    numbers = kept.multiplied(in_whole_bytes(quantized), scheme.activations)
    return QuantizedProduct(
        quantized,
        scales,
        kept.steps,
        integers,
        accumulator_for(numbers, axis, integers, zero_point, scheme.activations),
    )


def quantize_bias(bias: np.ndarray, scales: np.ndarray | float) -> np.ndarray:
    """Return round_half_even(bias / scales) as i32 [channels], saturated. It is computed in f64, because f32 would lose
    the low bits.
    """
    info = np.iinfo(np.int32)
    steps = np.rint(bias.astype(np.float64) / scales)
    return np.clip(steps, info.min, info.max).astype(np.int32)


def accumulator_for(
    weight: np.ndarray, axis: int, bias: np.ndarray | None, zero_point: int, input: str
) -> Literal["i32", "i64"]:
    """Return "i32" if no input of storage type `input` can drive a sum, or any partial sum, out of 32 bits; else "i64".

    The bound per channel holds for any order of summation: the input's greatest magnitude (128 of i8) · Σ|w| for the
    products, |zero point| · Σ|w| for the input's zero point that is folded into the bias, and the bias.
    """
    total = _magnitudes(weight, axis % weight.ndim) * (_magnitude(input) + abs(zero_point))
    if bias is not None:
        total = total + np.abs(bias.astype(np.int64))
    return "i32" if int(total.max(initial=0)) < 2**31 else "i64"


def _magnitudes(weight: np.ndarray, axis: int) -> np.ndarray:
    """Return Σ|w| of each channel (i64) of i8 weights."""
    others = tuple(a for a in range(weight.ndim) if a != axis)
    total = np.zeros(weight.shape[axis], np.int64)
    for rows in row_blocks(weight):
        part = np.abs(weight[rows].astype(np.int16)).sum(axis=others, dtype=np.int64)
        total[rows if axis == 0 else slice(None)] += part
    return total


def accumulator_for_activations(
    depth: int, zero_point_a: int, zero_point_b: int, most_bias: int, storage: str
) -> Literal["i32", "i64"]:
    """Return "i32" if no operands of a storage type, with `depth` products in each sum, can drive a sum or any partial
    sum out of 32 bits, with or without their zero points and a bias up to `most_bias`; else "i64".
    """
    magnitudes = (_magnitude(storage) + abs(point) for point in (zero_point_a, zero_point_b))
    a, b = magnitudes
    return "i32" if depth * a * b + most_bias < 2**31 else "i64"


def _magnitude(storage: str) -> int:
    """Return the greatest magnitude of an integer of a storage type."""
    return max(map(abs, integer_range(storage)))
