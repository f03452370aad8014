"""Computes the instructions of convolutions; the conventions are those of __init__.py."""

from __future__ import annotations

import numpy as np

from ..rounding_up import ceil_div
from ..windows import convolution
from .group_scales import stored_rows
from .packing import unpack_conv_weights
from .tile_buffer import (
    accumulated,
    narrowed,
    per_sample,
    shaped,
    shaped_weights,
    unpacked,
)


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    acc: np.ndarray | None = None,
    *,
    type: str,
    acc_type: str,
    accumulate: int = 0,
    batch: int = 1,
    in_height: int,
    in_width: int,
    in_channels: int,
    in_pitch: int,
    out_height: int,
    out_width: int,
    out_channels: int,
    out_pitch: int,
    kernel_height: int = 1,
    kernel_width: int = 1,
    stride_height: int = 1,
    stride_width: int = 1,
    dilation_height: int = 1,
    dilation_width: int = 1,
    pad_top: int = 0,
    pad_left: int = 0,
    pad_value: int = 0,
    groups: int = 1,
    block: int,
    w_type: str = "none",
    narrow_x: int = 0,
    w_group: int = 0,
) -> np.ndarray:
    """Compute acc[batch, out_height, out_width, out_pitch] (+)= the convolution of x[batch, in_height, in_width,
    in_pitch].

    w is [ceil(out_channels / block), kernel_height * kernel_width * in_channels / groups, block].
    Windows may reach past the input on any side, where they find `pad_value`. With
    `accumulate`, the result is added to `acc`. Unless `w_type` is "none", w is of that type, its
    last axis packed if elements share bytes; `narrow_x` says that x has no more bits than that.
    With `w_group` the weights of each tap come with a scale for so many channels, in rows among theirs.
    """
    kernel = (kernel_height, kernel_width)
    depth = in_channels // groups
    rows = kernel_height * kernel_width * stored_rows(depth, w_group, type, w_type)
    blocks = ceil_div(out_channels, block)
    images = shaped(x, (batch, in_height, in_width, in_pitch), "x", type)[..., :in_channels]
    images = narrowed(images, w_type, narrow_x)
    weights = shaped_weights(w, (blocks, rows, block), type, w_type)

    def one(packed: np.ndarray, images: np.ndarray) -> np.ndarray:
        packed = unpacked(packed, block, type, w_type, w_group, depth)
        return convolution.conv2d(
            images,
            unpack_conv_weights(packed, kernel, depth, out_channels),
            strides=(stride_height, stride_width),
            dilations=(dilation_height, dilation_width),
            pads=(pad_top, pad_left, 0, 0),
            groups=groups,
            pad_value=pad_value,
            accumulator=acc_type,
            output=(out_height, out_width),
        )

    result = per_sample(one, weights, 3, (images, 4))
    return accumulated(result, 4, out_pitch, acc_type, accumulate, acc)


def depthwise_conv2d(
    x: np.ndarray,
    w: np.ndarray,
    acc: np.ndarray | None = None,
    *,
    type: str,
    acc_type: str,
    accumulate: int = 0,
    batch: int = 1,
    in_height: int,
    in_width: int,
    in_channels: int,
    in_pitch: int,
    out_height: int,
    out_width: int,
    out_channels: int,
    out_pitch: int,
    kernel_height: int = 1,
    kernel_width: int = 1,
    stride_height: int = 1,
    stride_width: int = 1,
    dilation_height: int = 1,
    dilation_width: int = 1,
    pad_top: int = 0,
    pad_left: int = 0,
    pad_value: int = 0,
    groups: int = 1,
    block: int,
    w_type: str = "none",
    narrow_x: int = 0,
    w_group: int = 0,
) -> np.ndarray:
    """Compute the same as `conv2d`, but each output channel o from one input channel, o * in_channels // out_channels.

    w is [kernel_height * kernel_width, block], block >= out_channels. `groups` is in_channels, or
    left at 1, `w_group` 0: a weight has its channel's scale.
    """
    if w_group:
        raise ValueError("the weights of a depthwise convolution have no groups of input channels")
    if groups not in (1, in_channels):
        raise ValueError(
            f"a depthwise convolution has {in_channels} groups, one a channel, not {groups}"
        )
    images = shaped(x, (batch, in_height, in_width, in_pitch), "x", type)
    images = narrowed(images, w_type, narrow_x)
    weights = shaped_weights(w, (kernel_height * kernel_width, block), type, w_type)
    # Whole pixels with their padding lanes are one contiguous run, which is quicker than cutting
    # the channels out.
    whole = in_channels == out_channels and in_pitch == out_pitch == block
    channels, outputs = (in_pitch, out_pitch) if whole else (in_channels, out_channels)

    def one(packed: np.ndarray, images: np.ndarray) -> np.ndarray:
        packed = unpacked(packed, block, type, w_type)
        return convolution.conv2d(
            images[..., :channels],
            packed[:, :outputs].reshape(kernel_height, kernel_width, 1, outputs),
            strides=(stride_height, stride_width),
            dilations=(dilation_height, dilation_width),
            pads=(pad_top, pad_left, 0, 0),
            groups=channels,
            pad_value=pad_value,
            accumulator=acc_type,
            output=(out_height, out_width),
        )

    result = per_sample(one, weights, 2, (images, 4))[..., :out_channels]
    return accumulated(result, 4, out_pitch, acc_type, accumulate, acc)
