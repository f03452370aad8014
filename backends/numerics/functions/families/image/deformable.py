"""Convolution whose taps are moved by computed offsets (ONNX, DeformConv)."""

from __future__ import annotations

from math import prod

import numpy as np

from ....storage import name_of
from ....windows.sliding_windows import conv_output_size
from ...function import (
    FLOATS,
    Arrays,
    Attributes,
    Function,
    FunctionError,
    Kinds,
    Parameter,
    TensorKind,
    check_alike,
    check_rank,
    check_shape,
    check_storage,
    stored,
    taken,
)
from .interpolation import none_beside, sampled

_NAMES = ("x", "weight", "offset", "bias", "mask")


def _infer(operands: Kinds, attributes: Attributes) -> list[TensorKind]:
    names = _NAMES[: min(max(len(operands), 3), 5)]
    x, weight, offset, *more = taken(operands, *names)
    check_alike(operands, *names)
    check_storage("x", x, FLOATS)
    rank = len(x.shape) - 2
    if rank < 1:
        raise FunctionError(f"x must have three axes at least, got shape {list(x.shape)}")
    check_rank("weight", weight, rank + 2)
    group, groups = attributes["group"], attributes["offset_group"]
    channels, outputs, kernel = x.shape[1], weight.shape[0], weight.shape[2:]
    if group < 1 or channels != weight.shape[1] * group or outputs % group:
        raise FunctionError(
            f"weight {list(weight.shape)} does not fit {channels} channels in {group} groups"
        )
    if groups < 1 or channels % groups:
        raise FunctionError(f"offset_group {groups} does not divide the {channels} channels")
    strides, dilations, pads = _window(attributes, rank)
    try:
        output = tuple(
            conv_output_size(size, k, stride, dilation, pads[axis], pads[axis + rank])
            for axis, (size, k, stride, dilation) in enumerate(
                zip(x.shape[2:], kernel, strides, dilations, strict=True)
            )
        )
    except ValueError as error:
        raise FunctionError(str(error)) from None
    taps = groups * prod(kernel)
    check_shape("offset", offset, (x.shape[0], taps * rank, *output))
    expected = ((outputs,), (x.shape[0], taps, *output))
    for name, operand, shape in zip(_NAMES[3:], more, expected, strict=False):
        check_shape(name, operand, shape)
    return [TensorKind((x.shape[0], outputs, *output), x.storage)]


def _window(attributes: Attributes, rank: int) -> tuple[tuple[int, ...], ...]:
    """Return strides, dilations and pads. Raises FunctionError if these are not as many as there are axes."""
    given = (
        attributes["strides"] or (1,) * rank,
        attributes["dilations"] or (1,) * rank,
        attributes["pads"] or (0,) * (2 * rank),
    )
    for name, values, count in zip(
        ("strides", "dilations", "pads"), given, (rank, rank, 2 * rank), strict=True
    ):
        if len(values) != count:
            raise FunctionError(f"{name} must be {count} numbers, got {len(values)}")
    return given


def _deform_conv(arrays: Arrays, attributes: Attributes) -> list[np.ndarray]:
    """Sample the image at each tap of each window between its pixels, zeros beside it, and sum the products in f64."""
    x, weight, offset, *more = arrays
    n, channels, rank = *x.shape[:2], x.ndim - 2
    kernel, output = weight.shape[2:], offset.shape[2:]
    taps, points, groups = prod(kernel), prod(output), attributes["offset_group"]
    strides, dilations, pads = _window(attributes, rank)
    moved = offset.reshape(n, groups, taps, rank, points).astype(np.float64)
    places = []
    for axis in range(rank):
        tap = np.indices(kernel)[axis].reshape(-1, 1) * dilations[axis]
        window = np.indices(output)[axis].reshape(1, -1) * strides[axis] - pads[axis]
        places.append((moved[:, :, :, axis] + (tap + window)).reshape(n * groups, -1))
    images = x.reshape(n * groups, channels // groups, *x.shape[2:])
    columns = sampled(images, places, "linear", none_beside)
    columns = columns.reshape(n, groups, channels // groups, taps, points)
    if len(more) == 2:
        columns = columns * more[1].reshape(n, groups, 1, taps, points).astype(np.float64)
    group = attributes["group"]
    columns = columns.reshape(n, group, channels // group * taps, points)
    matrices = weight.astype(np.float64).reshape(group, weight.shape[0] // group, -1)
    result = np.matmul(matrices, columns).reshape(n, weight.shape[0], *output)
    if more:
        result = result + more[0].astype(np.float64).reshape(-1, *(1,) * rank)
    return [stored(result, name_of(x.dtype))]


FUNCTIONS = (
    Function(
        "deform_conv",
        "The convolution of x [N, C, spatial...] with weight [O, C / group, kernel...], each tap of each window moved "
        "by offset [N, offset_group · taps · axes, windows...]; with a bias [O], and with a mask [N, offset_group · "
        "taps, windows...] that taps are multiplied by.",
        _infer,
        _deform_conv,
        {
            "group": Parameter(int, 1),
            "offset_group": Parameter(int, 1),
            "strides": Parameter(int, (), is_list=True),
            "dilations": Parameter(int, (), is_list=True),
            "pads": Parameter(int, (), is_list=True),
        },
        example=(
            (
                TensorKind((1, 2, 4, 4), "f32"),
                TensorKind((3, 2, 2, 2), "f32"),
                TensorKind((1, 8, 3, 3), "f32"),
            ),
            {},
        ),
    ),
)
"""The functions of this family."""
